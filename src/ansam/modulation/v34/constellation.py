"""The quarter superconstellation and the labels of the grid: V.34 (10/96) §9.1, §9.6.1 and figure 9.

All points have odd coordinates. A point with both coordinates 1 modulo 4 belongs to the quarter of figure 5;
every other one becomes such a point when it is turned anticlockwise by 90 degrees one, two or three times.
That number of turns and a chequerboard bit of the quarter are the three bits of the subset label.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

QUARTER_POINTS = 416
_REACH = 11
"""Quarter points have coordinates 4a + 1 with a from -11 to 11 (figure 5)."""
_SIDE = 2 * _REACH + 1
LIMIT = 255
"""§9.6.2: components of y(n) do not exceed it."""


def _quarter() -> NDArray[np.int64]:
    """Figure 5: rising magnitude, among equals the greatest imaginary part first (§9.1)."""
    axis = range(-4 * _REACH + 1, 4 * _REACH + 2, 4)
    points = sorted(((x, y) for x in axis for y in axis), key=lambda p: (p[0] ** 2 + p[1] ** 2, -p[1]))
    return np.array(points[:QUARTER_POINTS], np.int64)


QUARTER = _quarter()
"""Shape (416, 2): real and imaginary part by label."""


def _labels() -> NDArray[np.int64]:
    grid = np.full((_SIDE, _SIDE), -1, np.int64)
    for label, (x, y) in enumerate(QUARTER):
        grid[(x - 1) // 4 + _REACH, (y - 1) // 4 + _REACH] = label
    return grid


LABELS = _labels()


@njit("UniTuple(int64, 2)(int64, int64, int64)", cache=True, nogil=True)
def turn(x: int, y: int, turns: int) -> tuple[int, int]:
    """Turn a point clockwise by a multiple of 90 degrees."""
    if turns & 2:
        x, y = -x, -y
    return (y, -x) if turns & 1 else (x, y)


@njit("int64(int64, int64)", cache=True, nogil=True)
def turns_of(x: int, y: int) -> int:
    """Return how often a point of the quarter's grid was turned clockwise to give (x, y), both odd."""
    # 1 modulo 4 has bit 1 clear. Clockwise from (1, 1): (1, 3), (3, 3), (3, 1).
    return (x & 2) + ((x ^ y) >> 1 & 1)


@njit("UniTuple(int64, 2)(int64, int64)", cache=True, nogil=True)
def locate(x: int, y: int) -> tuple[int, int]:
    """Return (clockwise turns, label in the quarter) of a point with odd coordinates; label -1 for none."""
    turns = turns_of(x, y)
    x, y = turn(x, y, -turns & 3)
    a, b = (x >> 2) + _REACH, (y >> 2) + _REACH
    if a < 0 or b < 0 or a >= _SIDE or b >= _SIDE:
        return turns, -1
    return turns, LABELS[a, b]


@njit("int64(int64, int64)", cache=True, nogil=True)
def subset(x: int, y: int) -> int:
    """Return the 3-bit subset label of a point with odd coordinates (figure 9)."""
    turns = turns_of(x, y)
    x, y = turn(x, y, -turns & 3)
    return turns + 4 * ((x ^ y) >> 2 & 1)
