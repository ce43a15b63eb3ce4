"""The line signals of V.32bis (02/91) §5 to §8, symbol by symbol.

`Signal` names them as the Recommendation does; a `Segment` is one of them for a number of symbols. The kernel
makes their symbols: training signals are sequences of the states A, B, C and D, rate signals and E are
scrambled and coded as 4800 bit/s data, B1 and data with the coding chosen. One record carries scrambler,
differential encoder and trellis encoder through all of them.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.coding.scrambler import scramble_bit
from ansam.dsp.records import new_record
from ansam.modulation.base import Role
from ansam.modulation.v32bis.constants import (
    B1_SYMBOLS,
    BITS_PER_SYMBOL,
    POINT_TABLE,
    RENEGOTIATION_REVERSED,
    RENEGOTIATION_TONE,
    S_BAR_SYMBOLS,
    S_SYMBOLS,
    SCRAMBLER_TAPS,
    STATE_A,
    STATE_B,
    STATE_C,
    STATE_D,
    TRN_TWO_STATE,
    TRN_USUAL,
    WORD_SYMBOLS,
    Coding,
)
from ansam.modulation.v32bis.rate_signal import RateSignal
from ansam.modulation.v32bis.trellis import encode
from ansam.units import Bits

_QUIET, _STATES, _TRN, _WORD, _ONES, _DATA = range(6)
_AT_4800 = int(Coding.UNCODED_4800)


class Signal(Enum):
    """What is on the line.

    Each value is (name, kind for the kernel, first state, second state, symbols that belong together).
    """

    SILENCE = ("silence", _QUIET, 0, 0, 1)
    AA = ("AA", _STATES, STATE_A, STATE_A, 1)
    CC = ("CC", _STATES, STATE_C, STATE_C, 1)
    AC = ("AC", _STATES, STATE_A, STATE_C, 2)
    CA = ("CA", _STATES, STATE_C, STATE_A, 2)
    S = ("S", _STATES, STATE_A, STATE_B, 2)
    S_BAR = ("S-bar", _STATES, STATE_C, STATE_D, 2)
    TRN = ("TRN", _TRN, 0, 0, 1)
    RATE = ("rate signal", _WORD, 0, 0, WORD_SYMBOLS)
    END = ("E", _WORD, 0, 0, WORD_SYMBOLS)
    B1 = ("B1", _ONES, 0, 0, 1)
    DATA = ("data", _DATA, 0, 0, 1)

    @property
    def kind(self) -> int:
        """The kernel's kind of signal."""
        return int(self.value[1])

    @property
    def states(self) -> tuple[int, int]:
        """The labels of the two states that alternate."""
        return int(self.value[2]), int(self.value[3])

    @property
    def unit(self) -> int:
        """Symbols that belong together: a signal ends after a whole number of them."""
        return int(self.value[4])


@dataclass(frozen=True, slots=True)
class Segment:
    """A signal for a time.

    Attributes:
        signal: Which.
        symbols: How long, a multiple of the signal's unit; None: until something else is sent.
        word: Of RATE and END: the 16 bits, B0 in bit 15.
        coding: Of B1 and DATA.
    """

    signal: Signal
    symbols: int | None = None
    word: int = 0
    coding: Coding = Coding.UNCODED_4800

    def __post_init__(self) -> None:
        if self.symbols is not None and (self.symbols < 0 or self.symbols % self.signal.unit):
            raise ValueError(f"{self.symbols} symbols of {self.signal.name}")

    @property
    def unit(self) -> int:
        """Symbols that belong together: the signal ends after a whole number of them."""
        return self.signal.unit


def conditioning(trn: int = TRN_USUAL) -> tuple[Segment, ...]:
    """Return the receiver conditioning signal (§5.2): S, S-bar and `trn` symbols of TRN."""
    return (
        Segment(Signal.S, S_SYMBOLS),
        Segment(Signal.S_BAR, S_BAR_SYMBOLS),
        Segment(Signal.TRN, trn),
    )


def rate(signal: RateSignal, symbols: int | None = None) -> Segment:
    """Return a rate signal R1 to R5 (§5.3)."""
    return Segment(Signal.RATE, symbols, signal.word)


def ending(signal: RateSignal, b1: int = B1_SYMBOLS) -> tuple[Segment, ...]:
    """Return E (§5.3.2), `b1` symbols of scrambled ones, and data, at the highest rate of a signal.

    A signal that calls for a cleardown has E only, without end (§8 note 2).
    """
    if signal.best is None:
        return (Segment(Signal.END, None, signal.end_word),)
    return (
        Segment(Signal.END, WORD_SYMBOLS, RateSignal.of(signal.best, signal.bis).end_word),
        Segment(Signal.B1, b1, coding=signal.best),
        Segment(Signal.DATA, coding=signal.best),
    )


