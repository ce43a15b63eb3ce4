"""The sample clock of a modem that is not always on a call.

On hook it runs with the wall clock; during a call it is the call's, which follows the far end's frames, and
between two frames it may run ahead by less than one frame, so that guard times are finer than 20 ms. It
never goes back.
"""

import time
from collections.abc import Callable

from ansam.units import FRAME, SAMPLE_RATE, Samples, Seconds


class LineClock:
    """Samples since the modem was switched on.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], Seconds] = time.monotonic) -> None:
        self._clock = clock
        self._base: Samples = 0
        self._since = clock()
        self._on_call = False

    def now(self) -> Samples:
        """Return the instant."""
        elapsed = int((self._clock() - self._since) * SAMPLE_RATE)
        return self._base + (min(elapsed, FRAME - 1) if self._on_call else elapsed)

    def at(self, instant: Samples) -> Seconds:
        """Return the monotonic time of an instant, as far as it can be told now."""
        return self._since + (instant - self._base) / SAMPLE_RATE

    def begin_call(self) -> Samples:
        """Hand the clock to a call; return its first instant."""
        self.advance_to(self.now())
        self._on_call = True
        return self._base

    def advance_to(self, instant: Samples) -> None:
        """The call (or a timer that was run ahead of time) has reached this instant."""
        self._base = max(self.now(), instant)
        self._since = self._clock()

    def end_call(self) -> None:
        """Take the clock back from a call."""
        self.advance_to(self.now())
        self._on_call = False
