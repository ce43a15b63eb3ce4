"""Finding the superframe again from the bit inversions (V.34 (10/96) §9.6.3, Table 12).

An inversion breaks the rule of the trellis once in every half data frame. A decoder that knows nothing of the
superframe sees it as evidence, one number per 4D symbol: what the best path would cost more with V0 = 1. It
takes V0 for what strong evidence says, so that an inversion does not spoil its paths. The sum of the evidence
under the pattern of table 12, at every shift, is largest where the superframe begins. A wrong pairing of 2D
symbols is seen before that: no path fits.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.dsp.records import new_record
from ansam.modulation.v34.coding import CODES
from ansam.modulation.v34.viterbi import VITERBI, VITERBIS, slice_point, start, step, weigh

Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"

_STRONG = 2.0
"""Evidence (4 without noise) by which V0 is taken for 1."""
_CERTAIN = 3.5
"""By this much the best shift must beat the next one: 16 without noise, 5 to 10 where decoding is just
possible, below 2.5 in mere noise (4.5 at the smallest constellations)."""
_WARM = 12
"""4D symbols before the paths are worth anything."""


@dataclass(frozen=True, slots=True)
class Sync:
    """Where the superframe is.

    Attributes:
        first: 0 or 1, the point that is the first of a 4D symbol.
        m: Index of that 4D symbol in its superframe.
        margin: By how much this place beats the next best, in units of evidence.
    """

    first: int
    m: int
    margin: float


@njit(
    types.float64(CODES, VITERBIS, types.complex128[::1], types.float64[::1], types.float64[::1]),
    cache=True,
    nogil=True,
)
def gather_evidence(
    code: Record,
    search: Record,
    points: NDArray[np.complex128],
    weights: NDArray[np.float64],
    evidence: NDArray[np.float64],
) -> float:
    """Follow the trellis from an unknown state through pairs of points.

    Args:
        code: Of `coding.code_record`.
        search: One record of `VITERBI`.
        points: Shape (2 n,), in units of the grid.
        weights: Likewise.
        evidence: Shape (n,), filled: positive for V0 = 0, negative for 1, at most 4 in size.

    Returns:
        Mean metric of the best path per symbol and unit of weight.
    """
    start(search, -1)
    s = search[0]
    growth = 0.0
    total = 1e-9
    for n in range(points.size // 2):
        w0 = slice_point(code, search, 0, points[2 * n], weights[2 * n])
        w1 = slice_point(code, search, 1, points[2 * n + 1], weights[2 * n + 1])
        weigh(code, search)
        least = min(w0, w1)
        seen = 0.0
        if least > 0.0 and n >= _WARM:
            seen = min(4.0, max(-4.0, s.inversion / least))
        evidence[n] = seen
        step(code, search, 1 if seen < -_STRONG else 0)
        growth += s.growth
        total += w0 + w1
    return growth / total


def find_superframe(
    code: Record, points: NDArray[np.complex128], weights: NDArray[np.float64]
) -> Sync | None:
    """Find pairing and superframe in a stretch of points of unknown place.

    Args:
        code: Of `coding.code_record`.
        points: Shape (n,), in units of the grid, in any of the four phases; best a superframe (960) or more.
        weights: Shape (n,), as the decoder takes them.

    Returns:
        The place, or None where no place is certain.
    """
    search = new_record(VITERBI)
    pairs = (points.size - 1) // 2
    fits = []
    for first in (0, 1):
        evidence = np.zeros(max(0, pairs))
        cut = slice(first, first + 2 * pairs)
        growth = gather_evidence(code, search, points[cut].copy(), weights[cut].copy(), evidence)
        fits.append((growth, first, evidence))
    _, first, evidence = min(fits, key=lambda fit: fit[0])
    c = code[0]
    size = 4 * int(c.superframe)
    folded = np.bincount(np.arange(pairs) % size, evidence, size)
    halves = np.flatnonzero(c.inversions) * int(c.half)
    # Shift m: the pair at index i is 4D symbol m + i.
    scores = -folded[(halves[:, None] - np.arange(size)) % size].sum(axis=0)
    second, best = np.sort(scores)[-2:]
    if best - second < _CERTAIN:
        return None
    return Sync(first, int(scores.argmax()), float(best - second))
