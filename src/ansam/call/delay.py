"""How long the playout delay should be, judged by how late packets come.

The delay itself changes only at moments at which no modem listens (`Party.delay_may_change`): a modem takes a
change of it for a jump of the signal.
"""

import math
from collections import deque

from ansam.units import FRAME, SAMPLE_RATE, Samples

MEMORY: Samples = 60 * SAMPLE_RATE
"""Packets older than this say nothing about the network of now."""

MANY = 0.002
"""Share of late packets from which the delay is too short: two of a thousand are one in ten seconds."""

FEW = 5
"""Late packets below which chance is at work."""

SAVED = 0.9
"""Share of the late packets that a longer delay shall let in: the rest may be stragglers of seconds."""

SPARE: Samples = 80
"""Left over between a packet that shall come in time and its turn: 10 ms."""

LONGEST: Samples = 2400
"""The delay grows up to this (300 ms): longer echo and acknowledgement times cost more than they gain."""

PERIOD: Samples = SAMPLE_RATE
"""Packets are summed up by seconds."""

_KEPT = 1000


class DelayPlan:
    """Remembers the margins of packets.

    Args:
        least: The delay that was asked for: it never becomes shorter than that.
    """

    def __init__(self, least: Samples) -> None:
        self._least = least
        self._late: deque[tuple[Samples, float]] = deque(maxlen=_KEPT)
        # (begin, packets, least margin) of each period
        self._periods: deque[list[float]] = deque()

    def update(self, margin: float, now: float) -> None:
        """Take a packet.

        Args:
            margin: From its arrival to its turn, samples; below 0 it was late.
            now: Its arrival.
        """
        if not self._periods or now - self._periods[-1][0] >= PERIOD:
            self._periods.append([now, 0, math.inf])
        period = self._periods[-1]
        period[1] += 1
        period[2] = min(period[2], margin)
        if margin < 0:
            self._late.append((int(now), -margin))

    def wanted(self, delay: Samples, now: Samples) -> Samples:
        """Return what the delay should become, in samples; `delay` where it is good as it is."""
        while self._late and now - self._late[0][0] > MEMORY:
            self._late.popleft()
        while self._periods and now - self._periods[0][0] > MEMORY:
            self._periods.popleft()
        packets = sum(period[1] for period in self._periods)
        if len(self._late) >= max(FEW, MANY * packets):
            lateness = sorted(late for _, late in self._late)
            longer = lateness[math.ceil(SAVED * len(lateness)) - 1] + SPARE
            return min(max(LONGEST, delay), delay + math.ceil(longer / FRAME) * FRAME)
        if self._late or len(self._periods) * PERIOD < MEMORY / 2:
            return delay
        idle = min(period[2] for period in self._periods) - SPARE
        shorter = max(0, math.floor(idle / FRAME) - 1) * FRAME
        return max(min(self._least, delay), delay - shorter)

    def changed(self) -> None:
        """The delay has become another one: what was measured before does not count."""
        self._late.clear()
        self._periods.clear()
