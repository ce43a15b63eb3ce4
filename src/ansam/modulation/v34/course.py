"""What the steps from phase 3 on share: the modem's parts, where it stands, what is agreed, what goes out.

Instants are samples since the transmitter and the receiver were made, the same for what is heard and for what
is sent.
"""

from ansam.dsp.echo import EchoCanceller
from ansam.modulation.base import (
    CarrierLost,
    Failed,
    ModulationEvent,
    ModulationOptions,
    PhaseEntered,
    Ready,
    Renegotiating,
    Retraining,
    Role,
    StepMissed,
)
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import SymbolRate
from ansam.modulation.v34.mp import Agreement, J, JReader, Mp, MpReader
from ansam.modulation.v34.phase2 import Entry
from ansam.modulation.v34.phase2_core import Phase2Result
from ansam.modulation.v34.precoder import NO_PRECODING
from ansam.modulation.v34.receiver import Receiver, Whitening
from ansam.modulation.v34.training_steps import State, phase_of
from ansam.modulation.v34.transmitter import Transmitter
from ansam.trace import Sink
from ansam.units import SAMPLE_RATE, Bits, Samples, samples

RECOMMENDATION = "V.34 (10/96)"
ASKED_FOR = "asked for"
"""Why a retrain begins that the owner wants."""
RESTARTS = 8
GOOD_DATA: Samples = samples(10)
"""Data that have flowed so long end a row of retrains."""


