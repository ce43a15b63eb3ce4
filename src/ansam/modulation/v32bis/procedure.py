"""The procedures of V.32bis (02/91) §6 (start-up), §7 (retrain) and §8 (rate renegotiation), both roles.

::

    calling    AA ─────► CC ──► silence ──────────► S S S-bar TRN R2 ───────────────► E B1 data
                     ▲       ▲              ▲ trains, R1    │                ▲ trains, R3
    answering  AC ──► CA ──► AC ► silence, S S-bar TRN R1 ──┴─► silence ──► S S-bar TRN R3 ──► E B1 data
                          ▲                                    ▲ trains, R2

On a grid of samples the procedure looks at what was heard and decides (`decide`): one method per state, in
`ranging`, `training`, `rates` and `data`. Instants are samples since the modem was made, the same for what
was heard and for what is sent.

A step whose time is over, which a lost packet can bring about, is no failure yet: the procedure begins again
as for a retrain, which either end follows.
"""

from collections.abc import Callable

from ansam.dsp.echo import EchoCanceller
from ansam.modulation.base import (
    ModulationEvent,
    ModulationOptions,
    ModulationSpec,
    Role,
)
from ansam.modulation.v32bis.constants import Coding
from ansam.modulation.v32bis.course import ASKED_FOR, Course
from ansam.modulation.v32bis.data import DataMode
from ansam.modulation.v32bis.ranging import Ranging
from ansam.modulation.v32bis.rate_signal import RateSignal
from ansam.modulation.v32bis.rates import Rates
from ansam.modulation.v32bis.receiver import Receiver
from ansam.modulation.v32bis.steps import GRID, GRID_DATA, State
from ansam.modulation.v32bis.training import Training
from ansam.modulation.v32bis.transmitter import Transmitter
from ansam.trace import Sink
from ansam.units import Samples


class Procedure:
    """One end's procedure; see the module.

    Args:
        spec: V.32bis or V.32.
        role: Which column of the figures.
        options: Rates, S10, what may change in data mode.
        transmitter: Driven.
        receiver: Driven.
        echo: When it learns is driven.
        trace: Takes the steps.
    """

    def __init__(
        self,
        spec: ModulationSpec,
        role: Role,
        options: ModulationOptions,
        transmitter: Transmitter,
        receiver: Receiver,
        echo: EchoCanceller,
        trace: Sink,
    ) -> None:
        self._options = options
        c = self._course = Course(spec, role, options, transmitter, receiver, echo, trace)
        ranging, rates = Ranging(c), Rates(c)
        self._training = training = Training(c)
        self._data = data = DataMode(c, rates, options)
        self._work: dict[State, Callable[[Samples], None]] = {
            State.LISTEN: ranging.listen,
            State.AA: ranging.send_aa,
            State.CC: ranging.send_cc,
            State.AWAIT_S: training.await_s,
            State.TRAIN: training.train,
            State.AWAIT_R1: rates.await_r1,
            State.SEND_TRN: training.send_trn,
            State.AWAIT_S2: training.await_s,
            State.TRAIN2: training.train,
            State.AWAIT_R3: rates.await_r3,
            State.AWAIT_E: rates.await_e,
            State.AC: ranging.send_ac,
            State.CA: ranging.send_ca,
            State.AC_AGAIN: ranging.send_ac_again,
            State.ANSWER_TRN: training.send_trn,
            State.R1: training.send_r1,
            State.AWAIT_S_BAR: training.await_s,
            State.ANSWER_TRAIN: training.train,
            State.AWAIT_R2: rates.await_r2,
            State.SEND_R3: rates.await_e,
            State.B1: rates.send_b1,
            State.DATA: data.data,
            State.SUSPECT: data.suspect,
            State.R4: data.send_r4,
            State.END_R4: rates.await_e,
            State.R5: rates.await_e,
            State.CLEARDOWN: rates.clear,
        }

    # -- what the modem asks ---------------------------------------------------------------------------------

    @property
    def far_end_seen(self) -> bool:
        """Whether the far end is certain to be one of V.32 or V.32bis."""
        return self._course.far_end_seen

    @property
    def state(self) -> State:
        """The present step."""
        return self._course.state

    @property
    def ready(self) -> bool:
        """Whether user bits flow."""
        return self._course.ready

    @property
    def coding(self) -> Coding:
        """In force or agreed on."""
        return self._course.coding

    @property
    def round_trip(self) -> float | None:
        """Measured, samples, without the modems' own 64 symbols; None before."""
        return self._course.round_trip

    @property
    def retrains(self) -> tuple[int, int]:
        """Requested by this end, and by the far end."""
        return self._course.requested, self._course.granted

    @property
    def grid(self) -> Samples:
        """Samples from one decision to the next."""
        return GRID_DATA if self._course.state is State.DATA else GRID

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call."""
        return self._course.take_events()

    # -- what the modem calls --------------------------------------------------------------------------------

    def listen(self, t: Samples) -> None:
        """Hear without being heard."""
        c = self._course
        if not c.offered.rates:
            low, high = self._options.min_rate, self._options.max_rate
            c.end(t, f"no data rate lies between {low} and {high} bit/s")
        else:
            c.enter(State.LISTEN, t)

    def speak(self, t: Samples) -> None:
        """Begin to send AA or AC."""
        if self._course.state is State.LISTEN:
            self._course.begin(t)

    def decide(self, t: Samples) -> None:
        """Take the decisions of one grid point."""
        c = self._course
        work = self._work.get(c.state)
        if work is None:
            return
        step = c.state.value
        if step.at_most is not None:
            limit = step.at_most + (c.round_trip or 0.0 if step.round_trip else 0.0)
            if t - c.since > limit:
                if not self._data.time_out(t):
                    c.retrain(t, step.missed)
                self._follow(t)
                return
        work(t)
        self._follow(t)

    def _follow(self, t: Samples) -> None:
        """Tell the parts that a part begins which is not theirs."""
        c = self._course
        if c.since != t:
            return
        if c.state in (State.AA, State.AC):
            self._training.reset()
        elif c.state is State.DATA and c.ready_at == t:
            self._data.begin(t)

    def retrain(self, t: Samples) -> None:
        """Ask for a retrain (§7); where training goes on already, nothing happens."""
        if self._course.ready:
            self._course.retrain(t, ASKED_FOR)
            self._follow(t)

    def renegotiate(self, t: Samples, wanted: RateSignal) -> None:
        """Propose other rates (§8.1); only in data mode."""
        self._data.renegotiate(t, wanted)

    def clear_down(self, t: Samples) -> None:
        """Stop sending."""
        self._course.go_down(t)
