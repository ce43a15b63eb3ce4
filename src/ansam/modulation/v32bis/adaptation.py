"""When data mode changes its rate: down before errors pile up, up again when the line has recovered.

::

    SNR of the decisions ──┬─ 1 dB below what the coding needs, for 1 s ─────► down
                           └─ 1.5 dB above what a higher one needs, for `wait` ► up
    decisions are guesses ─── for 250 ms ────────────────────────────────────► down, one coding at least
    no renegotiation ─────┬── poor for 3 s ──────────────────────────────────► retrain
    or no lower rate ─────┴── guesses for 500 ms ────────────────────────────► retrain

How long `wait` is: see `patience`.
"""

from dataclasses import dataclass

from ansam.modulation.patience import Patience, Wish
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
        self._coding = Coding.UNCODED_4800
        self._patience = Patience()

    def begin(self, coding: Coding, t: Samples) -> None:
        """Data mode begins, for the first time or again."""
        self._coding = coding
        self._patience.begin(coding.rate, t)

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
        patience = self._patience
        if quality.guesses:
            patience.guessing()
            if lower and self._changes and quality.guesses >= GUESSES_DOWN:
                return Wish.DOWN
            return patience.retrain(t) if quality.guesses >= GUESSES_RETRAIN else Wish.STAY
        if not self._changes:
            return Wish.STAY
        if quality.snr_db < MARGIN_DB[self._coding] - DOWN_DB:
            poor = patience.poor(t)
            if lower:
                return Wish.DOWN if poor >= DOWN_AFTER else Wish.STAY
            return patience.retrain(t) if poor >= RETRAIN_AFTER and not lowest else Wish.STAY
        return patience.good(t, higher is not None and self.reachable(quality.snr_db, higher) is not None)

    def reachable(self, snr_db: float, higher: RateSignal) -> RateSignal | None:
        """Return the part of a signal up to the best rate the line carries for certain, or None."""
        rates = [
            c.rate for c in higher.codings if c.rate > self._coding.rate and snr_db >= MARGIN_DB[c] + UP_DB
        ]
        return higher.limited(lambda rate: rate <= max(rates)) if rates else None
