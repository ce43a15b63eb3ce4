"""All the allowed modulations as one modulation.

Decisions are taken at the hops of a tone meter, every 80 samples from `start` on, and the candidates do not
depend on how the stream is cut; so neither does this.
"""

from collections.abc import Sequence

import numpy as np

from ansam.modulation.automode.answering import Answering
from ansam.modulation.automode.calling import Calling
from ansam.modulation.automode.candidates import Candidates
from ansam.modulation.automode.hearing import Hearing
from ansam.modulation.base import (
    BitSource,
    Failed,
    Modulation,
    ModulationEvent,
    ModulationOptions,
    ModulationSpec,
    PhaseEntered,
    Role,
    SignalReport,
    StepMissed,
)
from ansam.modulation.registry import MODULATIONS
from ansam.modulation.v8.exchange import Result
from ansam.trace import Sink, null_sink
from ansam.units import Audio, Bits, Samples, samples

GIVE_UP = samples(60.0)
"""Start-up without any result: no Recommendation says; S7 usually ends the call before."""


class Automode:
    """All the allowed modulations as one (see `Modulation`).

    Args:
        role: Calling or answering.
        options: The rate window limits `allowed`; level, `bell` and `answer_tone` shape the answer sequence.
        allowed: Names in the registry, in order of preference.
        bits: User bits to send, pulled from `Ready` on.
        trace: Takes the steps and, from the candidates, theirs.

    `Failed` comes when the rate window leaves no modulation, when V.8 finds nothing in common, when the
    chosen one fails, and after `GIVE_UP`; it names what was heard. S7 is the owner's.
    """

    def __init__(
        self,
        role: Role,
        options: ModulationOptions,
        allowed: Sequence[str],
        bits: BitSource,
        trace: Sink = null_sink,
    ) -> None:
        self._role, self._options, self._trace = role, options, trace
        self._allowed = tuple(allowed)
        names = [n for n in allowed if MODULATIONS[n][0].suits(options)]
        self._candidates = Candidates(role, options, names, bits, trace)
        self._hearing = Hearing(role)
        self._procedure: Calling | Answering = (
            Calling(self._candidates, self._hearing, options, self._note, trace)
            if role is Role.CALLING
            else Answering(self._candidates, options, self._note, trace)
        )
        self._chosen: Modulation | None = None
        self._step = ("start", "")
        self._running = False
        self._begin: Samples = 0
        self._events: list[ModulationEvent] = []

    @property
    def spec(self) -> ModulationSpec:
        """The spec of the modulation chosen; before that, of the first one allowed."""
        if self._chosen is not None:
            return self._chosen.spec
        return MODULATIONS[self._allowed[0] if self._allowed else "V.21"][0]

    @property
    def far_end_seen(self) -> bool:
        """Whether the far end's modulation is known."""
        return self._chosen is not None

    @property
    def heard(self) -> str:
        """What was heard of the far end during start-up, in words: for the reason when S7 ends the call."""
        return self._hearing.describe()

    @property
    def v8(self) -> Result:
        """What V.8 brought about: the menus sent and received, and whether both called for LAPM."""
        return self._procedure.v8

    def start(self, now: Samples) -> None:
        """Begin (see `Modulation.start`)."""
        if not self._candidates.names:
            low, high = self._options.min_rate, self._options.max_rate or "any"
            wanted = ", ".join(self._allowed) or "nothing"
            self._fail(now, f"automode: no rate from {low} to {high} bit/s in what is allowed ({wanted})")
            return
        self._running, self._begin = True, now
        self._procedure.start(now)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Take received samples and return as many to send (see `Modulation.process`)."""
        rx = np.ascontiguousarray(rx, np.float32)
        tx = np.zeros(len(rx), np.float32)
        at = 0
        while at < len(rx):
            if self._chosen is not None:
                tx[at:] = self._chosen.process(rx[at:], now + at, erased)
                break
            if not self._running:
                break
            piece = rx[at : at + self._hearing.room()]
            sent = self._candidates.process(piece, now + at, erased)
            tone = self._procedure.tone(len(piece))
            tx[at : at + len(piece)] = sent if tone is None else tone
            self._procedure.hear(piece, erased)
            at += len(piece)
            if self._hearing.feed(piece, erased):
                self._decide(now + at)
        return tx

    def _decide(self, now: Samples) -> None:
        """Once per hop: what now?"""
        self._candidates.collect(now)
        before = len(self._events)
        name = self._procedure.decide(now)
        # What was missed belongs to the step that the decision has ended.
        self._events[before:before] = self._procedure.missed
        self._procedure.missed.clear()
        if name is not None:
            self._note(now, f"chooses {name}", "")
            self._chosen, events = self._candidates.choose(name, now)
            # What it missed while it only listened is nobody's loss.
            self._events += [event for event in events if not isinstance(event, StepMissed)]
        elif self._procedure.failure:
            self._fail(now, self._procedure.failure)
        elif now - self._begin >= GIVE_UP:
            missed = " or ".join(self._candidates.names)
            within = f"no start-up of {missed} within {GIVE_UP // samples(1)} s"
            self._fail(now, f"automode, {self._step[0]}: heard {self.heard}; {within}")

    def _fail(self, now: Samples, reason: str) -> None:
        self._running = False
        self._trace(now, f"modulation.automode.{self._role.value}", "failed", reason=reason)
        self._events.append(Failed(reason, self._step[1]))

    def _note(self, now: Samples, name: str, clause: str) -> None:
        self._step = (name, clause)
        self._trace(now, f"modulation.automode.{self._role.value}", "phase", phase=name, clause=clause)
        self._events.append(PhaseEntered(name, clause))

    def take_bits(self) -> Bits:
        """Return the user bits received since the last call."""
        return np.zeros(0, np.uint8) if self._chosen is None else self._chosen.take_bits()

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        if self._chosen is not None:
            for event in self._chosen.take_events():
                if isinstance(event, Failed):
                    event = Failed(f"{event.reason} (heard {self.heard})", event.clause)
                events.append(event)
        return events

    def retrain(self, now: Samples) -> None:
        """Ask for a retrain, once a modulation is chosen that has one."""
        if self._chosen is not None:
            self._chosen.retrain(now)

    def clear_down(self, now: Samples) -> None:
        """Stop sending."""
        self._running = False
        if self._chosen is not None:
            self._chosen.clear_down(now)

    def report(self) -> SignalReport:
        """Return what the receiver knows about the line now."""
        if self._chosen is not None:
            return self._chosen.report()
        return SignalReport(tx_level_dbm0=self._options.tx_level_dbm0)
