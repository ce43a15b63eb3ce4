"""What a line asks of whatever has its caller: the login session, or a service that answers in its place."""

from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from ansam.answer.events import AnswerEvent
from ansam.answer.users import User
from ansam.units import Seconds

if TYPE_CHECKING:
    from ansam.answer.place import Place


class SessionState(Enum):
    """How far the caller has come."""

    NAME = "a login name is being typed"
    PASSWORD = "a password is being typed"
    VERIFYING = "io checks the password"
    PENALTY = "the answer to a wrong password is held back"
    MENU = "at the menu"
    COMMAND = "a command has the line"
    OVER = "the call is to be ended"


class Visit(Protocol):
    """One caller, from the first word to the last.

    Attributes:
        state: How far the caller has come; with `SessionState.OVER` the call is to be ended.
        reason: Why it ended.
        successor: Who has the caller from now on, or None.
    """

    state: SessionState
    reason: str
    successor: "Visit | None"

    def receive(self, data: bytes, now: Seconds) -> int:
        """Take octets from the caller; return how many were taken."""

    def take_output(self, now: Seconds) -> bytes:
        """Return octets for the caller; call again until there are none."""

    def take_events(self) -> list[AnswerEvent]:
        """Return the events since the last call, in order."""

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` wants to be called, or None."""

    def handle_timer(self, now: Seconds) -> None:
        """Let timers act; calling early is harmless."""

    def carrier_lost(self) -> None:
        """The caller is gone."""

    def password_checked(self, fits: bool, now: Seconds) -> None:
        """Take the answer to `CheckPassword`."""

    def work_done(self, result: Any, error: str) -> None:
        """Take the answer to `DoWork`: its result, or in one line why there is none."""

    def take_command_input(self) -> bytes:
        """Return the caller's octets for the command since the last call."""

    def command_spoke(self, until: Seconds) -> None:
        """The command has said something; at `until` the line will have carried it."""

    def command_ended(self, status: int, error: str = "") -> None:
        """The command is over: its exit status, or why it could not be started."""


class Opener(Protocol):
    """Makes the visit of a caller; `user` is None where nobody has asked for a name yet."""

    def __call__(
        self, place: "Place", connect: str, caller_id: str, now: Seconds, user: User | None = None
    ) -> Visit:
        """Begin a visit."""
