"""The convolutional encoders and the subset tables: V.34 (10/96) §9.6.3.

A state is an integer; its bit 0 is the leftmost delay of the figure. Y0 is the output of the rightmost delay,
so it is known before the bits of the same symbol.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ansam.modulation.v34.constants import Trellis

STATES = 64
INPUTS = 16

_TABLE_13 = (
    "0000 0000 0001 0001 1000 1000 1001 1001",
    "0011 0010 0010 0011 1011 1010 1010 1011",
    "0101 0101 0100 0100 1101 1101 1100 1100",
    "0110 0111 0111 0110 1110 1111 1111 1110",
    "1000 1000 1001 1001 0000 0000 0001 0001",
    "1011 1010 1010 1011 0011 0010 0010 0011",
    "1101 1101 1100 1100 0101 0101 0100 0100",
    "1110 1111 1111 1110 0110 0111 0111 0110",
)
"""[Y4 Y3 Y2 Y1], a row for each s(2m), a column for each s(2m + 1)."""

PAIR_BITS = np.array([int(cell, 2) for row in _TABLE_13 for cell in row.split()], np.int64)
"""Shape (64,): Y4 … Y1 by 8 s(2m) + s(2m + 1) (Table 13), Y1 in bit 0."""


def _next_16(state: int, y: int) -> int:
    """Figure 10."""
    a, b, c, d = (state >> i & 1 for i in range(4))
    y1, y2 = y & 1, y >> 1 & 1
    return _join(d, a ^ y2 ^ d, b ^ y2, c ^ y1)


def _next_32(state: int, y: int) -> int:
    """Figure 11."""
    a, b, c, d, e = (state >> i & 1 for i in range(5))
    y1, y2, y4 = y & 1, y >> 1 & 1, y >> 3 & 1
    return _join(e, a ^ y2, b ^ y1, c ^ y4, d ^ y2)


def _next_64(state: int, y: int) -> int:
    """Figure 12."""
    a, b, c, d, e, f = (state >> i & 1 for i in range(6))
    y1, y2, y3, y4 = (y >> i & 1 for i in range(4))
    return _join(
        a ^ b ^ y4 ^ (c & (b ^ y1)),
        a ^ b ^ d ^ y3 ^ (y2 & c),
        b ^ c ^ y1,
        c,
        f,
        e ^ c ^ y2,
    )


def _join(*bits: int) -> int:
    return sum(bit << i for i, bit in enumerate(bits))


_ENCODERS: dict[Trellis, Callable[[int, int], int]] = {
    Trellis.STATES_16: _next_16,
    Trellis.STATES_32: _next_32,
    Trellis.STATES_64: _next_64,
}


def _transitions() -> NDArray[np.int64]:
    table = np.zeros((len(Trellis), STATES, INPUTS), np.int64)
    for code, encoder in _ENCODERS.items():
        for state in range(code.states):
            for y in range(INPUTS):
                table[code, state, y] = encoder(state, y)
    return table


NEXT = _transitions()
"""Shape (3, 64, 16): the next state by encoder, state and Y4 … Y1."""

OUTPUT_SHIFT = np.array([3, 4, 5], np.int64)
"""By encoder: the bit of the state that is Y0."""

USED = (0b0011, 0b1011, 0b1111)
"""By encoder: the inputs that count (§9.6.3.2); the others make no difference to the next state."""

BRANCHES = np.array([4, 8, 16], np.int64)
"""By encoder: branches out of (and into) a state."""


def _branch_of(code: Trellis) -> list[int]:
    """Number the values of the inputs that count 0, 1, 2 …: the branch for each of the 16 values."""
    values = sorted({y & USED[code] for y in range(INPUTS)})
    return [values.index(y & USED[code]) for y in range(INPUTS)]


def _incoming() -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    before = np.zeros((len(Trellis), STATES, INPUTS), np.uint8)
    branch = np.zeros((len(Trellis), STATES, INPUTS), np.uint8)
    pairs = np.zeros((len(Trellis), 64), np.uint8)
    for code in Trellis:
        number = _branch_of(code)
        found = [0] * STATES
        for state in range(code.states):
            parity = state >> int(OUTPUT_SHIFT[code]) & 1
            for y in range(INPUTS):
                if y & ~USED[code]:
                    continue
                new = int(NEXT[code, state, y])
                before[code, new, found[new]] = state
                branch[code, new, found[new]] = INPUTS * parity + number[y]
                found[new] += 1
        for pair in range(64):
            parity = (pair >> 3 ^ pair) & 1
            pairs[code, pair] = INPUTS * parity + number[int(PAIR_BITS[pair])]
    return before, branch, pairs


BEFORE, BRANCH, PAIR_BRANCH = _incoming()
"""For the decoder, in octets so that its innermost loop stays in the cache.

BEFORE: shape (3, 64, 16), by encoder, new state and way into it: the old state.
BRANCH: likewise, the branch taken: 16 Y0 + number of the input.
PAIR_BRANCH: shape (3, 64), by encoder and 8 s(2m) + s(2m + 1): the branch on which the pair lies, with the
parity of the two labels' lowest bits in the place of Y0 (equal to it where V0 = 0, figure 8).
"""
