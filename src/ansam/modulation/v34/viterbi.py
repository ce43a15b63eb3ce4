"""Slicing and the four-dimensional trellis search of the decoder (V.34 (10/96) §9.6.3).

Every pair of points y(2m), y(2m + 1) is one step. For each of the eight subsets of figure 9 the nearest grid
point to either is found once; a branch of the trellis is a set of pairs of subsets, and its metric is that of
the best pair. The grid has no edge where a precoder is in use; a small constellation without one is searched
point by point, which keeps the gain that its edge gives.

Distances are squared, in units of the grid (neighbours are at 4), times the weight of the symbol. The metrics
of the paths are whole numbers, with the number of the way into a state in their lowest bits: so the smaller
of two carries its way along, and the innermost loop has no jump that a processor could guess wrong.
"""

from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types

from ansam.modulation.v34.coding import CODES
from ansam.modulation.v34.constellation import LIMIT
from ansam.modulation.v34.trellis import (
    BEFORE,
    BRANCH,
    BRANCHES,
    INPUTS,
    PAIR_BRANCH,
    STATES,
)

Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"

RING = 64
"""4D symbols of history, a power of two."""
MAX_DELAY = RING - 2
WEIGHT_LIMIT = 4.0
_FAR = 128.0
"""No distance counts for more; one from the grid is never more than 8."""
_ABSENT = 2048.0
"""Distance of a subset of which the constellation has no point; the metric of a branch is no more. The least
metrics of two states differ by at most six branches, which fit into 31 bits."""
_WAY_BITS = 4
_WAY_MASK = (1 << _WAY_BITS) - 1
_UNIT = float(1 << (12 + _WAY_BITS))
"""Of the metrics: distances count to 2^-12, and the way has the bits below."""

_WORST = (1 << 31) - 1

VITERBI = np.dtype(
    [
        ("near", "f4", (2, 8)),  # weighted distance to the nearest point of each subset, per symbol
        ("metric", "i4", (STATES,)),
        ("fresh", "i4", (STATES,)),
        ("low", "i4", (2,)),  # lowest metric among the states with Y0 = 0 and 1
        ("branch", "f4", (2 * INPUTS,)),
        ("weight", "i4", (2 * INPUTS,)),  # as `branch`, in units of the metrics, less the lowest metric
        ("pair", "i8", (2 * INPUTS,)),  # the pair of subsets chosen on each branch, 8 s(2m) + s(2m + 1)
        ("best", "i8"),  # state with the lowest metric
        ("row", "i8"),  # of the newest step in the rings below
        ("steps", "i8"),  # since the start, at most RING
        ("growth", "f8"),  # by which the last step raised the lowest metric
        ("inversion", "f8"),  # evidence of the last step for V0 = 0 (positive) or 1 (negative)
        ("back", "i2", (RING, STATES)),  # old state + 64 * pair of subsets
        ("points", "i2", (RING, 2, 8, 2)),  # nearest points: step, symbol, subset, part
    ]
)
VITERBIS = types.Array(from_dtype(VITERBI), 1, "C")


@njit(types.void(VITERBIS, types.int64), cache=True, nogil=True)
def start(search: Record, state: int) -> None:
    """Forget all paths.

    Args:
        search: One record of `VITERBI`.
        state: The encoder's state, or -1 where it is not known.
    """
    s = search[0]
    for n in range(STATES):
        s.metric[n] = 0 if n == state or state < 0 else int(_ABSENT * _UNIT)
    s.low[0] = 0
    s.low[1] = 0 if state < 0 else int(_ABSENT * _UNIT)
    s.best = max(0, state)
    s.row = 0
    s.steps = 0
    s.growth = 0.0
    s.inversion = 0.0


