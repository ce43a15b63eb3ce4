"""When data mode changes its rate: down before errors pile up, up again when the line has recovered.

::

    noise at the decoder ─┬─ 0.5 dB above what the coding bears, for 1 s ──────────► down
    decisions are guesses ┼─ for 200 ms ───────────────────────────────────────────► down, one rate at least
                          ├─ for 500 ms where no lower rate or renegotiation is ───► retrain
                          └─ 2 dB below what a higher one bears, for `wait` ────────► up

How long `wait` is: see `patience`.
"""

from dataclasses import dataclass

from ansam.modulation.patience import Patience, Wish
from ansam.units import Samples, samples

DOWN_DB = -0.5
"""Margin below which a rate falls: bit errors of 1 in 10,000, which spoil as much as a lower rate takes."""
UP_DB = 2.0
"""Margin that a higher rate must have."""
DOWN_AFTER = samples(1.0)
GUESSES_DOWN = samples(0.2)
GUESSES_RETRAIN = samples(0.5)


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
        self._patience = Patience()

    def begin(self, rate: int, t: Samples) -> None:
        """Data mode begins at a rate in bit/s, for the first time or again."""
        self._patience.begin(rate, t)

    def decide(self, t: Samples, quality: Quality, higher: bool, lower: bool) -> Wish:
        """Return what to do now.

        Args:
            t: The instant.
            quality: Of what is received.
            higher: A higher rate is allowed and would have `UP_DB`.
            lower: Whether there is a lower rate, and a way to it without a retrain.
        """
        patience = self._patience
        if quality.guesses:
            patience.guessing()
            if lower and self._changes and quality.guesses >= GUESSES_DOWN:
                return Wish.DOWN
            return patience.retrain(t) if quality.guesses >= GUESSES_RETRAIN else Wish.STAY
        if not self._changes:
            return Wish.STAY
        if quality.margin_db < DOWN_DB:
            poor = patience.poor(t)
            return Wish.DOWN if lower and poor >= DOWN_AFTER else Wish.STAY
        return patience.good(t, higher)
