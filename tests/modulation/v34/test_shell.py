import numpy as np
import pytest
from tests.support import v34_reference, v34_tables

from ansam.modulation.v34 import shell
from ansam.modulation.v34.shell import map_rings, ring_shares, shell_tables, unmap_rings

PAIRS = sorted({(k, m) for k, low, high, *_ in v34_tables.TABLE_10.values() for m in (low, high)})
"""All (K, M) that occur."""


def unpacked(rings: int) -> list[int]:
    return [rings >> 8 * n & 255 for n in range(8)]


def some_words(k: int, count: int, seed: int = 1) -> list[int]:
    edges = [0, 1, (1 << k) - 1, (1 << k) // 2, max(0, (1 << k) // 2 - 1)]
    return edges + np.random.default_rng(seed).integers(0, 1 << k, count).tolist()


@pytest.mark.parametrize(("k", "m"), PAIRS)
def test_the_mapper_is_that_of_the_clause(k: int, m: int) -> None:
    tables = shell_tables(k, m)
    for word in [w for w in some_words(k, 6) if w < 1 << k]:
        bits = [word >> i & 1 for i in range(k)]
        assert unpacked(map_rings(tables, word)) == v34_reference.map_rings(bits, m), word


@pytest.mark.parametrize(("k", "m"), PAIRS)
def test_the_inverse_gives_the_bits_back(k: int, m: int) -> None:
    tables = shell_tables(k, m)
    for word in [w for w in some_words(k, 300) if w < 1 << k]:
        rings = map_rings(tables, word)
        assert max(unpacked(rings)) < m
        assert unmap_rings(tables, rings) == word


@pytest.mark.parametrize(("k", "m"), [(k, m) for k, m in PAIRS if k <= 12])
def test_no_two_words_have_the_same_rings(k: int, m: int) -> None:
    tables = shell_tables(k, m)
    assert len({map_rings(tables, word) for word in range(1 << k)}) == 1 << k


def test_wrong_rings_give_some_bits_all_the_same() -> None:
    for k, m in PAIRS:
        tables = shell_tables(k, m)
        for rings in [*np.random.default_rng(2).integers(0, m, (50, 8)).tolist(), [m - 1] * 8]:
            packed = sum(ring << 8 * n for n, ring in enumerate(rings))
            assert 0 <= unmap_rings(tables, packed) < 1 << k


@pytest.mark.parametrize(("k", "m"), [(5, 2), (9, 3), (12, 4)])
def test_shares_of_the_rings_are_those_of_all_words(k: int, m: int) -> None:
    tables = shell_tables(k, m)
    for high, words in ((1.0, 1 << k), (0.0, 1 << (k - 1))):
        count = np.zeros(m)
        for word in range(words):
            for ring in unpacked(map_rings(tables, word)):
                count[ring] += 1
        assert ring_shares(tables, high) == pytest.approx(count / count.sum(), abs=0.002)
    assert ring_shares(tables, 0.3).sum() == pytest.approx(1)


def test_compiled_and_interpreted_kernels_agree() -> None:
    for k, m in PAIRS[::5]:
        tables = shell_tables(k, m)
        for word in [w for w in some_words(k, 5) if w < 1 << k]:
            rings = map_rings(tables, word)
            assert map_rings.py_func(tables, word) == rings
            assert unmap_rings.py_func(tables, rings) == word
    tables = shell_tables(12, 3)
    a, b = np.zeros(18), np.zeros(18)
    shell._count_rings(tables, 4096, a)
    shell._count_rings.py_func(tables, 4096, b)
    assert a == pytest.approx(b)
