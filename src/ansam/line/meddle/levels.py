"""What changes level or spectrum."""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.units import SAMPLE_RATE, Audio, rms_from_dbm0

Floats = NDArray[np.float64]


class Gain:
    """Multiplies every sample.

    Args:
        gain_db: By how much.
    """

    def __init__(self, gain_db: float) -> None:
        self._gain = np.float32(10 ** (gain_db / 20))

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        return x * self._gain


@njit(types.float32[::1](types.float32[::1], types.float64[::1], types.float64), cache=True, nogil=True)
def _agc(x: Audio, s: Floats, target: float) -> Audio:
    """Follow the level; `s` is power and gain in dB."""
    out = np.empty(len(x), np.float32)
    for n in range(len(x)):
        s[0] += (float(x[n]) * x[n] - s[0]) / 400
        if s[0] > 1e-7:
            want = 10 * np.log10(target / s[0])
            if s[1] < want:
                s[1] = min(s[1] + 3.0 / 8000, 12.0)
            else:
                s[1] = max(s[1] - 10.0 / 8000, -12.0)
        out[n] = x[n] * 10 ** (s[1] / 20)
    return out


class Agc:
    """An automatic gain control: quick down, slow up, within 12 dB either way.

    Args:
        target_dbm0: Level it aims at.
    """

    def __init__(self, target_dbm0: float) -> None:
        self._target = rms_from_dbm0(target_dbm0) ** 2
        self._state = np.zeros(2)

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        out: Audio = _agc(np.ascontiguousarray(x, np.float32), self._state, self._target)
        return out


class Clip:
    """Cuts peaks off, as an overloaded converter does.

    Args:
        peak_dbm0: Level of the largest sine that passes.
    """

    def __init__(self, peak_dbm0: float) -> None:
        self._peak = np.float32(rms_from_dbm0(peak_dbm0) * math.sqrt(2))

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        return np.clip(x, -self._peak, self._peak)


class Band:
    """A linear-phase filter of 101 taps: what lies outside the band is 50 dB down.

    Args:
        low_hz: Lower edge, 0 or more; 0 leaves the low end alone.
        high_hz: Upper edge, at most 4000; 4000 leaves the high end alone.
    """

    def __init__(self, low_hz: float, high_hz: float) -> None:
        n = np.arange(101) - 50
        low, high = 2 * low_hz / SAMPLE_RATE, 2 * high_hz / SAMPLE_RATE
        self._taps = (high * np.sinc(high * n) - low * np.sinc(low * n)) * np.hamming(101)
        self._past: Audio = np.zeros(100, np.float32)

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        line = np.concatenate([self._past, x])
        self._past = line[len(line) - 100 :]
        out: Audio = np.array([np.dot(line[i : i + 101], self._taps) for i in range(len(x))], np.float32)
        return out
