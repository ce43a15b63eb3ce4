r"""Reads mgetty's `mgetty.config`, so that a line that mgetty answered is answered here with the same words.

::

    speed 38400              before the first `port`: for every line
    port ttyUSB0             from here on: for this line only
      login-prompt @ \P login:\040

How the file is read was taken from Debian's mgetty 1.2.1 (``mgetty -x9`` tells): see `config_file` for lines
and `chat` for scripts; numbers are C's (``0664`` is octal) and end at the first other character.

Deviation: mgetty logs what it does not understand and goes on; here it is a fault, with line and remedy.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ansam.answer.chat import ChatStep, command_steps, parse_chat
from ansam.answer.config_file import ConfigFaults, Fault, logical_lines, nearest, shown
from ansam.answer.manners import Manners
from ansam.answer.mgetty_keys import FLOWS, MODEM_TYPES, OPTIONS, SPEEDS, Effect, Kind
from ansam.answer.settings import AnswerSettings

Value = int | bool | str | tuple[ChatStep, ...]

DEFAULT_SPEED = 38400
DEFAULT_PROMPT = "@ login:\\040"
DEFAULT_ISSUE_FILE = "/etc/issue"
DEFAULT_LOGIN_CONFIG = "login.config"
DEFAULT_DTR_WAIT = 500
DEFAULT_CHECK_TIME = 3600
"""Debian's defaults; `toggle-dtr-waittime` in ms, `modem-check-time` in s."""

_NUMBER = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_YES = re.compile(r"(y|t|on)", re.IGNORECASE)
_NO = re.compile(r"(n|f|off)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One option as it stands in the file.

    Attributes:
        key: Its name.
        value: Its value; "" and () where the file leaves it out.
        where: ``FILE:LINE``.
    """

    key: str
    value: Value
    where: str


@dataclass(frozen=True, slots=True)
class MgettyConfig:
    """What one line finds in an `mgetty.config`.

    Attributes:
        entries: By key; those of the line's own section win.
        ports: Every port the file has a section for.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict)
    ports: tuple[str, ...] = ()

    @property
    def inert(self) -> tuple[Entry, ...]:
        """The options that can not act here."""
        return tuple(entry for entry in self.entries.values() if OPTIONS[entry.key].effect is not Effect.ACTS)

    @property
    def issue_file(self) -> str:
        """Path of the issue text; "" for none."""
        return self.text("issue-file", DEFAULT_ISSUE_FILE)

    @property
    def login_config(self) -> str:
        """Path of `login.config`; a relative one starts at this file's directory."""
        return self.text("login-conf-file", DEFAULT_LOGIN_CONFIG)

    @property
    def debug(self) -> int | None:
        """Amount of logging, 0 to 9; None where the file leaves it open."""
        return self.number("debug", -1) if "debug" in self.entries else None

    def text(self, key: str, default: str = "") -> str:
        """Return a text option."""
        value = self._value(key, default)
        return value if isinstance(value, str) else default

    def number(self, key: str, default: int) -> int:
        """Return a number option."""
        value = self._value(key, default)
        return value if isinstance(value, int) else default

    def yes(self, key: str, default: bool) -> bool:
        """Return a y/n option."""
        return bool(self._value(key, default))

    def chat(self, key: str) -> tuple[ChatStep, ...]:
        """Return a chat script, () for none."""
        value = self._value(key, ())
        return value if isinstance(value, tuple) else ()

    def settings(self, base: AnswerSettings) -> AnswerSettings:
        """Return the settings of the line.

        Args:
            base: What mgetty has no words for. All else the file leaves open is as in Debian's mgetty.
        """
        return replace(
            base,
            speed=self.number("speed", DEFAULT_SPEED),
            rings=self.number("rings", base.rings),
            login_prompt=self.text("login-prompt", DEFAULT_PROMPT),
            login_time=self.number("login-time", int(base.login_time)),
            prompt_wait=self.number("prompt-waittime", round(base.prompt_wait * 1000)) / 1000,
            answer_timeout=self.number("answer-chat-timeout", int(base.answer_timeout)),
            term=self.text("term", base.term) or base.term,
            emsi=self.yes("fido-send-emsi", True),
        )

    def manners(self, base: AnswerSettings) -> Manners:
        """Return how the modem of the line is handled.

        Args:
            base: Gives the set-up commands that `post-init-chat` follows where there is no `init-chat`.
        """
        init = self.chat("init-chat")
        if after := self.chat("post-init-chat"):
            init = (init or command_steps(base.init)) + after
        return Manners(
            toggle_dtr=self.yes("toggle-dtr", True),
            dtr_low=self.number("toggle-dtr-waittime", DEFAULT_DTR_WAIT) / 1000,
            init=init,
            force_init=self.chat("force-init-chat"),
            answer=_before_connect(self.chat("answer-chat")),
            check_time=self.number("modem-check-time", DEFAULT_CHECK_TIME),
            ringback=self.yes("ringback", False),
            ringback_time=self.number("ringback-time", 30),
            ignore_carrier=self.yes("ignore-carrier", False),
            autobaud=self.yes("autobauding", False),
            caller_program=self.text("cnd-program"),
        )

    def _value(self, key: str, default: Value) -> Value:
        return self.entries[key].value if key in self.entries else default


