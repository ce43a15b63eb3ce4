"""What the two ends' phase 2 share: the state, how a step begins, what was measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ansam.errors import LocalProtocolError
from ansam.modulation.base import ModulationOptions, PhaseEntered, Role, StepMissed
from ansam.modulation.v34.info import Info0, Info1a, Info1c
from ansam.modulation.v34.info_channel import Hearing
from ansam.modulation.v34.phase2_choice import Chooser, Direction
from ansam.modulation.v34.phase2_line import Phase2Line
from ansam.modulation.v34.phase2_steps import MISSED, STEPS, TURN, Input, Sends, State
from ansam.modulation.v34.probing import TONES_HZ, LineProbe
from ansam.trace import Sink
from ansam.units import Samples, samples

RECOMMENDATION = "V.34 (10/96)"
LONGEST: Samples = samples(45)
"""Phase 2 with all its recoveries takes no longer, or is given up."""
UNKNOWN_LINE = LineProbe((-30.0,) * len(TONES_HZ), (-52.0,) * len(TONES_HZ), (-120.0,) * 4, None, 0)
"""Taken where lost packets left nothing of L2: 22 dB, good for some 14400 bit/s."""
HEARINGS = (
    (Hearing.REVERSAL, Input.REVERSAL),
    (Hearing.MARKS, Input.MARKS),
    (Hearing.TONE, Input.TONE),
    (Hearing.QUIET, Input.QUIET),
)


@dataclass(frozen=True, slots=True)
class Phase2Result:
    """What was agreed.

    Attributes:
        at: When the last bit of INFO1a ended: on the line here (answering), as received (calling). Phase 3
            begins 70 ± 5 ms later.
        far: The far end's INFO0.
        info1c: What the calling modem asked for.
        info1a: What the answering modem selected.
        send: How we shall send.
        receive: How the far end will.
        round_trip: Round trip delay (§11.2.1.1.4, §11.2.1.2.4).
        round_trip_certain: False where lost packets hid a reversal it was measured with.
        probe: What our receiver measured.
    """

    at: Samples
    far: Info0
    info1c: Info1c
    info1a: Info1a
    send: Direction
    receive: Direction
    round_trip: Samples
    round_trip_certain: bool
    probe: LineProbe


Action: TypeAlias = "Callable[[Core, Samples], State | None]"
"""Returns the state to enter, or None to stay."""


@dataclass(frozen=True, slots=True)
class Table:
    """What an end does.

    Attributes:
        entry: What a state does when it begins.
        transitions: What ends it.
    """

    entry: "Mapping[State, Callable[[Core, Samples], None]]"
    transitions: Mapping[tuple[State, Input], Action]


class Core:
    """The state of one end's phase 2.

    Args:
        role: Calling or answering.
        options: Rates, level, what may be asked for.
        table: What this end does.
        trace: Takes the phases and what was measured.

    Attributes:
        state: Where in the procedure.
        deadline: When `Input.TIMEOUT` comes, or None.
        limit: When all is given up.
        result: What was agreed, or None.
        failure: Why nothing was, or "", ...
        failure_clause: ... and where that stands.
        far: The far end's INFO0, or None.
        info1c: What the calling modem asked for, or None.
        selected: What we answer to it (answering modem).
        probe: What was measured, or None.
        following: What comes after a pause.
        attempts: Retrains begun by us.
        repeats: INFO0 sent beyond the first.
        heard_at: When the last reversal was heard.
        heard_certain: False where a gap hid it.
        reversed_at: When we last reversed our tone to measure the round trip.
        tone_from: Since when our tone has been on the line.
        tone_heard_at: When tone B after L2 was heard (answering modem).
        round_trip: As measured.
        round_trip_certain: False where a gap hid a reversal.
    """

    def __init__(self, role: Role, options: ModulationOptions, table: Table, trace: Sink) -> None:
        self.role = role
        self.table = table
        self.trace = trace
        self.line = Phase2Line(role, options.tx_level_dbm0)
        self.chooser = Chooser(role, options)
        self.state = State.IDLE
        self.deadline: Samples | None = None
        self.limit: Samples = 0
        self.events: list[PhaseEntered | StepMissed] = []
        self.result: Phase2Result | None = None
        self.failure = self.failure_clause = ""
        self.far: Info0 | None = None
        self.info1c: Info1c | None = None
        self.selected: Info1a | None = None
        self.probe: LineProbe | None = None
        self.following = State.IDLE
        self.attempts = 0
        self.repeats = 0
        self.heard_at: Samples = 0
        self.heard_certain = True
        self.reversed_at: Samples = 0
        self.tone_from: Samples = 0
        self.tone_heard_at: Samples = 0
        self.round_trip: Samples = 0
        self.round_trip_certain = False

    @property
    def over(self) -> bool:
        """Whether there is a result or a failure."""
        return self.state in (State.DONE, State.FAILED)

    def handle(self, happened: Input, now: Samples) -> None:
        """Take one input at the instant it became certain."""
        if now >= self.limit and not self.over:
            self.fail(f"no end of it after {LONGEST // samples(1)} s", now)
            return
        action = self.table.transitions.get((self.state, happened))
        if action is None:
            raise LocalProtocolError(f"V.34 phase 2: input {happened.name} in state {self.state.name}")
        following = action(self, now)
        if happened is Input.TIMEOUT and self.state in MISSED and not self.over:
            self.miss(*MISSED[self.state])
        if following is not None:
            self.enter(following, now)

    def _missed(self, what: str, clause: str) -> tuple[str, str]:
        """Return the present step with what it missed, and the clause."""
        return f"V.34 phase 2, {self.state.value}: {what}", f"{RECOMMENDATION} {clause}".strip()

    def miss(self, what: str, clause: str) -> None:
        """Tell the owner what the present step has not got."""
        self.events.append(StepMissed(*self._missed(what, clause)))

    def enter(self, state: State, now: Samples) -> None:
        """Begin a step."""
        step = STEPS[state]
        self.state = state
        self.deadline = None
        if step.at_most is not None:
            self.deadline = now + step.at_most + step.round_trips * self.round_trip
        self.line.switch(step.send)
        action = self.table.entry.get(state)
        if action is not None:
            action(self, now)
        self.watch()
        self.trace(
            now, "modulation.v34", "phase", phase=state.value, clause=step.clause, role=self.role.value
        )
        self.events.append(PhaseEntered(state.value, f"{RECOMMENDATION} {step.clause}".strip()))

    def watch(self) -> None:
        """Have the receiver stop at exactly what the state has transitions for."""
        wanted = {happened for state, happened in self.table.transitions if state is self.state}
        if self.state is State.C_TONE:
            # A tone before INFO0a is a failure, a reversal before it no use (§11.2.2.1.1).
            wanted.discard(Input.TONE if self.far is not None else Input.REVERSAL)
        watch = Hearing.NONE
        for flag, happened in HEARINGS:
            if happened in wanted:
                watch |= flag
        if Input.INFO0 in wanted or Input.INFO1 in wanted:
            watch |= Hearing.FRAME
        if Input.HIDDEN in wanted:
            watch |= Hearing.TONE_GONE
        if Input.TONE in wanted:
            self.line.receiver.forget_tone()
        step = STEPS[self.state]
        expected = Info1a if self.role is Role.CALLING else Info1c
        fill = expected.span() if Input.INFO1 in wanted else 0
        self.line.receiver.watch(watch, step.tone, beside_probe=step.send is Sends.PROBE, fill=fill)

    def pause(self, following: State, now: Samples, pause: Samples) -> None:
        """Be silent, then enter a state."""
        self.following = following
        self.enter(State.PAUSE, now)
        self.deadline = now + pause

    def fail(self, why: str, now: Samples, clause: str = "") -> None:
        """Give up; the clause is that of the step, where none is given."""
        self.failure, self.failure_clause = self._missed(why, clause or STEPS[self.state].clause)
        self.enter(State.FAILED, now)

    def finish(self, info1a: Info1a, now: Samples, at: Samples) -> State | None:
        """Note what was agreed."""
        assert self.far is not None
        assert self.info1c is not None
        send, receive = self.chooser.directions(self.info1c, info1a)
        self.result = Phase2Result(
            at,
            self.far,
            self.info1c,
            info1a,
            send,
            receive,
            self.round_trip,
            self.round_trip_certain,
            self.probe or UNKNOWN_LINE,
        )
        return State.DONE

    def hear_reversal(self) -> None:
        """Note when the reversal just heard was."""
        self.heard_at = self.line.instant(self.line.receiver.reversal_at)
        self.heard_certain = self.line.receiver.reversal_certain

    def miss_reversal(self, now: Samples) -> None:
        """Note when it must have been, from the gap that hid it."""
        gap = self.line.gap_before(now)
        self.heard_at = now if gap is None else gap
        self.heard_certain = False

    def measure_round_trip(self) -> None:
        """The far end answered our reversal after 40 ms (§11.2.1.1.4, §11.2.1.2.4)."""
        self.round_trip = max(0, self.heard_at - self.reversed_at - TURN)
        self.round_trip_certain = self.heard_certain

    def analyse(self, now: Samples) -> None:
        """Measure the L2 that was kept."""
        self.probe = self.line.analyse()
        probe = self.probe
        if probe is not None:
            self.trace(
                now,
                "modulation.v34",
                "probe",
                snr_db=probe.snr_db,
                level_dbm0=probe.level_dbm0,
                tones_dbm0=probe.tones_dbm0,
                noise_dbm0=probe.noise_dbm0,
                offset_hz=probe.offset_hz,
            )
