"""A caller who has a program, or something that is read and written like one."""

from typing import Any

from ansam.answer.command_input import CommandInput
from ansam.answer.events import AnswerEvent, StopCommand
from ansam.answer.visit import SessionState, Visit
from ansam.units import Seconds


class CommandVisit:
    """A `Visit` whose caller has the program from the beginning; nothing is said beside it, and no time runs.

    Args:
        events: What is asked of io at once.
    """

    def __init__(self, *events: AnswerEvent) -> None:
        self.state = SessionState.COMMAND
        self.reason = ""
        self.successor: Visit | None = None
        self._input = CommandInput()
        self._events: list[AnswerEvent] = [*events]

    def receive(self, data: bytes, now: Seconds) -> int:
        """Take octets from the caller; return how many were taken."""
        return self._input.add(data)

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
        return self._input.take()

    def command_spoke(self, until: Seconds) -> None:
        """There are no timers."""

    def command_ended(self, status: int, error: str = "") -> None:
        """The program is over: its exit status, or why it could not be started."""
        self._end(error or f"command ended with status {status}")

    def _end(self, reason: str) -> None:
        if self.state is not SessionState.OVER:
            self.state, self.reason = SessionState.OVER, reason
