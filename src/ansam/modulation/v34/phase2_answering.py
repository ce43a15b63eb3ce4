"""The answering modem's phase 2: V.34 (10/96) §11.2.1.2, recoveries §11.2.2.2, retrains §11.5.2."""

from ansam.modulation.v34 import phase2_common as common
from ansam.modulation.v34.info import Info1c
from ansam.modulation.v34.info_channel import SEQUENCE_TAIL
from ansam.modulation.v34.phase2_common import STEADY
from ansam.modulation.v34.phase2_core import UNKNOWN_LINE, Core, Table
from ansam.modulation.v34.phase2_steps import INFO1C_WAIT, TONE_A_LEAST, Input, State
from ansam.units import Samples


def queue_info1a(p: Core, now: Samples) -> None:
    """Send INFO1a."""
    assert p.selected is not None
    p.line.sender.drop()
    p.line.sender.queue(p.selected.encode())
    p.deadline = now + p.line.sender.time_left + SEQUENCE_TAIL


def await_info1c(p: Core, now: Samples) -> None:
    """Counted from the tone B that ended our L2 (§11.2.2.2.4)."""
    p.deadline = max(now, p.tone_heard_at + INFO1C_WAIT + 2 * p.round_trip)


def hold_tone(p: Core, now: Samples) -> None:
    """Tone A lasts for 50 ms at least."""
    p.deadline = max(now, p.tone_from + TONE_A_LEAST)


def tone_begins(p: Core, now: Samples) -> None:
    """Note since when it is there."""
    p.tone_from = now + SEQUENCE_TAIL


def hear_b1(p: Core, now: Samples) -> State | None:
    """§11.2.1.2.4: the first reversal of tone B."""
    if p.line.receiver.steady_before < STEADY:
        return None
    p.hear_reversal()
    p.measure_round_trip()
    return State.A_TURN1


def miss_b1(p: Core, now: Samples) -> State | None:
    """It was hidden."""
    p.miss_reversal(now)
    p.measure_round_trip()
    return State.A_TURN1


def hear_b(p: Core, now: Samples) -> State | None:
    """§11.2.1.2.3 with INFO0c received, §11.2.2.2.1 without."""
    return State.A_REPEAT if p.far is None else State.A_HOLD


def reverse_a(p: Core, now: Samples) -> State | None:
    """§11.2.1.2.3: tone A has lasted for 50 ms."""
    p.reversed_at = now
    p.line.sender.reverse()
    return State.A_WAIT_B1


def no_b1(p: Core, now: Samples) -> State | None:
    """§11.2.2.2.2, §11.2.2.2.3."""
    return State.A_TONE


def turn_a(p: Core, now: Samples) -> State | None:
    """§11.2.1.2.5: 40 ms after the reversal of B."""
    p.line.sender.reverse()
    return State.A_TAIL1


def probe_answering(p: Core, now: Samples) -> State | None:
    """Tone A is over: L1."""
    return State.A_PROBE


def hear_b_after_l2(p: Core, now: Samples) -> State | None:
    """§11.2.1.2.6: the calling modem has heard enough."""
    p.tone_heard_at = now
    return State.A_TONE2


def reverse_a2(p: Core, now: Samples) -> State | None:
    """§11.2.1.2.6: after 50 ms."""
    p.line.sender.reverse()
    return State.A_TAIL2


def await_b2(p: Core, now: Samples) -> State | None:
    """Tone A is over."""
    return State.A_WAIT_B2


def hear_b2(p: Core, now: Samples) -> State | None:
    """§11.2.1.2.7."""
    p.hear_reversal()
    return State.A_HEAR_L1


def miss_b2(p: Core, now: Samples) -> State | None:
    """It was hidden."""
    p.miss_reversal(now)
    return State.A_HEAR_L1


def end_l2_answering(p: Core, now: Samples) -> State | None:
    """§11.2.1.2.8: tone A tells the calling modem that L2 may end."""
    p.analyse(now)
    return State.A_TONE3


def hear_info1c(p: Core, now: Samples) -> State | None:
    """§11.2.1.2.9: select."""
    frame = p.line.receiver.frame
    assert isinstance(frame, Info1c)
    assert p.far is not None
    p.info1c = frame
    p.selected = p.chooser.info1a(p.probe or UNKNOWN_LINE, p.far, frame)
    if p.selected is None:
        p.fail("INFO0 and INFO1c leave no symbol rate for both directions", now, "§11.2.1.2.9")
        return None
    return State.A_INFO1


