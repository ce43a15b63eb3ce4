"""The far end's 8 kHz, estimated from when its packets come.

A packet can be held up but never comes before it was sent. So of each second only the packet that was least
delayed counts: those stand on a line whose slope is the difference of the clocks, however the others jitter.

```
 delay of a packet (arrival by our crystal - its place in the far end's samples)
   │  ·   ·    ·  ·                          ┌ a route changed: the line goes on from there
   │·   ·   ·   ·   ·    ·      ·   ·   ·  · ▼
   │_·__     ·    · ·  ·    ·     · _·___·___·____      ◄ lower envelope
   │    ‾‾‾‾‾·‾‾‾‾‾·‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾                       falls: their clock is faster
   └──────────────────────────────────────────────── time
```

A Kalman filter of two states (height and slope) follows the line: in seconds at first, with a memory of half
a minute later. Seconds off the line by more than any clock can move are set aside; three in a row that agree
are a change of the route, or ten that do not, and move the line without touching its slope. Seconds with few
packets (a hold, a far end that pauses, loss) say nothing.
"""

import math
from statistics import median

from ansam.units import SAMPLE_RATE

WINDOW = SAMPLE_RATE
"""Samples of which the least delayed packet counts."""

LEAST_PACKETS = 10
"""In a window that counts: fewer hardly contain one that went through unhindered."""

PRIOR_SLOPE = 300e-6
"""Standard deviation of what is not known of the slope at first."""

WANDER = 2e-17
"""Variance by which the slope may change in a sample: a quartz in a draught, a far end that follows us."""

LEAST_NOISE, MOST_NOISE = 1.0, 400.0
"""Variance of a window's least delay about the line, samples²: measured within these bounds."""

STEP = 16.0
"""Samples off the line (2 ms) from which no clock explains it: 2000 ppm for a second."""

SPREADS = 6.0
"""The same in standard deviations of the noise, where that is more."""

AGREED, TIRED = 3, 10
"""Windows off the line after which it moves: where they agree, and where they do not."""


class FarClock:
    """Follows the line of least delays.

    Attributes:
        slope: Far clock's rate against ours, minus 1.
        windows: Windows that counted.
        steps: Changes of the route that were seen.
    """

    def __init__(self) -> None:
        self.slope = 0.0
        self.windows = 0
        self.steps = 0
        self._height = 0.0
        self._at = 0.0
        self._start = 0.0
        self._cover = (0.0, 0.0, PRIOR_SLOPE**2)
        self._noise = 4.0
        self._anew = True
        self._window_end = -math.inf
        self._count = 0
        self._least = (0.0, math.inf)
        self._aside: list[float] = []

    def restart(self) -> None:
        """The source is another one, or its timestamps begin anew: the line moves, its slope is kept."""
        self._anew = True
        self._aside.clear()
        self._window_end = -math.inf

    def update(self, at: float, delay: float) -> None:
        """Take a packet.

        Args:
            at: Its arrival, samples of our crystal; never less than before.
            delay: `at` minus its place in the far end's samples; the origin does not matter.
        """
        if at >= self._window_end:
            if math.isfinite(self._window_end) and self._count >= LEAST_PACKETS:
                self._take(*self._least)
            self._window_end = at + WINDOW
            self._count, self._least = 0, (at, math.inf)
        self._count += 1
        if delay < self._least[1]:
            self._least = (at, delay)

    def advance(self, at: float) -> float:
        """Return how many samples the far clock has gained on ours since the beginning, by instant `at`.

        Changes of the route are left out. 0 before there is an estimate.
        """
        if not self.windows:
            return 0.0
        return self._start - self._height + self.slope * (at - self._at)

    def _take(self, at: float, delay: float) -> None:
        """Let a window's least delay correct height and slope."""
        if not self.windows:
            self._at, self._height, self._start = at, delay, delay
            self._anew = False
            self._cover = (self._noise, 0.0, PRIOR_SLOPE**2)
            self.windows = 1
            return
        self._predict(at)
        off = delay - self._height
        if self._anew or self._moved(off):
            self._shift(off)
            return
        if self._aside:
            return
        self.windows += 1
        c00, c01, c11 = self._cover
        total = c00 + self._noise
        most = 3 * math.sqrt(total)
        # The noise is measured by what it does beyond what the filter expected of itself.
        self._noise += 0.05 * (min(off * off, 9 * total) * self._noise / total - self._noise)
        self._noise = max(LEAST_NOISE, min(MOST_NOISE, self._noise))
        held = max(-most, min(most, off))
        self._height += c00 / total * held
        self.slope -= c01 / total * held
        self._cover = (c00 - c00 * c00 / total, c01 - c00 * c01 / total, c11 - c01 * c01 / total)

    def _predict(self, at: float) -> None:
        """Draw the line on to instant `at`."""
        dt = at - self._at
        self._at = at
        self._height -= self.slope * dt
        c00, c01, c11 = self._cover
        c00 += dt * (2 * c01 + dt * (c11 + WANDER * dt / 3))
        c01 += dt * (c11 + WANDER * dt / 2)
        self._cover = (c00, c01, min(c11 + WANDER * dt, PRIOR_SLOPE**2))

    def _moved(self, off: float) -> bool:
        """Return whether this window, with those set aside before it, says that the route has changed."""
        spread = SPREADS * math.sqrt(self._cover[0] + self._noise)
        if abs(off) <= max(STEP, spread):
            self._aside.clear()
            return False
        if self._aside and (off > 0) != (self._aside[-1] > 0):
            self._aside.clear()
        self._aside.append(off)
        last = self._aside[-AGREED:]
        agree = len(last) == AGREED and max(last) - min(last) <= max(STEP, spread)
        return agree or len(self._aside) >= TIRED

    def _shift(self, off: float) -> None:
        """Move the line by what the windows set aside say."""
        if not self._anew:
            off = median(self._aside[-AGREED:])
            self.steps += 1
        self._anew = False
        self._aside.clear()
        self._height += off
        self._start += off
        c00, c01, c11 = self._cover
        self._cover = (c00 + self._noise, c01, c11)
