"""Transmitter: a programme of line signals -> symbols -> 2400 Bd -> pulse -> 1800 Hz carrier."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.shaper import Shaper
from ansam.modulation.base import BitSource, Role
from ansam.modulation.programme import ProgrammeTransmitter
from ansam.modulation.v32bis.constants import BAUD, CARRIER_HZ, ROLL_OFF
from ansam.modulation.v32bis.signals import Segment, Signal, SymbolSource

HALF_SPAN = 9
"""Half the pulse in symbols: the transmitter's delay, 30 samples."""
KAISER_BETA = 3.0
"""With this span: -3.7 dB at 600 and 3000 Hz, -33 dB at 300 and 3300 Hz, -56 dB beyond."""


class Transmitter(ProgrammeTransmitter[Segment]):
    """One end's transmitter.

    Args:
        role: Chooses the scrambler (V.32bis (02/91) §4.1).
        level_dbm0: Mean level of training and of data up to 9600 bit/s; 0.1 dB more at 14 400 bit/s, 0.2 dB
            more at 12 000 (figures 2-1 and 2-2).
        bits: Where user bits come from.
    """

    def __init__(self, role: Role, level_dbm0: float, bits: BitSource) -> None:
        shaper = Shaper(Fraction(BAUD), Fraction(CARRIER_HZ), level_dbm0, ROLL_OFF, HALF_SPAN, KAISER_BETA)
        super().__init__(shaper, Segment(Signal.SILENCE))
        self._bits = bits
        self._source = SymbolSource(role)
        self._none = np.zeros(0, np.uint8)

    def _start(self, segment: Segment) -> None:
        self._source.begin(segment)

    def _make(self, out: NDArray[np.complex128]) -> None:
        bits = self._none
        if self.segment.signal is Signal.DATA:
            bits = np.ascontiguousarray(self._bits.pull(out.size * self.segment.coding.bits), np.uint8)
        self._source.make(bits, out)
