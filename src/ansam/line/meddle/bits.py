"""What changes octets."""

import numpy as np

from ansam.codec import Law
from ansam.units import Audio


class RobbedBits:
    """A T1 trunk with in-band signalling: the last bit of every sixth octet is 1 (off hook).

    Args:
        law: Of the path.
        phase: Which of six octets, 0 … 5.
    """

    def __init__(self, law: Law, phase: int) -> None:
        self._law, self._phase = law, phase
        self._count = 0

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        octets = self._law.encode(x)
        robbed = (self._count + np.arange(len(x))) % 6 == self._phase
        self._count += len(x)
        return self._law.decode(np.where(robbed, octets | 1, octets).astype(np.uint8))
