"""MP sequences, and what two of them settle: V.34 (10/96) §10.1.3.9, §11.4.1; the patterns of J and E.

::

    17 ones │ 0 │ type, 16 bits more │ 0 │ 16 bits │ 0 │ … │ 0 │ CRC │ fill
    sync      start                  start         start

A zero after every 16 bits keeps the 17 ones unique. Bits are numbered as in Tables 20 and 21, bit 0 first.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from ansam.coding.crc import crc16_of_bits
from ansam.modulation.base import Role
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import (
    E_BITS,
    J_4,
    J_16,
    J_PRIME,
    RATE_STEP,
    TOP_RATE,
    SymbolRate,
    Trellis,
)
from ansam.modulation.v34.parameters import Parameters
from ansam.modulation.v34.precoder import NO_PRECODING, Coefficients
from ansam.units import Bits

SYNC_ONES = 17
ALL_RATES = tuple(range(RATE_STEP, TOP_RATE + 1, RATE_STEP))
"""Bits 35 to 48 of the capability mask."""
_WORD = 16
_LENGTH = (88, 188)
"""Bits in a sequence of type 0 and 1, fill included."""
_CHECK = (69, 171)
"""First bit of the CRC, by type."""
_START_BITS = tuple(tuple(range(17, check, _WORD + 1)) for check in _CHECK)


@dataclass(frozen=True, slots=True)
class Mp:
    """One MP sequence (Tables 20 and 21); MP' where `acknowledge` is set.

    Trellis, non-linear encoder, shaping and precoding are what its sender wants of the far end's transmitter.

    Attributes:
        call_to_answer: Highest data rate from the calling modem to the answering one its sender takes,
            bit/s, a multiple of 2400; 0 asks for a clear-down (§11.7).
        answer_to_call: Likewise, the other way.
        rates: Data rates supported and enabled both ways, bit/s.
        auxiliary: The auxiliary channel is supported and enabled.
        trellis: Convolutional encoder.
        nonlinear: Θ is 0.3125 instead of 0.
        expanded: The expanded constellation instead of the minimum one.
        acknowledge: An MP has been received from the far end.
        asymmetric: Different rates in the two directions can be had.
        precoding: h(1) to h(3) of a type 1 sequence; None makes it type 0, which leaves them as they were.
    """

    call_to_answer: int
    answer_to_call: int
    rates: tuple[int, ...] = ALL_RATES
    auxiliary: bool = False
    trellis: Trellis = Trellis.STATES_16
    nonlinear: bool = False
    expanded: bool = False
    acknowledge: bool = False
    asymmetric: bool = False
    precoding: Coefficients | None = None

    @property
    def clears_down(self) -> bool:
        """Whether it asks for the end of the connection (§11.7.1.1)."""
        return self.call_to_answer == 0 and self.answer_to_call == 0

    @property
    def acknowledged(self) -> "Mp":
        """The MP' of this MP."""
        return replace(self, acknowledge=True)

    def to_bits(self) -> Bits:
        """Return the sequence, from the sync to the fill."""
        kind = int(self.precoding is not None)
        first = _word(
            (kind, 1),
            (0, 1),
            (self.call_to_answer // RATE_STEP, 4),
            (self.answer_to_call // RATE_STEP, 4),
            (self.auxiliary, 1),
            (self.trellis, 2),
            (self.nonlinear, 1),
            (self.expanded, 1),
            (self.acknowledge, 1),
        )
        mask = _word(*((rate in self.rates, 1) for rate in ALL_RATES), (0, 1), (self.asymmetric, 1))
        words = [first, mask, *(_word((part, _WORD)) for part in self.precoding or ()), [0] * _WORD]
        crc = crc16_of_bits(bit for word in words for bit in word)
        bits = [1] * SYNC_ONES
        for word in [*words, _word((crc, _WORD))]:
            bits += [0, *word]
        return np.array(bits + [0] * (_LENGTH[kind] - len(bits)), np.uint8)

    @classmethod
    def from_words(cls, words: list[int]) -> "Mp | None":
        """Return what the words between the start bits say, CRC left out; None for a reserved trellis."""
        first, mask = words[0], words[1]
        trellis = first >> 11 & 3
        if trellis not in (0, 1, 2):
            return None
        precoding = None
        if first & 1:
            h = [word - (word >> 15 << 16) for word in words[2:8]]
            precoding = (h[0], h[1], h[2], h[3], h[4], h[5])
        return cls(
            call_to_answer=RATE_STEP * (first >> 2 & 15),
            answer_to_call=RATE_STEP * (first >> 6 & 15),
            rates=tuple(rate for n, rate in enumerate(ALL_RATES) if mask >> n & 1),
            auxiliary=bool(first >> 10 & 1),
            trellis=Trellis(trellis),
            nonlinear=bool(first >> 13 & 1),
            expanded=bool(first >> 14 & 1),
            acknowledge=bool(first >> 15 & 1),
            asymmetric=bool(mask >> 15 & 1),
            precoding=precoding,
        )


def _word(*fields: tuple[int, int]) -> list[int]:
    """Join (value, width) fields, the least significant bit of each first."""
    return [int(value) >> n & 1 for value, width in fields for n in range(width)]


class MpReader:
    """Reads MP sequences, and the E that ends them, from a stream of descrambled bits.

    Attributes:
        sequences: Good MP and MP' sequences so far.
        errors: Sequences whose start bits or CRC were wrong.
        ended: E has been received: 20 ones after an MP (TRN is ones as well). It becomes true with the bit
            that ends E; the next symbol is the first of B1.
    """

    def __init__(self) -> None:
        self.sequences = 0
        self.errors = 0
        self.ended = False
        self._ones = 0
        self._bits: list[int] | None = None

    def push(self, bit: int) -> Mp | None:
        """Take one bit; return the sequence whose CRC it completes."""
        if bit:
            self._ones += 1
            self.ended = self.ended or (self.sequences > 0 and self._ones >= E_BITS)
        elif self._ones >= SYNC_ONES:
            self._ones = 0
            self._bits = [1] * SYNC_ONES + [0]
            return None
        else:
            self._ones = 0
        if self._bits is None:
            return None
        self._bits.append(int(bit))
        kind = self._bits[18] if len(self._bits) > 18 else 0
        if len(self._bits) < _CHECK[kind] + _WORD:
            return None
        bits, self._bits = self._bits, None
        found = _decode(bits, kind)
        if found is None:
            self.errors += 1
        else:
            self.sequences += 1
        return found

    def take(self, bits: Iterable[int]) -> list[Mp]:
        """Take bits up to the end of E; return the sequences in them."""
        found = []
        for bit in bits:
            mp = self.push(bit)
            if mp is not None:
                found.append(mp)
            if self.ended:
                break
        return found


def _decode(bits: list[int], kind: int) -> Mp | None:
    """Check a sequence that ends with its CRC, and take it apart."""
    starts = _START_BITS[kind]
    if any(bits[n] for n in starts):
        return None
    words = [bits[n + 1 : n + 1 + _WORD] for n in starts]
    if crc16_of_bits(bit for word in words for bit in word):
        return None
    return Mp.from_words([sum(bit << n for n, bit in enumerate(word)) for word in words[:-1]])


class J(Enum):
    """The patterns of J and J' (Tables 18 and 19), first bit first.

    The values name the constellation that its sender wants for TRN, MP and E of phase 4.
    """

    FOUR = J_4
    SIXTEEN = J_16
    PRIME = J_PRIME

    def to_bits(self) -> Bits:
        """Return the 16 bits."""
        return np.array([int(bit) for bit in self.value], np.uint8)


_PATTERNS = {tuple(int(bit) for bit in j.value): j for j in J}


class JReader:
    """Finds J and J' in a stream of descrambled bits, at any bit."""

    def __init__(self) -> None:
        self._last: deque[int] = deque(maxlen=2 * _WORD)
        self._seen: J | None = None

    def push(self, bit: int) -> J | None:
        """Take one bit; return the pattern it completes.

        J counts when two repetitions stand end to end; J', which is sent once, where it follows a J.
        """
        self._last.append(int(bit))
        pattern = tuple(self._last)
        j = _PATTERNS.get(pattern[_WORD:]) if len(pattern) == 2 * _WORD else None
        if j is None:
            return None
        before = _PATTERNS.get(pattern[:_WORD])
        if j is J.PRIME:
            return j if before in (J.FOUR, J.SIXTEEN) else None
        return j if before is j else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two MP sequences settle.

    Attributes:
        call_to_answer: How the calling modem sends.
        answer_to_call: How the answering modem sends.
    """

    call_to_answer: Coding
    answer_to_call: Coding

    def sent_by(self, role: Role) -> Coding:
        """Return how a modem sends."""
        return self.call_to_answer if role is Role.CALLING else self.answer_to_call


def agree(
    call: Mp,
    answer: Mp,
    call_symbols: SymbolRate,
    answer_symbols: SymbolRate,
    kept: tuple[Coefficients, Coefficients] = (NO_PRECODING, NO_PRECODING),
) -> Agreement | None:
    """Return what the last MP sequences of both modems settle (§11.4.1.1.3, §11.4.1.2.3).

    Rates that a symbol rate does not have are left out: no modem could use them.

    Args:
        call: From the calling modem.
        answer: From the answering modem.
        call_symbols: Symbol rate of what the calling modem sends.
        answer_symbols: Likewise, of the answering modem.
        kept: The precoding coefficients in use for what the (calling, answering) modem sends, which a type 0
            sequence leaves as they are (§10.1.3.9).

    Returns:
        The codings of both directions; None where no rate is left, or either asks for a clear-down.
    """
    up_limit = min(call.call_to_answer, answer.call_to_answer)
    down_limit = min(call.answer_to_call, answer.answer_to_call)
    enabled = set(call.rates) & set(answer.rates)
    up_rates, down_rates = enabled & set(call_symbols.rates), enabled & set(answer_symbols.rates)
    if not (call.asymmetric and answer.asymmetric):
        up_limit = down_limit = min(up_limit, down_limit)
        up_rates = down_rates = up_rates & down_rates
    up = max((rate for rate in up_rates if rate <= up_limit), default=0)
    down = max((rate for rate in down_rates if rate <= down_limit), default=0)
    if not (up and down):
        return None
    auxiliary = call.auxiliary and answer.auxiliary
    return Agreement(
        _coding(answer, Parameters(call_symbols, up, auxiliary, answer.expanded), Role.CALLING, kept[0]),
        _coding(call, Parameters(answer_symbols, down, auxiliary, call.expanded), Role.ANSWERING, kept[1]),
    )


def _coding(asked: Mp, parameters: Parameters, sender: Role, kept: Coefficients) -> Coding:
    """Return how a modem sends that received `asked`."""
    precoding = kept if asked.precoding is None else asked.precoding
    return Coding(parameters, sender, asked.trellis, asked.nonlinear, precoding)
