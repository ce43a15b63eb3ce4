"""INFO0 and INFO1: what the two modems can do, and what each heard of the other (V.34 (10/96) §10.1.2.3).

::

    1111 │ 01110010 │ information … │ CRC, 16 bits │ 1111
    fill   sync       bit 12 on                      fill

Nothing in a sequence says how long it is; that follows from which one it is. V.90 (09/98) §8.2.3 uses the
same frames, with a longer INFO0 of the digital modem and an INFO1a that names 8000 symbols a second. All are
read from any stream of bits here; who sent a sequence, and which was expected, the caller knows.
"""

from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias

import numpy as np
from numba import njit, types

from ansam.coding.crc import crc16_of_bits
from ansam.modulation.v34.constants import RATE_STEP, SYMBOL_RATES
from ansam.units import Bits

FILL = (1, 1, 1, 1)
SYNC = (0, 1, 1, 1, 0, 0, 1, 0)
"""Tables 14 to 16: bits 4 to 11, the left one first."""
CRC_BITS = 16
_CRC_POLYNOMIAL = 0x8408
"""x^16 + x^12 + x^5 + 1 (§10.1.2.3.2), reflected."""

PCM_RATE = 6
"""V.90 (09/98) Table 10: in bits 37:39, the 8000 symbols a second of a digital modem."""
OFFSET_UNKNOWN = -512
"""Frequency offset that could not be measured to 0.25 Hz."""
OFFSET_STEP_HZ = 0.02
_NAMES = tuple(rate.name for rate in SYMBOL_RATES)


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a field stands, counted as in the tables: bit 0 is the first fill bit."""

    name: str
    first: int
    width: int
    signed: bool = False

    def put(self, bits: Bits, value: int) -> None:
        if not -(1 << self.width - 1) * self.signed <= value < 1 << self.width - self.signed:
            raise ValueError(f"{self.name} of {value} does not fit in {self.width} bits")
        for i in range(self.width):
            bits[self.first + i] = value >> i & 1

    def get(self, bits: Bits) -> int:
        value = sum(int(bits[self.first + i]) << i for i in range(self.width))
        return value - (1 << self.width) if self.signed and value >> self.width - 1 else value


def _flags(first: int, *names: str) -> tuple[_Field, ...]:
    return tuple(_Field(name, first + i, 1) for i, name in enumerate(names))


class _Frame:
    """What the sequences share: a table of fields, its length, coding and decoding."""

    __slots__ = ()
    LAYOUT: ClassVar[tuple[_Field, ...]]
    CRC_AT: ClassVar[int]
    """Number of the first CRC bit."""

    def encode(self) -> Bits:
        """Return the whole sequence, fill bits at both ends included, in the order of transmission."""
        bits = np.ones(self.CRC_AT + CRC_BITS + len(FILL), np.uint8)
        bits[4:12] = SYNC
        bits[12 : self.CRC_AT] = 0
        for field, value in zip(self.LAYOUT, self._values(), strict=True):
            field.put(bits, value)
        check = crc16_of_bits(bits[12 : self.CRC_AT].tolist())
        bits[self.CRC_AT : self.CRC_AT + CRC_BITS] = [check >> i & 1 for i in range(CRC_BITS)]
        return bits

    def _values(self) -> list[int]:
        return [int(getattr(self, field.name)) for field in self.LAYOUT]

    @classmethod
    def _read(cls, bits: Bits) -> dict[str, int]:
        return {field.name: field.get(bits) for field in cls.LAYOUT}

    @classmethod
    def span(cls) -> int:
        """Return the bits from the first of the synchronisation to the last of the CRC."""
        return cls.CRC_AT + CRC_BITS - 4

    def as_dict(self) -> dict[str, object]:
        """Return the fields by name, for JSON."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Info0(_Frame):
    """INFO0c or INFO0a: what a modem can do (V.34 (10/96) Table 14).

    Attributes:
        supports_2743: Can send and receive 2743 symbols a second.
        supports_2800: The same for 2800.
        supports_3429: The same for 3429.
        low_3000: May transmit 3000 symbols a second on the low carrier.
        high_3000: On the high carrier.
        low_3200: May transmit 3200 symbols a second on the low carrier.
        high_3200: On the high carrier.
        may_send_3429: Regulations let its transmitter use 3429.
        reduces_power: Its transmitter can go below the nominal power.
        rate_difference: Steps that the symbol rates of the two directions may lie apart, 0 … 5.
        cme: It is circuit multiplication equipment in the way: long time-outs.
        points_1664: Has constellations of up to 1664 points, for 31200 and 33600 bit/s.
        clock: Transmit clock: 0 internal, 1 that of the receiver, 2 external.
        acknowledge: The far end's INFO0 was received (error recovery).
    """

    supports_2743: bool = True
    supports_2800: bool = True
    supports_3429: bool = True
    low_3000: bool = True
    high_3000: bool = True
    low_3200: bool = True
    high_3200: bool = True
    may_send_3429: bool = True
    reduces_power: bool = True
    rate_difference: int = 5
    cme: bool = False
    points_1664: bool = True
    clock: int = 0
    acknowledge: bool = False

    NAME: ClassVar[str] = "INFO0"
    CRC_AT: ClassVar[int] = 29
    LAYOUT: ClassVar[tuple[_Field, ...]] = (
        *_flags(12, "supports_2743", "supports_2800", "supports_3429", "low_3000", "high_3000"),
        *_flags(17, "low_3200", "high_3200", "may_send_3429", "reduces_power"),
        _Field("rate_difference", 21, 3),
        *_flags(24, "cme", "points_1664"),
        _Field("clock", 26, 2),
        *_flags(28, "acknowledge"),
    )

    @property
    def plausible(self) -> bool:
        """Whether no field has a value that the Recommendation does not define."""
        return self.rate_difference <= 5 and self.clock <= 3

    def can_send(self, rate: int, high: bool) -> bool:
        """Return whether its transmitter can use a symbol rate (0 … 5) with the low or high carrier."""
        return (
            True,
            self.supports_2743,
            self.supports_2800,
            self.high_3000 if high else self.low_3000,
            self.high_3200 if high else self.low_3200,
            self.supports_3429 and self.may_send_3429,
        )[rate]

    def can_receive(self, rate: int) -> bool:
        """Return whether its receiver can use a symbol rate (0 … 5); three are mandatory (§5.2)."""
        return (True, self.supports_2743, self.supports_2800, True, True, self.supports_3429)[rate]

    @classmethod
    def decode(cls, bits: Bits) -> "Info0":
        """Read a whole sequence, from its first fill bit on; the CRC is the caller's affair."""
        v = cls._read(bits)
        numbers = ("rate_difference", "clock")
        return cls(**{k: v[k] if k in numbers else bool(v[k]) for k in v})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Info0d(Info0):
    """INFO0d: what the digital modem of V.90 can do (V.90 (09/98) Table 7).

    Attributes:
        nominal_power: Its power in phase 2: -6 dBm0 less this, 0 … 15.
        max_power: Its most power: -0.5 dBm0 less half of this, 0 … 31.
        power_at_codec: Power is measured at the output of the codec, not at its terminals.
        a_law: PCM coding: A-law, not µ-law.
        upstream_3429: Can do V.90 with 3429 symbols a second from the analogue modem.
    """

    nominal_power: int = 6
    max_power: int = 23
    power_at_codec: bool = True
    a_law: bool = True
    upstream_3429: bool = True

    NAME: ClassVar[str] = "INFO0d"
    CRC_AT: ClassVar[int] = 42
    LAYOUT: ClassVar[tuple[_Field, ...]] = (
        *Info0.LAYOUT,
        _Field("nominal_power", 29, 4),
        _Field("max_power", 33, 5),
        *_flags(38, "power_at_codec", "a_law", "upstream_3429"),
    )

    @property
    def plausible(self) -> bool:
        """Whether it can be one: 3000 and 3200 symbols a second are mandatory (V.34 (10/96) §5.2).

        An INFO1a whose CRC ends with eight zeros, as one of 256 does, has the length of INFO0d eight bits
        before its end.
        """
        return (self.low_3000 or self.high_3000) and (self.low_3200 or self.high_3200)

    @classmethod
    def decode(cls, bits: Bits) -> "Info0d":
        """Read a whole sequence, from its first fill bit on."""
        v = cls._read(bits)
        numbers = ("rate_difference", "clock", "nominal_power", "max_power")
        return cls(**{k: v[k] if k in numbers else bool(v[k]) for k in v})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class RateResult:
    """What probing says of one symbol rate (V.34 (10/96) Table 15, bits 25 to 33).

    Attributes:
        high_carrier: The high carrier is to be used.
        pre_emphasis: Index of the filter, 0 … 10 (Tables 3 and 4).
        max_rate: Projected data rate in steps of 2400 bit/s, 0 … 14; 0: cannot be used.
    """

    high_carrier: bool = False
    pre_emphasis: int = 0
    max_rate: int = 0

    @property
    def bit_rate(self) -> int:
        """Projected data rate in bit/s."""
        return self.max_rate * RATE_STEP


