"""Sequence numbers of one source: unwrapping, loss, duplicates (RFC 3550 §6.4.1, appendices A.1 and A.3)."""

from enum import Enum

MAX_DROPOUT = 3000
"""A larger step forward is a restart of the source, not a loss (RFC 3550 A.1)."""

MAX_MISORDER = 1000
"""How far back a packet may be to count as out of order (RFC 3550 A.1 has 100; this is 20 s)."""

SEEN = 1024
"""Numbers remembered to tell a duplicate from a late packet; more than MAX_MISORDER."""


class Order(Enum):
    """What a sequence number says about its packet."""

    NEXT = "in order"
    AHEAD = "packets between are missing so far"
    BEHIND = "out of order"
    DUPLICATE = "seen before"
    OUTSIDE = "far outside the window, not believed yet"
    RESTART = "the source started anew"


class SequenceTracker:
    """Follows the 16-bit sequence numbers of one source.

    Attributes:
        highest: Highest extended number so far, or None before the first packet.
        received: Packets that were not duplicates.
        duplicates: Packets seen before.
    """

    def __init__(self) -> None:
        self.highest: int | None = None
        self.received = 0
        self.duplicates = 0
        self._base = 0
        self._lost_before = 0
        self._received_before = 0
        self._suspect: int | None = None
        self._seen = [-1] * SEEN

    @property
    def expected(self) -> int:
        """Packets the source has sent since this series of numbers began."""
        return 0 if self.highest is None else self.highest - self._base + 1

    @property
    def lost(self) -> int:
        """Packets that have not come (yet); never negative."""
        return self._lost_before + max(0, self.expected - (self.received - self._received_before))

    def update(self, sequence: int) -> tuple[int, Order]:
        """Take a number; return it extended beyond 16 bits, and what it says.

        Args:
            sequence: 0..65535.
        """
        if self.highest is None:
            return self._restart(sequence), Order.RESTART
        step = (sequence - self.highest) & 0xFFFF
        if step == 0 or step > 0x10000 - MAX_MISORDER:
            return self._behind(self.highest - (-step & 0xFFFF))
        if step > MAX_DROPOUT:
            return self._outside(sequence)
        number = self.highest + step
        self.highest = number
        self._accept(number)
        return number, Order.NEXT if step == 1 else Order.AHEAD

    def _behind(self, number: int) -> tuple[int, Order]:
        if self._seen[number % SEEN] == number:
            self.duplicates += 1
            return number, Order.DUPLICATE
        if number < self._base:
            # Overtaken by the very first packet: the series begins earlier than we thought.
            self._base = number
        self._accept(number)
        return number, Order.BEHIND

    def _outside(self, sequence: int) -> tuple[int, Order]:
        assert self.highest is not None
        if sequence != self._suspect:
            # Two in a row make a restart (RFC 3550 A.1); one alone is a stray.
            self._suspect = (sequence + 1) & 0xFFFF
            return sequence, Order.OUTSIDE
        return self._restart(sequence), Order.RESTART

    def _restart(self, sequence: int) -> int:
        self._lost_before = self.lost
        self._received_before = self.received
        # Room below, so that extended numbers stay positive when early packets were overtaken.
        number = sequence + 0x10000
        self._seen = [-1] * SEEN
        self._base = self.highest = number
        self._accept(number)
        return number

    def _accept(self, number: int) -> None:
        self._suspect = None
        self._seen[number % SEEN] = number
        self.received += 1
