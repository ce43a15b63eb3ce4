"""The house: everyone logged in on any line, and the room they chat in.

One house is shared by all lines of a process. It is passive: a line that is written to by another is woken
through the callable it gave on entering, and then fetches its messages itself.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ansam.units import Seconds

INBOX_LIMIT = 64
"""Messages held for a caller who does not read; the oldest go first and are counted."""

FAILURES_LIMIT = 1024
"""Names for which wrong passwords are remembered."""

PENALTY_FIRST: Seconds = 2.0
PENALTY_MAX: Seconds = 30.0


def nobody_to_wake() -> None:
    """Wake nobody: the default of a line without an event loop."""


@dataclass(slots=True, eq=False)
class Seat:
    """One caller in the house.

    Attributes:
        user: Login name.
        port: Which line.
        connect: Connect string of the call.
        since: When the user logged in, seconds.
        chatting: Whether messages are wanted.
        lost: Messages that found no room.
    """

    user: str
    port: str
    connect: str
    since: Seconds
    wake: Callable[[], None] = nobody_to_wake
    chatting: bool = False
    lost: int = 0
    _inbox: deque[str] = field(default_factory=deque)

    def deliver(self, text: str) -> None:
        """Put a message into the inbox."""
        if len(self._inbox) >= INBOX_LIMIT:
            self._inbox.popleft()
            self.lost += 1
        self._inbox.append(text)
        self.wake()

    def take_messages(self) -> list[str]:
        """Return the messages since the last call, in order."""
        messages = list(self._inbox)
        self._inbox.clear()
        return messages


class House:
    """Everyone logged in, and how often each name failed its password."""

    def __init__(self) -> None:
        self._seats: list[Seat] = []
        self._failures: dict[str, int] = {}

    def __iter__(self) -> Iterator[Seat]:
        return iter(tuple(self._seats))

    def __len__(self) -> int:
        return len(self._seats)

    def enter(self, seat: Seat) -> None:
        """Let a caller in."""
        self._seats.append(seat)

    def leave(self, seat: Seat) -> None:
        """Let a caller go; one who has gone already may go again."""
        if seat.chatting:
            self.stop_chatting(seat)
        if seat in self._seats:
            self._seats.remove(seat)

    def start_chatting(self, seat: Seat) -> list[Seat]:
        """Let a caller into the chat room; return who was there."""
        others = [other for other in self._seats if other.chatting]
        seat.chatting = True
        self._tell(seat, f"*** {seat.user} ({seat.port}) is here")
        return others

    def stop_chatting(self, seat: Seat) -> None:
        """Let a caller leave the chat room."""
        seat.chatting = False
        self._tell(seat, f"*** {seat.user} ({seat.port}) has left")

    def say(self, seat: Seat, text: str) -> int:
        """Tell everyone else in the chat room; return how many that were."""
        return self._tell(seat, f"{seat.user}: {text}")

    def _tell(self, seat: Seat, text: str) -> int:
        others = [other for other in self._seats if other.chatting and other is not seat]
        for other in others:
            other.deliver(text)
        return len(others)

    def password_failed(self, name: str) -> Seconds:
        """Count a wrong password; return for how long the answer is to be held back.

        The wait doubles with every failure of the same name on any line, up to 30 s, so that many lines do
        not help in guessing; a right password is never held back, so nobody can lock a user out.
        """
        count = self._failures.pop(name, 0) + 1
        if len(self._failures) >= FAILURES_LIMIT:
            del self._failures[next(iter(self._failures))]
        self._failures[name] = count
        return min(PENALTY_FIRST * 2.0 ** min(count - 1, 10), PENALTY_MAX)

    def password_fitted(self, name: str) -> None:
        """Forget the failures of a name."""
        self._failures.pop(name, None)
