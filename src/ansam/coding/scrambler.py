"""Self-synchronising scramblers: division and multiplication by 1 + x^-a + x^-b over GF(2).

A scrambler makes the line signal look random whatever the user sends, because the receiver's timing,
equaliser and carrier loops live on transitions. It divides the message by the polynomial; the descrambler
multiplies by it and needs no start value: after b error-free bits its register equals the sender's. The
price is that one wrong bit on the line becomes three wrong bits (one per term of the polynomial).

An input of ones can lock a scrambler into sending ones for ever, which modems of the V.22 family read as a
command (remote loop 2). The guard counts ones on the line and, after a run of `guard`, inverts the next bit;
the descrambler counts the same ones and inverts it back.
"""

import numpy as np
from numba import njit, types

from ansam.units import Bits


@njit("UniTuple(int64, 3)(int64, int64, int64, int64, int64, int64)", cache=True, nogil=True)
def scramble_bit(
    register: int, run: int, bit: int, tap_a: int, tap_b: int, guard: int
) -> tuple[int, int, int]:
    """Scramble one bit.

    Args:
        register: The last bits on the line, newest in bit 0.
        run: Ones in a row on the line so far.
        bit: The message bit, 0 or 1.
        tap_a: Exponent of the first term, 1 to 62.
        tap_b: Exponent of the last term, `tap_a` + 1 to 63.
        guard: Length of the run after which the next message bit is inverted; 0 for no guard.

    Returns:
        (line bit, new register, new run).
    """
    if guard and run >= guard:
        bit ^= 1
        run = 0
    out = bit ^ ((register >> (tap_a - 1)) & 1) ^ ((register >> (tap_b - 1)) & 1)
    register = ((register << 1) | out) & ((1 << tap_b) - 1)
    return out, register, (run + 1 if out else 0)


@njit("UniTuple(int64, 3)(int64, int64, int64, int64, int64, int64)", cache=True, nogil=True)
def descramble_bit(
    register: int, run: int, bit: int, tap_a: int, tap_b: int, guard: int
) -> tuple[int, int, int]:
    """Descramble one line bit; arguments and result as `scramble_bit`, with line and message changed over."""
    out = bit ^ ((register >> (tap_a - 1)) & 1) ^ ((register >> (tap_b - 1)) & 1)
    if guard and run >= guard:
        out ^= 1
        run = 0
    register = ((register << 1) | bit) & ((1 << tap_b) - 1)
    return out, register, (run + 1 if bit else 0)


@njit(
    types.void(types.uint8[::1], types.int64[::1], types.int64, types.int64, types.int64, types.boolean),
    cache=True,
    nogil=True,
)
def _run_bits(
    bits: Bits, state: "np.typing.NDArray[np.int64]", tap_a: int, tap_b: int, guard: int, descramble: bool
) -> None:
    register, run = state[0], state[1]
    for i in range(bits.size):
        if descramble:
            bit, register, run = descramble_bit(register, run, int(bits[i]), tap_a, tap_b, guard)
        else:
            bit, register, run = scramble_bit(register, run, int(bits[i]), tap_a, tap_b, guard)
        bits[i] = bit
    state[0], state[1] = register, run


class Scrambler:
    """Scrambles a stream of bits with the polynomial 1 + x^-a + x^-b.

    Args:
        tap_a: Exponent of the middle term (V.22bis: 14).
        tap_b: Exponent of the last term (V.22bis: 17).
        guard: Run of ones on the line after which a bit is inverted (V.22bis: 64), 0 for none.
    """

    _descramble = False

    def __init__(self, tap_a: int, tap_b: int, guard: int = 0) -> None:
        self._taps = (tap_a, tap_b, guard)
        self._state = np.zeros(2, np.int64)

    def process(self, bits: Bits) -> Bits:
        """Return as many bits as came in; the stream may be cut anywhere."""
        out = np.array(bits, dtype=np.uint8, order="C")
        _run_bits(out, self._state, *self._taps, self._descramble)
        return out


class Descrambler(Scrambler):
    """Undoes `Scrambler`; correct after `tap_b` bits whatever its register held."""

    _descramble = True
