"""Whether points lie on V.34's grid: for following a signal that has jumped (`dsp.jump`).

The points of data are those of the odd grid behind the filter 1 + h, which turns with them: so they are
brought there once, and then turned. Pairing and superframe are for `sync` to find, when a superframe of
points is there; until then the loops follow the nearest points of the grid.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.dsp.qam import Record
from ansam.modulation.v34 import front as grid

FITS = 0.45
"""Mean square distance from the grid below which points lie on it, where noise is no worse than 1.5 dB above
what data can bear. Points that do not have 0.667, and the best of 10,000 tries 0.53."""
BETTER = 0.6
"""Share of the present distance that another place must leave at most."""
_PHASES = 320
"""Phases tried in a quarter of a turn: 0.3 degrees apart, 0.1 units at the rim of the largest one."""
_C16 = types.complex128[::1]
_BEST = types.Tuple((types.float64, types.float64))  # type: ignore[no-untyped-call]


@njit(types.void(grid.FRONTS, _C16), cache=True, nogil=True)
def _to_grid(scaling: Record, points: NDArray[np.complex128]) -> None:
    """Bring points to the grid, in whatever phase they are; the first three lack a past."""
    for n in range(points.size):
        points[n] = grid.to_grid(scaling, points[n], 1.0)[0]


@njit(_BEST(_C16), cache=True, nogil=True)
def _best_phase(points: NDArray[np.complex128]) -> tuple[float, float]:
    """Turn points of the grid to where they fit best.

    Returns:
        (mean square distance from the nearest odd coordinates, angle by which they must be turned back: less
        than a quarter of a turn).
    """
    best = 1e9
    angle = 0.0
    for k in range(_PHASES):
        theta = k * (math.pi / 2) / _PHASES
        turn = complex(math.cos(theta), -math.sin(theta))
        total = 0.0
        for n in range(points.size):
            p = points[n] * turn
            a = p.real - (2 * math.floor(p.real / 2) + 1)
            b = p.imag - (2 * math.floor(p.imag / 2) + 1)
            total += a * a + b * b
        if total < best:
            best = total
            angle = theta
    return best / points.size, angle


def fit_grid(scaling: Record, points: NDArray[np.complex128]) -> tuple[float, float]:
    """Return distance and angle of points, shape (n,), mean power 1; see `dsp.jump.Measure`.

    Args:
        scaling: One record of `front.FRONT`; not changed.
        points: As the equaliser gives them.
    """
    on_grid = points.copy()
    _to_grid(scaling.copy(), on_grid)
    distance, angle = _best_phase(on_grid[3:].copy())
    return float(distance), float(angle)
