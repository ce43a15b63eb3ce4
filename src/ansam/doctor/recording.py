"""What was sent and what came back, sample by sample, of one examination."""

import numpy as np
from numpy.typing import NDArray

from ansam.errors import LocalProtocolError
from ansam.units import SAMPLE_RATE, Audio, Samples

LONGEST: Samples = 180 * SAMPLE_RATE
"""Samples kept at most; `Recording.full` says that there are more."""


class Recording:
    """Both directions from the talking path on; index 0 is its first sample."""

    def __init__(self) -> None:
        self.length: Samples = 0
        self._tx: list[Audio] = []
        self._rx: list[Audio] = []
        self._erased: list[NDArray[np.bool_]] = []

    @property
    def full(self) -> bool:
        """Whether nothing more is kept."""
        return self.length >= LONGEST

    def add(self, tx: Audio, rx: Audio, erased: bool) -> None:
        """Take what was exchanged at the same time; arrays of one shape (n,)."""
        if len(tx) != len(rx):
            raise LocalProtocolError("a recording takes as many samples sent as received")
        if self.full:
            return
        self._tx.append(np.array(tx, np.float32))
        self._rx.append(np.array(rx, np.float32))
        self._erased.append(np.full(len(rx), erased))
        self.length += len(tx)

    @property
    def tx(self) -> Audio:
        """What was sent, shape (length,)."""
        return np.concatenate(self._tx) if self._tx else np.zeros(0, np.float32)

    @property
    def rx(self) -> Audio:
        """What was received, shape (length,); of no meaning where `erased`."""
        return np.concatenate(self._rx) if self._rx else np.zeros(0, np.float32)

    @property
    def erased(self) -> NDArray[np.bool_]:
        """What never arrived, shape (length,)."""
        return np.concatenate(self._erased) if self._erased else np.zeros(0, bool)
