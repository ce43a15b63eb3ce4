"""What the answering engine asks of io, and what it reports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ansam.answer.service_url import BridgeTarget


@dataclass(frozen=True, slots=True)
class SetDtr:
    """Set circuit 108.2; OFF makes a modem hang up (&D2)."""

    on: bool


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Verify a password (slow: argon2) and call `password_checked`.

    Attributes:
        user: Login name as typed.
        password_hash: argon2 in its encoded form, or "" for a user who does not exist: verify against
            some hash all the same, so that the time taken does not tell, and say False.
        password: As typed.
    """

    user: str
    password_hash: str
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Start a program on a pty and couple it to the line.

    Attributes:
        argv: Program and arguments.
        environment: The whole environment.
        run_as: Account to run as, or "" for the default of io.
        directory: Working directory, or "".
        raw: The pty passes every octet as it is from the start: the other end is a program, not a person.
        pipes: Pipes instead of a pty.
        limit: Most octets of all files it may leave in its directory, or 0 for any number.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    run_as: str = ""
    directory: str = ""
    raw: bool = False
    pipes: bool = False
    limit: int = 0


@dataclass(frozen=True, slots=True)
class OpenBridge:
    """Connect to a host and couple it to the line, as a command is.

    Attributes:
        target: Where to.
        environment: What the host may know of the caller: TERM, USER, CALLER_ID, CONNECT, SPEED.
    """

    target: BridgeTarget
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HoldCommand:
    """The caller is gone, but what they had goes on for a while.

    Attributes:
        token: By which `Reattach` finds it.
        seconds: How long.
        gone: Called with the token when it has ended by itself, or nobody has come back.
        instead: Tokens of what is held and has to end for it.
    """

    token: str = field(repr=False)
    seconds: float
    gone: Callable[[str], None] = field(repr=False)
    instead: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Reattach:
    """Couple to the line what was held."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DoWork:
    """Call something slow (a disk, a database) away from the event loop and say `work_done`.

    Attributes:
        work: What to call; an `AnsamError` it raises is the caller's to hear.
        answered: False: nobody waits for the outcome, and it is done even when the caller is gone.
    """

    work: Callable[[], object] = field(repr=False)
    answered: bool = True


@dataclass(frozen=True, slots=True)
class StopCommand:
    """Hang the program up (SIGHUP): the caller is gone."""


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Let the port run at another speed, bit/s."""

    speed: int


@dataclass(frozen=True, slots=True)
class JudgeCaller:
    """Run a program that says by its exit status whether a caller is answered: 0 is yes, 1 is no.

    Attributes:
        argv: Program and arguments.
        serial: Which caller of the line it is about; `caller_judged` wants it back.
    """

    argv: tuple[str, ...]
    serial: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A caller may not call: the telephone goes on ringing."""

    caller_id: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A call is connected."""

    connect: str
    caller_id: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A user is in."""

    user: str


@dataclass(frozen=True, slots=True)
class LoginFailed:
    """A name and password did not fit."""

    user: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over; the modem is set up for the next one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something a person should look at, such as a modem that does not answer AT."""

    text: str


AnswerEvent = (
    SetDtr
    | CheckPassword
    | RunCommand
    | OpenBridge
    | HoldCommand
    | Reattach
    | DoWork
    | StopCommand
    | SetSpeed
    | JudgeCaller
    | Refused
    | Answered
    | LoggedIn
    | LoginFailed
    | CallEnded
    | Trouble
)
