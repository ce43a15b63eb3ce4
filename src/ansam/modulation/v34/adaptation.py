"""When data mode changes its rate: down before errors pile up, up again when the line has recovered.

::

    noise at the decoder ─┬─ 0.5 dB above what the coding bears, for 1 s ──────────► down
    decisions are guesses ┼─ for 200 ms ───────────────────────────────────────────► down, one rate at least
                          ├─ for 500 ms where no lower rate or renegotiation is ───► retrain
                          └─ 2 dB below what a higher one bears, for `wait` ────────► up

A line near the limit of a rate must not make the modems change to and fro. So what goes up needs more than
what stays, and a rise that had to be taken back, or that the far end did not follow, doubles the `wait`.
"""

from dataclasses import dataclass
from enum import Enum

from ansam.units import Samples, samples

DOWN_DB = -0.5
"""Margin below which a rate falls: bit errors of 1 in 10,000, which spoil as much as a lower rate takes."""
UP_DB = 2.0
"""Margin that a higher rate must have."""
DOWN_AFTER = samples(1.0)
GUESSES_DOWN = samples(0.2)
GUESSES_RETRAIN = samples(0.5)
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


@dataclass(frozen=True, slots=True)
class Quality:
    """How data are received.

    Attributes:
        margin_db: By how much the noise at the decoder is below what gives 1 wrong bit in 100,000.
        guesses: For how long decisions have been little better than guesses, samples.
    """

    margin_db: float
    guesses: Samples


class Adaptation:
    """Decides for one call.

    Args:
        changes: The rate may change at all (`ModulationOptions.fallback`).
    """

    def __init__(self, changes: bool) -> None:
        self._changes = changes
        self._rate = 0
        self._poor_since: Samples | None = None
        self._rich_since: Samples | None = None
        self._up_wait = UP_FIRST
        self._rising = False
        self._rose_at: Samples | None = None
        self._retrain_wait = RETRAIN_FIRST
        self._retrain_at: Samples | None = None

    def begin(self, rate: int, t: Samples) -> None:
        """Data mode begins, for the first time or again."""
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

    def decide(self, t: Samples, quality: Quality, higher: bool, lower: bool) -> Wish:
        """Return what to do now.

        Args:
            t: The instant.
            quality: Of what is received.
            higher: A higher rate is allowed and would have `UP_DB`.
            lower: Whether there is a lower rate, and a way to it without a retrain.
        """
        if quality.guesses:
            self._rich_since = None
            if lower and self._changes and quality.guesses >= GUESSES_DOWN:
                return Wish.DOWN
            return self._retrain(t) if quality.guesses >= GUESSES_RETRAIN else Wish.STAY
        if not self._changes:
            return Wish.STAY
        if quality.margin_db < DOWN_DB:
            self._rich_since = None
            self._poor_since = t if self._poor_since is None else self._poor_since
            return Wish.DOWN if lower and t - self._poor_since >= DOWN_AFTER else Wish.STAY
        self._poor_since = None
        if not higher:
            self._rich_since = None
            return Wish.STAY
        self._rich_since = t if self._rich_since is None else self._rich_since
        if t - self._rich_since < self._up_wait:
            return Wish.STAY
        self._rising = True
        return Wish.UP

    def _retrain(self, t: Samples) -> Wish:
        last = self._retrain_at
        if last is not None:
            if t - last < self._retrain_wait:
                return Wish.STAY
            recent = t - last < 4 * RETRAIN_LAST
            self._retrain_wait = min(RETRAIN_LAST, 2 * self._retrain_wait) if recent else RETRAIN_FIRST
        self._retrain_at = t
        return Wish.RETRAIN
