"""What every meddler has in common.

A meddler stands in a gateway in the middle of one direction: it gets audio that was decoded from packets and
gives as many samples that will be coded again. Results do not depend on how the stream is cut; a meddler
that needs whole blocks delays the audio by one.
"""

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np

from ansam.units import Audio


class Meddler(Protocol):
    """One impairment of one direction."""

    def process(self, x: Audio, other: Audio) -> Audio:
        """Return what becomes of audio.

        Args:
            x: Shape (n,) float32, full scale ±1.
            other: What the gateway carries the other way at the same time, shape (n,).

        Returns:
            Shape (n,) float32.
        """


class Fifo:
    """Samples on their way through; what goes in first comes out first.

    Args:
        delay: Zeros to begin with.
    """

    def __init__(self, delay: int = 0) -> None:
        self._x: Audio = np.zeros(delay, np.float32)

    def __len__(self) -> int:
        return len(self._x)

    def push(self, x: Audio) -> None:
        """Append samples."""
        self._x = np.concatenate([self._x, np.asarray(x, np.float32)])

    def pull(self, count: int) -> Audio:
        """Return and remove the oldest `count` samples, which must be there."""
        out, self._x = self._x[:count], self._x[count:]
        return out


class BlockMeddler(ABC):
    """Base of meddlers that work on blocks of fixed length; adds one block of delay."""

    def __init__(self, block: int) -> None:
        self._block = block
        self._in, self._in_other, self._out = Fifo(), Fifo(), Fifo(block)

    def process(self, x: Audio, other: Audio) -> Audio:
        """See `Meddler.process`."""
        self._in.push(x)
        self._in_other.push(other)
        while len(self._in) >= self._block:
            self._out.push(self.change(self._in.pull(self._block), self._in_other.pull(self._block)))
        return self._out.pull(len(x))

    @abstractmethod
    def change(self, x: Audio, other: Audio) -> Audio:
        """Return what becomes of one block."""
