"""A receiver that is trained at once, from the samples of the last seconds; of V.32bis and V.34.

When enough of the training sequence has been on the line, equaliser, carrier and clock are fitted to it
(`dsp.qam_fit`), and the samples from its first symbol on run through the receiver's loop, which so catches up
with the present before the next sample comes.
"""

import math
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.jump import Snapshot
from ansam.dsp.past import Past
from ansam.dsp.qam import Front
from ansam.dsp.qam_fit import Fit
from ansam.units import Audio, Bits, Samples, dbm0_from_power


class Listener(Protocol):
    """Hears training signals, whatever the loops do.

    Attributes:
        level: Mean square of what is heard; 0 where there is silence.
    """

    level: float

    def feed(self, x: Audio, erased: bool) -> object:
        """Take samples, shape (n,) float32."""


Hears = TypeVar("Hears", bound=Listener)


class TrainedReceiver(ABC, Generic[Hears]):
    """One end's receiver; instants are samples since it was made.

    Args:
        front: Its linear part.
        hearing: What listens beside it.
        kept: Samples kept to train from.

    Attributes:
        hearing: The training signals on the line.
        fit: The last training's outcome, or None.
    """

    def __init__(self, front: Front, hearing: Hears, kept: Samples) -> None:
        self.hearing = hearing
        self.fit: Fit | None = None
        self._front = front
        self._past = Past(kept)
        self._good: list[Snapshot] = []

    def process(self, x: Audio, erased: bool) -> Bits:
        """Take samples of the echo canceller; return the bits delivered."""
        self._past.put(x, erased)
        self.hearing.feed(x, erased)
        return self._run(x, erased)

    @abstractmethod
    def _run(self, x: Audio, erased: bool) -> Bits:
        """Take samples through the loops."""

    def _catch_up(self, x: Audio, erased: NDArray[np.uint8]) -> None:
        """Run kept samples, in pieces: both of shape (n,), and 1 where a sample was erased."""
        for a, b in pairwise([0, *(np.flatnonzero(np.diff(erased)) + 1).tolist(), erased.size]):
            self._run(np.ascontiguousarray(x[a:b]), bool(erased[a]))

    # -- what it knows ---------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def mse(self) -> float:
        """Mean square error of the decisions, for points of mean power 1."""

    @property
    def snr_db(self) -> float | None:
        """Es/N0 at the decision; None before training."""
        return None if self.fit is None else -10 * math.log10(max(self.mse, 1e-6))

    @property
    def level_dbm0(self) -> float | None:
        """Level received; None where there is silence."""
        return dbm0_from_power(self.hearing.level) if self.hearing.level else None

    @property
    def carrier_offset_hz(self) -> float:
        """Received carrier less its nominal frequency."""
        return self._front.carrier_offset_hz

    @property
    def timing_offset_ppm(self) -> float:
        """How much faster than ours the far end's symbol clock is."""
        return self._front.timing_offset_ppm

    @property
    def equaliser(self) -> NDArray[np.complex64]:
        """Taps in the order of time, T/2 apart."""
        return self._front.taps
