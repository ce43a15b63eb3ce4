"""How long information fields are: short while frames are lost; one once numbered can not be cut up."""

from ansam.link.v42 import xid
from ansam.units import SAMPLE_RATE, Samples

FIRST_FRAME: Samples = SAMPLE_RATE // 4
"""How long the first information fields are on the line, 128 octets at most; they grow while nothing is lost
and shrink with every loss."""

LEAST_FRAME = 32
"""Frames shrink to this on a line with errors."""


class FrameSize:
    """The limit of information fields now, in octets.

    Args:
        most: N401, the longest that both ends allow.
        bit_rate: Of the line, bit/s.
    """

    def __init__(self, most: int, bit_rate: int) -> None:
        octets = bit_rate * FIRST_FRAME // (8 * SAMPLE_RATE)
        self.limit = min(most, xid.DEFAULT_N401, max(LEAST_FRAME, octets))
        self._most = most
        self._clean = True

    def shrink(self) -> None:
        """A frame was lost: shorter ones lose less."""
        self._clean = False
        self.limit = max(LEAST_FRAME, self.limit * 3 // 4)

    def grow(self) -> None:
        """A frame was acknowledged that was sent once."""
        step = self.limit // (8 if self._clean else 64)
        self.limit = min(self._most, self.limit + max(1, step))
