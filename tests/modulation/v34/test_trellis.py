import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.v34_reference import TABLE_13
from tests.support.v34_reference import Trellis as Registers

from ansam.modulation.v34.constants import Trellis
from ansam.modulation.v34.constellation import subset
from ansam.modulation.v34.trellis import (
    BEFORE,
    BRANCH,
    BRANCHES,
    NEXT,
    OUTPUT_SHIFT,
    PAIR_BITS,
    PAIR_BRANCH,
    USED,
)

CODES = list(Trellis)


def y0(code: Trellis, state: int) -> int:
    return state >> int(OUTPUT_SHIFT[code]) & 1


def test_table_13() -> None:
    assert PAIR_BITS.tolist() == [int(cell, 2) for cell in TABLE_13.split()]


@pytest.mark.parametrize("code", CODES)
def test_the_tables_are_those_of_the_figures(code: Trellis) -> None:
    for state in range(code.states):
        for y in range(16):
            registers = Registers(code.states)
            registers.t = [state >> n & 1 for n in range(len(registers.t))]
            assert registers.y0 == y0(code, state)
            registers.clock(*(y >> n & 1 for n in (3, 2, 1, 0)))
            assert NEXT[code, state, y] == sum(bit << n for n, bit in enumerate(registers.t))


@pytest.mark.parametrize("code", CODES)
def test_the_ways_into_a_state(code: Trellis) -> None:
    ways = int(BRANCHES[code])
    for new in range(code.states):
        assert len(set(BEFORE[code, new, :ways].tolist())) == ways
        for way in range(ways):
            old, branch = int(BEFORE[code, new, way]), int(BRANCH[code, new, way])
            assert branch // 16 == y0(code, old)
            pairs = [pair for pair in range(64) if PAIR_BRANCH[code, pair] == branch]
            assert len(pairs) == 32 // ways
            for pair in pairs:
                assert NEXT[code, old, PAIR_BITS[pair]] == new
                assert (pair >> 3 ^ pair) & 1 == y0(code, old)


@pytest.mark.parametrize("code", CODES)
def test_a_quarter_turn_of_all_points_maps_states_to_states(code: Trellis) -> None:
    """Rotational invariance: found by following the turned path along with the path, from every start."""
    turned_label = {}
    for x, y in itertools.product(range(-7, 9, 2), repeat=2):
        turned_label[subset(x, y)] = subset(y, -x)
    found = []
    for start in range(code.states):
        image, queue = {0: start}, [0]
        consistent = y0(code, 0) == y0(code, start)
        while queue and consistent:
            state = queue.pop()
            for a, b in itertools.product(range(8), repeat=2):
                if (a ^ b) & 1 != y0(code, state):
                    continue
                new = int(NEXT[code, state, PAIR_BITS[8 * a + b]])
                other = int(NEXT[code, image[state], PAIR_BITS[8 * turned_label[a] + turned_label[b]]])
                if new not in image:
                    image[new] = other
                    queue.append(new)
                consistent &= image[new] == other and y0(code, new) == y0(code, other)
        if consistent:
            found.append(image)
    assert len(found) == 1
    assert len(set(found[0].values())) == code.states


def subset_distances() -> NDArray[np.float64]:
    """Return the least squared distance between points of two subsets, both 2D labels."""
    near = np.full((8, 8), np.inf)
    points = list(itertools.product(range(-7, 9, 2), repeat=2))
    for (x, y), (u, v) in itertools.product(points, repeat=2):
        a, b = subset(x, y), subset(u, v)
        near[a, b] = min(near[a, b], (x - u) ** 2 + (y - v) ** 2)
    return near


@pytest.mark.parametrize(("code", "distance"), [(CODES[0], 16), (CODES[1], 16), (CODES[2], 20)])
def test_free_squared_distance(code: Trellis, distance: int) -> None:
    """In units where neighbours are at 4: 4, 4 and 5 times that of the grid.

    The codes are not linear (the 64-state one multiplies), so pairs of paths from every common state are
    followed: `cost[s, t]` is the least distance so far of two that are now in states s and t.
    """
    near = subset_distances()
    pairs = [[n for n in range(64) if PAIR_BRANCH[code, n] == branch] for branch in range(32)]
    far = np.full((32, 32), np.inf)
    for a, b in itertools.product(range(32), repeat=2):
        for one, two in itertools.product(pairs[a], pairs[b]):
            far[a, b] = min(far[a, b], near[one >> 3, two >> 3] + near[one & 7, two & 7])
    # Two different points in one pair of subsets differ by 32; parallel ways are two pairs of a branch.
    best = 32.0
    for branch in pairs:
        for one, two in itertools.combinations(branch, 2):
            best = min(best, near[one >> 3, two >> 3] + near[one & 7, two & 7])
    states, ways = code.states, int(BRANCHES[code])
    before = BEFORE[code, :states, :ways].astype(int)
    branch_of = BRANCH[code, :states, :ways].astype(int)

    def extend(cost: NDArray[np.float64]) -> NDArray[np.float64]:
        after = np.full((states, states), np.inf)
        for one, two in itertools.product(range(ways), repeat=2):
            more = far[branch_of[:, one][:, None], branch_of[:, two][None, :]]
            after = np.minimum(after, cost[before[:, one][:, None], before[:, two][None, :]] + more)
        return after

    together = np.eye(states, dtype=bool)
    cost = parted = np.where(together, np.inf, extend(np.where(together, 0.0, np.inf)))
    for _ in range(12):
        cost = extend(cost)
        best = min(best, cost.diagonal().min())
        cost = np.where(together, np.inf, np.minimum(cost, parted))
    assert best == distance


def test_inputs_that_do_not_count() -> None:
    for code in CODES:
        for y in range(16):
            assert (NEXT[code, : code.states, y] == NEXT[code, : code.states, y & USED[code]]).all()
