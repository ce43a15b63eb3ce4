"""The procedures of V.34 (10/96) from phase 3 on: §11.3 to §11.7, both roles.

::

    answering  S S- PP TRN J ───────► silence ─────────────────► S S- TRN ──► MP MP' E B1 data
                                 │        ▲ trains, J         │
    calling        ▲ trains, J ──► S S- PP TRN J ─────────────► J' TRN ──► MP MP' E B1 data

Every ten samples the procedure looks at what was heard and decides (`decide`): one method per state. Instants
are samples since the modem was made, the same for what was heard and for what is sent.

Where a step's time is over, a retrain begins again with phase 2 (§11.5), which either end follows: its tone
is listened for in every state.
"""

import math
from collections.abc import Callable

import numpy as np

from ansam.dsp.echo import Adapt, EchoCanceller
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
)
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import S_BAR_SYMBOLS, TRN_SYMBOLS
from ansam.modulation.v34.mp import Agreement, J, JReader, Mp, MpReader, agree
from ansam.modulation.v34.offer import our_mp
from ansam.modulation.v34.phase2_core import Phase2Result
from ansam.modulation.v34.precoder import NO_PRECODING
from ansam.modulation.v34.receiver import Receiver
from ansam.modulation.v34.signals import WordSender, pp_signal
from ansam.modulation.v34.training_steps import GRID, GRID_DATA, State
from ansam.modulation.v34.transmitter import Segment, Signal, Transmitter, ending, j, mp, pp, s_and_bar
from ansam.trace import Sink
from ansam.units import Bits, Samples, samples

RECOMMENDATION = "V.34 (10/96)"
S_HEARD = 6
"""Windows of S that make it certain: 25 symbols at 3429 Bd."""
S_SURE = 10
"""Windows of S without a reversal after which its end is taken for that of S-bar."""
S_GONE = 8
TONE_HEARD: Samples = samples(0.055)
"""§11.5: the tone of a retrain for more than 50 ms."""
ECHO_LEAST: Samples = samples(0.5)
"""Echo that the canceller learns from beyond the longest delay there can be."""
AGAIN: Samples = samples(0.06)
PATIENCE = {Role.CALLING: samples(0.8), Role.ANSWERING: samples(1.95)}
"""TRN of phase 4 lasts until the far end's MP has come, or so long: 2 s are allowed (§11.4.1.1.2, §11.4.1.2.2),
and modems that train by it, and judge the line by that, use them. Two modems must not wait for each other."""
RESTARTS = 8
GOOD_DATA: Samples = samples(10)
BAD_SYMBOLS = 1600
"""Symbols decided like guesses that cause a retrain: half a second."""


