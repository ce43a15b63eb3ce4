"""When data mode changes its rate: down before errors pile up, up again when the line has recovered.

::

    SNR of the decisions ──┬─ 1 dB below what the coding needs, for 1 s ─────► down
                           └─ 1.5 dB above what a higher one needs, for `wait` ► up
    decisions are guesses ─── for 250 ms ────────────────────────────────────► down, one coding at least
    no renegotiation ─────┬── poor for 3 s ──────────────────────────────────► retrain
    or no lower rate ─────┴── guesses for 500 ms ────────────────────────────► retrain

A line near the limit of a rate must not make the modems change to and fro. So what goes up needs more than
what stays, and a rise that had to be taken back, or that the far end did not follow, doubles the `wait`.
"""

from dataclasses import dataclass
from enum import Enum

from ansam.modulation.v32bis.constants import Coding
from ansam.modulation.v32bis.rate_signal import RateSignal
from ansam.units import Samples, samples

MARGIN_DB = {
    Coding.UNCODED_4800: 0.0,
    Coding.TRELLIS_7200: 12.0,
    Coding.TRELLIS_9600: 15.5,
    Coding.UNCODED_9600: 19.0,
    Coding.TRELLIS_12000: 18.8,
    Coding.TRELLIS_14400: 21.8,
}
"""Least Es/N0 in training for which a coding is offered: bit errors below 1e-5, and half a decibel."""
DOWN_DB = 1.0
"""So much less makes a rate fall: bit errors of 1e-4."""
UP_DB = 1.5
"""So much more makes it rise."""
DOWN_AFTER = samples(1.0)
RETRAIN_AFTER = samples(3.0)
GUESSES_DOWN = 600
GUESSES_RETRAIN = 1200
"""Symbols."""
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
        snr_db: Es/N0 at the decisions.
        guesses: Symbols in a row decided like guesses.
    """

    snr_db: float
    guesses: int


class Adaptation:
    """Decides for one call.

    Args:
        changes: The rate may change at all (`ModulationOptions.fallback`).
    """

    def __init__(self, changes: bool) -> None:
        self._changes = changes
        self._began: Samples = 0
        self._coding = Coding.UNCODED_4800
        self._poor_since: Samples | None = None
        self._rich_since: Samples | None = None
        self._up_wait = UP_FIRST
        self._rising = False
        self._rose_at: Samples | None = None
        self._retrain_wait = RETRAIN_FIRST
        self._retrain_at: Samples = -RETRAIN_LAST

    def begin(self, coding: Coding, t: Samples) -> None:
        """Data mode begins, for the first time or again."""
        if self._rising:
            if coding.rate > self._coding.rate:
                self._rose_at = t
            else:
                self._doubt()
        elif coding.rate < self._coding.rate and self._rose_at is not None:
            if t - self._rose_at < UP_TRUSTED:
                self._doubt()
            self._rose_at = None
        self._rising = False
        self._coding, self._began = coding, t
        self._poor_since = self._rich_since = None

    def _doubt(self) -> None:
        self._up_wait = min(UP_LAST, 2 * self._up_wait)

    def decide(
        self, t: Samples, quality: Quality, higher: RateSignal | None, lower: bool, lowest: bool = False
    ) -> Wish:
        """Return what to do now.

        Args:
            t: The instant.
            quality: Of what is received.
            higher: What a rise could lead to, or None where the far end limits the rate.
            lower: Whether there is a lower rate, and a way to it without a retrain.
            lowest: Whether there is no lower rate at all.
        """
        if quality.guesses:
            self._rich_since = None
            if lower and self._changes and quality.guesses >= GUESSES_DOWN:
                return Wish.DOWN
            return self._retrain(t) if quality.guesses >= GUESSES_RETRAIN else Wish.STAY
        if not self._changes:
            return Wish.STAY
        if quality.snr_db < MARGIN_DB[self._coding] - DOWN_DB:
            self._rich_since = None
            self._poor_since = t if self._poor_since is None else self._poor_since
            poor = t - self._poor_since
            if lower:
                return Wish.DOWN if poor >= DOWN_AFTER else Wish.STAY
            return self._retrain(t) if poor >= RETRAIN_AFTER and not lowest else Wish.STAY
        self._poor_since = None
        return self._up(t, quality.snr_db, higher)

    def _up(self, t: Samples, snr_db: float, higher: RateSignal | None) -> Wish:
        if higher is None or self.reachable(snr_db, higher) is None:
            self._rich_since = None
            return Wish.STAY
        self._rich_since = t if self._rich_since is None else self._rich_since
        if t - self._rich_since < self._up_wait:
            return Wish.STAY
        self._rising = True
        return Wish.UP

    def _retrain(self, t: Samples) -> Wish:
        if t - self._retrain_at < self._retrain_wait:
            return Wish.STAY
        if self._retrain_at >= 0:
            recent = t - self._retrain_at < 4 * RETRAIN_LAST
            self._retrain_wait = min(RETRAIN_LAST, 2 * self._retrain_wait) if recent else RETRAIN_FIRST
        self._retrain_at = t
        return Wish.RETRAIN

    def reachable(self, snr_db: float, higher: RateSignal) -> RateSignal | None:
        """Return the part of a signal up to the best rate the line carries for certain, or None."""
        rates = [
            c.rate for c in higher.codings if c.rate > self._coding.rate and snr_db >= MARGIN_DB[c] + UP_DB
        ]
        return higher.limited(lambda rate: rate <= max(rates)) if rates else None