@dataclass(frozen=True, slots=True)
class Info1c(_Frame):
    """INFO1c (and V.90's INFO1d): what the calling modem heard, for each symbol rate (V.34 (10/96) Table 15).

    Attributes:
        power_reduction: By how much the answering modem shall lower its power, dB, 0 … 7.
        more_reduction: What can be borne beyond that, dB, 0 … 7.
        md_length: Length of the calling modem's MD in steps of 35 ms, 0 … 127.
        rates: A result per symbol rate, 2400 first.
        frequency_offset: Of the probing tone of 1050 Hz, in 0.02 Hz; -512: not known.
    """

    power_reduction: int = 0
    more_reduction: int = 0
    md_length: int = 0
    rates: tuple[RateResult, ...] = (RateResult(),) * 6
    frequency_offset: int = OFFSET_UNKNOWN

    NAME: ClassVar[str] = "INFO1c"
    CRC_AT: ClassVar[int] = 89
    LAYOUT: ClassVar[tuple[_Field, ...]] = (
        _Field("power_reduction", 12, 3),
        _Field("more_reduction", 15, 3),
        _Field("md_length", 18, 7),
        *(
            _Field(f"{name}_{rate}", 25 + 9 * k + at, width)
            for k, rate in enumerate(_NAMES)
            for name, at, width in (("high_carrier", 0, 1), ("pre_emphasis", 1, 4), ("max_rate", 5, 4))
        ),
        _Field("frequency_offset", 79, 10, signed=True),
    )

    def _values(self) -> list[int]:
        results = [int(v) for r in self.rates for v in (r.high_carrier, r.pre_emphasis, r.max_rate)]
        head = [self.power_reduction, self.more_reduction, self.md_length]
        return [*head, *results, self.frequency_offset]

    @property
    def plausible(self) -> bool:
        """Whether no field has a value that the Recommendation does not define."""
        return all(r.pre_emphasis <= 10 and r.max_rate <= 14 for r in self.rates)

    @classmethod
    def decode(cls, bits: Bits) -> "Info1c":
        """Read a whole sequence, from its first fill bit on."""
        v = cls._read(bits)
        rates = tuple(
            RateResult(bool(v[f"high_carrier_{rate}"]), v[f"pre_emphasis_{rate}"], v[f"max_rate_{rate}"])
            for rate in _NAMES
        )
        return cls(v["power_reduction"], v["more_reduction"], v["md_length"], rates, v["frequency_offset"])


