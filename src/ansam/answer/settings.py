"""Settings of an answering line, and the facts of the machine that its texts show."""

from dataclasses import dataclass

from ansam.errors import ConfigError

DEFAULT_ISSUE = "Debian GNU/\\s \\P \\S (\\I)\n"
DEFAULT_LOGIN_PROMPT = "@ \\P login:\\040"


@dataclass(frozen=True, slots=True)
class Machine:
    """What `uname` says; engines may not ask the system themselves."""

    nodename: str = "localhost"
    sysname: str = "Linux"
    machine: str = ""
    release: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    r"""One answering line. Names follow mgetty.config(5) where it has the same thing.

    Attributes:
        port: Shown for ``\P`` and ``\L``; also how `who` names the line.
        speed: Port speed shown for ``\S``, bit/s.
        issue: Text of the issue file, with mgetty's escapes.
        login_prompt: With mgetty's escapes.
        login_time: Seconds for typing a login name (0: no limit).
        prompt_wait: Seconds between a quiet line and the issue text.
        term: TERM of commands.
        rings: RINGs before ATA, 1 or more.
        init: Commands sent one by one before waiting for calls; each must be answered OK.
        answer_timeout: Seconds from ATA to CONNECT.
        emsi: Send FidoNet's EMSI request before the prompt, as Debian's mgetty does by default.
        tries: Wrong passwords in one call before it is cut off.
        idle_time: Seconds without a key in the menu before the call is cut off (0: no limit).
        system_login: Leave passwords to ``/bin/login`` (which needs root) instead of our own users.
    """

    port: str = "ttyUSB0"
    speed: int = 57600
    issue: str = DEFAULT_ISSUE
    login_prompt: str = DEFAULT_LOGIN_PROMPT
    login_time: float = 240.0
    prompt_wait: float = 0.5
    term: str = "vt102"
    rings: int = 1
    init: tuple[str, ...] = ("ATQ0V1H0", "ATS0=0Q0&D2&C1")
    answer_timeout: float = 80.0
    emsi: bool = False
    tries: int = 3
    idle_time: float = 900.0
    system_login: bool = False

    def __post_init__(self) -> None:
        if self.rings < 1:
            raise ConfigError(
                f"rings = {self.rings}: an answering line waits for at least one", "set rings = 1"
            )
        if self.tries < 1:
            raise ConfigError(f"tries = {self.tries}: a caller needs at least one", "set tries = 3")
        for name in ("login_time", "prompt_wait", "idle_time"):
            if getattr(self, name) < 0:
                raise ConfigError(
                    f"{name} = {getattr(self, name)}: a time can not be negative", "set it to 0 or more"
                )
