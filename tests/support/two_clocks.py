"""Two ends that send each other packets, each by its own quartz: what becomes of their buffers."""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from ansam.call.drift import DriftLoop
from ansam.units import FRAME, SAMPLE_RATE


@dataclass
class Network:
    """What lies between, the same both ways; times in milliseconds, instants in seconds.

    Attributes:
        steps: Changes of route: (receiving end, instant, how much longer the way becomes).
        ramp: (receiving end, from, until, how much longer the way has become by then), or None.
    """

    delay: float = 30.0
    jitter: float = 0.0
    loss: float = 0.0
    burst: int = 1
    steps: Sequence[tuple[int, float, float]] = ()
    ramp: tuple[int, float, float, float] | None = None

    def way(self, sink: int, t: float) -> float:
        """Return the least time a packet takes at `t` seconds."""
        delay = self.delay + sum(more for end, at, more in self.steps if end == sink and t >= at)
        if self.ramp and self.ramp[0] == sink:
            _, begin, end, more = self.ramp
            delay += more * min(1.0, max(0.0, (t - begin) / (end - begin)))
        return delay


@dataclass
class _End:
    rate: float
    loop: DriftLoop | None
    t: float
    """Instant of the next frame, samples of a perfect clock."""
    now: int = 0
    last: float | None = None
    lost: int = 0
    coming: list[tuple[float, int]] = field(default_factory=list)


class TwoClocks:
    """The pair.

    Args:
        skews: Of each end's quartz, ppm.
        follows: Which of them runs a `DriftLoop`.
        network: What lies between.
        seed: Of chance.

    Attributes:
        moved: Furthest that the second end's frames have moved against the first's since the start: (ahead,
            behind), milliseconds. That is by how much one end's buffer has filled and the other's emptied.
        ends: The two.
        highest: Greatest correction so far.
    """

    def __init__(
        self,
        skews: tuple[float, float],
        follows: tuple[bool, bool],
        network: Network,
        seed: int = 1,
    ) -> None:
        self._rng = random.Random(seed)
        self.network = network
        firsts = (0.0, self._rng.random() * FRAME)
        self.ends = [
            _End(1 + skew * 1e-6, DriftLoop() if slaved else None, first)
            for skew, slaved, first in zip(skews, follows, firsts, strict=True)
        ]
        self.moved = (0.0, 0.0)
        self.highest = 0.0
        self._first = firsts[1]

    def run(self, seconds: float) -> "TwoClocks":
        """Let time pass."""
        until = min(end.t for end in self.ends) + seconds * SAMPLE_RATE
        while (end := min(self.ends, key=lambda e: e.t)).t < until:
            self._tick(end)
        return self

    @property
    def corrections_ppm(self) -> list[float]:
        """What the loops do now."""
        return [end.loop.correction * 1e6 if end.loop else 0.0 for end in self.ends]

    def _tick(self, end: _End) -> None:
        pace = 1.0
        if end.loop is not None:
            while end.coming and end.coming[0][0] <= end.t:
                arrival, place = heapq.heappop(end.coming)
                if end.last is not None:
                    # What the pacer's thread measures with its own clock.
                    now = end.now - FRAME + (arrival - end.last) * end.rate
                    end.loop.update(place - now, now)
            end.loop.advance(end.now)
            pace = end.loop.frame_seconds() * SAMPLE_RATE / FRAME
            self.highest = max(self.highest, abs(end.loop.correction))
        self._send(end)
        end.last = end.t
        end.now += FRAME
        end.t += FRAME * pace / end.rate
        one, two = self.ends
        apart = ((two.t - two.now) - (one.t - one.now) - self._first) * 1000 / SAMPLE_RATE
        self.moved = max(self.moved[0], -apart), max(self.moved[1], apart)

    def _send(self, end: _End) -> None:
        sink = 1 - self.ends.index(end)
        if end.lost == 0 and self._rng.random() < self.network.loss / self.network.burst:
            end.lost = self.network.burst
        if end.lost:
            end.lost -= 1
            return
        delay = self.network.way(sink, end.t / SAMPLE_RATE) + self.network.jitter * self._rng.random()
        if self.ends[sink].loop is not None:
            heapq.heappush(self.ends[sink].coming, (end.t + delay * SAMPLE_RATE / 1000, end.now))
