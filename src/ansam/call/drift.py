"""Whose clock a call runs on: ours is slaved to the far end's, through a slow loop.

Two crystals differ by up to 100 ppm each; in an hour that is 36 packets too many or too few, and each of
them a slip that costs a modem its training. The fixed playout can not absorb it. So the pace of our frames
follows the far end's packets: their margin before playout is held where it was at the start of the call.

```
 margin ──►(−)──► low-pass 2 s ──► × gain ──► limit ±300 ppm ──► length of our next frame
           target
```

The loop is proportional only: two such loops facing each other then hold their *difference* and have
nothing that could wind up. Packet pace is not sample pace: no sample is added, dropped or changed by this.
"""

from ansam.units import FRAME, SAMPLE_RATE

SETTLE = 50
"""Packets whose mean margin becomes the target: one second."""

SMOOTHING = 1 / 100
"""Weight of one packet in the low-pass: about 2 s at 20 ms."""

GAIN = 1 / (20 * SAMPLE_RATE)
"""Relative pace per sample of error: a time constant of 20 s. 100 ppm leave an error of 2 ms."""

LIMIT = 300e-6
"""Twice the worst sum of two crystals after ITU-T G.711 §2 (50 ppm) and of cheap adaptors (100 ppm)."""


class DriftLoop:
    """Turns the margins of arriving packets into the pace of our frames.

    Attributes:
        correction: Relative speed-up of our frames, at most ±LIMIT; once settled, the far clock minus ours.
        target: Margin that is held, samples; None while it is being measured.
    """

    def __init__(self) -> None:
        self.correction = 0.0
        self.target: float | None = None
        self._sum = 0.0
        self._count = 0
        self._error = 0.0

    @property
    def skew_ppm(self) -> float:
        """How much faster the far end's sample clock runs than ours, as far as it is known."""
        return self.correction * 1e6

    def restart(self) -> None:
        """Measure the target anew: another source, or a slip. The pace learnt so far is kept."""
        self.target = None
        self._sum, self._count, self._error = 0.0, 0, self.correction / GAIN

    def update(self, margin: float) -> None:
        """Take the margin of a packet.

        Args:
            margin: From its arrival to its turn, samples.
        """
        if self.target is None:
            self._sum += margin
            self._count += 1
            if self._count == SETTLE:
                self.target = self._sum / SETTLE - self._error
            return
        # One packet that the network held up says nothing about clocks.
        error = max(-FRAME, min(FRAME, margin - self.target - self._error))
        self._error += error * SMOOTHING
        self.correction = max(-LIMIT, min(LIMIT, self._error * GAIN))

    def frame_seconds(self) -> float:
        """Return the length of our next frame on the local wall clock."""
        return FRAME / SAMPLE_RATE / (1 + self.correction)
