"""Transmitter: a programme of line signals -> symbols -> 2400 Bd -> pulse -> 1800 Hz carrier.

The start-up procedure says what to send; every change happens at an exact symbol, and only where the present
signal may end (a rate signal after a whole word, AC after C). Symbols are numbered from the first one ever
sent; `peak` tells when one passes the line.
"""

import math
from collections import deque
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.shaper import Shaper
from ansam.modulation.base import BitSource, Role
from ansam.modulation.v32bis.constants import BAUD, CARRIER_HZ, ROLL_OFF
from ansam.modulation.v32bis.signals import Segment, Signal, SymbolSource
from ansam.units import Audio, Bits, Samples

HALF_SPAN = 9
"""Half the pulse in symbols: the transmitter's delay, 30 samples."""
KAISER_BETA = 3.0
"""With this span: -3.6 dB at 600 and 3000 Hz, -33 dB at 300 and 3300 Hz, -56 dB at 200 and 3400 Hz."""
_REST = Segment(Signal.SILENCE)


class Transmitter:
    """One end's transmitter.

    Args:
        role: Chooses the scrambler (V.32bis (02/91) §4.1).
        level_dbm0: Mean level of training and of data up to 9600 bit/s; 0.1 dB more at 14 400 bit/s, 0.2 dB
            more at 12 000 (figures 2-1 and 2-2).
        bits: Where user bits come from.
    """

    def __init__(self, role: Role, level_dbm0: float, bits: BitSource) -> None:
        self._bits = bits
        self._source = SymbolSource(role)
        self._shaper = Shaper(
            Fraction(BAUD), Fraction(CARRIER_HZ), level_dbm0, ROLL_OFF, HALF_SPAN, KAISER_BETA
        )
        self._present = _REST
        self._began = 0
        self._symbols = 0
        self._samples = 0
        self._programme: deque[Segment] = deque()
        self._change: deque[Segment] | None = None
        self._change_at = 0
        self._begun: list[tuple[Segment, int]] = []
        self._none = np.zeros(0, np.uint8)

    @property
    def segment(self) -> Segment:
        """What the last symbol belonged to; silence before the first and after the end of the programme."""
        return self._present

    @property
    def began(self) -> int:
        """Number of the first symbol of the present segment."""
        return self._began

    @property
    def sent(self) -> int:
        """Symbols of the present segment so far."""
        return self._symbols - self._began

    @property
    def symbols(self) -> int:
        """Symbols so far, which is the number of the next one."""
        return self._symbols

    @property
    def samples(self) -> Samples:
        """Samples so far."""
        return self._samples

    def send(self, *segments: Segment, at: int = 0) -> None:
        """Send these in place of the present segment and of all that was planned.

        Args:
            segments: The new programme; silence follows it.
            at: Number of the symbol it begins with at the earliest. It begins with the first one from there
                with which the signal then running may end.
        """
        self._change = deque(segments)
        self._change_at = at

    def then(self, *segments: Segment) -> None:
        """Send these after all that is planned, the last of which must have an end."""
        planned, last = self._programme, self._present
        if self._change is not None:
            planned, last = self._change, _REST
        if planned:
            last = planned[-1]
        if last.symbols is None and last is not _REST:
            raise ValueError(f"{last.signal.name} has no end")
        planned.extend(segments)

    def take_begun(self) -> list[tuple[Segment, int]]:
        """Return the segments begun since the last call, each with the number of its first symbol."""
        begun, self._begun = self._begun, []
        return begun

    def peak(self, symbol: int) -> Fraction:
        """Return when a symbol passes the line: at the peak of its pulse, in samples since the first."""
        return self._shaper.peak(symbol)

    def symbol_at(self, instant: float) -> int:
        """Return the number of the first symbol whose peak is not before an instant, in samples."""
        return max(0, math.ceil((instant - self._shaper.delay) / self._shaper.samples_per_symbol))

    def process(self, out: Audio) -> None:
        """Fill `out`, shape (n,) float32, with the next samples, pulling exactly the user bits they need."""
        if out.size == 0:
            return
        symbols = np.zeros(self._shaper.needed(out.size), np.complex128)
        done = 0
        while done < symbols.size:
            count = min(self._due(), symbols.size - done)
            self._make(symbols[done : done + count])
            done += count
        self._shaper.process(symbols, out)
        self._samples += out.size

    def _due(self) -> int:
        """Go on to what the next symbol belongs to; return how many symbols it surely has, at least 1."""
        while True:
            unit = self._present.signal.unit
            limit = 1 << 30
            if self._change is not None:
                wanted = max(self._change_at - self._began, self.sent)
                limit = -(-wanted // unit) * unit - self.sent
                if limit == 0:
                    self._programme, self._change = self._change, None
                    self._begin()
                    continue
            if self._present.symbols is not None:
                limit = min(limit, self._present.symbols - self.sent)
            elif self._present is _REST and self._programme:
                limit = 0
            if limit > 0:
                return limit
            self._begin()

    def _begin(self) -> None:
        """Start the next segment of the programme, or silence."""
        self._present = self._programme.popleft() if self._programme else _REST
        self._began = self._symbols
        self._source.begin(self._present)
        self._begun.append((self._present, self._symbols))

    def _make(self, out: NDArray[np.complex128]) -> None:
        bits: Bits = self._none
        if self._present.signal is Signal.DATA:
            bits = np.ascontiguousarray(self._bits.pull(out.size * self._present.coding.bits), np.uint8)
        self._source.make(bits, out)
        self._symbols += out.size
