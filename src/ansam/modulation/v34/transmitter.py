"""Transmitter of phases 3 and 4 and of data: a programme of line signals -> symbols -> pulse -> carrier."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.shaper import Emphasis, Shaper
from ansam.modulation.base import BitSource, Role
from ansam.modulation.programme import ProgrammeTransmitter
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import E_BITS, PP_SYMBOLS, S_BAR_SYMBOLS, S_SYMBOLS, SYMBOLS_PER_FRAME
from ansam.modulation.v34.encoder import Encoder
from ansam.modulation.v34.mp import J, Mp
from ansam.modulation.v34.phase2_choice import Direction
from ansam.modulation.v34.probing import pre_emphasis_db
from ansam.modulation.v34.signals import WordSender, pp_signal, s_signal
from ansam.units import Bits

ROLL_OFF = 0.1
"""Level up to 0.45 symbol rates from the carrier, as far as §5.4 prescribes the spectrum."""
HALF_SPAN = 20
KAISER_BETA = 3.0


class Signal(Enum):
    """What is on the line (§10.1.3)."""

    SILENCE = "silence"
    S = "S"
    S_BAR = "S-bar"
    PP = "PP"
    MD = "MD"
    TRN = "TRN"
    J = "J"
    MP = "MP"
    E = "E"
    DATA = "B1, data"


@dataclass(frozen=True, slots=True)
class Segment:
    """A signal for a time.

    Attributes:
        signal: Which.
        symbols: How long, a multiple of the unit; None: until something else is sent.
        unit: Symbols that belong together: the signal ends after a whole number of them.
        bits: Of J, MP and E: one unit's bits, repeated.
        coding: Of DATA.
    """

    signal: Signal
    symbols: int | None = None
    unit: int = 1
    bits: tuple[int, ...] = ()
    coding: Coding | None = None


REST = Segment(Signal.SILENCE)


def s_and_bar() -> tuple[Segment, Segment]:
    """Return S and S-bar (§10.1.3.7, §11.3, §11.4)."""
    return Segment(Signal.S, S_SYMBOLS, 2), Segment(Signal.S_BAR, S_BAR_SYMBOLS, 2)


def pp() -> Segment:
    """Return PP (§10.1.3.6)."""
    return Segment(Signal.PP, PP_SYMBOLS)


def j(kind: J, once: bool = False) -> Segment:
    """Return J until something else is sent, or J' once (§10.1.3.3, §10.1.3.4)."""
    return Segment(Signal.J, 8 if once else None, 8, tuple(int(b) for b in kind.to_bits()))


def mp(sequence: Mp, sixteen: bool) -> Segment:
    """Return an MP sequence until something else is sent (§10.1.3.9)."""
    bits = tuple(int(b) for b in sequence.to_bits())
    return Segment(Signal.MP, None, len(bits) // (4 if sixteen else 2), bits)


def ending(coding: Coding, sixteen: bool) -> tuple[Segment, Segment]:
    """Return E, and B1 with the data that follow it (§10.1.3.2, §10.1.3.1)."""
    length = E_BITS // (4 if sixteen else 2)
    return Segment(Signal.E, length, length, (1,) * E_BITS), Segment(Signal.DATA, coding=coding)


@functools.cache
def _emphasis(baud: Fraction, index: int) -> Emphasis | None:
    """Return the pre-emphasis of a symbol rate: one object for each filter, since pulses are cached by it."""
    if index == 0:
        return None
    return lambda hertz: pre_emphasis_db(index, hertz / float(baud))


class Transmitter(ProgrammeTransmitter[Segment]):
    """One end's transmitter.

    Args:
        role: Chooses the scrambler.
        direction: Symbol rate, carrier, pre-emphasis, power reduction.
        level_dbm0: Mean level without the reduction.
        bits: Where user bits come from.
    """

    def __init__(self, role: Role, direction: Direction, level_dbm0: float, bits: BitSource) -> None:
        rate = direction.symbol_rate
        carrier = rate.baud * (rate.high if direction.high_carrier else rate.low)
        shaper = Shaper(
            rate.baud,
            carrier,
            level_dbm0 - direction.power_reduction,
            ROLL_OFF,
            HALF_SPAN,
            KAISER_BETA,
            _emphasis(rate.baud, direction.pre_emphasis),
        )
        super().__init__(shaper, REST)
        self.words = WordSender(role)
        self._bits = bits
        self._next: Callable[[int], NDArray[np.complex128]] = self._silence
        self._buffer = np.zeros(0, np.complex128)
        self._encoder: Encoder | None = None

    @property
    def sixteen(self) -> bool:
        """Whether TRN, MP and E have 16 points, as the far end's J asks."""
        return self.words.sixteen

    @sixteen.setter
    def sixteen(self, on: bool) -> None:
        self.words.sixteen = on

    @property
    def in_data(self) -> bool:
        """Whether user bits are being sent: B1 is over."""
        encoder = self._encoder
        return self.segment.signal is Signal.DATA and encoder is not None and encoder.records.state[0].b1 == 0

    def _start(self, segment: Segment) -> None:
        signal = segment.signal
        self._buffer = np.zeros(0, np.complex128)
        if signal is Signal.TRN:
            self.words.restart()
        if signal is Signal.DATA and segment.coding is not None:
            self._encoder = Encoder(segment.coding)
        unit: Bits = np.array(segment.bits, np.uint8)
        self._next = {
            Signal.SILENCE: self._silence,
            Signal.S: lambda count: s_signal(count + count % 2),
            Signal.S_BAR: lambda count: s_signal(count + count % 2, bar=True),
            Signal.PP: lambda count: pp_signal(),
            Signal.MD: self.words.md,
            Signal.TRN: self.words.trn,
            Signal.J: lambda count: self.words.j(unit),
            Signal.MP: lambda count: self.words.words(unit),
            Signal.E: lambda count: self.words.words(unit),
            Signal.DATA: self._data,
        }[signal]

    @staticmethod
    def _silence(count: int) -> NDArray[np.complex128]:
        return np.zeros(count, np.complex128)

    def _data(self, count: int) -> NDArray[np.complex128]:
        assert self._encoder is not None
        frames = -(-count // SYMBOLS_PER_FRAME)
        primary, _ = self._encoder.bits_wanted(frames)
        return self._encoder.encode(frames, np.ascontiguousarray(self._bits.pull(primary), np.uint8))

    def _make(self, out: NDArray[np.complex128]) -> None:
        done = 0
        while done < out.size:
            if self._buffer.size == 0:
                self._buffer = self._next(out.size - done)
            count = min(self._buffer.size, out.size - done)
            out[done : done + count] = self._buffer[:count]
            self._buffer = self._buffer[count:]
            done += count
