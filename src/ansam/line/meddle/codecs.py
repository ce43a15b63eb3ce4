"""Coding by another codec on the way."""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.codec import Law
from ansam.line.meddle.base import BlockMeddler
from ansam.units import Audio

Floats = NDArray[np.float64]


def other_law(law: Law) -> Law:
    """Return the law that is not this one."""
    return Law.ULAW if law is Law.ALAW else Law.ALAW


class Transcoding:
    """Codes by the other law and back: a gateway whose trunk speaks the other one.

    Args:
        law: Of the path.
    """

    def __init__(self, law: Law) -> None:
        self._other = other_law(law)

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        return self._other.through(x)


class WrongLaw:
    """Decodes the path's octets by the wrong law: a broken gateway.

    Args:
        law: Of the path.
    """

    def __init__(self, law: Law) -> None:
        self._law, self._other = law, other_law(law)

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        return self._other.decode(self._law.encode(x))


# Output levels and step multipliers (by |code|) of a 4-bit quantiser for Gaussian signals: N. S. Jayant,
# "Adaptive quantization with a one-word memory", Bell System Technical Journal 52 (1973), Table II.
_MULTIPLIERS = np.array([0.9, 0.9, 0.9, 0.9, 1.2, 1.6, 2.0, 2.4])

_POLES, _ZEROS = 2, 6


@njit(types.float32[::1](types.float32[::1], types.float64[::1], types.float64[::1]), cache=True, nogil=True)
def _adpcm(x: Audio, multipliers: Floats, s: Floats) -> Audio:
    """Code and decode; `s` holds step, 2 + 6 coefficients, 2 reconstructed samples, 6 differences."""
    out = np.empty(len(x), np.float32)
    for n in range(len(x)):
        predicted = 0.0
        for k in range(8):
            predicted += s[1 + k] * s[9 + k]
        step = s[0]
        code = int(np.floor(abs(x[n] - predicted) / step))
        code = min(code, 7)
        difference = (code + 0.5) * step * (1.0 if x[n] >= predicted else -1.0)
        heard = predicted + difference
        power = 1e-9
        for k in range(8):
            power += s[9 + k] * s[9 + k]
        for k in range(8):
            s[1 + k] += 0.01 * difference * s[9 + k] / power - s[1 + k] / 8192
        limit = 0.9
        s[2] = min(max(s[2], -limit), limit)
        room = 0.98 - abs(s[2])
        s[1] = min(max(s[1], -(room + abs(s[2]) * 2)), room + abs(s[2]) * 2)
        s[10], s[9] = s[9], heard
        for k in range(5):
            s[16 - k] = s[15 - k]
        s[11] = difference
        s[0] = min(max(step * multipliers[code], 2e-5), 0.25)
        out[n] = min(max(heard, -1.0), 1.0)
    return out


class Adpcm:
    """ADPCM at 32 kbit/s: 4 bits a sample, an adaptive step, a predictor of 2 poles and 6 zeros.

    Built like G.726 and about as good, but not G.726: not its tables, not its bits.
    """

    def __init__(self) -> None:
        self._state = np.zeros(17)
        self._state[0] = 1e-3

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        out: Audio = _adpcm(np.ascontiguousarray(x, np.float32), _MULTIPLIERS, self._state)
        return out


_ORDER = 8
_GRID = 3
_SUBFRAME = 40


@njit(types.float64[::1](types.float32[::1]), cache=True, nogil=True)
def _predictor(x: Audio) -> Floats:
    """Return the coefficients of the prediction error filter by Levinson's recursion."""
    r = np.zeros(_ORDER + 1)
    for lag in range(_ORDER + 1):
        for n in range(lag, len(x)):
            r[lag] += float(x[n]) * x[n - lag]
    a = np.zeros(_ORDER)
    error = r[0] * 1.001 + 1e-9
    for m in range(_ORDER):
        total = r[m + 1]
        for k in range(m):
            total += a[k] * r[m - k]
        reflection = -total / error
        held = a.copy()
        for k in range(m):
            a[k] = held[k] + reflection * held[m - 1 - k]
        a[m] = reflection
        error *= 1 - reflection * reflection
    return a


@njit(types.float32[::1](types.float32[::1], types.float64[::1], types.float64[::1]), cache=True, nogil=True)
def _vocode(x: Audio, before: Floats, memory: Floats) -> Audio:
    """Code one block of 160; `before` is the analysis filter's past, `memory` the synthesis filter's."""
    a = _predictor(x)
    count = len(x)
    residual = np.empty(count)
    for n in range(count):
        e = float(x[n])
        for k in range(_ORDER):
            e += a[k] * (float(x[n - 1 - k]) if n > k else before[k - n])
        residual[n] = e
    for k in range(_ORDER):
        before[k] = x[count - 1 - k]
    out = np.empty(count, np.float32)
    for start in range(0, count, _SUBFRAME):
        best, grid = -1.0, 0
        for g in range(_GRID):
            energy = 0.0
            for n in range(start + g, start + _SUBFRAME, _GRID):
                energy += residual[n] ** 2
            if energy > best:
                best, grid = energy, g
        peak = 1e-6
        for n in range(start + grid, start + _SUBFRAME, _GRID):
            peak = max(peak, abs(residual[n]))
        for n in range(start, start + _SUBFRAME):
            pulse = 0.0
            if (n - start) % _GRID == grid:
                pulse = (np.floor(residual[n] / peak * 4) + 0.5) / 4 * peak
                pulse = min(max(pulse, -peak), peak)
            y = pulse
            for k in range(_ORDER):
                y -= a[k] * memory[k]
            for k in range(_ORDER - 1, 0, -1):
                memory[k] = memory[k - 1]
            memory[0] = y
            out[n] = min(max(y, -1.0), 1.0)
    return out


class Vocoder(BlockMeddler):
    """A stand-in for a speech codec of about 13 kbit/s: it keeps the spectrum and loses the waveform.

    Linear prediction of order 8 per 20 ms; of the residual every third sample is kept with 3 bits, as in
    GSM 06.10 (its grid, without its long-term predictor and tables). G.729 and others lose more.
    """

    def __init__(self) -> None:
        super().__init__(160)
        self._before, self._memory = np.zeros(_ORDER), np.zeros(_ORDER)

    def change(self, x: Audio, other: Audio) -> Audio:
        """See `BlockMeddler.change`."""
        out: Audio = _vocode(np.ascontiguousarray(x), self._before, self._memory)
        return out
