"""What inserts and drops samples."""

import numpy as np

from ansam.line.meddle.base import Fifo
from ansam.units import FRAME, SAMPLE_RATE, Audio

DELAY = 6 * FRAME
"""Samples a buffer holds on average: 120 ms."""


class Stretch:
    """An adaptive jitter buffer that stretches and squeezes time: overlaps of 5 to 15 ms, cross-faded.

    Every now and then it inserts (repeats) or drops as many samples, so that its delay stays between 65 and
    160 ms.

    Args:
        interval: Mean seconds between two such moves.
        rng: Source of chance.
    """

    FADE = 40

    def __init__(self, interval: float, rng: np.random.Generator) -> None:
        self._interval, self._rng = interval, rng
        self._held: Audio = np.zeros(0, np.float32)
        self._out = Fifo(DELAY)
        self._level = DELAY
        self._until = self._wait()

    def _wait(self) -> int:
        return FRAME + round(self._rng.exponential(self._interval) * SAMPLE_RATE)

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        self._held = np.concatenate([self._held, x])
        while len(self._held):
            if self._until:
                count = min(self._until, len(self._held))
                self._keep(count)
                self._until -= count
                continue
            # A move needs what it overlaps; until that has come the buffer's delay covers it.
            if len(self._held) < 2 * FRAME:
                break
            self._move()
            self._until = self._wait()
        return self._out.pull(len(x))

    def _keep(self, count: int) -> None:
        self._out.push(self._held[:count])
        self._held = self._held[count:]

    def _move(self) -> None:
        length = int(self._rng.integers(40, 121))
        insert = bool(self._rng.random() < 0.5)
        if not 4 * FRAME <= self._level <= 8 * FRAME - 120:
            insert = self._level < DELAY
        self._level += length if insert else -length
        fade = np.linspace(0, 1, self.FADE, dtype=np.float32)
        x = self._held
        if insert:
            # Play `length` samples, then fade back to their beginning.
            blend = x[length : length + self.FADE] * (1 - fade) + x[: self.FADE] * fade
            self._out.push(np.concatenate([x[:length], blend]))
            self._held = x[self.FADE :]
        else:
            blend = x[: self.FADE] * (1 - fade) + x[length : length + self.FADE] * fade
            self._out.push(blend)
            self._held = x[length + self.FADE :]


class FrameSlip:
    """A fixed jitter buffer between two clocks that runs empty and full: a frame is played twice or dropped.

    Args:
        interval: Seconds from one to the next, drops and repeats in turn.
    """

    def __init__(self, interval: float) -> None:
        self._every = max(2, round(interval * SAMPLE_RATE / FRAME))
        self._in, self._out = Fifo(), Fifo(DELAY)
        self._frames = 0
        self._drop = False

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        self._in.push(x)
        while len(self._in) >= FRAME:
            frame = self._in.pull(FRAME)
            self._frames += 1
            if self._frames % self._every:
                self._out.push(frame)
                continue
            self._drop = not self._drop
            if not self._drop:
                self._out.push(np.concatenate([frame, frame]))
        return self._out.pull(len(x))
