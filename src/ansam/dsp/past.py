"""The last seconds of a signal, and which samples never arrived: for receivers that train in retrospect."""

import numpy as np
from numpy.typing import NDArray

from ansam.units import Audio, Samples


class Past:
    """Keeps the newest samples.

    Args:
        kept: How many.

    Attributes:
        end: Samples put in so far: the instant of the next one.
    """

    def __init__(self, kept: Samples) -> None:
        self._kept = kept
        self._x = np.zeros(2 * kept, np.float32)
        self._erased = np.zeros(2 * kept, np.uint8)
        self._fill = kept
        self.end: Samples = 0

    def put(self, x: Audio, erased: bool) -> None:
        """Append samples, shape (n,) with n at most the number kept."""
        if self._fill + x.size > 2 * self._kept:
            for line in (self._x, self._erased):
                line[: self._kept] = line[self._fill - self._kept : self._fill].copy()
            self._fill = self._kept
        self._x[self._fill : self._fill + x.size] = x
        self._erased[self._fill : self._fill + x.size] = erased
        self._fill += x.size
        self.end += x.size

    def since(self, begin: Samples) -> tuple[Audio, NDArray[np.uint8], Samples]:
        """Return what there is from an instant on.

        Args:
            begin: The instant; the oldest kept where it is older.

        Returns:
            (samples, 1 where one was erased, the instant of the first); views, valid until the next `put`.
        """
        begin = max(begin, self.end - self._kept, 0)
        first = self._fill - (self.end - begin)
        return self._x[first : self._fill], self._erased[first : self._fill], begin
