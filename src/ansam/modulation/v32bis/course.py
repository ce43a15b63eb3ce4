"""What all parts of the procedures share: the parts of the modem, where it stands, and what it knows."""

from ansam.dsp.echo import Adapt, EchoCanceller
from ansam.dsp.lines import HOP
from ansam.modulation.base import (
    CarrierDetected,
    CarrierLost,
    Failed,
    ModulationEvent,
    ModulationOptions,
    ModulationSpec,
    PhaseEntered,
    Renegotiating,
    Retraining,
    Role,
    StepMissed,
)
from ansam.modulation.v32bis.adaptation import MARGIN_DB
from ansam.modulation.v32bis.constants import B1_SYMBOLS, SAMPLES_PER_SYMBOL, V32BIS_SPEC, Coding
from ansam.modulation.v32bis.hearing import Pattern
from ansam.modulation.v32bis.rate_signal import CLEARDOWN, RateSignal, offer
from ansam.modulation.v32bis.receiver import Receiver
from ansam.modulation.v32bis.signals import Segment, Signal
from ansam.modulation.v32bis.steps import State
from ansam.modulation.v32bis.transmitter import Transmitter
from ansam.trace import Sink
from ansam.units import Samples, samples

T = SAMPLES_PER_SYMBOL
RETRAIN_HEARD = -(-128 * 10 // 3 // HOP)
"""Windows of AA or AC that begin a retrain (V.32bis (02/91) §7: 128 symbols)."""
ASKED_FOR = "asked for"
"""Why a retrain begins that the owner wants."""
RESTARTS = 6
"""Of start-up in a row, for whatever reason."""
GOOD_DATA = samples(10)
"""Data mode for this long forgives all restarts."""
_QUIET_STATES = (State.DOWN, State.IDLE, State.SUSPECT)


class Course:
    """One end's procedure, as far as all its parts must know it.

    Args:
        spec: V.32bis or V.32.
        role: Which column of the figures.
        options: Of the call.
        tx: Driven.
        rx: Driven.
        echo: When it learns is driven.
        trace: Takes the steps.

    Attributes:
        state: The present step.
        since: When it began.
        ready: User bits flow.
        ever_ready: They did before: the call is up, and training is a retrain.
        far_end_seen: The far end is certain to be one of V.32 or V.32bis.
        bis: This end is V.32bis.
        coding: In force or agreed on.
        offered: What this end can do.
        wanted: What this end last said it would do.
        far: The rates the far end has ever offered.
        round_trip: Measured, samples, without the modems' own 64 symbols; None before.
        requested: Retrains begun by this end.
        granted: Retrains begun by the far end.
        tone: The pattern of the far end's tones.
        b1: Symbols of B1 that are agreed on.
        why: Why a cleardown is under way, ...
        cleared_at: ... and when it ends.
        ready_at: When `ready` came.
    """

    def __init__(
        self,
        spec: ModulationSpec,
        role: Role,
        options: ModulationOptions,
        tx: Transmitter,
        rx: Receiver,
        echo: EchoCanceller,
        trace: Sink,
    ) -> None:
        self.spec, self.role, self.options = spec, role, options
        self.tx, self.rx, self.echo = tx, rx, echo
        self._trace, self._source = trace, f"modulation.v32bis.{role.value}"
        self.state = State.IDLE
        self.since: Samples = 0
        self.ready = self.ever_ready = self.far_end_seen = False
        self.bis = spec is V32BIS_SPEC
        self.coding = Coding.UNCODED_4800
        self.offered = offer(self.bis, options.allows)
        if not self.bis and not options.trellis:
            self.offered = RateSignal(self.offered.rates, bis=False, trellis=False)
        self.wanted = self.offered
        self.far = CLEARDOWN
        self.round_trip: float | None = None
        self.requested = self.granted = 0
        calling = role is Role.CALLING
        self.tone, self._mine = (Pattern.AC, Pattern.AA) if calling else (Pattern.AA, Pattern.AC)
        self.b1 = B1_SYMBOLS
        self.why = ""
        self.cleared_at = 0.0
        self.ready_at: Samples = 0
        self._restarts = 0
        self._events: list[ModulationEvent] = []

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

    def see_far_end(self) -> None:
        """The far end is certain."""
        if not self.far_end_seen:
            self.far_end_seen = True
            self.say(CarrierDetected(self.spec.name))

    # -- steps -----------------------------------------------------------------------------------------------

    def enter(self, state: State, t: Samples) -> None:
        """Begin a step."""
        self.state, self.since = state, t
        name, clause = state.value.name, state.value.clause
        self.note(t, "phase", phase=name, clause=clause)
        if state not in _QUIET_STATES:
            self.say(PhaseEntered(name, f"{V32BIS_SPEC.recommendation} {clause}"))

    def begin(self, t: Samples) -> None:
        """Send AA or AC from now on: start-up, or a retrain (§7.1, §7.2)."""
        self.rx.idle()
        self.rx.hearing.forget()
        self.rx.hearing.sending = self._mine
        self.echo.adapt(Adapt.FROZEN)
        calling = self.role is Role.CALLING
        self.tx.send(Segment(Signal.AA if calling else Signal.AC))
        self.enter(State.AA if calling else State.AC, t)

    def leave_data(self, t: Samples, event: Retraining | Renegotiating) -> None:
        """User bits stop; a retrain or renegotiation begins, or the latter turns into the former."""
        if self.ready and t - self.ready_at > GOOD_DATA:
            self._restarts = 0
        if self.ever_ready:
            self.say(event)
        self.ready = False

    def retrain(self, t: Samples, why: str, by_us: bool = True) -> None:
        """Begin anew, since something was missed or the far end does."""
        self.note(t, "begins anew", why=why, by_us=by_us)
        if why != ASKED_FOR:
            self.say(StepMissed(*self._missed(why)))
        self._restarts += 1
        if self._restarts > RESTARTS:
            self.end(t, f"{why} ({RESTARTS} attempts)")
            return
        if self.ever_ready:
            self.requested += by_us
            self.granted += not by_us
        self.leave_data(t, Retraining(by_us))
        self.begin(t)

    def far_end_begins_again(self, t: Samples, patience: Samples = 0) -> bool:
        """Follow a far end that sends AA or AC where it should not: it trains anew (§7).

        Args:
            t: Now.
            patience: Time after which it should not.
        """
        run = self.rx.hearing.runs[self.tone]
        # What was on its way when we changed our signal says nothing.
        heard = run.end - max(run.begin, self.since + patience + (self.round_trip or 0.0))
        if run.windows < RETRAIN_HEARD or heard < RETRAIN_HEARD * HOP:
            return False
        self.retrain(t, "the far end keeps beginning again", by_us=False)
        return True

    def end(self, t: Samples, reason: str, clause: str = "") -> None:
        """Give the call up; `clause` is that of the step, where none is given."""
        reason, clause = self._missed(reason, clause)
        self.say(CarrierLost(reason, clause) if self.ever_ready else Failed(reason, clause))
        self.go_down(t)

    def _missed(self, what: str, clause: str = "") -> tuple[str, str]:
        """Return the step with what it missed, and its clause."""
        step = self.state.value
        return (
            f"{self.spec.name}, {step.name}: {what}",
            f"{V32BIS_SPEC.recommendation} {clause or step.clause}",
        )

    def go_down(self, t: Samples) -> None:
        """Stop sending."""
        self.ready = False
        self.tx.send()
        self.rx.idle()
        self.enter(State.DOWN, t)

    # -- rates -----------------------------------------------------------------------------------------------

    def heard_rate(self, t: Samples, name: str) -> RateSignal | None:
        """Return the far end's rate signal, if there is a new one."""
        word = self.rx.rate_word
        if word is None:
            return None
        theirs = RateSignal.parse(word)
        self.far = RateSignal(self.far.rates | theirs.rates, theirs.bis, theirs.trellis)
        self.note(
            t,
            "rate signal",
            signal=name,
            word=f"{word:016b}",
            rates=sorted(theirs.rates),
            snr_db=self.rx.snr_db,
        )
        return theirs

    def possible(self, signal: RateSignal) -> RateSignal:
        """Return what of a signal the line can carry; the lowest rate if none."""
        if self.ever_ready and not self.options.fallback:
            return signal.limited(lambda rate: rate == self.coding.rate)
        snr = self.rx.snr_db or 0.0
        rates = {c.rate for c in signal.codings if snr >= MARGIN_DB[c]}
        if not rates and signal.rates:
            rates = {min(signal.rates)}
        return signal.limited(rates.__contains__)

    def mismatch(self, theirs: RateSignal) -> str:
        """Return why no rate is left."""
        if theirs.cleardown:
            return "the far end calls for a cleardown"
        ours = "/".join(str(rate) for rate in sorted(self.offered.rates))
        far = "/".join(str(rate) for rate in sorted(theirs.rates))
        return f"no rate in common: we allow {ours}, the far end offers {far}"

    def await_end(self, coding: Coding, b1: int) -> None:
        """A coding is agreed on; E and B1 follow, both ways."""
        self.coding, self.b1 = coding, b1
        self.rx.await_end(coding, b1)

    @property
    def available(self) -> RateSignal:
        """What R1 offers: everything, or the rate there was where it may not change."""
        return self.possible(self.offered) if self.ever_ready and not self.options.fallback else self.offered