def preamble(role: Role) -> tuple[Segment, ...]:
    """Return what begins a rate renegotiation (§8)."""
    tone, reversed_ = (Signal.AA, Signal.CC) if role is Role.CALLING else (Signal.AC, Signal.CA)
    return Segment(tone, RENEGOTIATION_TONE), Segment(reversed_, RENEGOTIATION_REVERSED)


SOURCE = np.dtype(
    [
        ("kind", "i8"),
        ("first", "i8"),
        ("second", "i8"),
        ("word", "i8"),
        ("coding", "i8"),
        ("sent", "i8"),  # symbols of this signal
        ("tap_a", "i8"),
        ("tap_b", "i8"),
        ("register", "i8"),  # of the scrambler
        ("previous", "i8"),  # Y1 Y2 of the last symbol: that of the differential encoder
        ("delays", "i8"),  # of the trellis encoder
    ]
)
_SOURCES = types.Array(from_dtype(SOURCE), 1, "C")
SourceRecord: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"


@njit(types.int64(_SOURCES, types.int64), cache=True, nogil=True, forceinline=True)
def _scrambled(source: SourceRecord, bit: int) -> int:
    s = source[0]
    out, s.register, _ = scramble_bit(s.register, 0, bit, s.tap_a, s.tap_b, 0)
    return int(out)


@njit(types.int64(_SOURCES), cache=True, nogil=True, forceinline=True)
def _trn_label(source: SourceRecord) -> int:
    """Return the label of the next state of TRN (§5.2.3)."""
    first = _scrambled(source, 1)
    second = _scrambled(source, 1)
    if source[0].sent < TRN_TWO_STATE:
        return STATE_C if first else STATE_A
    # Table 4 gives each dibit the state whose label it is.
    return 2 * first + second


@njit(types.void(_SOURCES, types.uint8[::1], types.complex128[::1]), cache=True, nogil=True)
def _make(source: SourceRecord, bits: Bits, out: NDArray[np.complex128]) -> None:
    s = source[0]
    taken = 0
    for i in range(out.size):
        if s.kind == _QUIET:
            out[i] = 0j
        elif s.kind == _STATES or s.kind == _TRN:
            if s.kind == _TRN:
                s.previous = _trn_label(source)
            else:
                s.previous = s.second if s.sent & 1 else s.first
            out[i] = POINT_TABLE[_AT_4800, s.previous]
        else:
            value = 0
            for j in range(BITS_PER_SYMBOL[s.coding]):
                bit = 1
                if s.kind == _WORD:
                    bit = (s.word >> (15 - ((2 * s.sent + j) & 15))) & 1
                elif s.kind == _DATA:
                    bit = int(bits[taken])
                    taken += 1
                value = 2 * value + _scrambled(source, bit)
            label, s.previous, s.delays = encode(s.coding, s.previous, s.delays, value)
            out[i] = POINT_TABLE[s.coding, label]
        s.sent += 1


class SymbolSource:
    """Makes the symbols of one signal after another.

    Args:
        role: Chooses the scrambler (§4.1).
    """

    def __init__(self, role: Role) -> None:
        self._state = new_record(SOURCE)
        self._signal = Signal.SILENCE
        self._state["tap_a"], self._state["tap_b"] = SCRAMBLER_TAPS[role]

    def begin(self, segment: Segment) -> None:
        """Start a segment; what its clause has set to zero is set so, all else carries over."""
        s = self._state
        before = self._signal
        self._signal = segment.signal
        s["kind"] = segment.signal.kind
        s["first"], s["second"] = segment.signal.states
        s["word"] = segment.word
        s["coding"] = segment.coding
        s["sent"] = 0
        if segment.signal is Signal.TRN:
            s["register"] = 0  # §5.2.3
        elif segment.signal is Signal.RATE and before not in (Signal.TRN, Signal.RATE):
            s["register"] = 0  # §5.3: after a preamble; after TRN the scrambler runs on
        elif segment.signal is Signal.B1:
            s["delays"] = 0  # §6.1
        # §5.3: the differential encoder always goes on from the last symbol, whatever it belonged to.
        # Unclear: the clauses do not say so of B1, nor that the scrambler runs on into it; in a recorded call
        # the answering modem's B1 is all ones from the first bit only if both do.

    def make(self, bits: Bits, out: NDArray[np.complex128]) -> None:
        """Fill `out`, shape (n,), with the next n symbols.

        Args:
            bits: Of DATA: the bits they carry; otherwise not looked at.
            out: On the scale of `POINT_TABLE`.
        """
        _make(self._state, bits, out)
