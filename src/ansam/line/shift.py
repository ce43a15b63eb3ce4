"""A frequency offset: all of a signal's frequencies move by the same number of hertz.

```
        ┌── delay 127 ────────────── x cos ──┐
 x ─────┤                                    + ──► y = Re{(x + j x̂) e^{jφ}}
        └── Hilbert, 255 taps ─ x̂ ─ x -sin ──┘
```

Half of the Hilbert transformer's taps are zero and the others antisymmetric, so a sample costs 64 products.
Between 160 and 3840 Hz the image lies more than 75 dB below the signal.
"""

import math

import numpy as np
from numba import njit, types

from ansam.units import SAMPLE_RATE, Audio

HALF = 127
"""Delay in samples."""

_LENGTH = 2 * HALF + 1


def _hilbert() -> Audio:
    """Return the taps at odd distances 1, 3, … from the centre."""
    n = np.arange(1, HALF + 1, 2)
    window = np.i0(8.0 * np.sqrt(1 - (n / (HALF + 1)) ** 2)) / np.i0(8.0)
    taps: Audio = (2 / (np.pi * n) * window).astype(np.float32)
    return taps


_TAPS = _hilbert()


@njit(
    types.float64(types.float32[::1], types.float32[::1], types.float64, types.float64, types.float32[::1]),
    cache=True,
    nogil=True,
)
def _shift(x: Audio, taps: Audio, phase: float, step: float, out: Audio) -> float:
    """Shift; x holds 2 · HALF samples of history before the new ones. Return the next phase, 0 … 2π."""
    for n in range(len(out)):
        centre = n + HALF
        quadrature = 0.0
        for k in range(len(taps)):
            distance = 2 * k + 1
            quadrature += taps[k] * (x[centre - distance] - x[centre + distance])
        out[n] = x[centre] * math.cos(phase) - quadrature * math.sin(phase)
        phase += step
    return phase % (2 * math.pi)


class FrequencyShift:
    """Shifts a stream by `offset_hz`; the output is `HALF` samples behind the input."""

    def __init__(self, offset_hz: float) -> None:
        self._step = 2 * math.pi * offset_hz / SAMPLE_RATE
        self._phase = 0.0
        self._history: Audio = np.zeros(2 * HALF, np.float32)

    def process(self, x: Audio) -> Audio:
        """Return the next len(x) samples."""
        joined = np.concatenate([self._history, x]).astype(np.float32)
        self._history = joined[len(x) :]
        out = np.empty(len(x), np.float32)
        self._phase = _shift(joined, _TAPS, self._phase, self._step, out)
        return out