def _before_connect(steps: tuple[ChatStep, ...]) -> tuple[ChatStep, ...]:
    r"""Return an answer chat up to CONNECT, which the line itself waits for: ``"" ATA CONNECT \c \n``."""
    kept: list[ChatStep] = []
    for step in steps:
        if step.expect.startswith(b"CONNECT"):
            kept.append(replace(step, expect=b""))
            break
        kept.append(step)
    return tuple(kept)


def parse_mgetty_config(text: str, file: str, port: str) -> MgettyConfig:
    """Return what a line finds in an `mgetty.config`.

    Args:
        text: The file.
        file: Its name, for faults.
        port: The line, such as ``ttyUSB0``: its own section counts, and what stands before all sections.

    Raises:
        ConfigFaults: The file has faults, in whichever section.
    """
    faults: list[Fault] = []
    entries: dict[str, Entry] = {}
    ports: list[str] = []
    ours = True
    for number, line in logical_lines(text):
        where = f"{file}:{number}"
        key, _, rest = line.partition(" ")
        if key == "port":
            if not rest:
                faults.append(Fault(where, "port names no line", "such as: port ttyUSB0"))
            ports.append(rest)
            ours = rest == port
        elif key not in OPTIONS:
            faults.append(Fault(where, f"unknown option {shown(key)!r}", nearest(key, [*OPTIONS, "port"])))
        else:
            read = _read(key, rest, where)
            if isinstance(read, Fault):
                faults.append(read)
            elif ours:
                faults.extend(_refuse(read))
                entries[key] = read
    if faults:
        raise ConfigFaults(faults)
    return MgettyConfig(entries, tuple(dict.fromkeys(ports)))


def _read(key: str, text: str, where: str) -> Entry | Fault:
    option = OPTIONS[key]
    if option.needed and not text:
        return Fault(where, f"{key} has no value", f"it takes {option.kind.value}")
    value = _READERS[option.kind](text)
    if value is None:
        return Fault(where, f"{key} = {shown(text)!r}", f"it takes {option.kind.value}")
    return Entry(key, value, where)


def _number(text: str) -> int | None:
    found = _NUMBER.match(text)
    if not found:
        return None
    digits = found[1]
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits.startswith("0") else 10
    return int(digits, base) * (-1 if text.startswith("-") else 1)


def _yes_no(text: str) -> bool | None:
    if not text or _YES.match(text):
        return True
    return False if _NO.match(text) else None


def _flow(text: str) -> str | None:
    return text if text and FLOWS.issuperset(text.lower().split()) else None


_READERS: dict[Kind, Callable[[str], Value | None]] = {
    Kind.NUMBER: _number,
    Kind.TEXT: lambda text: text,
    Kind.YES_NO: _yes_no,
    Kind.CHAT: parse_chat,
    Kind.FLOW: _flow,
}

_RANGES = {"rings": (1, 1000), "debug": (0, 9), "port-mode": (0, 0o777)}
_TIMES = frozenset(
    {
        *("login-time", "prompt-waittime", "answer-chat-timeout", "toggle-dtr-waittime"),
        *("modem-check-time", "ringback-time"),
    }
)
_DAY = 86_400_000


def _refuse(entry: Entry) -> list[Fault]:
    """Return what is wrong with a value of this line that is of the right kind."""
    key, value = entry.key, entry.value
    low, high = (0, _DAY) if key in _TIMES else _RANGES.get(key, (0, 0))
    if high and isinstance(value, int) and not low <= value <= high:
        many = f"from {low:#o} to {high:#o}" if key == "port-mode" else f"from {low} to {high}"
        return [Fault(entry.where, f"{key} = {value}", f"it takes a number {many}")]
    if key == "speed" and value not in SPEEDS:
        remedy = f"the nearest port speed is {min(SPEEDS, key=lambda speed: abs(speed - int(str(value))))}"
        return [Fault(entry.where, f"speed = {value} is no port speed of termios(3)", remedy)]
    if key == "modem-type" and value and value not in MODEM_TYPES:
        return [Fault(entry.where, f"modem-type = {value!r}", nearest(str(value), MODEM_TYPES))]
    if key == "fax-only" and value is True:
        return [Fault(entry.where, "fax-only: nobody would be answered, faxes are not taken", "fax-only n")]
    if key == "direct" and value is True:
        return [Fault(entry.where, "direct: a line without a modem is not answered", "direct n")]
    return []
