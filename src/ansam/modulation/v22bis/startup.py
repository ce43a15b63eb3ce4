"""Operating sequences: V.22bis (11/88) §6.3 (handshake), §6.4 (retrain), §6.5 (loss of signal).

Each state is one row of `steps.STEPS`: what is sent, how long at most, and the clause. `TRANSITIONS` says
what ends it. The receiver is told to watch for exactly the inputs a state has entries for, so that an input
without an entry can not come; if one does, that is our bug and raises.

Why each segment is there: docs/spec/v22bis.md.
"""

from collections.abc import Callable

from ansam.errors import LocalProtocolError
from ansam.modulation.base import (
    CarrierDetected,
    CarrierLost,
    Failed,
    ModulationEvent,
    ModulationOptions,
    ModulationSpec,
    PhaseEntered,
    Ready,
    Retraining,
    Role,
    StepMissed,
)
from ansam.modulation.v22bis.constants import BAUD, V22_SPEC, V22BIS_SPEC
from ansam.modulation.v22bis.receiver import DETECTOR_DELAY, Heard, Receiver
from ansam.modulation.v22bis.steps import STEPS, Input, State
from ansam.modulation.v22bis.transmitter import Transmitter
from ansam.trace import Sink
from ansam.units import Samples, samples

RETRAIN_LIMIT = 4
"""Retrains in a row that we ask for before giving up; a minute of good data clears the count."""
S1_REPEATS = 6
"""Times a retrain signal is sent before the far end is given up (§6.4 names no limit)."""
FALL_BACK_REPEATS = 2
"""Unanswered retrain signals after which a far end that sends 1200 bit/s is taken at its word."""
GOOD_DATA = samples(60)


