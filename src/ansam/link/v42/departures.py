"""I frames as they leave: kept until they are acknowledged, sent again where asked (V.42 (03/2002) §8.4)."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from ansam.link.v42.events import Counters
from ansam.link.v42.frames import MODULUS
from ansam.link.v42.timing import RoundTrip
from ansam.units import Samples


@dataclass(slots=True)
class Departure:
    """An I frame that is not acknowledged yet."""

    information: bytes
    ended: Samples = 0
    """When its last bit left (the last time it was sent)."""
    times: int = 0


class Departures:
    """The transmitter's sequence of one connection.

    Numbers are counted without wrapping: acknowledged <= following <= highest.

    Args:
        window: I frames that may be unacknowledged: k.
        counters: Of the link.

    Attributes:
        acknowledged: V(A).
        following: V(S).
        highest: The first number that no frame has had yet.
    """

    def __init__(self, window: int, counters: Counters) -> None:
        self.acknowledged = self.following = self.highest = 0
        self._window = window
        self._counters = counters
        self._kept: dict[int, Departure] = {}
        self._again: deque[int] = deque()

    @property
    def open(self) -> bool:
        """Whether the window allows a new frame."""
        return self.following < self.acknowledged + self._window

    @property
    def waiting(self) -> bool:
        """Whether there are frames that are not acknowledged."""
        return bool(self._kept)

    def unacknowledged(self) -> list[bytes]:
        """Return the information fields that may not have arrived, in order."""
        return [self._kept[number].information for number in sorted(self._kept)]

    def count(self, nr: int) -> int:
        """Return an N(R) counted without wrapping."""
        return self.acknowledged + (nr - self.acknowledged) % MODULUS

    def due(self) -> int | None:
        """Return the number of a frame to send again now, or None."""
        while self._again:
            number = self._again.popleft()
            if number in self._kept:
                return number
        if self.following == self.highest:
            return None
        self.following += 1
        return self.following - 1

    def add(self, information: bytes) -> int:
        """Number a new frame, to be sent now."""
        number = self.following
        self._kept[number] = Departure(information)
        self.following = self.highest = number + 1
        self._counters.octets_sent += len(information)
        return number

    def send(self, number: int, now: Samples, round_trip: RoundTrip) -> bytes:
        """Return the information field of a frame that leaves now; `round_trip` knows for how long."""
        frame = self._kept[number]
        frame.times += 1
        frame.ended = now + round_trip.duration(len(frame.information))
        if frame.times > 1:
            self._counters.blocks_resent += 1
        else:
            self._counters.blocks_sent += 1
        return frame.information

    def acknowledge(self, upto: int) -> list[Departure]:
        """Take N(R), counted; return the frames it acknowledges, in order."""
        done = [self._kept.pop(number) for number in range(self.acknowledged, upto)]
        self.acknowledged = upto
        self.following = max(self.following, upto)
        return done

    def ask(self, number: int) -> None:
        """Send one frame again (§8.4.5.1)."""
        if number in self._kept and number not in self._again:
            self._again.append(number)

    def go_back(self) -> None:
        """Send all again that is not acknowledged (§8.4.4)."""
        self.following = self.acknowledged
        self._again.clear()

    def show_gaps(self) -> None:
        """Send the oldest and the newest again: one fills a gap, the other shows the peer all others."""
        self._again.clear()
        self._again.extend(sorted({self.acknowledged, self.highest - 1}))

    def renumber(self, informations: Iterable[bytes]) -> None:
        """Take over what a connection that started anew had sent, to be sent again from the beginning."""
        for information in informations:
            self._kept[self.highest] = Departure(information, times=1)
            self.highest += 1

    def suspend(self, samples: Samples) -> None:
        """Push the times out by the length of a retrain."""
        for frame in self._kept.values():
            frame.ended += samples
