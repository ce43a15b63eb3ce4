"""The procedures of V.32bis (02/91) §6 (start-up), §7 (retrain) and §8 (rate renegotiation), both roles.

::

    calling    AA ─────► CC ──► silence ──────────► S S S-bar TRN R2 ───────────────► E B1 data
                     ▲       ▲              ▲ trains, R1    │                ▲ trains, R3
    answering  AC ──► CA ──► AC ► silence, S S-bar TRN R1 ──┴─► silence ──► S S-bar TRN R3 ──► E B1 data
                          ▲                                    ▲ trains, R2

Every ten samples the procedure looks at what was heard and decides (`decide`): one method per state. Instants
are samples since the modem was made, the same for what was heard and for what is sent.

A step whose time is over, which a lost packet can bring about, is no failure yet: the procedure begins again
as for a retrain, which either end follows.
"""

import math
from collections.abc import Callable

from ansam.dsp.echo import EchoCanceller
from ansam.dsp.lines import HOP
from ansam.modulation.base import (
    CarrierDetected,
    CarrierLost,
    Failed,
    ModulationEvent,
    ModulationOptions,
    ModulationSpec,
    PhaseEntered,
    Ready,
    Renegotiating,
    Retraining,
    Role,
)
from ansam.modulation.v32bis.constants import (
    B1_SYMBOLS,
    RENEGOTIATION_B1,
    RENEGOTIATION_RATE_MIN,
    S_BAR_SYMBOLS,
    SAMPLES_PER_SYMBOL,
    TRN_MAX,
    TRN_MIN,
    V32BIS_SPEC,
    Coding,
)
from ansam.modulation.v32bis.hearing import Pattern
from ansam.modulation.v32bis.rate_signal import CLEARDOWN, RateSignal, common, offer
from ansam.modulation.v32bis.receiver import TRAINING, Receiver
from ansam.modulation.v32bis.signals import Segment, Signal, conditioning, ending, preamble, rate
from ansam.modulation.v32bis.steps import GRID, GRID_DATA, State
from ansam.modulation.v32bis.transmitter import Transmitter
from ansam.trace import Sink
from ansam.units import Samples, samples

T = SAMPLES_PER_SYMBOL
TURN = 64 * T
"""From a reversal heard to ours, at the line terminals (§6.1, §6.2: 64 ± 2 symbols)."""
HEARD = math.ceil(64 * T / HOP)
"""Windows of AA or AC that make it certain (§6.2: 64 symbols)."""
RETRAIN_HEARD = math.ceil(128 * T / HOP)
"""The same where it begins a retrain (§7)."""
PREAMBLE_HEARD = 9
"""Windows of AA or AC that may be the preamble of a rate renegotiation: 27 of its 56 symbols."""
S_HEARD = 6
S_SURE = 12
"""Windows of S without a reversal after which its end is taken for that of S-bar."""
S_GONE = 8
"""Clean windows without S that are its end; a reversal has four."""
GONE = 3
"""Clean windows without AA that are its end."""
MATURE = (TRAINING + 24) * T + 40
"""From the first symbol of TRN to the instant at which the receiver can be trained."""
AGAIN = samples(0.08)
"""From one attempt to train to the next."""
ECHO_LEAST = samples(0.45)
"""Echo that the canceller learns from beyond the longest delay there can be."""
RESTARTS = 6
"""Of start-up in a row, for whatever reason."""
GOOD_DATA = samples(10)
"""Data mode for this long forgives all restarts."""
BAD_SYMBOLS = 1200
"""Symbols decided like guesses that cause a retrain: half a second."""
RENEGOTIATIONS = 2
"""Attempts in a row without R5; then a retrain (§8 note 3)."""

MARGIN_DB = {
    Coding.UNCODED_4800: 0.0,
    Coding.TRELLIS_7200: 12.0,
    Coding.TRELLIS_9600: 15.5,
    Coding.UNCODED_9600: 19.0,
    Coding.TRELLIS_12000: 18.8,
    Coding.TRELLIS_14400: 21.8,
}
"""Least Es/N0 in training for which a coding is offered: bit errors below 1e-5, and half a decibel."""


