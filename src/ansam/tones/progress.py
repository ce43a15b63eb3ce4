"""Call progress tones: what an exchange plays to a person (or a party that has no modem plays to a caller).

425 Hz with the cadences that E.180/Q.35 (03/98) recommends and most of Europe uses. Inside `ansam` a call's
progress is a SIP message; these tones are for ears, and for modems behind adaptors that listen for them.
"""

from enum import Enum

import numpy as np

from ansam.dsp.nco import Oscillator
from ansam.units import Audio, Samples, rms_from_dbm0, samples

PROGRESS_HZ = 425.0
"""E.180/Q.35 (03/98) §3: the preferred frequency."""


class Progress(Enum):
    """A tone: value = (seconds on, seconds off)."""

    DIAL = (1.0, 0.0)
    RINGBACK = (1.0, 4.0)
    BUSY = (0.5, 0.5)
    CONGESTION = (0.25, 0.25)


class ProgressTone:
    """Generates one progress tone, beginning with its first burst.

    Args:
        tone: Which one.
        level_dbm0: Level of a burst; E.180/Q.35 (03/98) §5 nominally -10 ± 5 dBm0.
    """

    def __init__(self, tone: Progress, level_dbm0: float = -10.0) -> None:
        on, off = tone.value
        self._tone = Oscillator(PROGRESS_HZ, rms_from_dbm0(level_dbm0))
        self._on, self._period = samples(on), samples(on + off)
        self._at: Samples = 0

    def generate(self, count: int) -> Audio:
        """Return the next `count` samples, shape (count,)."""
        out = self._tone.generate(count)
        out[(self._at + np.arange(count)) % self._period >= self._on] = 0
        self._at = (self._at + count) % self._period
        return out