class Training:
    """One end's procedure from phase 3 on; see the module.

    Args:
        role: Which side of the figure.
        options: Rates and S10.
        echo: When it learns is driven.
        trace: Takes the steps.

    Attributes:
        state: Where it stands; `PHASE_2` while phase 2 has the line.
        wants_phase2: Why phase 2 is to be entered, or "": set when a retrain is due.
        responding: The far end began that retrain.
        ready: User bits flow.
        agreement: The codings of both directions, or None.
        retrains_requested: By this end.
        retrains_granted: By the far end.
    """

    def __init__(self, role: Role, options: ModulationOptions, echo: EchoCanceller, trace: Sink) -> None:
        self._role, self._options, self._echo, self._trace = role, options, echo, trace
        self.state = State.PHASE_2
        self.wants_phase2 = ""
        self.responding = False
        self.ready = False
        self.agreement: Agreement | None = None
        self.retrains_requested = 0
        self.retrains_granted = 0
        self._events: list[ModulationEvent] = []
        self._since: Samples = 0
        self._restarts = 0
        self._ready_at: Samples = 0
        self._work: dict[State, Callable[[Samples], None]] = {
            State.PAUSE: self._pause,
            State.SEND: self._send,
            State.AWAIT_S: self._await_s,
            State.TRAIN: self._train,
            State.AWAIT_J: self._await_j,
            State.SEND_J: self._await_s,
            State.TRAIN_AGAIN: self._train,
            State.SEND_TRN: self._send_trn,
            State.MP: self._exchange,
            State.MP_ACKNOWLEDGED: self._exchange,
            State.AWAIT_E: self._await_e,
            State.DATA: self._data,
            State.AWAIT_S_BAR: self._await_s_bar,
            State.RENEGOTIATE: self._renegotiate,
            State.CLEARDOWN: lambda t: None,
        }

    # -- what the modem calls --------------------------------------------------------------------------------

    @property
    def grid(self) -> Samples:
        """Samples from one decision to the next."""
        return GRID_DATA if self.state is State.DATA else GRID

    @property
    def down(self) -> bool:
        """Whether all is over."""
        return self.state is State.DOWN

    def begin(self, t: Samples, result: Phase2Result, tx: Transmitter, rx: Receiver) -> None:
        """Enter phase 3 with the transmitter and the receiver that phase 2 has chosen."""
        self._tx, self._rx, self._result = tx, rx, result
        self.wants_phase2 = ""
        self._kept = (NO_PRECODING, NO_PRECODING)
        self._round_trip = float(result.round_trip)
        self._j_reader, self._mp_reader = JReader(), MpReader()
        self._far_mp: Mp | None = None
        self._our_mp: Mp | None = None
        self._asked: J | None = None
        self._trn_at: tuple[float, float] | None = None
        self._trn_from = 0
        self._try_at = 0.0
        self._s_end = -1.0
        self._md_until = 0.0
        self._echo_at = math.inf
        self._ends_at = math.inf
        self._acknowledged = False
        self._enter(State.AWAIT_S if self._role is Role.CALLING else State.PAUSE, t)

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call."""
        out, self._events = self._events, []
        return out

    def decide(self, t: Samples, bits: Bits) -> None:
        """Take the decisions of one grid point.

        Args:
            t: Instant.
            bits: What the receiver has delivered since the last one, while it decodes words.
        """
        work = self._work.get(self.state)
        if work is None:
            return
        if self._rx.hearing.tone >= TONE_HEARD:
            self._retrain(t, "the far end asks for a retrain", responding=True)
            return
        if not self._rx.in_data:
            self._read(t, bits)
        step = self.state.value
        if step.at_most is not None and t - self._since > step.at_most + step.round_trips * self._round_trip:
            self._time_out(t)
            return
        work(t)

    def retrain(self, t: Samples) -> None:
        """Ask for a retrain (§11.5); where training goes on already, nothing happens."""
        if self.ready:
            self._retrain(t, "asked for", responding=False)

    def clear_down(self, t: Samples) -> None:
        """Stop."""
        self.ready = False
        if self.state not in (State.PHASE_2, State.DOWN):
            self._tx.send()
            self._rx.idle()
        self._enter(State.DOWN, t)

    # -- common ----------------------------------------------------------------------------------------------

    def _enter(self, state: State, t: Samples) -> None:
        self.state, self._since = state, t
        name, clause = state.value.name, state.value.clause
        self._trace(t, f"modulation.v34.{self._role.value}", "phase", phase=name, clause=clause)
        if state not in (State.DOWN, State.PHASE_2):
            self._events.append(PhaseEntered(name, f"{RECOMMENDATION} {clause}"))

    def _fail(self, t: Samples, reason: str) -> None:
        self._events.append(Failed(f"V.34: {reason}"))
        self.clear_down(t)

    def _time_out(self, t: Samples) -> None:
        if self.state is State.PAUSE:
            self._pause_over(t)
        elif self.state is State.CLEARDOWN:
            self._fail(t, "no data rate in common that the line carries")
        elif self.state is State.AWAIT_S_BAR:
            self._enter(State.DATA, t)
        else:
            self._retrain(t, self.state.value.missed, responding=False)

    def _retrain(self, t: Samples, why: str, responding: bool) -> None:
        """Leave everything to phase 2 (§11.5)."""
        self._trace(t, f"modulation.v34.{self._role.value}", "retrain", why=why, responding=responding)
        if self.ready and t - self._ready_at > GOOD_DATA:
            self._restarts = 0
        self._restarts += 1
        if self._restarts > RESTARTS:
            self._fail(t, f"{why} ({RESTARTS} retrains)")
            return
        if self.ready:
            self._events.append(Retraining(by_us=not responding))
        if responding:
            self.retrains_granted += 1
        else:
            self.retrains_requested += 1
        self.ready = False
        self._tx.send()
        self._rx.idle()
        self.wants_phase2, self.responding = why, responding
        self._enter(State.PHASE_2, t)

    # -- phase 3: ours ---------------------------------------------------------------------------------------

    def _pause(self, t: Samples) -> None:
        """Answering: 70 ms of silence (§11.3.1.2.1); `_time_out` ends it."""

    def _pause_over(self, t: Samples) -> None:
        self._start_sending(t)

    def _start_sending(self, t: Samples) -> None:
        """S, S-bar, PP, TRN, J (§11.3.1.1.3 to §11.3.1.1.7, §11.3.1.2)."""
        baud = float(self._result.send.symbol_rate.baud)
        silent_after = 0.0 if self._role is Role.ANSWERING else self._round_trip + samples(0.05)
        wanted = (silent_after + self._round_trip + ECHO_LEAST) * baud / 8000
        trn = max(TRN_SYMBOLS, math.ceil(wanted))
        self._tx.take_begun()
        self._tx.sixteen = False
        self._tx.send(*s_and_bar(), pp(), Segment(Signal.TRN, trn), j(J.FOUR))
        self._echo_after = silent_after
        self._enter(State.SEND, t)

    def _send(self, t: Samples) -> None:
        """The echo canceller learns once the far end is silent, and is set when TRN is over."""
        for segment, symbol in self._tx.take_begun():
            if segment.signal is Signal.S_BAR:
                self._echo_at = float(self._tx.peak(symbol)) + self._echo_after
            elif segment.signal is Signal.J:
                self._ends_at = float(self._tx.peak(symbol))
        if t >= self._echo_at:
            self._echo_at = math.inf
            self._echo.begin_training()
        if t < self._ends_at:
            return
        self._ends_at = math.inf
        self._echo.end_training()
        self._echo.adapt(Adapt.SLOW)
        self._rx.idle()
        self._rx.hearing.forget()
        self._trn_at = None
        self._enter(State.SEND_J, t)

    # -- S, S-bar and what follows them ----------------------------------------------------------------------

    @property
    def _t(self) -> float:
        """Samples in a symbol of the far end's."""
        return 8000 / float(self._result.receive.symbol_rate.baud)

    def _s_bar_over(self, t: Samples) -> tuple[float, float] | None:
        """Return between which instants S-bar ended, once it has; a lost packet may have hidden that."""
        hearing = self._rx.hearing
        if hearing.reversals and hearing.s_windows >= S_HEARD:
            at = hearing.reversals.pop() + S_BAR_SYMBOLS * self._t
            return at - 40, at + 40
        if hearing.s_windows >= S_SURE and hearing.s_missing == 0:
            self._s_end = float(hearing.s_end)
        elif self._s_end >= 0 and hearing.s_missing >= S_GONE:
            late = t - S_GONE * 10 + S_BAR_SYMBOLS * self._t
            return self._s_end - 2 * S_BAR_SYMBOLS * self._t, late
        return None

    def _await_s(self, t: Samples) -> None:
        """§11.3.1.1.2, §11.3.1.2.4, §11.4.1.1.1: the far end's S turns into S-bar."""
        if t < self._md_until:
            return
        found = self._s_bar_over(t)
        if found is None:
            return
        self._s_end = -1.0
        self._rx.hearing.forget()
        md = self._result.receive.md
        if md and self._md_until == 0.0 and not self._phase_4:
            # §11.3.1.1.1: the far end's own signal comes first, and then S again.
            self._md_until = found[0] + md - samples(0.01)
            return
        self._trn_at = found
        if self._phase_4:
            self._start_phase_4(t)
            return
        self._tx.send()
        self._sequence = np.concatenate([pp_signal(), self._their_trn(TRN_SYMBOLS, False)])
        self._try_at = found[1] + (self._sequence.size + 30) * self._t + 60
        self._enter(State.TRAIN, t)

    @property
    def _phase_4(self) -> bool:
        """Whether the calling modem has sent its own part of phase 3 already."""
        return self._role is Role.CALLING and self.state is State.SEND_J

    def _their_trn(self, count: int, sixteen: bool) -> "np.ndarray[tuple[int], np.dtype[np.complex128]]":
        words = WordSender(self._role.other)
        words.sixteen = sixteen
        return words.trn(count)

    def _train(self, t: Samples) -> None:
        """Train once enough is there, and again while more of it may help."""
        if self._trn_at is None or t < self._try_at:
            return
        self._try_at = t + AGAIN
        if not self._rx.train(self._sequence, *self._trn_at):
            return
        self._rx.hearing.forget()
        fit = self._rx.fit
        self._trace(
            t,
            f"modulation.v34.{self._role.value}",
            "trained",
            mse_db=None if fit is None else 10 * math.log10(fit.mse),
            carrier_hz=self._rx.carrier_offset_hz,
            timing_ppm=self._rx.timing_offset_ppm,
        )
        if self.state is State.TRAIN:
            self._j_reader = JReader()
            self._enter(State.AWAIT_J, t)
        else:
            self._enter(State.SEND_TRN, t)

    def _await_j(self, t: Samples) -> None:
        """§11.3.1.1.3: the calling modem's turn; §11.3.1.2.6: phase 4 begins."""
        if self._asked is None:
            return
        if self._role is Role.CALLING:
            self._start_sending(t)
        else:
            self._start_phase_4(t)

    # -- phase 4 ---------------------------------------------------------------------------------------------

    def _start_phase_4(self, t: Samples) -> None:
        self._tx.sixteen = self._asked is J.SIXTEEN
        self._mp_reader = MpReader()
        if self._role is Role.ANSWERING:
            # The far end goes on from J to J', TRN and MP; our J asked for four points, so nothing changes.
            self._tx.send(*s_and_bar(), Segment(Signal.TRN))
            self._enter(State.SEND_TRN, t)
            return
        self._tx.send(j(J.PRIME, once=True), Segment(Signal.TRN))
        self._sequence = self._their_trn(TRN_SYMBOLS, False)
        assert self._trn_at is not None
        self._try_at = self._trn_at[1] + (TRN_SYMBOLS + 30) * self._t + 60
        self._enter(State.TRAIN_AGAIN, t)

    def _send_trn(self, t: Samples) -> None:
        """TRN for 512 symbols at least, and until our receiver knows what it can do (§11.4.1.1.2)."""
        if self._tx.segment.signal is not Signal.TRN or self._tx.sent < TRN_SYMBOLS:
            return
        length = self._tx.sent * 8000 / float(self._result.send.symbol_rate.baud)
        if self._far_mp is None and length < PATIENCE[self._role]:
            return
        self._our_mp = our_mp(
            self._role, self._options, self._result, self._rx.snr_db or 0.0, self._rx.whitening()
        )
        self._trace(
            t, f"modulation.v34.{self._role.value}", "offers", mp=self._our_mp, snr_db=self._rx.snr_db
        )
        self._tx.send(mp(self._our_mp, self._tx.sixteen))
        self._acknowledged = False
        self._enter(State.MP, t)

    def _read(self, t: Samples, bits: Bits) -> None:
        """Read J and MP."""
        for bit in bits:
            if self.state is State.AWAIT_J:
                found = self._j_reader.push(int(bit))
                if found is not None and found is not J.PRIME:
                    self._asked = found
            sequence = self._mp_reader.push(int(bit))
            if sequence is not None and self.state in (
                State.SEND_TRN,
                State.MP,
                State.MP_ACKNOWLEDGED,
                State.AWAIT_E,
            ):
                if self._far_mp != sequence:
                    self._trace(t, f"modulation.v34.{self._role.value}", "received", mp=sequence)
                self._far_mp = sequence

    def _exchange(self, t: Samples) -> None:
        """§11.4.1.1.2 to §11.4.1.1.4, §11.4.1.2.2 to §11.4.1.2.4."""
        theirs, ours = self._far_mp, self._our_mp
        if theirs is None or ours is None:
            return
        if self.state is State.MP:
            if not self._agree(t, ours, theirs):
                return
            self._tx.send(mp(ours.acknowledged, self._tx.sixteen))
            self._tx.take_begun()
            self._enter(State.MP_ACKNOWLEDGED, t)
            return
        self._acknowledged |= any(s.signal is Signal.MP for s, _ in self._tx.take_begun())
        # §11.4.1.2.3: until an MP' was sent whole and MP' or E received.
        if self._acknowledged and (theirs.acknowledge or self._rx.in_data):
            assert self.agreement is not None
            self._tx.send(*ending(self.agreement.sent_by(self._role), self._tx.sixteen))
            self._enter(State.AWAIT_E, t)

    def _agree(self, t: Samples, ours: Mp, theirs: Mp) -> bool:
        call, answer = (ours, theirs) if self._role is Role.CALLING else (theirs, ours)
        sent, received = self._result.send.symbol_rate, self._result.receive.symbol_rate
        rates = (sent, received) if self._role is Role.CALLING else (received, sent)
        self.agreement = agree(call, answer, *rates, self._kept)
        if self.agreement is None:
            self._enter(State.CLEARDOWN, t)
            return False
        self._kept = (self.agreement.call_to_answer.precoding, self.agreement.answer_to_call.precoding)
        self._rx.await_end(self.agreement.sent_by(self._role.other))
        return True

    def _await_e(self, t: Samples) -> None:
        """Data mode once B1 has been received and sent."""
        if not (self._rx.b1_over and self._tx.in_data):
            return
        self.ready = True
        self._ready_at = t
        self._rx.hearing.forget()
        self._events.append(Ready("V.34", self.tx_rate, self.rx_rate))
        self._enter(State.DATA, t)

    @property
    def tx_rate(self) -> int:
        """Bit/s we send, as agreed."""
        return self._coding(self._role).parameters.rate

    @property
    def rx_rate(self) -> int:
        """Bit/s we receive, as agreed."""
        return self._coding(self._role.other).parameters.rate

    def _coding(self, role: Role) -> Coding:
        assert self.agreement is not None
        return self.agreement.sent_by(role)

    # -- data ------------------------------------------------------------------------------------------------

    def _data(self, t: Samples) -> None:
        hearing = self._rx.hearing
        if hearing.quiet >= self._options.carrier_loss:
            self._events.append(CarrierLost("no carrier for as long as S10 allows"))
            self.clear_down(t)
        elif hearing.s_windows >= S_HEARD:
            self._enter(State.AWAIT_S_BAR, t)
        elif self._rx.bad_symbols >= BAD_SYMBOLS:
            self._retrain(t, "the line became too bad for its rate", responding=False)

    def renegotiate(self, t: Samples) -> None:
        """Begin a rate renegotiation (§11.6.1.1)."""
        if self.state is State.DATA:
            self._leave_for_renegotiation(by_us=True)
            self._send_renegotiation()
            self._enter(State.RENEGOTIATE, t)

    def _leave_for_renegotiation(self, by_us: bool) -> None:
        self._events.append(Renegotiating(by_us))
        self.ready = False
        self._s_end = -1.0
        self._far_mp = None
        self._mp_reader = MpReader()
        self._rx.seek_words(False)

    def _send_renegotiation(self) -> None:
        self._tx.sixteen = False
        self._tx.send(*s_and_bar(), Segment(Signal.TRN))

    def _await_s_bar(self, t: Samples) -> None:
        """§11.6.1.2: the far end begins a rate renegotiation."""
        if self._s_bar_over(t) is None:
            return
        self._leave_for_renegotiation(by_us=False)
        self._rx.hearing.forget()
        self._send_renegotiation()
        self._enter(State.SEND_TRN, t)

    def _renegotiate(self, t: Samples) -> None:
        """§11.6.1.1.2: S-bar of the far end."""
        if self._s_bar_over(t) is None:
            return
        self._rx.hearing.forget()
        self._mp_reader = MpReader()
        self._enter(State.SEND_TRN, t)
