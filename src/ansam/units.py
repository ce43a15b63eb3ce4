"""Units and the scale of a sample.

Audio is ``float32`` at 8000 Hz. A sample of 1.0 is the largest amplitude G.711 can carry, so a sine of
peak 1.0 has +3.14 dBm0 (A-law: G.711 (11/88) §4, T_max); µ-law's +3.17 dBm0 is the same scale within 0.03 dB.
"""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = int
"""A count or an instant on the sample clock of a call, 8000 per second."""

Seconds: TypeAlias = float
"""Monotonic seconds, for what is not tied to audio (SIP timers, registrations)."""

Audio: TypeAlias = NDArray[np.float32]
"""Shape (n,), full scale ±1.0, 8000 Hz."""

Codewords: TypeAlias = NDArray[np.uint8]
"""Shape (n,), G.711 octets as they stand in an RTP payload."""

Bits: TypeAlias = NDArray[np.uint8]
"""Shape (n,), each element 0 or 1, in the order of transmission."""

SAMPLE_RATE = 8000
FRAME = 160
"""Samples in one 20 ms packet."""

FULL_SCALE_DBM0 = 3.14
"""Level of a sine of peak 1.0."""


def samples(seconds: float) -> Samples:
    """Return the number of samples nearest to a time in seconds."""
    return round(seconds * SAMPLE_RATE)


def rms_from_dbm0(level_dbm0: float) -> float:
    """Return the RMS amplitude (1.0 = full scale) of a signal of the given level."""
    return float(10 ** ((level_dbm0 - FULL_SCALE_DBM0) / 20) / math.sqrt(2))


def dbm0_from_power(power: float) -> float:
    """Return the level in dBm0 of a mean square amplitude; -120 for (almost) no power."""
    if power <= 1e-13:
        return -120.0
    return 10 * math.log10(2 * power) + FULL_SCALE_DBM0


def db(ratio: float) -> float:
    """Return a power ratio in decibels."""
    return 10 * math.log10(ratio)