class Procedure:
    """One end's procedure; see the module.

    Args:
        spec: V.32bis or V.32.
        role: Which column of the figures.
        options: Rates and S10.
        transmitter: Driven.
        receiver: Driven.
        echo: When it learns is driven.
        trace: Takes the steps.

    Attributes:
        far_end_seen: The far end is certain to be one of V.32 or V.32bis.
        ready: User bits flow.
        coding: In force or agreed on.
        round_trip: Measured, samples, without the modems' own 64 symbols; None before.
        retrains_requested: By this end.
        retrains_granted: By the far end.
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
        self._spec, self._role, self._options, self._trace = spec, role, options, trace
        self._tx, self._rx, self._echo = transmitter, receiver, echo
        self.far_end_seen = False
        self.ready = False
        self.coding = Coding.UNCODED_4800
        self.round_trip: float | None = None
        self.retrains_requested = 0
        self.retrains_granted = 0
        self.state = State.IDLE
        self._bis = spec is V32BIS_SPEC
        self._offered = offer(self._bis, options.allows)
        if not self._bis and not options.trellis:
            self._offered = RateSignal(self._offered.rates, bis=False, trellis=False)
        self._events: list[ModulationEvent] = []
        self._since: Samples = 0
        self._origin: Samples = 0
        self._speaking = False
        self._restarts = 0
        self._missed = ""
        self._turned_at = 0.0
        self._trn_at: tuple[float, float] | None = None
        self._try_at = 0.0
        self._theirs = CLEARDOWN
        self._ours = self._offered
        self._proposals = 0
        self._ready_at: Samples = 0
        self._ends_at: float | None = None
        self._why = ""
        self._aa, self._mine = (Pattern.AC, Pattern.AA) if role is Role.CALLING else (Pattern.AA, Pattern.AC)
        self._work: dict[State, Callable[[Samples], None]] = {
            State.LISTEN: self._listen,
            State.AA: self._send_aa,
            State.CC: self._send_cc,
            State.AWAIT_S: self._await_s,
            State.TRAIN: self._train,
            State.AWAIT_R1: self._await_r1,
            State.SEND_TRN: self._send_trn,
            State.AWAIT_S2: self._await_s,
            State.TRAIN2: self._train,
            State.AWAIT_R3: self._await_r3,
            State.AWAIT_E: self._await_e,
            State.AC: self._send_ac,
            State.CA: self._send_ca,
            State.AC_AGAIN: self._send_ac_again,
            State.ANSWER_TRN: self._send_trn,
            State.R1: self._send_r1,
            State.AWAIT_S_BAR: self._await_s,
            State.ANSWER_TRAIN: self._train,
            State.AWAIT_R2: self._await_r2,
            State.SEND_R3: self._await_e,
            State.B1: self._send_b1,
            State.DATA: self._data,
            State.SUSPECT: self._suspect,
            State.AWAIT_R5: self._await_r5,
            State.SEND_R5: self._await_e,
            State.CLEARDOWN: self._clear,
        }

    # -- what the modem calls --------------------------------------------------------------------------------

    @property
    def grid(self) -> Samples:
        """Samples from one decision to the next."""
        return GRID_DATA if self.state is State.DATA else GRID

    def listen(self, t: Samples) -> None:
        """Hear without being heard."""
        if not self._offered.rates:
            low, high = self._options.min_rate, self._options.max_rate
            self._fail(t, f"no data rate of {self._spec.name} lies between {low} and {high} bit/s")
        else:
            self._enter(State.LISTEN, t)

    def speak(self, t: Samples) -> None:
        """Begin to send AA or AC."""
        if self.state is State.LISTEN:
            self._begin(t)

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call."""
        out, self._events = self._events, []
        return out

    def decide(self, t: Samples) -> None:
        """Take the decisions of one grid point."""
        work = self._work.get(self.state)
        if work is None:
            return
        step = self.state.value
        if step.at_most is not None:
            limit = step.at_most + (self.round_trip or 0.0 if step.round_trip else 0.0)
            if t - self._since > limit:
                self._time_out(t)
                return
        work(t)

    def retrain(self, t: Samples) -> None:
        """Ask for a retrain (§7); where training goes on already, nothing happens."""
        if self.ready:
            self.retrains_requested += 1
            self._leave_data(t, Retraining(by_us=True))
            self._begin(t)

    def renegotiate(self, t: Samples, wanted: RateSignal) -> None:
        """Propose other rates (§8.1)."""
        if self.state is not State.DATA or not self._bis or not wanted.rates:
            return
        self._ours = wanted
        self._leave_data(t, Renegotiating(by_us=True))
        self._rx.seek_words()
        self._tx.send(*preamble(self._role), rate(wanted))
        self._enter(State.AWAIT_R5, t)

    def clear_down(self, t: Samples) -> None:
        """Stop sending."""
        self.ready = False
        self._tx.send()
        self._rx.idle()
        self._enter(State.DOWN, t)

    # -- common ----------------------------------------------------------------------------------------------

    def _enter(self, state: State, t: Samples) -> None:
        self.state, self._since = state, t
        name, clause = state.value.name, state.value.clause
        self._trace(t, f"modulation.v32bis.{self._role.value}", "phase", phase=name, clause=clause)
        if state not in (State.DOWN, State.IDLE, State.SUSPECT):
            self._events.append(PhaseEntered(name, f"{V32BIS_SPEC.recommendation} {clause}"))

    def _fail(self, t: Samples, reason: str) -> None:
        self._events.append(Failed(f"{self._spec.name}: {reason}"))
        self.clear_down(t)

    def _leave_data(self, t: Samples, event: Retraining | Renegotiating) -> None:
        if t - self._ready_at > GOOD_DATA:
            self._restarts = 0
        if self.ready:
            self._events.append(event)
        self.ready = False

    def _begin(self, t: Samples) -> None:
        """Send AA or AC from now on: start-up, or a retrain (§7.1, §7.2)."""
        self._speaking = True
        self._rx.idle()
        self._rx.hearing.forget()
        self._rx.hearing.sending = self._mine
        self._trn_at = None
        self._tx.send(Segment(Signal.AA if self._role is Role.CALLING else Signal.AC))
        self._enter(State.AA if self._role is Role.CALLING else State.AC, t)

    def _time_out(self, t: Samples) -> None:
        """A step's time is over: once more from the beginning, or the end."""
        state = self.state
        if state is State.SUSPECT:
            self._rx.resume(self.coding)
            self._enter(State.DATA, t)
            return
        if state is State.CLEARDOWN:
            self._cleared(t)
            return
        self._missed = state.value.missed
        self._trace(t, f"modulation.v32bis.{self._role.value}", "missed", what=self._missed)
        self._restart(t)

    def _restart(self, t: Samples) -> None:
        self._restarts += 1
        if self._restarts > RESTARTS:
            self._fail(t, f"{self._missed} ({RESTARTS} attempts)")
            return
        if self.ready:
            self.retrains_requested += 1
            self._leave_data(t, Retraining(by_us=True))
        self._begin(t)

    def _far_end_begins_again(self, t: Samples) -> bool:
        """The far end sends AA or AC where it should not: it trains anew, and so do we (§7)."""
        run = self._rx.hearing.runs[self._aa]
        # What was on its way when we changed our signal says nothing.
        heard = run.end - max(run.begin, self._since + (self.round_trip or 0.0))
        if run.windows < RETRAIN_HEARD or heard < RETRAIN_HEARD * HOP:
            return False
        self._missed = "the far end keeps beginning again"
        self._restart(t)
        return True

    def _see_far_end(self) -> None:
        if not self.far_end_seen:
            self.far_end_seen = True
            self._events.append(CarrierDetected(self._spec.name))

    # -- tones and reversals ---------------------------------------------------------------------------------

    def _listen(self, t: Samples) -> None:
        if self._rx.hearing.runs[self._aa].windows >= HEARD:
            self._see_far_end()
            if self._role is Role.CALLING:
                self._begin(t)

    def _reversal(self) -> float | None:
        """Return the last reversal of the far end's tone since the last one used, or None."""
        found = self._rx.hearing.reversals
        return found.pop() if found else None

    def _turn_at(self, heard: float, signal: Signal) -> None:
        """Change to a signal 64 symbols after a reversal was heard."""
        symbol = max(self._tx.symbol_at(heard + TURN), self._tx.symbols)
        self._tx.send(Segment(signal), at=symbol)
        self._turned_at = float(self._tx.peak(symbol))

    def _send_aa(self, t: Samples) -> None:
        """§6.1: AC, then its first reversal."""
        hearing = self._rx.hearing
        if hearing.runs[Pattern.AC].windows < HEARD and not self.far_end_seen:
            hearing.reversals.clear()
            return
        self._see_far_end()
        heard = self._reversal()
        if heard is not None:
            self._turn_at(heard, Signal.CC)
            self._enter(State.CC, t)

    def _send_cc(self, t: Samples) -> None:
        """§6.1: the second reversal stops the counter and the transmitter."""
        heard = self._reversal()
        if heard is None:
            return
        self._note_round_trip(heard)
        self._tx.send()
        hearing = self._rx.hearing
        hearing.sending = None
        hearing.forget()
        self._enter(State.AWAIT_S, t)

    def _note_round_trip(self, heard: float) -> None:
        self.round_trip = max(0.0, heard - self._turned_at - TURN)

    def _send_ac(self, t: Samples) -> None:
        """§6.2: AC for 128 symbols at least, and AA for 64; then CA."""
        if self._rx.hearing.runs[Pattern.AA].windows < HEARD:
            return
        self._see_far_end()
        began = self._tx.began if self._tx.segment.signal is Signal.AC else self._tx.symbols
        symbol = max(self._tx.symbols, began + 128)
        symbol += (symbol - began) % 2
        self._rx.hearing.reversals.clear()
        self._tx.send(Segment(Signal.CA), at=symbol)
        self._turned_at = float(self._tx.peak(symbol))
        self._enter(State.CA, t)

    def _send_ca(self, t: Samples) -> None:
        """§6.2: the reversal of AA stops the counter."""
        heard = self._reversal()
        if heard is None:
            return
        self._note_round_trip(heard)
        self._turn_at(heard, Signal.AC)
        self._enter(State.AC_AGAIN, t)

    def _send_ac_again(self, t: Samples) -> None:
        """§6.2: CC ends: 16 symbols of silence, then the receiver conditioning signal."""
        if self._rx.hearing.runs[Pattern.AA].missing < GONE:
            return
        self._tx.send(Segment(Signal.SILENCE, 16), *conditioning(self._trn_symbols()), rate(self._offered))
        self._rx.hearing.sending = None
        self._enter(State.ANSWER_TRN, t)

    # -- our training ----------------------------------------------------------------------------------------

    def _trn_symbols(self) -> int:
        """Return the length of TRN that lets the echo canceller hear enough of the latest possible echo."""
        wanted = math.ceil(((self.round_trip or 0.0) + ECHO_LEAST) / T)
        return min(TRN_MAX, max(TRN_MIN, wanted))

    def _send_trn(self, t: Samples) -> None:
        """While the far end is silent, the echo canceller learns from S on; when TRN is over, it is set."""
        for segment, symbol in self._tx.take_begun():
            if segment.signal is Signal.S_BAR:
                self._echo.begin_training()
            elif segment.signal is Signal.RATE:
                self._ends_at = float(self._tx.peak(symbol))
        if self._ends_at is None or t < self._ends_at:
            return
        self._ends_at = None
        self._echo.end_training()
        self._rx.hearing.forget()
        self._trn_at = None
        self._enter(State.R1 if self._role is Role.ANSWERING else State.AWAIT_S2, t)

    # -- their training --------------------------------------------------------------------------------------

    def _send_r1(self, t: Samples) -> None:
        """§6.2: S of the calling modem silences us; what is left of ours is still on its way."""
        if self._rx.hearing.runs[Pattern.S].windows < S_HEARD:
            self._far_end_begins_again(t)
            return
        self._tx.send()
        self._enter(State.AWAIT_S_BAR, t)

    def _await_s(self, t: Samples) -> None:
        """S turns into S-bar 16 symbols before TRN; a lost packet may hide that."""
        hearing = self._rx.hearing
        run = hearing.runs[Pattern.S]
        if self.state is State.AWAIT_S and t - self._since < (self.round_trip or 0.0):
            # AC and the echo of our CC look like S.
            hearing.reversals.clear()
            return
        if self._trn_at is None:
            heard = self._reversal()
            if heard is not None and run.windows >= S_HEARD:
                at = heard + S_BAR_SYMBOLS * T
                self._trn_at = (at - 40, at + 40)
            elif run.windows >= S_SURE and run.missing == 0:
                self._s_end = float(run.end)
                self._s_long = True
            elif self._s_long and run.missing >= S_GONE:
                self._trn_at = (self._s_end - 2 * S_BAR_SYMBOLS * T, t - S_GONE * HOP + S_BAR_SYMBOLS * T)
        if self._trn_at is None:
            self._far_end_begins_again(t)
            return
        self._s_long = False
        self._try_at = self._trn_at[0] + MATURE
        following = {State.AWAIT_S: State.TRAIN, State.AWAIT_S2: State.TRAIN2}
        self._enter(following.get(self.state, State.ANSWER_TRAIN), t)

    _s_long = False
    _s_end = 0.0

    def _train(self, t: Samples) -> None:
        """Train once enough of TRN is there, and again while more of it may help."""
        if self._trn_at is None or t < self._try_at:
            return
        self._try_at = t + AGAIN
        if not self._rx.train(*self._trn_at):
            return
        self._rx.hearing.forget()
        fit = self._rx.fit
        self._trace(
            t,
            f"modulation.v32bis.{self._role.value}",
            "trained",
            mse_db=None if fit is None else 10 * math.log10(fit.mse),
            carrier_hz=self._rx.carrier_offset_hz,
            timing_ppm=self._rx.timing_offset_ppm,
        )
        following = {State.TRAIN: State.AWAIT_R1, State.TRAIN2: State.AWAIT_R3}
        self._enter(following.get(self.state, State.AWAIT_R2), t)

    # -- rate signals ----------------------------------------------------------------------------------------

    def _heard_rate(self) -> RateSignal | None:
        word = self._rx.rate_word
        return None if word is None else RateSignal.parse(word)

    def _possible(self, signal: RateSignal) -> RateSignal:
        """Return what the line can carry of what both ends offer."""
        snr = self._rx.snr_db or 0.0
        possible = {c.rate for c in signal.codings if snr >= MARGIN_DB[c]}
        if not possible and signal.rates:
            possible = {min(signal.rates)}
        return signal.limited(possible.__contains__)

    def _await_r1(self, t: Samples) -> None:
        theirs = self._heard_rate()
        if theirs is None:
            self._far_end_begins_again(t)
            return
        self._rx.idle()
        self._ours = self._possible(common(self._offered, theirs))
        self._note_rates(t, "R1", theirs)
        # S for NT, so that R1 has ended where TRN begins (§6.1).
        nt = math.ceil((self.round_trip or 0.0) / T) + 64
        self._tx.take_begun()
        self._tx.send(Segment(Signal.S, nt + nt % 2), *conditioning(self._trn_symbols()), rate(self._ours))
        self._why = self._mismatch(theirs) if self._ours.cleardown else ""
        self._enter(State.SEND_TRN, t)

    def _await_r2(self, t: Samples) -> None:
        theirs = self._heard_rate()
        if theirs is None:
            self._far_end_begins_again(t)
            return
        self._note_rates(t, "R2", theirs)
        chosen = self._possible(common(self._offered, theirs)).best
        if chosen is None:
            self._why = self._mismatch(theirs)
            self._tx.send(*conditioning(), rate(CLEARDOWN))
            self._ends_at = t + (TRN_MIN + 400) * T
            self._enter(State.CLEARDOWN, t + round((TRN_MIN + 400) * T))
            return
        self.coding = chosen
        self._ours = RateSignal.of(chosen, theirs.bis and self._bis)
        self._tx.send(*conditioning(), rate(self._ours))
        self._rx.await_end(chosen, B1_SYMBOLS)
        self._enter(State.SEND_R3, t)

    def _await_r3(self, t: Samples) -> None:
        theirs = self._heard_rate()
        if theirs is None:
            self._far_end_begins_again(t)
            return
        self._note_rates(t, "R3", theirs)
        chosen = theirs.best
        if chosen is None:
            self._why = self._why or "the far end calls for a cleardown: no rate it can use"
            self._cleared(t)
            return
        self.coding = chosen
        self._rx.await_end(chosen, B1_SYMBOLS)
        self._tx.send(*ending(theirs))
        self._enter(State.AWAIT_E, t)

    def _mismatch(self, theirs: RateSignal) -> str:
        ours = "/".join(str(r) for r in sorted(self._offered.rates))
        far = "/".join(str(r) for r in sorted(theirs.rates)) or "a cleardown"
        return f"no rate in common that the line carries: we allow {ours}, the far end offers {far}"

    def _note_rates(self, t: Samples, name: str, theirs: RateSignal) -> None:
        self._trace(
            t,
            f"modulation.v32bis.{self._role.value}",
            "rate signal",
            signal=name,
            word=f"{self._rx.rate_word or 0:016b}",
            rates=sorted(theirs.rates),
            snr_db=self._rx.snr_db,
        )

    def _await_e(self, t: Samples) -> None:
        """Once E has come, ours follows where it has not yet been sent; data begin when both are through."""
        if not self._rx.in_data:
            self._far_end_begins_again(t)
            return
        if self.state is State.SEND_R3:
            self._tx.send(*ending(self._ours))
        self._enter(State.B1, t)

    def _send_b1(self, t: Samples) -> None:
        if self._tx.segment.signal is not Signal.DATA:
            return
        self.ready = True
        self._ready_at = t
        self._proposals = 0
        self._rx.hearing.forget()
        self._events.append(Ready(self._spec.name, self.coding.rate, self.coding.rate))
        self._enter(State.DATA, t)

    def _clear(self, t: Samples) -> None:
        """Wait until the cleardown has been heard."""

    def _cleared(self, t: Samples) -> None:
        self._fail(t, self._why)

    # -- data ------------------------------------------------------------------------------------------------

    def _data(self, t: Samples) -> None:
        hearing = self._rx.hearing
        if hearing.quiet.length >= self._options.carrier_loss:
            self._events.append(CarrierLost("no carrier for as long as S10 allows"))
            self.clear_down(t)
        elif hearing.runs[self._aa].windows >= PREAMBLE_HEARD:
            self._rx.seek_words()
            self._enter(State.SUSPECT, t)
        elif self._rx.bad_symbols >= BAD_SYMBOLS:
            self._missed = "the line became too bad for any rate"
            self._restart(t)

    def _suspect(self, t: Samples) -> None:
        """AA or AC in data: a rate signal follows (§8.2), or it goes on (§7)."""
        if self._rx.hearing.runs[self._aa].windows >= RETRAIN_HEARD:
            self.retrains_granted += 1
            self._leave_data(t, Retraining(by_us=False))
            self._begin(t)
            return
        theirs = self._heard_rate()
        if theirs is None:
            return
        self._note_rates(t, "R4", theirs)
        self._leave_data(t, Renegotiating(by_us=False))
        self._ours = self._offered
        self._settle(t, theirs)
        chosen = common(self._ours, theirs)
        self._tx.send(
            *preamble(self._role), rate(self._ours, RENEGOTIATION_RATE_MIN), *ending(chosen, RENEGOTIATION_B1)
        )
        self._enter(State.SEND_R5, t)

    def _await_r5(self, t: Samples) -> None:
        """§8.1: R5, then E once R4 has lasted 64 symbols."""
        theirs = self._heard_rate()
        if theirs is None:
            self._far_end_begins_again(t)
            return
        self._note_rates(t, "R5", theirs)
        self._settle(t, theirs)
        tx = self._tx
        least = RENEGOTIATION_RATE_MIN - tx.sent if tx.segment.signal is Signal.RATE else 128
        tx.send(*ending(common(self._ours, theirs), RENEGOTIATION_B1), at=tx.symbols + max(0, least))
        self._enter(State.SEND_R5, t)

    def _settle(self, t: Samples, theirs: RateSignal) -> None:
        """Take the highest rate of R4 and R5 for both directions."""
        chosen = common(self._ours, theirs).best
        if chosen is None:
            self._why = self._mismatch(theirs)
            self._enter(State.CLEARDOWN, t)
            return
        self.coding = chosen
        self._rx.await_end(chosen, RENEGOTIATION_B1)
