"""When the line will have carried what was put on it, reckoned without asking the modem."""

from collections import deque

from ansam.units import Seconds

LINGER: Seconds = 0.6
"""Held beyond the time the last word needs at the line's rate: modem and network delay."""

LINGER_MAX: Seconds = 60.0
MODEM_BUFFER = 6144
"""Octets a modem takes before it stops the port, and those at the port: more can not be on their way."""

NOTICED_WITHIN: Seconds = 8.0
"""How late a modem may tell that the line broke: S10 has to pass, and it repeats what is not acknowledged."""

DEFAULT_RATE = 300
"""What a bare CONNECT means, bit/s."""


class LineTime:
    """The reckoning of one line.

    Args:
        now: Monotonic seconds.
    """

    def __init__(self, now: Seconds) -> None:
        self.rate = DEFAULT_RATE
        self._free: Seconds = now
        self._counted: deque[tuple[Seconds, int]] = deque()

    @property
    def free(self) -> Seconds:
        """When the line will have carried everything that was counted."""
        return self._free

    def connected(self, rate: int, now: Seconds) -> None:
        """A call begins at `rate` bit/s; the line is free."""
        self.rate = rate
        self._free = now
        self._counted.clear()

    def count(self, data: bytes, now: Seconds) -> None:
        """Reckon when the line will have carried everything: ten bits an octet.

        A modem that compresses is faster than that, so no more is reckoned than a modem can hold.
        """
        busy = max(self._free, now) + 10 * len(data) / self.rate
        self._free = min(busy, now + 10 * MODEM_BUFFER / self.rate)
        self._counted.append((self._free, len(data)))
        self._forget(now)

    def under_way(self, now: Seconds) -> int:
        """Return how many octets of those counted last may not have arrived, where the line has broken."""
        self._forget(now)
        return sum(size for _, size in self._counted)

    def _forget(self, now: Seconds) -> None:
        while self._counted and self._counted[0][0] < now - NOTICED_WITHIN:
            self._counted.popleft()

    def over(self, now: Seconds) -> Seconds:
        """Return when the last word will have arrived."""
        return min(max(self._free, now), now + LINGER_MAX) + LINGER