@dataclass(frozen=True, slots=True)
class Info1a(_Frame):
    """INFO1a: what is to be used (V.34 (10/96) Table 16).

    Attributes:
        power_reduction: By how much the calling modem shall lower its power, dB, 0 … 7.
        more_reduction: What can be borne beyond that, dB, 0 … 7.
        md_length: Length of the answering modem's MD in steps of 35 ms, 0 … 127.
        high_carrier: The calling modem transmits on the high carrier.
        pre_emphasis: Its filter, 0 … 10.
        max_rate: Projected data rate from it, in steps of 2400 bit/s, 0 … 14.
        rate_to_call: Symbol rate from the answering to the calling modem, 0 … 5; its carrier and filter are
            those of INFO1c.
        rate_to_answer: Symbol rate from the calling to the answering modem, 0 … 5.
        frequency_offset: Of the probing tone of 1050 Hz, in 0.02 Hz; -512: not known.
    """

    power_reduction: int = 0
    more_reduction: int = 0
    md_length: int = 0
    high_carrier: bool = False
    pre_emphasis: int = 0
    max_rate: int = 0
    rate_to_call: int = 0
    rate_to_answer: int = 0
    frequency_offset: int = OFFSET_UNKNOWN

    NAME: ClassVar[str] = "INFO1a"
    CRC_AT: ClassVar[int] = 50
    LAYOUT: ClassVar[tuple[_Field, ...]] = (
        _Field("power_reduction", 12, 3),
        _Field("more_reduction", 15, 3),
        _Field("md_length", 18, 7),
        *_flags(25, "high_carrier"),
        _Field("pre_emphasis", 26, 4),
        _Field("max_rate", 30, 4),
        _Field("rate_to_call", 34, 3),
        _Field("rate_to_answer", 37, 3),
        _Field("frequency_offset", 40, 10, signed=True),
    )

    @property
    def plausible(self) -> bool:
        """Whether no field has a value that the Recommendation does not define."""
        rates = (self.rate_to_call, self.rate_to_answer)
        return self.pre_emphasis <= 10 and self.max_rate <= 14 and max(rates) < len(_NAMES)

    @classmethod
    def decode(cls, bits: Bits) -> "Info1a":
        """Read a whole sequence, from its first fill bit on."""
        v = cls._read(bits)
        return cls(**{k: bool(v[k]) if k == "high_carrier" else v[k] for k in v})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class PcmInfo1a(_Frame):
    """INFO1a of an analogue modem that wants V.90 (V.90 (09/98) Table 10).

    Attributes:
        md_length: Length of the analogue modem's MD in steps of 35 ms, 0 … 127.
        ucode: U_INFO, the codeword of the digital modem's two-point train.
        rate_up: Symbol rate from the analogue modem, 3 … 5.
        pcm_rate: 6: 8000 symbols a second from the digital modem.
        frequency_offset: Of the probing tone of 1050 Hz, in 0.02 Hz; -512: not known.
    """

    md_length: int = 0
    ucode: int = 78
    rate_up: int = 4
    pcm_rate: int = PCM_RATE
    frequency_offset: int = OFFSET_UNKNOWN

    NAME: ClassVar[str] = "INFO1a"
    CRC_AT: ClassVar[int] = 50
    LAYOUT: ClassVar[tuple[_Field, ...]] = (
        _Field("md_length", 18, 7),
        _Field("ucode", 25, 7),
        _Field("rate_up", 34, 3),
        _Field("pcm_rate", 37, 3),
        _Field("frequency_offset", 40, 10, signed=True),
    )

    @property
    def plausible(self) -> bool:
        """Whether no field has a value that the Recommendation does not define."""
        return self.pcm_rate == PCM_RATE and 3 <= self.rate_up <= 5

    @classmethod
    def decode(cls, bits: Bits) -> "PcmInfo1a":
        """Read a whole sequence, from its first fill bit on."""
        return cls(**cls._read(bits))