@njit(types.void(VITERBIS, types.int64, types.complex128, types.float64), cache=True, nogil=True)
def _slice_grid(search: Record, symbol: int, point: complex, weight: float) -> None:
    """Find the nearest point of each subset on the unbounded grid.

    Turned back by its number of quarter turns, a subset pair (k, k + 4) is a square grid of pitch 4, coloured
    like a chequerboard: the nearest crossing is of one colour, and the nearest of the other colour lies one
    step along the coordinate with the larger remainder.
    """
    s = search[0]
    row = (s.row + 1) & (RING - 1)
    x, y = point.real, point.imag
    for k in range(4):
        a = int(np.floor((x + 1.0) * 0.25))
        b = int(np.floor((y + 1.0) * 0.25))
        left_a, left_b = x - (4 * a + 1), y - (4 * b + 1)
        near = left_a * left_a + left_b * left_b
        a2, b2 = a, b
        if abs(left_a) > abs(left_b):
            a2 += 1 if left_a > 0 else -1
            far = near + 16.0 - 8.0 * abs(left_a)
        else:
            b2 += 1 if left_b > 0 else -1
            far = near + 16.0 - 8.0 * abs(left_b)
        odd = (a + b) & 1
        for n in range(2):
            u, v = (4 * a + 1, 4 * b + 1) if n == 0 else (4 * a2 + 1, 4 * b2 + 1)
            # Clockwise by k again.
            if k & 2:
                u, v = -u, -v
            if k & 1:
                u, v = v, -u
            label = k + 4 * (odd ^ n)
            s.points[row, symbol, label, 0] = u
            s.points[row, symbol, label, 1] = v
            s.near[symbol, label] = weight * (near if n == 0 else far)
        x, y = -y, x


@njit(types.void(CODES, VITERBIS, types.int64, types.complex128, types.float64), cache=True, nogil=True)
def _slice_constellation(code: Record, search: Record, symbol: int, point: complex, weight: float) -> None:
    """Find the nearest point of each subset among those of the constellation."""
    c, s = code[0], search[0]
    row = (s.row + 1) & (RING - 1)
    x, y = np.float32(point.real), np.float32(point.imag)
    for label in range(8):
        s.near[symbol, label] = _ABSENT
    for n in range(c.searched):
        a, b = x - c.xs[n], y - c.ys[n]
        distance = a * a + b * b
        label = c.subset[n]
        if distance < s.near[symbol, label]:
            s.near[symbol, label] = distance
            s.points[row, symbol, label, 0] = int(c.xs[n])
            s.points[row, symbol, label, 1] = int(c.ys[n])
    for label in range(8):
        if s.near[symbol, label] < _ABSENT:
            s.near[symbol, label] = min(_FAR, s.near[symbol, label]) * weight


@njit(types.float64(CODES, VITERBIS, types.int64, types.complex128, types.float64), cache=True, nogil=True)
def slice_point(code: Record, search: Record, symbol: int, point: complex, weight: float) -> float:
    """Prepare one symbol of the next step.

    Args:
        code: Of `coding.code_record`.
        search: One record of `VITERBI`.
        symbol: 0 for y(2m), 1 for y(2m + 1).
        point: In units of the grid. One that is not a number, or absurdly large, has no weight.
        weight: 1 for a usual symbol, 0 for one that never arrived; more than 4 counts as 4.

    Returns:
        The weight used.
    """
    large = max(abs(point.real), abs(point.imag))
    if not (weight > 0.0 and large < 4 * LIMIT):
        point, weight = 0j, 0.0
    weight = min(weight, WEIGHT_LIMIT)
    if code[0].searched:
        _slice_constellation(code, search, symbol, point, weight)
    else:
        x = min(float(LIMIT - 8), max(float(8 - LIMIT), point.real))
        y = min(float(LIMIT - 8), max(float(8 - LIMIT), point.imag))
        _slice_grid(search, symbol, complex(x, y), weight)
    return weight


