"""The 16-bit rate signals R1 to R5 and the sequence E that ends them: what both ends can do, and do.

A word is kept as an integer whose bit 15 is B0, the first in time, so that ``f"{word:016b}"`` reads like
tables 5 and 6. The synchronising bits of a valid word fit no other alignment of a repeated word, so a
receiver finds the words in a stream of bits without knowing where they begin.

V.32 (03/93) tables 6 and 7 use the same bits: a word with B4 = B8 = 1 comes from V.32bis; any other is that
of V.32, where B8 offers trellis coding at 9600 bit/s and B9, B10 and B12 say nothing of rates.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types

from ansam.modulation.v32bis.constants import TRELLIS_RATES, Coding
from ansam.units import Bits

RATE_BITS = {4800: 1 << 10, 9600: 1 << 9, 7200: 1 << 6, 12000: 1 << 5, 14400: 1 << 3}
"""B5, B6, B9, B10 and B12 (table 5)."""
_B4 = 1 << 11
_B8 = 1 << 7
_SYNC_MASK = 0b1111_0001_0001_0001
_SYNC_RATE = 0b0000_0001_0001_0001
"""B0 to B3, B7, B11 and B15 of a rate signal (table 5)."""
_SYNC_E = 0b1111_0001_0001_0001
"""The same bits of E (table 6)."""
_V32_RATES = (4800, 9600)


@dataclass(frozen=True, slots=True)
class RateSignal:
    """What a rate signal or a sequence E says.

    Attributes:
        rates: Data rates offered (or called for), bit/s; none calls for a cleardown.
        bis: By the rules of V.32bis (B4 = B8 = 1); False by those of V.32.
        trellis: V.32 only: trellis coding at 9600 bit/s.
    """

    rates: frozenset[int]
    bis: bool = True
    trellis: bool = False

    @classmethod
    def parse(cls, word: int) -> "RateSignal":
        """Return the meaning of a word, whatever its synchronising bits; B13 and B14 are ignored."""
        bis = bool(word & _B4) and bool(word & _B8)
        known = RATE_BITS if bis else _V32_RATES
        rates = frozenset(rate for rate in known if word & RATE_BITS[rate])
        return cls(rates, bis, not bis and bool(word & _B8))

    @classmethod
    def of(cls, coding: Coding, bis: bool) -> "RateSignal":
        """Return the signal that calls for one coding (R3, E)."""
        return cls(frozenset({coding.rate}), bis, not bis and coding.trellis)

    @property
    def word(self) -> int:
        """The rate signal (table 5; table 6 of V.32)."""
        word = _SYNC_RATE
        for rate in self.rates:
            word |= RATE_BITS[rate]
        if not self.rates:
            return word
        if self.bis:
            return word | _B4 | _B8
        # Table 6 of V.32: B8 speaks of the highest rate, and 4800 bit/s has no trellis.
        return word | _B8 if self.trellis and 9600 in self.rates else word

    @property
    def end_word(self) -> int:
        """The sequence E (table 6; table 7 of V.32)."""
        return self.word | _SYNC_E

    @property
    def cleardown(self) -> bool:
        """Whether it calls for a GSTN cleardown (table 5, note 3; B4-6 of V.32)."""
        return not self.rates

    @property
    def codings(self) -> tuple[Coding, ...]:
        """What can be chosen, best last."""
        found = []
        for rate in sorted(self.rates):
            if rate == 4800:
                found.append(Coding.UNCODED_4800)
            elif not self.bis and not self.trellis:
                found.append(Coding.UNCODED_9600)
            else:
                found.append(TRELLIS_RATES[rate])
        return tuple(found)

    @property
    def best(self) -> Coding | None:
        """The coding of the highest rate; None for a cleardown."""
        return self.codings[-1] if self.rates else None

    def limited(self, allowed: Callable[[int], bool]) -> "RateSignal":
        """Return it without the rates that are not allowed (`ModulationOptions.allows`)."""
        return replace(self, rates=frozenset(filter(allowed, self.rates)))


CLEARDOWN = RateSignal(frozenset(), bis=False)
"""Table 5, note 3."""


def offer(bis: bool, allowed: Callable[[int], bool]) -> RateSignal:
    """Return what a modem can do: R1, R4 or R5.

    Args:
        bis: As V.32bis; False as V.32, with trellis coding.
        allowed: Whether a rate may be used.
    """
    rates = frozenset(filter(allowed, RATE_BITS if bis else _V32_RATES))
    return RateSignal(rates, bis, not bis)


def common(ours: RateSignal, theirs: RateSignal) -> RateSignal:
    """Return what both signals have: R2 (§6.1), or what R3 and E choose from.

    Where only one is V.32bis, V.32 rules (table 5, note 1): 4800 and 9600 bit/s, and a trellis where the V.32
    end has one.
    """
    rates = ours.rates & theirs.rates
    if ours.bis and theirs.bis:
        return RateSignal(rates, bis=True)
    trellis = (ours.bis or ours.trellis) and (theirs.bis or theirs.trellis)
    return RateSignal(rates & frozenset(_V32_RATES), bis=False, trellis=trellis)


def word_bits(word: int) -> Bits:
    """Return the 16 bits of a word in the order of transmission."""
    return np.array([(word >> (15 - i)) & 1 for i in range(16)], np.uint8)


NOTHING, RATE_FOUND, END_FOUND = 0, 1, 2
"""What `detect_bit` says."""

DETECTOR = np.dtype(
    [
        ("repeats", "i8"),  # identical words wanted
        ("register", "i8"),  # the last 16 bits, newest in bit 0
        ("bits", "i8"),  # received so far, up to 16
        ("candidate", "i8"),  # the last rate word seen
        ("since", "i8"),  # bits since its end
        ("run", "i8"),  # how often it came in a row
        ("aligned", "i8"),  # 1 once a rate signal was found: `place` is sure
        ("place", "i8"),  # bits since the end of a word, modulo 16
        ("word", "i8"),  # result: the word found
    ]
)
DETECTORS = types.Array(from_dtype(DETECTOR), 1, "C")
DetectorRecord: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"


@njit(types.void(DETECTORS, types.int64), cache=True, nogil=True)
def restart_detector(detector: DetectorRecord, repeats: int) -> None:
    """Look for a new rate signal.

    Args:
        detector: Shape (1,) of `DETECTOR`.
        repeats: Identical words in a row that make a rate signal; at least 2 (§5.3.1).
    """
    d = detector[0]
    d.repeats = repeats
    d.register = 0
    d.bits = 0
    d.candidate = 0
    d.since = 0
    d.run = 0
    d.aligned = 0
    d.place = 0
    d.word = 0


@njit(types.boolean(DETECTORS, types.int64), cache=True, nogil=True)
def _ends(detector: DetectorRecord, word: int) -> bool:
    """Return whether a word with E's synchronising bits is E: it must follow a whole number of rate words.

    Before a rate signal was found, that is one valid word right before, of which E calls for a part.
    """
    d = detector[0]
    if d.aligned:
        return bool(d.place == 0)
    return bool(d.since == 16) and (word & ~_SYNC_MASK & ~d.candidate) == 0


@njit(types.int64(DETECTORS, types.int64), cache=True, nogil=True)
def detect_bit(detector: DetectorRecord, bit: int) -> int:
    """Take one descrambled bit.

    Returns:
        `RATE_FOUND` with the last bit of the repetition that makes a rate signal (once for each signal),
        `END_FOUND` with the last bit of E, after which the next symbol is B1's; else `NOTHING`. The record
        then has the word in `word`. After E the search begins afresh.
    """
    d = detector[0]
    d.register = ((d.register << 1) | bit) & 0xFFFF
    d.since = min(d.since + 1, 17)
    d.place = (d.place + 1) & 15
    if d.bits < 15:
        d.bits += 1
        return NOTHING
    word = d.register
    if word & _SYNC_MASK == _SYNC_E and _ends(detector, word):
        restart_detector(detector, d.repeats)
        d.word = word
        return END_FOUND
    if word & _SYNC_MASK != _SYNC_RATE:
        return NOTHING
    d.run = d.run + 1 if d.since == 16 and word == d.candidate else 1
    d.candidate = word
    d.since = 0
    if d.run != d.repeats:
        return NOTHING
    d.aligned = 1
    d.place = 0
    d.word = word
    return RATE_FOUND


@njit(types.int64(DETECTORS, types.uint8[::1], types.int64), cache=True, nogil=True)
def _detect_all(detector: DetectorRecord, bits: Bits, start: int) -> int:
    """Return the index after the bit that found something, or -1."""
    for i in range(start, bits.size):
        if detect_bit(detector, int(bits[i])) != NOTHING:
            return i + 1
    return -1


@dataclass(frozen=True, slots=True)
class Found:
    """A rate signal or E in a stream of bits.

    Attributes:
        signal: What it says.
        end: True for E.
        position: Number of bits of the piece up to and including its last one.
    """

    signal: RateSignal
    end: bool
    position: int


class RateDetector:
    """Finds rate signals and E in descrambled bits.

    Args:
        repeats: Identical words in a row that make a rate signal, at least 2.
    """

    def __init__(self, repeats: int = 2) -> None:
        self._state = np.zeros(1, DETECTOR).view(np.recarray)
        self._repeats = repeats
        self.reset()

    def reset(self) -> None:
        """Look for a new rate signal."""
        restart_detector(self._state, self._repeats)

    def process(self, bits: Bits) -> list[Found]:
        """Take the next bits; return what was found in them, in order."""
        bits = np.ascontiguousarray(bits, np.uint8)
        found = []
        at = 0
        while (at := _detect_all(self._state, bits, at)) >= 0:
            word = int(self._state[0].word)
            found.append(Found(RateSignal.parse(word), word & _SYNC_MASK == _SYNC_E, at))
        return found
