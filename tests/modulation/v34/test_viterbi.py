import itertools
import math

import numpy as np
import pytest
from tests.support.v34_link import H, coding

from ansam.modulation.v34 import viterbi
from ansam.modulation.v34.coding import Coding, code_record
from ansam.modulation.v34.constants import Trellis
from ansam.modulation.v34.constellation import QUARTER, subset, turn
from ansam.modulation.v34.trellis import NEXT, OUTPUT_SHIFT, PAIR_BITS
from ansam.modulation.v34.viterbi import VITERBI, decide, slice_point, start, step, weigh

GRID = coding(3200, 4800, h=H)
SMALL = coding(3200, 19200)


def candidates(code: Coding) -> list[tuple[int, int]]:
    """Return the points that may be decided: the constellation's, or as much of the grid as matters."""
    if code.precoded:
        return list(itertools.product(range(-31, 33, 2), repeat=2))
    points = QUARTER[: code.parameters.points // 4].tolist()
    return [turn(x, y, turns) for x, y in points for turns in range(4)]


@pytest.mark.parametrize("code", [GRID, SMALL])
def test_the_nearest_point_of_every_subset(code: Coding) -> None:
    record, search = code_record(code), np.zeros(1, VITERBI).view(np.recarray)
    rng = np.random.default_rng(1)
    points = np.array(candidates(code))
    labels = np.array([subset(x, y) for x, y in points.tolist()])
    for _ in range(300):
        at = rng.uniform(-14, 14, 2)
        squares = ((points - at) ** 2).sum(axis=1)
        for kernel in (slice_point, slice_point.py_func):
            assert kernel(record, search, 1, complex(*at), 0.5) == 0.5
            for label in range(8):
                near = squares[labels == label].min()
                counted = 0.5 * min(near, viterbi._FAR)
                assert search[0].near[1, label] == pytest.approx(counted, rel=1e-3, abs=1e-4)
                x, y = (int(part) for part in search[0].points[1, 1, label])
                assert subset(x, y) == label
                assert (x - at[0]) ** 2 + (y - at[1]) ** 2 == pytest.approx(near, abs=1e-3)


@pytest.mark.parametrize("code", [GRID, SMALL])
@pytest.mark.parametrize(
    ("point", "weight"),
    [(1 + 1j, 0.0), (complex(math.nan, 0), 1.0), (1e9 + 0j, 1.0), (1 + 1j, math.nan), (1 + 1j, -1.0)],
)
def test_what_has_no_weight_makes_all_subsets_equal(code: Coding, point: complex, weight: float) -> None:
    record, search = code_record(code), np.zeros(1, VITERBI).view(np.recarray)
    assert slice_point(record, search, 0, point, weight) == 0.0
    assert not search[0].near[0].any()
    assert np.abs(search[0].points[1, 0]).max() < 8


def test_a_weight_is_bounded() -> None:
    record, search = code_record(GRID), np.zeros(1, VITERBI).view(np.recarray)
    assert slice_point(record, search, 0, 1.2 + 1j, math.inf) == viterbi.WEIGHT_LIMIT


@pytest.mark.parametrize("trellis", list(Trellis))
def test_an_inversion_is_seen_and_the_path_followed(trellis: Trellis) -> None:
    """Random points, each pair with the parity its state demands; one V0 in between."""
    record, search = code_record(coding(3200, 28800, trellis)), np.zeros(1, VITERBI).view(np.recarray)
    twin = search.copy()
    rng = np.random.default_rng(2)
    state, sent = 0, []
    start(search, 0)
    start.py_func(twin, 0)
    for n in range(30):
        v0 = int(n == 20)
        y0 = state >> int(OUTPUT_SHIFT[trellis]) & 1
        while True:
            pair = rng.integers(-9, 9, (2, 2)) * 2 + 1
            labels = [subset(*point) for point in pair.tolist()]
            if (labels[0] ^ labels[1]) & 1 == y0 ^ v0:
                break
        sent.append(8 * labels[0] + labels[1])
        state = int(NEXT[trellis, state, PAIR_BITS[sent[-1]]])
        for which, kernels in ((search, [slice_point, weigh, step, decide]), (twin, None)):
            functions = kernels or [k.py_func for k in (slice_point, weigh, step, decide)]
            for symbol in range(2):
                functions[0](record, which, symbol, complex(*pair[symbol].tolist()), 1.0)
            functions[1](record, which)
            assert which[0].inversion == pytest.approx(-4 if v0 else 4)
            functions[2](record, which, v0)
            assert which[0].growth == 0.0
            assert which[0].best == state
            assert functions[3](which, min(n, 10)) == sent[n - min(n, 10)]