class Course:
    """One end's state from phase 3 on.

    Args:
        role: Of this end.
        options: Rates, S10 and what may be asked for.
        echo: When it learns is driven.
        trace: Takes the steps.

    Attributes:
        tx: Transmitter.
        rx: Receiver.
        epoch: When they were made, on the call's clock.
        result: What phase 2 has settled.
        state: Where it stands; `PHASE_2` while phase 2 has the line.
        since: When that began.
        round_trip: Samples.
        entry: Where phase 2 is to be entered, or None: set when a retrain is due.
        ready: User bits flow.
        agreement: The codings of both directions, or None.
        requested: Retrains by this end.
        granted: Retrains by the far end.
        asked: The J received last, or None.
        far_mp: The MP received last, or None.
        far_mp_at: When.
        our_mp: The MP that we send, or None.
        starting: No data have flowed since phase 2.
        kept: The precoding coefficients in use for what the (calling, answering) modem sends.
        whitening: What our receiver has asked for, or None.
        limit: No more than so many bit/s are to be asked for, whatever the line seems to carry.
    """

    tx: Transmitter
    rx: Receiver
    result: Phase2Result

    def __init__(self, role: Role, options: ModulationOptions, echo: EchoCanceller, trace: Sink) -> None:
        self.role, self.options, self.echo = role, options, echo
        self._trace, self._source = trace, f"modulation.v34.{role.value}"
        self.state = State.PHASE_2
        self.since: Samples = 0
        self.epoch: Samples = 0
        self.round_trip: Samples = 0
        self.entry: Entry | None = None
        self.ready = self._ever_ready = False
        self.agreement: Agreement | None = None
        self.requested = self.granted = 0
        self._events: list[ModulationEvent] = []
        self._restarts = 0
        self._ready_at: Samples = 0
        self._reset()

    def _reset(self) -> None:
        self.asked: J | None = None
        self.j_reader = JReader()
        self.limit: int | None = None
        self.starting = True
        self.whitening: Whitening | None = None
        self.kept = (NO_PRECODING, NO_PRECODING)
        self.forget_mp()

    def forget_mp(self) -> None:
        """Another exchange of MP begins."""
        self.mp_reader = MpReader()
        self.far_mp: Mp | None = None
        self.far_mp_at: Samples = 0
        self.our_mp: Mp | None = None

    def begin(self, epoch: Samples, result: Phase2Result, tx: Transmitter, rx: Receiver) -> None:
        """Phase 2 is over."""
        self.epoch = epoch
        self.tx, self.rx, self.result = tx, rx, result
        self.entry = None
        self.round_trip = result.round_trip
        self._reset()

    # -- events ----------------------------------------------------------------------------------------------

    def say(self, event: ModulationEvent) -> None:
        """Tell the owner."""
        self._events.append(event)

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call."""
        out, self._events = self._events, []
        return out

    def note(self, t: Samples, name: str, **values: object) -> None:
        """Tell the trace."""
        self._trace(t, self._source, name, **values)

    # -- steps -----------------------------------------------------------------------------------------------

    def enter(self, state: State, t: Samples) -> None:
        """Begin a step."""
        self.state, self.since = state, t
        name, clause = state.value.name, state.value.clause
        self.note(t, "phase", phase=name, clause=clause)
        if state not in (State.DOWN, State.PHASE_2):
            self.say(PhaseEntered(name, f"{RECOMMENDATION} {clause}"))

    def become_ready(self, t: Samples) -> None:
        """Data mode begins."""
        self.ready = self._ever_ready = True
        self.starting = False
        self.limit = None
        self.kept = (self.coding(Role.CALLING).precoding, self.coding(Role.ANSWERING).precoding)
        self._ready_at = self.epoch + t
        self.rx.hearing.forget()
        self.say(Ready("V.34", self.tx_rate, self.rx_rate))
        self.enter(State.DATA, t)

    def leave_data(self, event: Retraining | Renegotiating) -> None:
        """User bits stop; a retrain or renegotiation begins, or the latter turns into the former."""
        if self._ever_ready:
            self.say(event)
        self.ready = False

    def retrain(self, t: Samples, why: str, entry: Entry = Entry.RETRAIN) -> None:
        """Leave everything to phase 2 (§11.5; §11.3.2.2.1 with `Entry.MARKS`)."""
        self.note(t, "retrain", why=why, entry=entry.value)
        if why != ASKED_FOR:
            self.say(StepMissed(*self._missed(why)))
        responding = entry is Entry.RESPONSE
        if self.ready and self.epoch + t - self._ready_at > GOOD_DATA:
            self._restarts = 0
        self._restarts += 1
        if self._restarts > RESTARTS:
            self.end(t, f"{why} ({RESTARTS} retrains)")
            return
        self.leave_data(Retraining(by_us=not responding))
        if responding:
            self.granted += 1
        else:
            self.requested += 1
        self.tx.send()
        self.rx.idle()
        self.entry = entry
        self.enter(State.PHASE_2, t)

    def end(self, t: Samples, reason: str, clause: str = "") -> None:
        """Give the call up; `clause` is that of the step, where none is given."""
        reason, clause = self._missed(reason, clause)
        self.say(CarrierLost(reason, clause) if self._ever_ready else Failed(reason, clause))
        self.go_down(t)

    def _missed(self, what: str, clause: str = "") -> tuple[str, str]:
        """Return the step with what it missed, and its clause."""
        step = self.state.value
        phase = phase_of(self.state)
        where = phase if step.name in phase else f"{phase}, {step.name}"
        return f"V.34 {where}: {what}", f"{RECOMMENDATION} {clause or step.clause}"

    def go_down(self, t: Samples) -> None:
        """Stop sending."""
        self.ready = False
        if self.state not in (State.PHASE_2, State.DOWN):
            self.tx.send()
            self.rx.idle()
        self.enter(State.DOWN, t)

    # -- what is agreed --------------------------------------------------------------------------------------

    @property
    def ever_ready(self) -> bool:
        """Whether data have flowed in this call."""
        return self._ever_ready

    @property
    def symbol(self) -> float:
        """Samples in a symbol of the far end's."""
        return SAMPLE_RATE / float(self.receive_symbols.baud)

    @property
    def send_symbols(self) -> SymbolRate:
        """Symbol rate that we send with."""
        return self.result.send.symbol_rate

    @property
    def receive_symbols(self) -> SymbolRate:
        """Symbol rate of the far end."""
        return self.result.receive.symbol_rate

    def coding(self, role: Role) -> Coding:
        """Return how an end sends, as agreed."""
        assert self.agreement is not None
        return self.agreement.sent_by(role)

    @property
    def tx_rate(self) -> int:
        """Bit/s we send, as agreed."""
        return self.coding(self.role).parameters.rate

    @property
    def rx_rate(self) -> int:
        """Bit/s we receive, as agreed."""
        return self.coding(self.role.other).parameters.rate

    def read(self, t: Samples, bits: Bits) -> None:
        """Read J and MP in what the receiver has delivered."""
        for bit in bits.tolist():
            if self.state is State.AWAIT_J:
                found = self.j_reader.push(bit)
                if found is not None and found is not J.PRIME:
                    self.asked = found
            sequence = self.mp_reader.push(bit)
            if sequence is None:
                continue
            if self.far_mp != sequence:
                self.note(t, "received", mp=sequence)
            self.far_mp, self.far_mp_at = sequence, t
