"""What a receiver in data mode tells the trace: equaliser, echo paths, error, once a second.

The trace event is called ``receiver``; its values are those of `ReceiverState`. Whoever keeps a trace (`ansam
sim --record`) can draw from it how the loops moved over the call.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ansam.trace import Sink, awake
from ansam.units import SAMPLE_RATE, Samples

Taps = NDArray[np.complex64] | NDArray[np.complex128] | NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EchoPath:
    """One echo that is cancelled.

    Attributes:
        delay: From sending to the first tap, samples.
        taps: Of the canceller, shape (n,), in order of delay.
        loss_db: Of the echo: our level by its level, both at the line.
        offset_hz: Frequency offset of this echo.
    """

    delay: Samples
    taps: Taps
    loss_db: float | None = None
    offset_hz: float = 0.0


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """A receiver's loops at one instant.

    Attributes:
        equaliser: Taps, shape (n,), in order of time.
        mse: Mean square error of the decisions by the mean power of the points.
        timing_ppm: How much faster the far end's clock is.
        carrier_hz: Frequency offset of the far end's carrier.
        echo: Near echo first; empty where none is cancelled.
    """

    equaliser: Taps
    mse: float
    timing_ppm: float
    carrier_hz: float
    echo: tuple[EchoPath, ...] = ()


class Telemetry:
    """Emits ``receiver`` in data mode.

    Args:
        trace: Where to.
        source: Who speaks, such as ``modulation.v32bis.calling``.
        period: Samples from one event to the next.
    """

    __slots__ = ("_next", "_period", "_source", "_trace")

    def __init__(self, trace: Sink, source: str, period: Samples = SAMPLE_RATE) -> None:
        self._trace, self._source, self._period = trace, source, period
        self._next: Samples | None = None

    def update(self, now: Samples, state: Callable[[], ReceiverState]) -> None:
        """Emit if it is time; to be called in data mode whenever samples were processed.

        Args:
            now: The instant reached.
            state: Called only when an event is due, since to copy taps costs time.
        """
        if not awake(self._trace):
            return
        if self._next is None:
            self._next = now + self._period
        if now < self._next:
            return
        self._next += self._period * ((now - self._next) // self._period + 1)
        seen = state()
        self._trace(
            now,
            self._source,
            "receiver",
            equaliser=seen.equaliser.copy(),
            echo=list(seen.echo),
            mse=float(seen.mse),
            timing_ppm=float(seen.timing_ppm),
            carrier_hz=float(seen.carrier_hz),
        )

    def pause(self) -> None:
        """Data mode is over (a retrain): the next event comes one period after it began again."""
        self._next = None
