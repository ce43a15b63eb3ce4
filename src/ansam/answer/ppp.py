"""Callers by PPP: a program has the line, from the first octet on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansam.answer.errand import errand
from ansam.answer.events import AnswerEvent, StopCommand
from ansam.answer.users import Command, User
from ansam.answer.visit import SessionState, Visit
from ansam.units import Seconds

if TYPE_CHECKING:
    from ansam.answer.place import Place

INPUT_LIMIT = 4096
"""Octets waiting for the program, beyond which nothing more is taken from the caller."""

LOGIN = "/AutoPPP/"
"""The program's USER, as mgetty's login.config names such a caller."""


@dataclass(frozen=True, slots=True)
class PppPrograms:
    """What serves callers by PPP.

    Attributes:
        calling: Finds out who calls.
        logged_in: For those who have logged in.
    """

    calling: Command
    logged_in: Command

    def __call__(
        self, place: "Place", connect: str, caller_id: str, now: Seconds, user: User | None = None
    ) -> Visit:
        """Begin the visit of a caller on a line that has nothing but PPP."""
        return PppVisit(self.calling, place, connect, caller_id)


class PppVisit:
    """One caller, who has a program from CONNECT to the end.

    Args:
        command: The program.
        place: The line called.
        connect: Connect string without the word CONNECT and the blank.
        caller_id: Caller's number, or ``none``.
    """

    def __init__(self, command: Command, place: "Place", connect: str, caller_id: str) -> None:
        self.state = SessionState.COMMAND
        self.reason = ""
        self.successor: Visit | None = None
        self._input = bytearray()
        self._events: list[AnswerEvent] = [
            errand(command, LOGIN, connect, caller_id, place.settings, raw=True)
        ]

    def receive(self, data: bytes, now: Seconds) -> int:
        """Take octets from the caller; return how many were taken."""
        taken = data[: INPUT_LIMIT - len(self._input)]
        self._input += taken
        return len(taken)

    def take_output(self, now: Seconds) -> bytes:
        """Say nothing: the program does."""
        return b""

    def take_events(self) -> list[AnswerEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    def deadline(self) -> Seconds | None:
        """Wait for nothing: the program has its own times."""
        return None

    def handle_timer(self, now: Seconds) -> None:
        """There are no timers."""

    def carrier_lost(self) -> None:
        """The caller is gone."""
        if self.state is SessionState.COMMAND:
            self._events.append(StopCommand())
        self._end("no carrier")

    def password_checked(self, fits: bool, now: Seconds) -> None:
        """Nothing is asked for here."""

    def work_done(self, result: Any, error: str) -> None:
        """Nothing is asked for here."""

    def take_command_input(self) -> bytes:
        """Return the caller's octets for the program since the last call."""
        data = bytes(self._input)
        self._input.clear()
        return data

    def command_ended(self, status: int, error: str = "") -> None:
        """The program is over: its exit status, or why it could not be started."""
        self._end(error or f"command ended with status {status}")

    def _end(self, reason: str) -> None:
        if self.state is SessionState.COMMAND:
            self.state, self.reason = SessionState.OVER, reason
