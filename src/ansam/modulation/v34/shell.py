"""The shell mapper and its inverse: V.34 (10/96) §9.4.

A mapping frame has eight 2D symbols, and each lies in one of M rings of equally many points, numbered by
rising energy. All M^8 choices of eight rings are put in an order: first by the sum of the eight numbers
(which rises as the energy does), within it by the sum of the first four, and so on down to single rings.
K bits pick one of the first 2^K, so the costly outer rings are rare: that is the shaping gain.

::

    R0 ─┬─ A = sum of eight ─┬─ B = sum of the first four ─┬─ C = sum of the first two, index E ─ rings 0, 1
        │                    │  (index R2)                 └─ B - C, index F ──────────────────── rings 2, 3
        └ index in A         └─ A - B (index R3) ──────────── D and A - B - D, G and H ────────── rings 4 … 7

g2, g4 and g8 count the choices of two, four and eight rings with a given sum.
"""

from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.dsp.records import new_record

MOST_RINGS = 18
"""The largest M in Table 10."""

SHELL = np.dtype(
    [
        ("k", "i8"),  # bits in
        ("m", "i8"),  # rings
        ("g2", "i8", (2 * MOST_RINGS - 1,)),
        ("g4", "i8", (4 * MOST_RINGS - 3,)),
        ("z8", "i8", (8 * MOST_RINGS - 6,)),  # one more entry than in (9-6): M^8
    ]
)
SHELLS = types.Array(from_dtype(SHELL), 1, "C")
_TWO = types.UniTuple(types.int64, 2)  # type: ignore[no-untyped-call]
Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"


def shell_tables(k: int, rings: int) -> Record:
    """Return the generating functions (9-3) to (9-6) as one record of `SHELL`.

    Args:
        k: K, 0 to 31.
        rings: M, 1 to 18; M^8 is at least 2^K.
    """
    shell: Record = new_record(SHELL)
    s = shell[0]
    s.k, s.m = k, rings
    g2 = np.convolve(np.ones(rings, np.int64), np.ones(rings, np.int64))
    g4 = np.convolve(g2, g2)
    g8 = np.convolve(g4, g4)
    s.g2[: g2.size] = g2
    s.g4[: g4.size] = g4
    s.z8[1 : g8.size + 1] = np.cumsum(g8)
    return shell


@njit("UniTuple(int64, 2)(int64, int64, int64)", cache=True, nogil=True)
def _pair(m: int, total: int, index: int) -> tuple[int, int]:
    """Return the two rings with a sum, by their index among the g2 such pairs (9-17), (9-18)."""
    if total < m:
        return index, total - index
    second = m - 1 - index
    return total - second, second


@njit(types.int64(SHELLS, types.int64, types.int64), cache=True, nogil=True)
def _four(shell: Record, total: int, index: int) -> int:
    """Return four rings with a sum, an octet each, by their index among the g4 such (steps 5 and 6)."""
    s = shell[0]
    first = max(0, total - 2 * (s.m - 1))
    while index >= s.g2[first] * s.g2[total - first]:
        index -= s.g2[first] * s.g2[total - first]
        first += 1
    a, b = _pair(s.m, first, index % s.g2[first])
    c, d = _pair(s.m, total - first, index // s.g2[first])
    return a | b << 8 | c << 16 | d << 24


@njit(types.int64(SHELLS, types.int64), cache=True, nogil=True)
def map_rings(shell: Record, r0: int) -> int:
    """Map K bits to eight ring indices.

    Args:
        shell: Of `shell_tables`.
        r0: The bits (9-7), 0 to 2^K - 1.

    Returns:
        The ring of symbol n in bits 8n to 8n + 7.
    """
    s = shell[0]
    total = 0
    while s.z8[total + 1] <= r0:
        total += 1
    index = r0 - s.z8[total]
    first = max(0, total - 4 * (s.m - 1))
    while index >= s.g4[first] * s.g4[total - first]:
        index -= s.g4[first] * s.g4[total - first]
        first += 1
    low = _four(shell, first, index % s.g4[first])
    return low | _four(shell, total - first, index // s.g4[first]) << 32


@njit("UniTuple(int64, 2)(int64, int64, int64)", cache=True, nogil=True)
def _pair_index(m: int, first: int, second: int) -> tuple[int, int]:
    """Undo `_pair`: return (sum, index)."""
    total = first + second
    return total, (first if total < m else m - 1 - second)


@njit(_TWO(SHELLS, types.int64), cache=True, nogil=True)
def _four_index(shell: Record, rings: int) -> tuple[int, int]:
    """Undo `_four`: return (sum, index)."""
    s = shell[0]
    first, e = _pair_index(s.m, rings & 255, rings >> 8 & 255)
    second, f = _pair_index(s.m, rings >> 16 & 255, rings >> 24 & 255)
    total = first + second
    index = f * s.g2[first] + e
    for p in range(max(0, total - 2 * (s.m - 1)), first):
        index += s.g2[p] * s.g2[total - p]
    return total, index


@njit(types.int64(SHELLS, types.int64), cache=True, nogil=True)
def unmap_rings(shell: Record, rings: int) -> int:
    """Return the K bits that `map_rings` maps to eight rings.

    Args:
        shell: Of `shell_tables`.
        rings: An octet each, all less than M. Eight that no bits map to (a wrong decision) give some K bits.
    """
    s = shell[0]
    first, r2 = _four_index(shell, rings & 0xFFFFFFFF)
    second, r3 = _four_index(shell, rings >> 32)
    total = first + second
    r0 = s.z8[total] + r3 * s.g4[first] + r2
    for p in range(max(0, total - 4 * (s.m - 1)), first):
        r0 += s.g4[p] * s.g4[total - p]
    return int(r0 & ((1 << s.k) - 1))


_SAMPLES = 4096
_GOLDEN = 0.6180339887498949


@njit(types.void(SHELLS, types.int64, types.float64[::1]), cache=True, nogil=True)
def _count_rings(shell: Record, size: int, shares: NDArray[np.float64]) -> None:
    """Add up how often each ring occurs over `_SAMPLES` of the first `size` words, spread evenly."""
    for i in range(_SAMPLES):
        # The fraction moves about, so that the fine steps of the mapper are sampled as well as the coarse.
        rings = map_rings(shell, int((i + (i * _GOLDEN) % 1.0) * size / _SAMPLES))
        for n in range(8):
            shares[rings >> 8 * n & 255] += 1 / (8 * _SAMPLES)


def ring_shares(shell: Record, high: float) -> NDArray[np.float64]:
    """Return the share of symbols in each ring for random bits; good for 0.01 dB of the mean energy.

    Args:
        shell: Of `shell_tables`.
        high: Share of mapping frames with K bits; the others have K - 1 and a zero (§9.3.1).

    Returns:
        Shape (M,), sum 1.
    """
    s = shell[0]
    size = 1 << int(s.k)
    shares = np.zeros((2, MOST_RINGS))
    _count_rings(shell, size, shares[0])
    _count_rings(shell, max(1, size >> 1), shares[1])
    mixed: NDArray[np.float64] = (high * shares[0] + (1 - high) * shares[1])[: int(s.m)]
    return mixed
