"""Whether points lie on one of V.32bis's diagrams: for following a signal that has jumped (`dsp.jump`)."""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.modulation.v32bis.constants import BITS_PER_SYMBOL, TRELLIS, Coding
from ansam.modulation.v32bis.trellis import POINTS_IM, POINTS_RE

_PHASES = 64
"""Phases tried in a quarter of a turn: 1.4 degrees apart, of which half is less than half the way to the next
point anywhere."""
_LOOK = 96
"""Points looked at."""
_C16 = types.complex128[::1]
_BEST = types.Tuple((types.float64, types.float64))  # type: ignore[no-untyped-call]


@njit(_BEST(types.int64, _C16), cache=True, nogil=True, fastmath=True)
def _best_phase(coding: int, points: NDArray[np.complex128]) -> tuple[float, float]:
    count = 1 << (BITS_PER_SYMBOL[coding] + TRELLIS[coding])
    table_real, table_imag = POINTS_RE[coding, :count], POINTS_IM[coding, :count]
    best = 1e9
    angle = 0.0
    for k in range(_PHASES):
        theta = k * (math.pi / 2) / _PHASES
        cos, sin = math.cos(theta), math.sin(theta)
        total = 0.0
        for n in range(points.size):
            re = np.float32(points[n].real * cos + points[n].imag * sin)
            im = np.float32(points[n].imag * cos - points[n].real * sin)
            least = np.float32(1e9)
            for i in range(count):
                dx = table_real[i] - re
                dy = table_imag[i] - im
                least = min(least, dx * dx + dy * dy)
            total += float(least)
        if total < best:
            best = total
            angle = theta
    return best / points.size, angle


def fit_diagram(coding: Coding, points: NDArray[np.complex128]) -> tuple[float, float]:
    """Return distance and angle of points, shape (n,), mean power 1; see `dsp.jump.Measure`."""
    distance, angle = _best_phase(int(coding), points[-_LOOK:].copy())
    return float(distance), float(angle)
