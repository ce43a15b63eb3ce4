"""The modulations that may be chosen, all listening, at most one of them heard on the line.

How one begins is its spec's `Opening`:

- `ANSWERING`: a caller waits for the answering end's signal. Those that train (V.22bis) begin with `start`,
  in the void until they are put on the line; those of frequency shift can keep silent (`SilentStart`).
- `CALLING` (V.32bis): hears silently, in either role, and is told to `speak` when it is put on the line.
- `V8` (V.34): neither listens nor is offered; it begins when V.8 has agreed on it.
"""

from collections.abc import Sequence

import numpy as np

from ansam.modulation.base import (
    BitSource,
    Failed,
    Modulation,
    ModulationEvent,
    ModulationOptions,
    Opening,
    Role,
    SilentStart,
)
from ansam.modulation.registry import MODULATIONS
from ansam.modulation.v21 import FskModem
from ansam.trace import Sink
from ansam.units import Audio, Samples

INCLUDED = {"V.22": "V.22bis", "V.32": "V.32bis"}
"""Modulations that another one falls back to by itself: only the other one listens."""


def opening(name: str) -> Opening:
    """Return how a modulation begins."""
    return MODULATIONS[name][0].opening


def is_fsk(name: str) -> bool:
    """Return whether a modulation is frequency shift: it can be on the line without training."""
    return MODULATIONS[name][0].start_stop


class Candidates:
    """The candidates of one call.

    Args:
        role: Calling or answering.
        options: Handed to each; `bell` puts Bell 103 before V.21.
        allowed: Names in the registry with a rate in the window, in order of preference.
        bits: Handed to each.
        trace: Handed to each.

    Attributes:
        names: Those that count, best first.
        on_air: Name of the one that is heard on the line, or None.
    """

    def __init__(
        self,
        role: Role,
        options: ModulationOptions,
        allowed: Sequence[str],
        bits: BitSource,
        trace: Sink,
    ) -> None:
        self._role, self._options, self._bits, self._trace = role, options, bits, trace
        trained = [n for n in allowed if not is_fsk(n) and INCLUDED.get(n) not in allowed]
        fsk = sorted((n for n in allowed if is_fsk(n)), key=lambda n: (n == "Bell 103") is not options.bell)
        self.names: tuple[str, ...] = (*trained, *fsk)
        self.on_air: str | None = None
        self._live: dict[str, Modulation] = {}
        self._events: dict[str, list[ModulationEvent]] = {}

    @property
    def trained(self) -> tuple[str, ...]:
        """Names of those that train and whose callers wait (V.22bis), fastest first."""
        return tuple(n for n in self.names if not is_fsk(n) and opening(n) is Opening.ANSWERING)

    @property
    def openers(self) -> tuple[str, ...]:
        """Names of those whose callers speak first (V.32bis), fastest first."""
        return tuple(n for n in self.names if opening(n) is Opening.CALLING)

    @property
    def fsk(self) -> tuple[str, ...]:
        """Names of those that do not (V.21, Bell 103)."""
        return tuple(n for n in self.names if is_fsk(n))

    @property
    def offers(self) -> tuple[str, ...]:
        """Names of those that need no V.8, in the order in which an answering modem offers them.

        V.22bis comes before V.32bis, lest its callers take AC for a loss of carrier (V.32bis (02/91) Annex A,
        Note 3).
        """
        return (*self.trained, *self.openers, *self.fsk)

    def listen(self, name: str, now: Samples) -> None:
        """Let a candidate begin to listen, off the line; one that listens already begins anew."""
        modem = MODULATIONS[name][1](self._role, self._options, self._bits, self._trace)
        if isinstance(modem, SilentStart):
            modem.listen(now)
        else:
            modem.start(now)
        self._live[name] = modem
        self._events[name] = []
        if self.on_air == name:
            self.on_air = None

    def drop(self, name: str) -> None:
        """Let a candidate listen no more, until `listen`."""
        self._live.pop(name, None)
        if self.on_air == name:
            self.on_air = None

    def keep(self, names: Sequence[str]) -> None:
        """Go on with these only."""
        for name in set(self.names) - set(names):
            self.drop(name)
        self.names = tuple(n for n in self.names if n in names)

    def put_on_air(self, name: str | None, now: Samples) -> None:
        """Let this candidate be heard on the line, and no other.

        One of frequency shift that leaves the line goes on hearing; one that was in the middle of a
        procedure (V.32bis) begins to hear anew.
        """
        if name == self.on_air:
            return
        left, before = self.on_air, self._live.get(self.on_air or "")
        if isinstance(before, FskModem):
            before.listen(now)
        elif left is not None and isinstance(before, SilentStart):
            self.listen(left, now)
        self.on_air = name
        if name is None:
            return
        if name not in self._live:
            self.listen(name, now)
            self.on_air = name
        modem = self._live[name]
        if isinstance(modem, SilentStart):
            modem.speak(now)

    def process(self, rx: Audio, now: Samples, erased: bool) -> Audio:
        """Let all hear; return what the one on the line sends."""
        sent = np.zeros(len(rx), np.float32)
        for name, modem in self._live.items():
            tx = modem.process(rx, now, erased)
            if name == self.on_air:
                sent = tx
        return sent

    def collect(self, now: Samples) -> None:
        """Keep the candidates' events; one that gave up (its patience is not the call's) begins anew."""
        for name in list(self._live):
            self._events[name] += self._live[name].take_events()
            if any(isinstance(event, Failed) for event in self._events[name]):
                heard = self.on_air == name
                self.listen(name, now)
                if heard:
                    self.put_on_air(name, now)

    def seen(self, apart_from: Sequence[str] = ()) -> str | None:
        """Return the best candidate that is certain of its far end, of all but those named."""
        certain = (n for n in self.names if n in self._live and self._live[n].far_end_seen)
        return next((n for n in certain if n not in apart_from), None)

    def choose(self, name: str, now: Samples) -> tuple[Modulation, list[ModulationEvent]]:
        """Return the candidate and its events so far; the others are dropped.

        A calling modem of frequency shift stays silent until its circuit 109 is ON; an answering one speaks
        at once.
        """
        if self._role is Role.ANSWERING or not is_fsk(name):
            self.put_on_air(name, now)
        modem, events = self._live[name], self._events[name]
        self._live.clear()
        return modem, events
