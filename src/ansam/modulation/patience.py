"""How long a line is watched before its rate changes, for modulations that change theirs.

A line near the limit of a rate must not make the modems change to and fro. So what goes up needs more than
what stays, and a rise that had to be taken back, or that the far end did not follow, doubles the wait for the
next one. Retrains of ours that follow one another double theirs.
"""

from enum import Enum

from ansam.units import Samples, samples

UP_FIRST = samples(15)
UP_LAST = samples(240)
UP_TRUSTED = samples(60)
"""A rise that lasted this long was right."""
RETRAIN_FIRST = samples(10)
"""From one retrain of ours to the next, doubled each time, ..."""
RETRAIN_LAST = samples(80)


class Wish(Enum):
    """What the line asks for."""

    STAY = "stay"
    DOWN = "down"
    UP = "up"
    RETRAIN = "retrain"


class Patience:
    """Of one call."""

    def __init__(self) -> None:
        self._rate = 0
        self._poor_since: Samples | None = None
        self._rich_since: Samples | None = None
        self._up_wait = UP_FIRST
        self._rising = False
        self._rose_at: Samples | None = None
        self._retrain_wait = RETRAIN_FIRST
        self._retrain_at: Samples | None = None

    def begin(self, rate: int, t: Samples) -> None:
        """Data mode begins at a rate in bit/s, for the first time or again."""
        if self._rising:
            if rate > self._rate:
                self._rose_at = t
            else:
                self._doubt()
        elif rate < self._rate and self._rose_at is not None:
            if t - self._rose_at < UP_TRUSTED:
                self._doubt()
            self._rose_at = None
        self._rising = False
        self._rate = rate
        self._poor_since = self._rich_since = None

    def _doubt(self) -> None:
        self._up_wait = min(UP_LAST, 2 * self._up_wait)

    def guessing(self) -> None:
        """Decisions are guesses: the line is not rich, and whether it is poor nobody knows."""
        self._rich_since = None

    def poor(self, t: Samples) -> Samples:
        """The line does not bear the rate; return for how long now."""
        self._rich_since = None
        self._poor_since = t if self._poor_since is None else self._poor_since
        return t - self._poor_since

    def good(self, t: Samples, higher: bool) -> Wish:
        """The line bears the rate, and for certain a `higher` one; return whether to rise."""
        self._poor_since = None
        if not higher:
            self._rich_since = None
            return Wish.STAY
        self._rich_since = t if self._rich_since is None else self._rich_since
        if t - self._rich_since < self._up_wait:
            return Wish.STAY
        self._rising = True
        return Wish.UP

    def retrain(self, t: Samples) -> Wish:
        """Return whether to retrain, which would help, so soon after the last time."""
        last = self._retrain_at
        if last is not None:
            if t - last < self._retrain_wait:
                return Wish.STAY
            recent = t - last < 4 * RETRAIN_LAST
            self._retrain_wait = min(RETRAIN_LAST, 2 * self._retrain_wait) if recent else RETRAIN_FIRST
        self._retrain_at = t
        return Wish.RETRAIN