def end_info1a(p: Core, now: Samples) -> State | None:
    """§11.2.1.2.9: all is said."""
    assert p.selected is not None
    return p.finish(p.selected, now, now)


def await_quiet(p: Core, now: Samples) -> State | None:
    """From now on INFO1c may be over."""
    return State.A_WAIT_INFO1


def quiet(p: Core, now: Samples) -> State | None:
    """INFO1c is over, and was not understood.

    Deviation: §11.2.2.2.4 waits for 2 s and two round trips more. The calling modem listens for INFOMARKSa
    from 700 ms and a round trip after INFO1c on, but for tone A as well: heard then, that begins a retrain.
    The answering modem of motorola-sm56-problematic1.wav sends INFOMARKSa some 0.4 s after INFO1c, as we do.
    """
    p.miss("INFO1c was damaged", "§11.2.2.2.4")
    return State.A_MARKS


def no_info1c(p: Core, now: Samples) -> State | None:
    """§11.2.2.2.4: ask for it."""
    return State.A_MARKS


ANSWERING = Table(
    entry={
        State.A_INFO0: common.queue_info0,
        State.A_TONE: tone_begins,
        State.A_HOLD: hold_tone,
        State.A_REPEAT: common.queue_info0,
        State.A_REPEAT_LAST: common.finish_info0,
        State.A_TURN1: common.await_turn,
        State.A_HEAR_L1: common.await_l2,
        State.A_HEAR_L2: common.capture,
        State.A_WAIT_INFO1: await_info1c,
        State.A_INFO1: queue_info1a,
        State.A_MARKS: common.queue_marks,
    },
    transitions={
        (State.PAUSE, Input.TIMEOUT): common.after_pause,
        (State.PAUSE, Input.INFO0): common.hear_info0,
        (State.A_INFO0, Input.INFO0): common.hear_info0,
        (State.A_INFO0, Input.TIMEOUT): common.begin_tone,
        (State.A_TONE, Input.INFO0): common.hear_info0_again,
        (State.A_TONE, Input.TONE): hear_b,
        (State.A_TONE, Input.TIMEOUT): common.nothing_heard,
        (State.A_HOLD, Input.TIMEOUT): reverse_a,
        (State.A_REPEAT, Input.INFO0): common.hear_info0_repeating,
        (State.A_REPEAT, Input.TONE): common.hear_tone_repeating,
        (State.A_REPEAT, Input.TIMEOUT): common.repeat,
        (State.A_REPEAT_LAST, Input.INFO0): common.hear_info0,
        (State.A_REPEAT_LAST, Input.TIMEOUT): common.begin_tone,
        (State.A_WAIT_B1, Input.INFO0): common.hear_info0_again,
        (State.A_WAIT_B1, Input.REVERSAL): hear_b1,
        (State.A_WAIT_B1, Input.HIDDEN): miss_b1,
        (State.A_WAIT_B1, Input.TIMEOUT): no_b1,
        (State.A_TURN1, Input.TIMEOUT): turn_a,
        (State.A_TAIL1, Input.TIMEOUT): probe_answering,
        (State.A_PROBE, Input.TONE): hear_b_after_l2,
        (State.A_PROBE, Input.TIMEOUT): no_b1,
        (State.A_TONE2, Input.TIMEOUT): reverse_a2,
        (State.A_TAIL2, Input.TIMEOUT): await_b2,
        (State.A_WAIT_B2, Input.REVERSAL): hear_b2,
        (State.A_WAIT_B2, Input.HIDDEN): miss_b2,
        (State.A_WAIT_B2, Input.TIMEOUT): common.retrain,
        (State.A_HEAR_L1, Input.TIMEOUT): common.begin_l2,
        (State.A_HEAR_L2, Input.TIMEOUT): end_l2_answering,
        (State.A_TONE3, Input.INFO1): hear_info1c,
        (State.A_TONE3, Input.TONE): common.respond,
        (State.A_TONE3, Input.TIMEOUT): await_quiet,
        (State.A_WAIT_INFO1, Input.INFO1): hear_info1c,
        (State.A_WAIT_INFO1, Input.TONE): common.respond,
        (State.A_WAIT_INFO1, Input.QUIET): quiet,
        (State.A_WAIT_INFO1, Input.TIMEOUT): no_info1c,
        (State.A_INFO1, Input.TIMEOUT): end_info1a,
        (State.A_MARKS, Input.INFO1): hear_info1c,
        (State.A_MARKS, Input.TONE): common.respond,
        (State.A_MARKS, Input.TIMEOUT): common.retrain,
    },
)
