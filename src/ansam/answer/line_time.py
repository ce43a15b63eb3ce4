"""When the line will have carried what was put on it, reckoned without asking the modem."""

from ansam.units import Seconds

LINGER: Seconds = 0.6
"""Held beyond the time the last word needs at the line's rate: modem and network delay."""

LINGER_MAX: Seconds = 60.0
MODEM_BUFFER = 4096
"""Octets a modem takes before it stops the port: more than these can not be on their way."""

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

    @property
    def free(self) -> Seconds:
        """When the line will have carried everything that was counted."""
        return self._free

    def connected(self, rate: int, now: Seconds) -> None:
        """A call begins at `rate` bit/s; the line is free."""
        self.rate = rate
        self._free = now

    def count(self, data: bytes, now: Seconds) -> None:
        """Reckon when the line will have carried everything: ten bits an octet.

        A modem that compresses is faster than that, so no more is reckoned than a modem can hold.
        """
        busy = max(self._free, now) + 10 * len(data) / self.rate
        self._free = min(busy, now + 10 * MODEM_BUFFER / self.rate)

    def over(self, now: Seconds) -> Seconds:
        """Return when the last word will have arrived."""
        return min(max(self._free, now), now + LINGER_MAX) + LINGER
