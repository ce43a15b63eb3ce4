"""A transmitter that works through a programme of line signals, and changes them at an exact symbol.

The start-up procedure of a modem says what to send; a change comes only where the present signal may end (a
rate signal after a whole word, AC after C). Symbols are numbered from the first one ever sent; `peak` tells
when one passes the line.
"""

import math
from abc import ABC, abstractmethod
from collections import deque
from fractions import Fraction
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.shaper import Shaper
from ansam.errors import LocalProtocolError
from ansam.units import Audio, Samples


class Segment(Protocol):
    """A line signal for a time."""

    @property
    def symbols(self) -> int | None:
        """How long, a multiple of the unit; None: until something else is sent."""

    @property
    def unit(self) -> int:
        """Symbols that belong together: the signal ends after a whole number of them."""


S = TypeVar("S", bound=Segment)


class ProgrammeTransmitter(ABC, Generic[S]):
    """One end's transmitter.

    Args:
        shaper: Makes samples of the symbols.
        rest: The segment of silence: before the first and after the last.
    """

    def __init__(self, shaper: Shaper, rest: S) -> None:
        self._shaper = shaper
        self._rest = rest
        self._present = rest
        self._began = 0
        self._symbols = 0
        self._samples = 0
        self._programme: deque[S] = deque()
        self._change: deque[S] | None = None
        self._change_at = 0
        self._begun: list[tuple[S, int]] = []

    @abstractmethod
    def _start(self, segment: S) -> None:
        """Make symbols of this segment from now on."""

    @abstractmethod
    def _make(self, out: NDArray[np.complex128]) -> None:
        """Fill `out`, shape (n,), with the next symbols of the present segment."""

    @property
    def segment(self) -> S:
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

    def send(self, *segments: S, at: int = 0) -> None:
        """Send these in place of the present segment and of all that was planned.

        Args:
            segments: The new programme; silence follows it.
            at: Number of the symbol it begins with at the earliest. It begins with the first one from there
                with which the signal then running may end.
        """
        self._change = deque(segments)
        self._change_at = at

    def then(self, *segments: S) -> None:
        """Send these after all that is planned, the last of which must have an end."""
        planned = self._programme if self._change is None else self._change
        before = self._present if self._change is None else self._rest
        last = planned[-1] if planned else before
        if last.symbols is None and last is not self._rest:
            raise LocalProtocolError(f"{last} has no end")
        planned.extend(segments)

    def take_begun(self) -> list[tuple[S, int]]:
        """Return the segments begun since the last call, each with the number of its first symbol."""
        begun, self._begun = self._begun, []
        return begun

    def peak(self, symbol: int) -> Fraction:
        """Return when a symbol passes the line (its pulse's peak), in samples since the first one."""
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
            self._symbols += count
            done += count
        self._shaper.process(symbols, out)
        self._samples += out.size

    def _due(self) -> int:
        """Go on to what the next symbol belongs to; return how many symbols it surely has, at least 1."""
        while True:
            unit = self._present.unit
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
            elif self._present is self._rest and self._programme:
                limit = 0
            if limit > 0:
                return limit
            self._begin()

    def _begin(self) -> None:
        """Start the next segment of the programme, or silence."""
        self._present = self._programme.popleft() if self._programme else self._rest
        self._began = self._symbols
        self._start(self._present)
        self._begun.append((self._present, self._symbols))
