"""Signals of phases 3 and 4 as symbols of mean power 1: V.34 (10/96) §10.1.3.2 to §10.1.3.9.

S, S-bar and PP are fixed; TRN, J, MP and E are bits through the scrambler, two to a symbol of four points or
four to a symbol of sixteen. TRN sets the phase outright; the others set its change.
"""

from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.coding.scrambler import scramble_bit
from ansam.dsp.records import new_record
from ansam.modulation.base import Role
from ansam.modulation.v34.constants import PP_SYMBOLS, SCRAMBLER_TAPS
from ansam.modulation.v34.constellation import QUARTER, turn
from ansam.units import Bits

Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"
Symbols: TypeAlias = NDArray[np.complex128]

SCALE_4 = float(1 / np.sqrt(2))
SCALE_16 = float(1 / np.sqrt(10))
"""Units of the quarter superconstellation to symbols of mean power 1."""


def s_signal(count: int, bar: bool = False) -> Symbols:
    """Return S, or S-bar, of an even number of symbols (§10.1.3.7).

    S ends with point 0 turned by 90 degrees, S-bar begins with point 0 turned by 180.
    """
    first, second = (1 + 1j) * SCALE_4, (-1 + 1j) * SCALE_4
    pair = np.array([-first, -second] if bar else [first, second])
    return np.resize(pair, count) if count else np.zeros(0, np.complex128)


def pp_signal() -> Symbols:
    """Return all of PP, six periods of 48 symbols (10-1)."""
    k, i = np.divmod(np.arange(PP_SYMBOLS), 4)
    return np.asarray(np.exp(1j * np.pi * (k * i + np.where(k % 3 == 1, 4, 0)) / 6))


WORDS = np.dtype(
    [
        ("register", "i8"),
        ("z", "i8"),  # clockwise turns of the last symbol
        ("tap_a", "i8"),
        ("tap_b", "i8"),
    ]
)
STATES = types.Array(from_dtype(WORDS), 1, "C")


@njit(
    types.void(STATES, types.uint8[::1], types.boolean, types.boolean, types.complex128[::1]),
    cache=True,
    nogil=True,
)
def map_words(state: Record, bits: Bits, sixteen: bool, differential: bool, out: Symbols) -> None:
    """Scramble and map bits.

    Args:
        state: One record of `WORDS`.
        bits: Two (four) for each symbol; I1, I2 (Q1, Q2) in this order.
        sixteen: 16 points instead of four.
        differential: J, MP and E; False for TRN.
        out: Filled with symbols of mean power 1.
    """
    s = state[0]
    count = 4 if sixteen else 2
    scale = SCALE_16 if sixteen else SCALE_4
    for n in range(out.size):
        word = 0
        for k in range(count):
            bit = int(bits[count * n + k])
            out_bit, s.register, _ = scramble_bit(s.register, 0, bit, s.tap_a, s.tap_b, 0)
            word |= out_bit << k
        turns = word & 3
        s.z = (s.z + turns) & 3 if differential else turns
        label = word >> 2
        x, y = turn(QUARTER[label, 0], QUARTER[label, 1], s.z)
        out[n] = complex(x * scale, y * scale)


class WordSender:
    """Makes the symbols of TRN, J, J', MP and E.

    Args:
        role: Of the modem that sends (its scrambler).

    Attributes:
        sixteen: Whether TRN, MP and E have 16 points, as the far end's J asked for.
    """

    def __init__(self, role: Role) -> None:
        self.state = new_record(WORDS)
        self.state[0].tap_a, self.state[0].tap_b = SCRAMBLER_TAPS[role]
        self.sixteen = False

    @property
    def bits_per_symbol(self) -> int:
        """Bits that a symbol of MP and E takes."""
        return 4 if self.sixteen else 2

    def restart(self) -> None:
        """Set the scrambler to zero: before TRN (§10.1.3.8)."""
        self.state[0].register = 0

    def trn(self, count: int) -> Symbols:
        """Return more of TRN (§10.1.3.8)."""
        return self._map(np.ones(count * self.bits_per_symbol, np.uint8), self.sixteen, False)

    def words(self, bits: Bits) -> Symbols:
        """Return the symbols of MP and E (§10.1.3.9, §10.1.3.2); whole symbols only."""
        return self._map(bits, self.sixteen, True)

    def j(self, bits: Bits) -> Symbols:
        """Return the symbols of J and J', always of four points (§10.1.3.3)."""
        return self._map(bits, False, True)

    def md(self, count: int) -> Symbols:
        """Return MD, which a modem defines for itself (§10.1.3.5): here as four-point TRN."""
        return self._map(np.ones(2 * count, np.uint8), False, False)

    def _map(self, bits: Bits, sixteen: bool, differential: bool) -> Symbols:
        out = np.zeros(bits.size // (4 if sixteen else 2), np.complex128)
        map_words(self.state, np.ascontiguousarray(bits, np.uint8), sixteen, differential, out)
        return out
