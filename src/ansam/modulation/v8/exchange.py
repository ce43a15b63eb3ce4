"""What the two ends' procedures have in common: steps, how they end, and what is known afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from ansam.modulation.base import ModulationOptions, Role
from ansam.modulation.v8.channel import MenuReceiver
from ansam.modulation.v8.menu import Menu, Mode, decode
from ansam.trace import Sink
from ansam.units import Audio, Samples, samples

GAP = samples(0.075)
"""Silence before the modulation's own signals: 75 ± 5 ms (V.8 (11/2000) §8.1.2, §8.2.2, §8.2.3)."""

RECENT = samples(0.8)
"""A synchronisation within this time: sequences are arriving, and one may come twice yet."""

Note = Callable[[Samples, str, str], None]


class Outcome(Enum):
    """How an exchange ended."""

    AGREED = "both ends know the modulation mode"
    NOTHING_IN_COMMON = "there is no mode that both have"
    NOT_SPOKEN = "the far end does not answer: it does not speak V.8"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of a procedure.

    Attributes:
        name: As the Recommendation names the signal.
        at_most: Samples until the step is over in any case.
        clause: Of V.8 (11/2000).
    """

    name: str
    at_most: Samples
    clause: str


@dataclass(frozen=True, slots=True)
class Result:
    """What V.8 brought about.

    Attributes:
        sent: Our CM or JM; None where none was sent.
        received: The far end's, with the octets as they came; None where none came twice.
    """

    sent: Menu | None = None
    received: Menu | None = None

    @property
    def mode(self) -> Mode | None:
        """The mode with the lowest item number that both have (§7.4)."""
        if self.sent is None or self.received is None:
            return None
        common = (self.sent.modes or frozenset()) & (self.received.modes or frozenset())
        return min(common, key=lambda mode: mode.item) if common else None

    @property
    def lapm(self) -> bool:
        """Both called for LAPM. Some modems say so and want ODP and ADP nevertheless (§7.3)."""
        return bool(self.sent and self.received and self.sent.lapm and self.received.lapm)

    def describe(self) -> str:
        """Return what was said, in words."""
        ours = self.sent.describe() if self.sent else "nothing"
        theirs = self.received.describe() if self.received else "nothing"
        return f"we said {ours}; the far end said {theirs}"


class Exchange:
    """Base of both procedures: hears in whole hops, so that nothing depends on how the stream is cut.

    Args:
        role: Ours.
        ours: What we have.
        options: Level.
        note: Called at each step with (now, name, clause).
        trace: Takes the octets.
    """

    def __init__(self, role: Role, ours: Menu, options: ModulationOptions, note: Note, trace: Sink) -> None:
        self._role, self._ours, self._note, self._trace = role, ours, note, trace
        self._level_dbm0 = options.tx_level_dbm0
        self._receiver = MenuReceiver(role.other)
        self._pieces: list[Audio] = []
        self._erased = False
        self._since: Samples = 0
        self.result = Result()

    @property
    def hearing(self) -> bool:
        """Whether the far end has shown lately that it speaks V.8."""
        return self._receiver.heard and self._receiver.since_sync < RECENT

    def hear(self, rx: Audio, erased: bool) -> None:
        """Take received samples; they are judged at the next decision."""
        self._pieces.append(rx)
        self._erased |= erased

    def _listen(self, now: Samples) -> None:
        """Judge what was heard since the last decision."""
        if self._pieces:
            self._receiver.receive(np.concatenate(self._pieces), self._erased)
        self._pieces, self._erased = [], False
        for found in self._receiver.take():
            values = {"kind": found.kind.value, "octets": found.octets.hex(" "), "twice": found.repeated}
            self._trace(now, self._source, "received", **values, text=decode(found.octets).describe())

    def _after_gap(self, now: Samples) -> Outcome | None:
        """Return how it ended once the silence that ends phase 1 is over.

        V.34 hears during that silence (V.34 (10/96) §11.2.1.1.1, §11.2.1.2.1), so it has it to itself.
        """
        if now - self._since < GAP and self.result.mode is not Mode.V34:
            return None
        return Outcome.AGREED if self.result.mode else Outcome.NOTHING_IN_COMMON

    def _sends(self, now: Samples, octets: bytes) -> None:
        self._trace(now, self._source, "sent", octets=octets.hex(" "), text=decode(octets).describe())

    @property
    def _source(self) -> str:
        return f"modulation.v8.{self._role.value}"
