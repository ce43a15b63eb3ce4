"""The procedures of V.34 (10/96) from phase 3 on: §11.3 to §11.7, both roles: which step follows what.

::

    phase 2 ─► phase 3 ──────────► phase 4 ─────────────────► data ─┬─► S heard, or wished ─► TRN ─► MP …
       ▲       `training`          `settling`                 ▲     │   `data_mode`
       │                                                      └─────┘
       └── a step missed, or the far end's tone: retrain (§11.5)

Every ten samples the procedure looks at what was heard and decides (`decide`): one method per state.
"""

from collections.abc import Callable

from ansam.dsp.echo import EchoCanceller
from ansam.modulation.base import ModulationEvent, ModulationOptions, Role
from ansam.modulation.v34.course import ASKED_FOR, Course
from ansam.modulation.v34.data_mode import DataMode
from ansam.modulation.v34.mp import Agreement
from ansam.modulation.v34.phase2 import Entry
from ansam.modulation.v34.phase2_core import Phase2Result
from ansam.modulation.v34.receiver import Receiver
from ansam.modulation.v34.settling import Settling
from ansam.modulation.v34.training import Training
from ansam.modulation.v34.training_steps import GRID, GRID_DATA, State
from ansam.modulation.v34.transmitter import Transmitter
from ansam.trace import Sink
from ansam.units import Bits, Samples, samples

TONE_HEARD: Samples = samples(0.055)
"""§11.5: the tone of a retrain for more than 50 ms."""
_READS = (State.AWAIT_J, State.RENEGOTIATE, State.SEND_TRN, State.MP, State.MP_ACKNOWLEDGED, State.AWAIT_E)


class Procedure:
    """One end's procedure from phase 3 on; see the module.

    Args:
        role: Which side of the figures.
        options: Rates, S10 and what may be asked for.
        echo: When it learns is driven.
        trace: Takes the steps.
    """

    def __init__(self, role: Role, options: ModulationOptions, echo: EchoCanceller, trace: Sink) -> None:
        c = self._course = Course(role, options, echo, trace)
        self._training, self._settling = Training(c), Settling(c)
        self._data = DataMode(c, self._settling)
        self._work: dict[State, Callable[[Samples], None]] = {
            State.SEND: self._training.send,
            State.AWAIT_S: self._training.await_s,
            State.TRAIN: self._training.train,
            State.AWAIT_J: self._training.await_j,
            State.SEND_J: self._training.await_s,
            State.TRAIN_AGAIN: self._training.train,
            State.SEND_TRN: self._settling.send_trn,
            State.MP: self._settling.exchange,
            State.MP_ACKNOWLEDGED: self._settling.exchange,
            State.AWAIT_E: self._await_e,
            State.CLEARDOWN: self._settling.clear_down,
            State.DATA: self._data.data,
            State.AWAIT_S_BAR: self._data.await_s_bar,
            State.RENEGOTIATE: self._data.await_answer,
        }

    @property
    def state(self) -> State:
        """Where it stands; `PHASE_2` while phase 2 has the line."""
        return self._course.state

    @property
    def grid(self) -> Samples:
        """Samples from one decision to the next."""
        return GRID_DATA if self.state is State.DATA else GRID

    @property
    def ready(self) -> bool:
        """Whether user bits flow."""
        return self._course.ready

    @property
    def down(self) -> bool:
        """Whether all is over."""
        return self.state is State.DOWN

    @property
    def entry(self) -> Entry | None:
        """Where phase 2 is to be entered, or None: set when a retrain is due."""
        return self._course.entry

    @property
    def agreement(self) -> Agreement | None:
        """The codings of both directions, or None."""
        return self._course.agreement

    @property
    def retrains(self) -> tuple[int, int]:
        """(Requested, granted) by this end."""
        return self._course.requested, self._course.granted

    def begin(self, epoch: Samples, result: Phase2Result, tx: Transmitter, rx: Receiver) -> None:
        """Enter phase 3 with the transmitter and the receiver that phase 2 has chosen, just made.

        Args:
            epoch: Now, on the call's clock.
            result: Of phase 2.
            tx: Transmitter.
            rx: Receiver.
        """
        self._course.begin(epoch, result, tx, rx)
        self._training.begin(0)

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call."""
        return self._course.take_events()

    def decide(self, t: Samples, bits: Bits) -> None:
        """Take the decisions of one grid point.

        Args:
            t: Instant.
            bits: What the receiver has delivered since the last one, while it decodes words.
        """
        c = self._course
        if c.state in (State.PHASE_2, State.DOWN):
            return
        if c.rx.hearing.tone >= TONE_HEARD:
            c.retrain(t, "the far end asks for a retrain", Entry.RESPONSE)
            return
        if bits.size and c.state in _READS:
            c.read(t, bits)
        step = c.state.value
        if step.at_most is not None and t - c.since > step.at_most + step.round_trips * c.round_trip:
            self._time_out(t)
            return
        work = self._work.get(c.state)
        if work is not None:
            work(t)

    def _await_e(self, t: Samples) -> None:
        self._settling.await_e(t)
        if self.state is State.DATA:
            self._data.begin(t)

    def _time_out(self, t: Samples) -> None:
        c = self._course
        if c.state is State.PAUSE:
            self._training.start_sending(t)
        elif c.state is State.AWAIT_S_BAR:
            c.rx.hearing.forget()
            c.enter(State.DATA, t)
        else:
            c.retrain(t, c.state.value.missed)

    def retrain(self, t: Samples) -> None:
        """Ask for a retrain (§11.5); where training goes on already, nothing happens."""
        if self.ready:
            self._course.retrain(t, ASKED_FOR)

    def renegotiate(self, t: Samples, rate: int | None = None) -> None:
        """Begin a rate renegotiation (§11.6), where that is possible; `rate` is the most to ask for."""
        self._data.renegotiate(t, rate)

    def clear_down(self, t: Samples) -> None:
        """Stop."""
        self._course.go_down(t)