class Procedure:
    """Drives one end's transmitter and receiver through the sequence.

    Args:
        spec: Which of the two modulations this is; V.22 knows 1200 bit/s only.
        role: Calling or answering.
        options: Rate window.
        transmitter: Told what to send.
        receiver: Told what to watch for and how to decide.
        trace: Sink of phases.
    """

    def __init__(
        self,
        spec: ModulationSpec,
        role: Role,
        options: ModulationOptions,
        transmitter: Transmitter,
        receiver: Receiver,
        trace: Sink,
    ) -> None:
        self.spec = spec
        self.role = role
        self.options = options
        self.state = State.IDLE
        self.deadline: Samples | None = None
        self.far_end_seen = False
        self.ready = False
        self.receiving = False
        self.retrains_requested = 0
        self.retrains_granted = 0
        self._tx = transmitter
        self._rx = receiver
        self._trace = trace
        self._events: list[ModulationEvent] = []
        self._s1_ended: Samples | None = None
        self._ones_seen = False
        self._attempts = 0
        self._repeats = 0
        self._ready_at: Samples = 0
        self._takes_2400 = spec is V22BIS_SPEC and options.allows(2400)
        self._takes_1200 = options.allows(1200)

    def start(self, now: Samples) -> None:
        """Begin as the role says (§6.3.1)."""
        if self.state is not State.IDLE:
            raise LocalProtocolError("start() of a modulation that has been started")
        if not (self._takes_1200 or self._takes_2400):
            low, high = self.options.min_rate, self.options.max_rate
            self._fail(now, f"no data rate lies between {low} and {high} bit/s", "§2.5")
        else:
            self._enter(State.AWAIT_MARK if self.role is Role.CALLING else State.ANSWER_MARK, now)

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call."""
        out, self._events = self._events, []
        return out

    def handle(self, happened: Input, now: Samples) -> None:
        """Take one input at the instant it became certain."""
        entry = TRANSITIONS.get((self.state, happened))
        if entry is None:
            raise LocalProtocolError(f"V.22bis: input {happened.name} in state {self.state.name}")
        following = entry(self, now)
        if following is not None:
            self._enter(following, now)

    def retrain(self, now: Samples) -> None:
        """Ask for a retrain (§6.4); at 1200 bit/s there is none, and nothing happens."""
        if self.state is State.DATA_2400:
            following = self._begin_retrain(now, "")
            if following is not None:
                self._enter(following, now)

    def clear_down(self, now: Samples) -> None:
        """Stop sending and listening."""
        if self.state is not State.DOWN:
            self._enter(State.DOWN, now)

    def _enter(self, state: State, now: Samples) -> None:
        self.state = state
        step = STEPS[state]
        if self._tx.signal is not step.send:
            self._tx.send(step.send)
        start = self._s1_ended if step.from_s1 and self._s1_ended is not None else now
        self.deadline = None if step.at_most is None else max(now, start + step.at_most)
        self._watch()
        name = state.value
        self._trace(now, "modulation.v22bis", "phase", phase=name, clause=step.clause, role=self.role.value)
        if state is not State.DOWN:
            self._events.append(PhaseEntered(name, f"{V22BIS_SPEC.recommendation} {step.clause}"))

    def _deliver(self, on: bool) -> None:
        self.receiving = on
        self._rx.deliver(on)

    def _watch(self) -> None:
        watch = Heard.NONE
        for where, happened in TRANSITIONS:
            idle = happened is Input.ONES_2400 and (self._ones_seen or not self._takes_2400)
            if where is self.state and not idle:
                watch |= happened.value
        self._rx.watch(watch)

    # --- actions: return the state to enter, or None to stay
    # -------------------------------------------------

    def _see_far_end(self) -> None:
        if not self.far_end_seen:
            self.far_end_seen = True
            self._events.append(CarrierDetected(self.spec.name))

    def _missed(self, what: str, clause: str) -> tuple[str, str]:
        """Return the step with what it missed, and the clause: that of the step, where none is given."""
        where = self.spec.name if self.state is State.IDLE else f"{self.spec.name}, {self.state.value}"
        return f"{where}: {what}", f"{V22BIS_SPEC.recommendation} {clause or STEPS[self.state].clause}"

    def _fail(self, now: Samples, reason: str, clause: str = "") -> None:
        self._events.append(Failed(*self._missed(reason, clause)))
        self.ready = False
        self._deliver(False)
        self._enter(State.DOWN, now)

    def time_out(self, now: Samples) -> State | None:
        """The far end did not do what this step waits for."""
        self._fail(now, STEPS[self.state].missed)
        return None

    def hear_mark(self, now: Samples) -> State | None:
        """§6.3.1.1.1 b): unscrambled ones for 155 ms."""
        self._see_far_end()
        return State.MARK_PAUSE

    def hear_bell_mark(self, now: Samples) -> State | None:
        """A Bell 212A answerer sends 2225 Hz instead (Note to §6.3.1.2.2); a Bell 103 one does too."""
        return State.MARK_PAUSE

    def end_pause(self, now: Samples) -> State | None:
        """§6.3.1.1.1 b), or §6.3.1.2.1 b) where we take 1200 bit/s only."""
        return State.CALL_S1 if self._takes_2400 else State.AWAIT_REPLY

    def hear_s1(self, now: Samples) -> State | None:
        """The answering side knows its caller as soon as S1 is certain."""
        self._see_far_end()
        return None

    def end_s1(self, now: Samples) -> State | None:
        """The far S1 is over: circuit 112 ON."""
        if not self._takes_2400:
            return None
        self._see_far_end()
        self._s1_ended = now - DETECTOR_DELAY
        self._ones_seen = False
        self._repeats = 0
        self._rx.decide(2)
        self._deliver(False)
        if self.state in (State.CALL_S1, State.RETRAIN_S1):
            return None
        if self.state in (State.AWAIT_REPLY, State.RETRAIN_WAIT):
            return State.TRAIN_4WAY
        if self.state in (State.DATA_1200, State.DATA_2400):
            self.retrains_granted += 1
            self._leave_data(by_us=False)
            if self._rx.guessing:
                self._rx.restart()
        return State.REPLY_S1

    def end_our_s1(self, now: Samples) -> State | None:
        """Our S1 is over; what follows depends on whether the far one is."""
        if self._s1_ended is not None:
            return State.TRAIN_4WAY
        return State.AWAIT_REPLY if self.state is State.CALL_S1 else State.RETRAIN_WAIT

    def hear_ones_1200(self, now: Samples) -> State | None:
        """Scrambled ones without S1 before them: the far end works at 1200 bit/s (§6.3.1.2)."""
        self._see_far_end()
        if self.role is Role.ANSWERING and self._takes_2400 and self._rx.s1_may_be_lost:
            return State.GUESS_S1
        return self._confirm_1200(now)

    def _confirm_1200(self, now: Samples) -> State | None:
        if not self._takes_1200:
            self._fail(now, "the far end offers 1200 bit/s only, and 2400 is the least allowed")
            return None
        # §6.3.1.2.1 c): the calling modem's circuit 109 goes ON now, the answering one's after 765 ms.
        if self.role is Role.CALLING:
            self._deliver(True)
        return State.CONFIRM_1200

    def end_guess_s1(self, now: Samples) -> State | None:
        """Deviation: a V.22 modem ignores our S1 (§6.3.1.2.1 b), so it costs nothing but time."""
        return State.GUESS_WAIT

    def join_2400(self, now: Samples) -> State | None:
        """Deviation: the far end sends at 2400 bit/s, so it has heard our S1, and we have missed its own."""
        self._s1_ended = None
        self._ones_seen = False
        self._deliver(False)
        self._rx.decide(4)
        return State.CONFIRM_2400

    def start_16way(self, now: Samples) -> State | None:
        """450 ms after the far S1 ended."""
        self._rx.decide(4)
        return State.TRAIN_16WAY

    def start_2400(self, now: Samples) -> State | None:
        """600 ms after the far S1 ended."""
        return State.CONFIRM_2400

    def hear_ones_2400(self, now: Samples) -> State | None:
        """§6.3.1.1.1 f): ready to receive."""
        self._ones_seen = True
        self._deliver(True)
        self._watch()
        return None

    def end_confirm_2400(self, now: Samples) -> State | None:
        """§6.3.1.1.1 e): ready to send, if also ready to receive."""
        return self._begin_data(now, 2400) if self._ones_seen else State.AWAIT_ONES

    def end_wait_ones(self, now: Samples) -> State | None:
        """§6.4: "If the modem fails to synchronize … shall transmit another retrain signal".

        Deviation: a far end that steadily sends 1200 bit/s has missed our S1 and would ignore another.
        """
        if self._rx.hears_four_way:
            return self._fall_back(now)
        return self._begin_retrain(now, "no 32 scrambled ones at 2400 bit/s came")

    def end_await_ones(self, now: Samples) -> State | None:
        """The last thing missing has come."""
        self.hear_ones_2400(now)
        return self._begin_data(now, 2400)

    def end_guess_wait(self, now: Samples) -> State | None:
        """No S1 had been hidden: the far end is one of 1200 bit/s."""
        if not self._takes_1200:
            return self._confirm_1200(now)
        return self.end_confirm_1200(now)

    def end_confirm_1200(self, now: Samples) -> State | None:
        """765 ms are over (§6.3.1.2.1 d), §6.3.1.2.2 c).

        Deviation: what can not be decided four ways is a far end at 2400 bit/s whose S1 we have missed.
        """
        if self._takes_2400 and self._rx.guessing:
            return self._begin_retrain(now, "what the far end sends can not be decided at 1200 bit/s")
        self._deliver(True)
        return self._begin_data(now, 1200)

    def lose_carrier(self, now: Samples) -> State | None:
        """Circuit 109 has been OFF for as long as S10 allows."""
        self._events.append(CarrierLost(*self._missed("no carrier for as long as S10 allows", "§6.5")))
        self.ready = False
        return State.DOWN

    def lose_equalisation(self, now: Samples) -> State | None:
        """§6.4: retrain; V.22 has none, so at 1200 bit/s the receiver starts afresh on the live signal."""
        if self.state is State.DATA_2400:
            return self._begin_retrain(now, "the line became too bad: decisions are guesses")
        self._rx.restart()
        return None

    def hear_four_way(self, now: Samples) -> State | None:
        """Deviation: the far end has begun a retrain, and we have missed its S1."""
        return self._begin_retrain(now, "the far end retrains, and its S1 was not heard")

    def repeat_s1(self, now: Samples) -> State | None:
        """§6.4: no S1 came back within 1.2 s.

        Deviation: after the second time, a far end that steadily sends 1200 bit/s knows no retrain.
        """
        self._repeats += 1
        if self._repeats >= FALL_BACK_REPEATS and self._takes_1200 and self._rx.hears_four_way:
            return self._fall_back(now)
        if self._repeats >= S1_REPEATS:
            self._fail(now, f"the far end answered none of {S1_REPEATS} S1 signals")
            return None
        self._events.append(StepMissed(*self._missed("no S1 came in answer to ours", "")))
        return State.RETRAIN_S1

    def _fall_back(self, now: Samples) -> State | None:
        """Work at 1200 bit/s as the far end does."""
        if not self._takes_1200:
            self._fail(now, "the far end stays at 1200 bit/s, and 2400 is the least allowed")
            return None
        self._deliver(True)
        return self._begin_data(now, 1200)

    def _begin_data(self, now: Samples, rate: int) -> State:
        self.ready = True
        self._ready_at = now
        self._rx.decide(rate // BAUD)
        self._rx.learn(False)
        # At 1200 bit/s it is V.22, whatever the modems could do besides (V.22bis (11/88) §1 h).
        spec = self.spec if rate == 2400 else V22_SPEC
        self._events.append(Ready(spec.name, rate, rate))
        return State.DATA_2400 if rate == 2400 else State.DATA_1200

    def _leave_data(self, by_us: bool) -> None:
        if self.ready:
            self._events.append(Retraining(by_us))
        self.ready = False
        self._deliver(False)

    def _begin_retrain(self, now: Samples, why: str) -> State | None:
        """Begin a retrain (§6.4); `why` is "" where the owner asked for it."""
        if self.ready and now - self._ready_at > GOOD_DATA:
            self._attempts = 0
        self._attempts += 1
        if self._attempts > RETRAIN_LIMIT:
            self._fail(now, f"{why or 'the line is bad'}, after {RETRAIN_LIMIT} retrains", "§6.4")
            return None
        if why:
            self._events.append(StepMissed(*self._missed(why, "")))
        self.retrains_requested += 1
        self._leave_data(by_us=True)
        self._s1_ended = None
        self._ones_seen = False
        self._repeats = 0
        self._rx.decide(2)
        self._rx.restart()
        return State.RETRAIN_S1


_Action = Callable[[Procedure, Samples], State | None]

TRANSITIONS: dict[tuple[State, Input], _Action] = {
    (State.AWAIT_MARK, Input.MARK): Procedure.hear_mark,
    (State.AWAIT_MARK, Input.BELL_MARK): Procedure.hear_bell_mark,
    (State.AWAIT_MARK, Input.TIMEOUT): Procedure.time_out,
    (State.MARK_PAUSE, Input.TIMEOUT): Procedure.end_pause,
    (State.CALL_S1, Input.S1_END): Procedure.end_s1,
    (State.CALL_S1, Input.TIMEOUT): Procedure.end_our_s1,
    (State.AWAIT_REPLY, Input.S1_END): Procedure.end_s1,
    (State.AWAIT_REPLY, Input.ONES_1200): Procedure.hear_ones_1200,
    (State.AWAIT_REPLY, Input.TIMEOUT): Procedure.time_out,
    (State.ANSWER_MARK, Input.S1): Procedure.hear_s1,
    (State.ANSWER_MARK, Input.S1_END): Procedure.end_s1,
    (State.ANSWER_MARK, Input.ONES_1200): Procedure.hear_ones_1200,
    (State.ANSWER_MARK, Input.TIMEOUT): Procedure.time_out,
    (State.REPLY_S1, Input.TIMEOUT): Procedure.end_our_s1,
    (State.TRAIN_4WAY, Input.S1_END): Procedure.end_s1,
    (State.TRAIN_4WAY, Input.TIMEOUT): Procedure.start_16way,
    (State.TRAIN_16WAY, Input.S1_END): Procedure.end_s1,
    (State.TRAIN_16WAY, Input.ONES_2400): Procedure.hear_ones_2400,
    (State.TRAIN_16WAY, Input.TIMEOUT): Procedure.start_2400,
    (State.CONFIRM_2400, Input.S1_END): Procedure.end_s1,
    (State.CONFIRM_2400, Input.ONES_2400): Procedure.hear_ones_2400,
    (State.CONFIRM_2400, Input.TIMEOUT): Procedure.end_confirm_2400,
    (State.AWAIT_ONES, Input.S1_END): Procedure.end_s1,
    (State.AWAIT_ONES, Input.ONES_2400): Procedure.end_await_ones,
    (State.AWAIT_ONES, Input.TIMEOUT): Procedure.end_wait_ones,
    (State.GUESS_S1, Input.TIMEOUT): Procedure.end_guess_s1,
    (State.GUESS_WAIT, Input.S1_END): Procedure.end_s1,
    (State.GUESS_WAIT, Input.ONES_2400): Procedure.join_2400,
    (State.GUESS_WAIT, Input.TIMEOUT): Procedure.end_guess_wait,
    (State.CONFIRM_1200, Input.S1_END): Procedure.end_s1,
    (State.CONFIRM_1200, Input.ONES_2400): Procedure.join_2400,
    (State.CONFIRM_1200, Input.TIMEOUT): Procedure.end_confirm_1200,
    (State.DATA_1200, Input.S1_END): Procedure.end_s1,
    (State.DATA_1200, Input.CARRIER_GONE): Procedure.lose_carrier,
    (State.DATA_1200, Input.BAD_SIGNAL): Procedure.lose_equalisation,
    (State.DATA_2400, Input.S1_END): Procedure.end_s1,
    (State.DATA_2400, Input.CARRIER_GONE): Procedure.lose_carrier,
    (State.DATA_2400, Input.BAD_SIGNAL): Procedure.lose_equalisation,
    (State.DATA_2400, Input.FOUR_WAY): Procedure.hear_four_way,
    (State.RETRAIN_S1, Input.S1_END): Procedure.end_s1,
    (State.RETRAIN_S1, Input.TIMEOUT): Procedure.end_our_s1,
    (State.RETRAIN_WAIT, Input.S1_END): Procedure.end_s1,
    (State.RETRAIN_WAIT, Input.CARRIER_GONE): Procedure.lose_carrier,
    (State.RETRAIN_WAIT, Input.TIMEOUT): Procedure.repeat_s1,
}