@njit(types.void(CODES, VITERBIS), cache=True, nogil=True)
def weigh(code: Record, search: Record) -> None:
    """Choose the best pair of subsets on every branch of a step whose two symbols were sliced.

    `inversion` is then the evidence on V0 of this symbol: the metric of the best path if V0 were 1, less
    that if it were 0. Without noise it is 4 or -4.
    """
    s = search[0]
    lies_on = PAIR_BRANCH[code[0].trellis]
    for n in range(2 * INPUTS):
        s.branch[n] = 4 * _ABSENT
    for pair in range(64):
        distance = s.near[0, pair >> 3] + s.near[1, pair & 7]
        n = lies_on[pair]
        if distance < s.branch[n]:
            s.branch[n] = distance
            s.pair[n] = pair
    even = s.branch[0]
    odd = s.branch[INPUTS]
    for n in range(1, BRANCHES[code[0].trellis]):
        even = min(even, s.branch[n])
        odd = min(odd, s.branch[INPUTS + n])
    low0, low1 = s.low[0] / _UNIT, s.low[1] / _UNIT
    plain = min(low0 + even, low1 + odd)
    inverted = min(low0 + odd, low1 + even)
    s.inversion = inverted - plain


@njit(types.void(VITERBIS, types.int64, types.int64), cache=True, nogil=True)
def _choose(search: Record, trellis: int, flip: int) -> None:
    """Note for each state the way with the least metric, and the best state of all."""
    s = search[0]
    before, branch = BEFORE[trellis], BRANCH[trellis]
    states = 16 << trellis
    pairs, back = s.pair, s.back[s.row]
    # Y0 is the top bit of the state.
    for y0 in range(2):
        least = _WORST
        best = 0
        for n in range(y0 * (states >> 1), (y0 + 1) * (states >> 1)):
            way = s.fresh[n] & _WAY_MASK
            back[n] = before[n, way] | pairs[branch[n, way] ^ flip] << 6
            metric = s.fresh[n] - way
            s.metric[n] = metric
            if metric < least:
                least = metric
                best = n
        s.low[y0] = least
        if y0 == 0 or least < s.low[0]:
            s.best = best
    s.growth = min(s.low[0], s.low[1]) / _UNIT


@njit(types.void(CODES, VITERBIS, types.int64), cache=True, nogil=True)
def step(code: Record, search: Record, v0: int) -> None:
    """Extend all paths by one 4D symbol.

    Args:
        code: Of `coding.code_record`.
        search: One record of `VITERBI`, after `weigh`.
        v0: The bit inversion of this symbol (figure 8).
    """
    s = search[0]
    trellis = code[0].trellis
    before, branch = BEFORE[trellis], BRANCH[trellis]
    ways = BRANCHES[trellis]
    states = 16 << trellis
    flip = INPUTS * v0
    lowest = min(s.low[0], s.low[1])
    for n in range(2 * INPUTS):
        s.weight[n] = int(min(s.branch[n], _ABSENT) * _UNIT) - lowest & ~_WAY_MASK
    s.row = (s.row + 1) & (RING - 1)
    s.steps = min(RING, s.steps + 1)
    metrics, weights, fresh = s.metric, s.weight, s.fresh
    for new in range(states):
        # Two chains of minima are twice as fast as one.
        one = two = _WORST
        for way in range(0, ways, 2):
            one = min(one, metrics[before[new, way]] + weights[branch[new, way] ^ flip] + way)
            two = min(two, metrics[before[new, way + 1]] + weights[branch[new, way + 1] ^ flip] + way + 1)
        fresh[new] = min(one, two)
    _choose(search, trellis, flip)


@njit(types.int64(VITERBIS, types.int64), cache=True, nogil=True)
def decide(search: Record, delay: int) -> int:
    """Return the pair of subsets 8 s(2m) + s(2m + 1) that the best path took `delay` steps ago."""
    s = search[0]
    state = s.best
    row = s.row
    for _ in range(delay):
        state = s.back[row, state] & (STATES - 1)
        row = (row - 1) & (RING - 1)
    return int(s.back[row, state] >> 6)
