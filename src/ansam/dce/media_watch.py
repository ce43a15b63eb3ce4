"""What the packets of a call brought: which never came, and when there was last a sound in them."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from ansam.dce.survey import SILENCE_DBM0
from ansam.units import FRAME, Audio, Samples, dbm0_from_power

RUNS = 512
"""Stretches of lost audio that are remembered."""


@dataclass(slots=True)
class _Run:
    begin: Samples
    end: Samples


@dataclass(frozen=True, slots=True)
class Losses:
    """What was lost in a stretch of time.

    Attributes:
        packets: Of 20 ms, which never came or came too late.
        of: Packets in that time.
        first: When the first of the lost began.
        last: When the last of them ended.
    """

    packets: int
    of: int
    first: Samples
    last: Samples


class MediaWatch:
    """Watches what one call receives; constant memory.

    Attributes:
        began: Instant of the first sample, or None.
        first_packet: When a packet arrived first, or None.
        last_sound: When there was last something above silence, or None.
    """

    def __init__(self) -> None:
        self.began: Samples | None = None
        self.first_packet: Samples | None = None
        self.last_sound: Samples | None = None
        self._runs: deque[_Run] = deque(maxlen=RUNS)
        self._now: Samples = 0

    def hear(self, rx: Audio, now: Samples, erased: bool) -> None:
        """Take received samples, shape (n,), that begin at `now`."""
        end = now + len(rx)
        self._now = end
        if self.began is None:
            self.began = now
        if not erased:
            if self.first_packet is None:
                self.first_packet = now
                self._runs.clear()  # the way to the first packet is no loss
            if len(rx) and dbm0_from_power(float(np.dot(rx, rx)) / len(rx)) >= SILENCE_DBM0:
                self.last_sound = end
        elif self._runs and self._runs[-1].end == now:
            self._runs[-1].end = end
        else:
            self._runs.append(_Run(now, end))

    @property
    def nothing(self) -> bool:
        """Not one packet has come."""
        return self.first_packet is None

    @property
    def missing_since(self) -> Samples | None:
        """Since when nothing arrives, or None where something does."""
        last = self._runs[-1] if self._runs else None
        return last.begin if last is not None and last.end == self._now else None

    def losses(self, begin: Samples, end: Samples) -> Losses | None:
        """Return what was lost from one instant to another, or None."""
        lost = [run for run in self._runs if run.end > begin and run.begin < end]
        if not lost:
            return None
        first, last = max(lost[0].begin, begin), min(lost[-1].end, end)
        length = sum(min(run.end, end) - max(run.begin, begin) for run in lost)
        return Losses(-(-length // FRAME), max(1, (end - begin) // FRAME), first, last)