Info: TypeAlias = Info0 | Info0d | Info1c | Info1a | PcmInfo1a
_KINDS: tuple[type[Info], ...] = (Info0, Info0d, PcmInfo1a, Info1a, Info1c)
SPANS = tuple(sorted({kind.span() for kind in _KINDS}))
"""Lengths from synchronisation to CRC. With tone (zeros) in place of the fill bits the longer ones of a
sequence pass the CRC as well, so that the shortest must be taken."""
MAX_SPAN = SPANS[-1]
REGISTER = MAX_SPAN + len(FILL)
"""Bits that a receiver must keep: the longest sequence and the fill bits before it."""
_SPAN_TABLE = np.array(SPANS)
_SYNC_TABLE = np.array(SYNC, np.uint8)


def decode(bits: Bits) -> Info | None:
    """Read one sequence.

    Args:
        bits: From the first bit of the synchronisation to the last of the CRC, shape (one of `SPANS`,).

    Returns:
        The sequence; None where synchronisation or CRC are wrong, or a field has a value that is not defined.
    """
    if (
        len(bits) not in SPANS
        or tuple(bits[: len(SYNC)].tolist()) != SYNC
        or crc16_of_bits(bits[len(SYNC) :].tolist())
    ):
        return None
    whole = np.concatenate((np.ones(len(FILL), np.uint8), bits))
    for kind in _KINDS:
        if kind.span() == len(bits):
            found = kind.decode(whole)
            if found.plausible:
                return found
    return None


