"""Whose clock a call runs on: ours is slaved to the far end's, through a slow loop.

Two crystals differ by up to 100 ppm each; in an hour that is 36 packets too many or too few, and each of
them a slip that costs a modem its training. The fixed playout can not absorb it, nor can the jitter buffer of
the far adaptor. So our frames keep step with the far end's samples: since the call began they have gained on
our crystal what the far clock has gained on it.

```
 packets ─► FarClock ─┬─ gained ─►(−)── error ──► × GAIN ──►(+)──► limit ──► length of our next frame
                      │            ▲                         ▲                    │
                      │            └── gained by our frames ─┼────────────────────┘
                      └─ slope ──────────────► × TRUST ──────┘
```

Two such loops may face each other, each following the other. What they then share (how fast both run) nothing
measures; an integrator, or the whole of the far clock's slope taken for granted, would let it grow without
end from the least bias. With TRUST below 1 a bias is divided by 1 - TRUST instead, and where both come to the
limit one of them leaves it again and holds the difference. Against a far end that follows nobody the error
that remains is 1 - TRUST of that of a loop without the slope. Packet pace is not sample pace: no sample is
added, dropped or changed by this.
"""

from ansam.call.far_clock import FarClock
from ansam.units import FRAME, SAMPLE_RATE

GAIN = 1 / (20 * SAMPLE_RATE)
"""Relative pace per sample of error: a time constant of 20 s."""

TRUST = 2 / 3
"""Share of the far clock's slope that is taken over at once: 300 ppm leave an error of 2 ms."""

LIMIT = 600e-6
"""Of the correction: ±300 ppm between the clocks, and as much that two such loops may run off together."""


class DriftLoop:
    """Turns the arrivals of packets into the pace of our frames.

    Attributes:
        correction: Relative speed-up of the frame that is under way, at most ±LIMIT.
        far_clock: The estimate of the far end's clock.
    """

    def __init__(self) -> None:
        self.correction = 0.0
        self.far_clock = FarClock()
        self._gained = 0.0

    @property
    def skew_ppm(self) -> float:
        """How much faster the far end's packets come than our crystal says, as far as it is known."""
        return self.far_clock.slope * 1e6

    def restart(self) -> None:
        """The source is another one, or the playout was anchored anew. The pace learnt so far is kept."""
        self.far_clock.restart()

    def update(self, margin: float, now: float) -> None:
        """Take a packet.

        Args:
            margin: From its arrival to its turn, samples; a constant may be missing from it.
            now: Its arrival on the sample clock.
        """
        ours = now - self._gained
        self.far_clock.update(ours, -margin - self._gained)

    def advance(self, now: float) -> None:
        """A frame begins at instant `now` of the sample clock: settle its length."""
        ours = now - self._gained
        error = self.far_clock.advance(ours) - self._gained
        wanted = GAIN * error + TRUST * max(-LIMIT, min(LIMIT, self.far_clock.slope))
        self.correction = max(-LIMIT, min(LIMIT, wanted))
        self._gained += FRAME * self.correction / (1 + self.correction)

    def frame_seconds(self) -> float:
        """Return the length of the frame under way on the local wall clock."""
        return FRAME / SAMPLE_RATE / (1 + self.correction)
