"""Two V.32bis modems on a line, and what to ask of a call."""

from typing import Any

import numpy as np
from tests.support.modem_line import End, Line, Random, Way

from ansam.modulation.base import ModulationEvent, ModulationOptions, PhaseEntered, Ready, Role
from ansam.modulation.v32bis import V32bis
from ansam.units import SAMPLE_RATE, Audio

OPTIONS = ModulationOptions()


class Call:
    """A calling and an answering modem, with random user bits.

    Args:
        calling: Options of the calling end.
        answering: Of the other; None for the same.
        makers: Kinds of modem.
        noise_dbm0: Both ways.
        law: A-law both ways.
        echo_db: Level of each end's echo, or None.
        echo_delay: Samples.
        way: What else both directions do.
    """

    def __init__(
        self,
        calling: ModulationOptions = OPTIONS,
        answering: ModulationOptions | None = None,
        *,
        makers: tuple[type[V32bis], type[V32bis]] = (V32bis, V32bis),
        noise_dbm0: float = -50.0,
        law: bool = True,
        echo_db: float | None = None,
        echo_delay: int = 20,
        **way: Any,
    ) -> None:
        self.bits = (Random(11), Random(12))
        self.modems = (
            makers[0](Role.CALLING, calling, self.bits[0]),
            makers[1](Role.ANSWERING, answering or calling, self.bits[1]),
        )
        up, down = (Way(noise_dbm0=noise_dbm0, law=law, seed=seed, **way) for seed in (1, 2))
        self.line = Line(*self.modems, up, down, echo_db, echo_delay)

    def connect(self, limit: float = 30.0, then: float = 1.0) -> "Call":
        assert self.line.connect(limit), (self.events(0), self.events(1))
        self.line.run(then)
        return self

    def run(self, seconds: float) -> "Call":
        self.line.run(seconds)
        return self

    @property
    def ends(self) -> tuple[End, End]:
        return self.line.calling, self.line.answering

    def events(self, end: int) -> list[ModulationEvent]:
        """All but the steps."""
        return [e for _, e in self.ends[end].events if not isinstance(e, PhaseEntered)]

    def kinds(self, end: int) -> list[str]:
        """Names of the events since the first `Ready`."""
        names = [type(e).__name__ for e in self.events(end)]
        return names[names.index("Ready") + 1 :]

    def rates(self, end: int) -> list[int]:
        """Rates of all `Ready`."""
        return [e.rx_rate for e in self.events(end) if isinstance(e, Ready)]

    def steps(self, end: int) -> list[tuple[float, str]]:
        """Return (seconds, name) of the steps."""
        return [(t / SAMPLE_RATE, e.name) for t, e in self.ends[end].events if isinstance(e, PhaseEntered)]

    def errors(self, end: int, bits: int = 5000) -> int:
        """Wrong ones of the last bits that an end received."""
        got = self.ends[end].bits()[-bits:]
        sent = self.bits[1 - end].bits()
        at = sent.tobytes().rfind(got[:96].tobytes())
        if len(got) < bits or at < 0 or at + bits > len(sent):
            return bits
        return int(np.count_nonzero(got != sent[at : at + bits]))

    def clean(self) -> bool:
        """Whether the last bits of both ends are all right."""
        return self.errors(0) == 0 and self.errors(1) == 0

    def sent(self, end: int) -> Audio:
        return self.ends[end].audio()
