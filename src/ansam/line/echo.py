"""An end's own signal coming back to it."""

import numpy as np

from ansam.line.parameters import Echo
from ansam.line.shift import HALF, FrequencyShift
from ansam.units import FRAME, SAMPLE_RATE, Audio


class EchoPath:
    """Delays, attenuates and shifts what an end sent.

    Args:
        echo: Level, delay and offset.
    """

    def __init__(self, echo: Echo) -> None:
        delay = max(round(echo.delay_ms * SAMPLE_RATE / 1000), FRAME)
        self._gain = np.float32(10 ** (echo.level_db / 20))
        self._shift = FrequencyShift(echo.offset_hz) if echo.offset_hz else None
        if self._shift is not None:
            delay = max(delay - HALF, FRAME)
        self._line: Audio = np.zeros(delay, np.float32)

    def push(self, sent: Audio) -> None:
        """Take what was sent."""
        out = sent if self._shift is None else self._shift.process(sent)
        self._line = np.concatenate([self._line, self._gain * out])

    def pull(self, count: int) -> Audio:
        """Return what comes back during the next `count` samples; pull, then push as many."""
        heard, self._line = self._line[:count], self._line[count:]
        if len(heard) < count:
            heard = np.concatenate([heard, np.zeros(count - len(heard), np.float32)])
        return heard