@njit(types.int64(types.uint8[::1], types.int64), cache=True, nogil=True)
def find_frame(register: Bits, valid: int) -> int:
    """Return the span of the shortest sequence that ends with the newest bit, or 0.

    Args:
        register: The last bits, newest last, shape (REGISTER,).
        valid: How many of them belong together; a sequence that was found takes its bits away from the next.
    """
    for span in _SPAN_TABLE:
        if span > valid:
            break
        start = register.size - span
        same = True
        for i in range(_SYNC_TABLE.size):
            same = same and register[start + i] == _SYNC_TABLE[i]
        if not same:
            continue
        check = 0xFFFF
        for i in range(start + _SYNC_TABLE.size, register.size):
            feedback = (check ^ register[i]) & 1
            check >>= 1
            if feedback:
                check ^= _CRC_POLYNOMIAL
        if check == 0:
            return int(span)
    return 0


@njit(types.boolean(types.uint8[::1], types.uint8[::1], types.int64), cache=True, nogil=True)
def fill_erased(register: Bits, erased: Bits, span: int) -> bool:
    """Work out the bits of a sequence that a lost packet has hidden: at most 16 in a row, as the CRC has 16.

    The check's register is run forwards up to the gap and backwards, from 0 at the end, down to it. Within
    the gap each step backwards is known but for its lowest bit, which comes from the register before the gap.

    Args:
        register: The last bits, newest last, shape (REGISTER,); filled in.
        erased: Which of them are not known, shape (REGISTER,).
        span: Of the sequence that may end with the newest.

    Returns:
        Whether there was a gap, and it could be filled; the fewer bits it had, the more certain.
    """
    start = register.size - span
    for i in range(start - 4, start + _SYNC_TABLE.size):
        wanted = 1 if i < start else _SYNC_TABLE[i - start]
        if erased[i] or register[i] != wanted:
            return False
    first = start + _SYNC_TABLE.size
    while first < register.size and not erased[first]:
        first += 1
    last = register.size - 1
    while last > first and not erased[last]:
        last -= 1
    count = last - first + 1
    if first == register.size or count > CRC_BITS:
        return False
    before = 0xFFFF
    for i in range(start + _SYNC_TABLE.size, first):
        feedback = (before ^ register[i]) & 1
        before = before >> 1 ^ (_CRC_POLYNOMIAL if feedback else 0)
    after = 0
    for i in range(register.size - 1, last, -1):
        feedback = after >> 15
        after = ((after ^ (_CRC_POLYNOMIAL if feedback else 0)) << 1) & 0xFFFF
        after |= feedback ^ register[i]
    feedbacks = 0
    for _ in range(count):
        feedback = after >> 15
        feedbacks = feedbacks << 1 | feedback
        after = ((after ^ (_CRC_POLYNOMIAL if feedback else 0)) << 1) & 0xFFFF
    if (after ^ before) >> count:
        return False
    low = after ^ before
    for i in range(count):
        # The step i of the gap was the last but i backwards: its lowest bit has moved up by i.
        register[first + i] = (low >> i & 1) ^ (feedbacks >> i & 1)
    return True
