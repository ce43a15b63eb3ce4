"""The interface of what listens for one kind of signal.

An ear hears what one end sent, from the first sample to the last, and says at the end what there was. The
ears do not know of each other; one that needs to know what another has heard (what INFO1 agreed, say) comes
later in `engine.EARS` and finds it in the timeline so far.
"""

from dataclasses import dataclass
from typing import Protocol

from ansam.listen.timeline import Entry
from ansam.modulation.base import Role
from ansam.units import Audio


@dataclass(frozen=True, slots=True)
class Place:
    """Where an ear listens.

    Attributes:
        role: Of the end whose signals it hears.
        part: The part that this end has in V.34's phase 2, which decides who sends at 1200 Hz: its role, but
            in V.90 the digital modem has the calling part, whoever placed the call (V.90 (09/98) §9.2).
        so_far: What the ears before it have heard, of both ends, in order of time.
    """

    role: Role
    part: Role
    so_far: tuple[Entry, ...] = ()

    def earlier(self, *names: str) -> list[Entry]:
        """Return what of these names was heard from the same end."""
        return [entry for entry in self.so_far if entry.role is self.role and entry.what in names]


class Ear(Protocol):
    """Listens to one direction for one kind of signal."""

    def feed(self, audio: Audio) -> None:
        """Take the next samples, shape (n,) float32, any n."""

    def close(self) -> list[Entry]:
        """Return what was heard, in any order; there is no more."""


class EarFactory(Protocol):
    """Makes an ear."""

    def __call__(self, place: Place) -> Ear | None:
        """Return an ear, or None where there is nothing for it to hear."""
