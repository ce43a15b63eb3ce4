"""What listens to one direction and changes the other."""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.units import Audio

Floats = NDArray[np.float64]

_LOUD = 10 ** ((-43 - 3.14) / 10) / 2
"""Mean square of -43 dBm0."""


@njit(
    types.float32[::1](types.float32[::1], types.float32[::1], types.float64[::1], types.float64),
    cache=True,
    nogil=True,
)
def _suppress(x: Audio, other: Audio, s: Floats, gain: float) -> Audio:
    """Attenuate while the other direction is loud; `s` is its power, hangover in samples, gain now."""
    out = np.empty(len(x), np.float32)
    for n in range(len(x)):
        s[0] += (float(other[n]) * other[n] - s[0]) / 40
        s[1] = 480.0 if s[0] > _LOUD else max(s[1] - 1, 0.0)
        s[2] += ((gain if s[1] else 1.0) - s[2]) / 40
        out[n] = x[n] * s[2]
    return out


class Suppressor:
    """A half-duplex echo suppressor: while one side talks, the other is turned down; 60 ms of hangover.

    Args:
        loss_db: By how much.
    """

    def __init__(self, loss_db: float) -> None:
        self._gain = float(10 ** (-abs(loss_db) / 20))
        self._state = np.array([0.0, 0.0, 1.0])

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        out: Audio = _suppress(
            np.ascontiguousarray(x, np.float32),
            np.ascontiguousarray(other, np.float32),
            self._state,
            self._gain,
        )
        return out


_TAPS = 128


@njit(
    types.float32[::1](
        types.float32[::1],
        types.float32[::1],
        types.float64[::1],
        types.float64[::1],
        types.float64[::1],
        types.float64,
    ),
    cache=True,
    nogil=True,
)
def _cancel(x: Audio, other: Audio, taps: Floats, line: Floats, s: Floats, margin: float) -> Audio:
    """Cancel; `s` is the other direction's decaying peak, double talk left, powers of it and the residual."""
    out = np.empty(len(x), np.float32)
    for n in range(len(x)):
        for k in range(_TAPS - 1, 0, -1):
            line[k] = line[k - 1]
        line[0] = other[n]
        s[0] = max(s[0] * 0.995, abs(line[0]))
        s[1] = 240.0 if abs(x[n]) > 0.5 * s[0] else max(s[1] - 1, 0.0)
        estimate = 0.0
        power = 1e-6
        for k in range(_TAPS):
            estimate += taps[k] * line[k]
            power += line[k] * line[k]
        residual = x[n] - estimate
        if not s[1]:
            for k in range(_TAPS):
                taps[k] += 0.5 * residual * line[k] / power
        s[2] += (line[0] * line[0] - s[2]) / 80
        s[3] += (residual * residual - s[3]) / 80
        gated = not s[1] and s[2] > _LOUD and s[3] < s[2] * margin
        out[n] = 0.0 if gated else residual
    return out


class Canceller:
    """A line echo canceller with non-linear processor: 128 taps, NLMS, Geigel's double talk detector.

    It ignores the answer tone that should disable it (G.168), as cheap ones do. Whatever is far enough
    below the other direction counts as residual echo and becomes digital silence.

    Args:
        margin_db: How far below.
    """

    def __init__(self, margin_db: float) -> None:
        self._margin = float(10 ** (-abs(margin_db) / 10))
        self._taps, self._line, self._state = np.zeros(_TAPS), np.zeros(_TAPS), np.zeros(4)

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        out: Audio = _cancel(
            np.ascontiguousarray(x, np.float32),
            np.ascontiguousarray(other, np.float32),
            self._taps,
            self._line,
            self._state,
            self._margin,
        )
        return out
