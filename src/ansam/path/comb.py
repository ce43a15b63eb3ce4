"""Which octets can not occur any more: what a second coder leaves in the histogram.

A modem's signal is smooth, so an octet of interval w occurs about w times as often as its neighbours say. If
the samples were changed *after* they had been octets (by the other law and back, by a factor), some octets
have no origin any more and others two: a comb. Each such change is known beforehand, hence so is its comb,
and the likelihood ratio between comb and smoothness says which it was:

```
 Λ(T) = Σ_j  n_j · ln r_T(j) − e_j · (r_T(j) − 1)        n_j counts, e_j what the neighbours let expect,
                                                         r_T(j) = share of j under T by the same smoothing
```

Against Λ stands S, the same for the best comb there could be; a T that explains only a small part of what is
odd about a histogram is not what happened.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ansam.codec import Law
from ansam.units import Audio

Floats = NDArray[np.float64]

NEIGHBOURS = 6
"""Octets to either side, in order of amplitude, from which an octet's frequency is expected."""

LEAST_NATS = 40.0
"""Λ needed: with some 270 candidates a chance of e^-34 per look, where the model of smoothness holds."""

LEAST_SHARE = 0.4
"""Λ / S needed."""

_FLOOR = 0.02
"""Least r: noise of our making (a slip, a tone) may put a few octets where none should be."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that may be done to samples on their way.

    Attributes:
        name: ``round-trip`` (by the other law and back), ``converted`` (coded by the other law at first) or
            ``gain``.
        gain_db: Of ``gain``.
        missing: Octets that cannot occur.
        doubled: Octets that occur for two or more.
    """

    name: str
    gain_db: float
    missing: int
    doubled: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The change that explains a histogram best.

    Attributes:
        change: Which.
        nats: Λ.
        share: Λ / S.
        absent: Octets that it says cannot occur and that neighbours let expect at least 5 times, but that
            occurred less than a tenth as often.
        tested: Octets that it says cannot occur and that neighbours let expect at least 5 times.
    """

    change: Change
    nats: float
    share: float
    absent: int
    tested: int

    @property
    def sure(self) -> bool:
        """Whether it happened."""
        return self.nats >= LEAST_NATS and self.share >= LEAST_SHARE and self.absent >= 0.8 * self.tested > 0


class Combs:
    """The combs of all changes for one law.

    Args:
        law: Of the received octets.
    """

    def __init__(self, law: Law) -> None:
        octets = np.arange(256, dtype=np.uint8)
        other = Law.ULAW if law is Law.ALAW else Law.ALAW
        self._order = np.argsort(law.linear_pcm, kind="stable")
        widths = _widths(law)
        self._smooth = self._smoothing(widths[self._order])
        self.changes: list[Change] = []
        shares: list[Floats] = []
        candidates = [
            ("round-trip", 0.0, law.encode(other.through(law.decode(octets))), widths),
            ("converted", 0.0, law.encode(other.decode(octets)), _widths(other)),
        ]
        for tenth in range(-150, 121):
            if abs(tenth) >= 2:
                gained: Audio = (law.decode(octets) * 10 ** (tenth / 200)).astype(np.float32)
                candidates.append(("gain", tenth / 10, law.encode(gained), widths))
        for name, gain_db, image, origin in candidates:
            count = np.bincount(image, minlength=256)
            mass = np.bincount(image, weights=origin, minlength=256)[self._order]
            self.changes.append(Change(name, gain_db, int((count == 0).sum()), int((count > 1).sum())))
            shares.append(mass / np.maximum(self._smooth @ mass, 1e-9))
        # The ends of the scale have no neighbours beyond them; clipping has a judge of its own.
        ratio = np.maximum(np.array(shares), _FLOOR)
        ratio[:, :2] = ratio[:, -2:] = 1.0
        self._ratio, self._log = ratio, np.log(ratio)

    def _smoothing(self, widths: Floats) -> Floats:
        index = np.arange(256)
        near = np.abs(index[:, None] - index[None, :]) <= NEIGHBOURS
        matrix: Floats = near * widths[:, None] / (near @ widths)[:, None]
        return matrix

    def judge(self, histogram: NDArray[np.int64] | Floats) -> Verdict:
        """Return the best explanation of a histogram.

        Args:
            histogram: Counts by octet, shape (256,).
        """
        n = np.asarray(histogram, np.float64)[self._order]
        expected = self._smooth @ n
        nats = self._log @ n - (self._ratio - 1) @ expected
        best = int(np.argmax(nats))
        inner = slice(2, -2)
        ratio = np.maximum(n / np.maximum(expected, 1e-9), _FLOOR)
        odd = float(np.sum((n * np.log(ratio) - expected * (ratio - 1))[inner]))
        gone = (self._ratio[best] <= _FLOOR) & (expected >= 5)
        absent = int(np.sum(gone & (n < 0.1 * expected)))
        return Verdict(
            self.changes[best], float(nats[best]), nats[best] / max(odd, 1.0), absent, int(gone.sum())
        )


@cache
def combs_of(law: Law) -> Combs:
    """Return the combs of a law, made once: they are the same for every call."""
    return Combs(law)


def _widths(law: Law) -> Floats:
    """Return the interval of amplitudes of each octet, shape (256,), any unit."""
    fine: Audio = (np.arange(-65535, 65536, 4) / 65536).astype(np.float32)
    return np.bincount(law.encode(fine), minlength=256).astype(np.float64)
