"""The calling modem's phase 2: V.34 (10/96) §11.2.1.1, recoveries §11.2.2.1, retrains §11.5.1."""

from ansam.modulation.v34 import phase2_common as common
from ansam.modulation.v34.info import FILL, Info1a
from ansam.modulation.v34.info_channel import SEQUENCE_TAIL
from ansam.modulation.v34.phase2_common import STEADY
from ansam.modulation.v34.phase2_core import UNKNOWN_LINE, Core, Table
from ansam.modulation.v34.phase2_steps import SECOND_WAIT, Input, State
from ansam.modulation.v34.tones import BAUD
from ansam.units import SAMPLE_RATE, Samples


def queue_info1(p: Core, now: Samples) -> None:
    """Send INFO1c."""
    assert p.info1c is not None
    p.line.sender.drop()
    p.line.sender.queue(p.info1c.encode())
    p.deadline = now + p.line.sender.time_left + SEQUENCE_TAIL


def await_second(p: Core, now: Samples) -> None:
    """Counted from the reversal that began L1 (§11.2.2.1.4); 40 ms more until ours."""
    p.deadline = max(now, p.heard_at + SECOND_WAIT + p.round_trip)


def tone_too_early(p: Core, now: Samples) -> State | None:
    """§11.2.2.1.1: tone A before INFO0a."""
    return State.C_REPEAT


def hear_a1(p: Core, now: Samples) -> State | None:
    """§11.2.1.1.3: the first reversal of tone A."""
    if p.line.receiver.steady_before < STEADY:
        return None
    p.hear_reversal()
    return State.C_TURN1


def turn_b(p: Core, now: Samples) -> State | None:
    """40 ms later: reverse tone B."""
    p.reversed_at = now
    p.line.sender.reverse()
    return State.C_TAIL1 if p.state is State.C_TURN1 else State.C_TAIL2


def await_a2(p: Core, now: Samples) -> State | None:
    """Tone B is over."""
    return State.C_WAIT_A2


def hear_a2(p: Core, now: Samples) -> State | None:
    """§11.2.1.1.4: the second reversal of tone A."""
    p.hear_reversal()
    p.measure_round_trip()
    return State.C_HEAR_L1


def miss_a2(p: Core, now: Samples) -> State | None:
    """It was hidden."""
    p.miss_reversal(now)
    p.measure_round_trip()
    return State.C_HEAR_L1


def hear_info0_in_silence(p: Core, now: Samples) -> State | None:
    """INFO0a where the second reversal was due: the answering modem has begun its own recovery.

    Deviation: §11.2.2.1.1 speaks of it for the steps before only. A lost packet in our tone B looks like a
    repeated INFO0c to at least one modem (slmodemd), which then sends INFO0a until it is answered.
    """
    return State.C_TONE if common.take_info0(p).acknowledge else State.C_REPEAT


def await_info0a(p: Core, now: Samples) -> State | None:
    """§11.5.1.1: from now on INFO0a is heard.

    Deviation: before, it is not. After a damaged INFO1c slmodemd understands no INFO0c, but a tone.
    """
    return State.C_TONE


def hear_info0_after_info1(p: Core, now: Samples) -> State | None:
    """INFO0a where INFO1a was due: the answering modem (slmodemd) did not understand INFO1c."""
    common.take_info0(p)
    return common.respond(p, now)


def no_a2(p: Core, now: Samples) -> State | None:
    """§11.2.2.1.3."""
    return State.C_SILENT


def hear_silent_a(p: Core, now: Samples) -> State | None:
    """§11.2.2.1.3: tone A again."""
    return State.C_TONE


def end_l2_calling(p: Core, now: Samples) -> State | None:
    """§11.2.1.1.5: decide, and tell the answering modem by tone B that L2 may end."""
    assert p.far is not None
    p.analyse(now)
    p.info1c = p.chooser.info1c(p.probe or UNKNOWN_LINE, p.far)
    return State.C_TONE2


def hear_a3(p: Core, now: Samples) -> State | None:
    """§11.2.1.1.6: the reversal after 50 ms of tone A."""
    p.hear_reversal()
    return State.C_TURN2


def miss_a3(p: Core, now: Samples) -> State | None:
    """It was hidden."""
    p.miss_reversal(now)
    return State.C_TURN2


def no_a3(p: Core, now: Samples) -> State | None:
    """§11.2.2.1.4: no reversal; go on 40 ms later all the same."""
    p.heard_at, p.heard_certain = now, False
    return State.C_TURN2


def probe_calling(p: Core, now: Samples) -> State | None:
    """Tone B is over: L1."""
    return State.C_PROBE


def hear_a_after_l2(p: Core, now: Samples) -> State | None:
    """§11.2.1.1.7: the answering modem has heard enough."""
    return State.C_INFO1


def end_info1c(p: Core, now: Samples) -> State | None:
    """§11.2.1.1.8."""
    return State.C_SENT_INFO1


def await_info1a(p: Core, now: Samples) -> State | None:
    """INFO1c has arrived by now, or never will."""
    return State.C_WAIT_INFO1


def no_info1a(p: Core, now: Samples) -> State | None:
    """§11.2.2.1.6."""
    return State.C_RECOVER


def hear_info1a(p: Core, now: Samples) -> State | None:
    """§11.2.1.1.8: all is said."""
    frame = p.line.receiver.frame
    assert isinstance(frame, Info1a)
    end = p.line.instant(p.line.receiver.frame_end + len(FILL) * SAMPLE_RATE / BAUD)
    return p.finish(frame, now, end)


def send_info1c_again(p: Core, now: Samples) -> State | None:
    """§11.2.2.1.6: INFOMARKSa asks for it; taken from the end of INFO1c on, since it means nothing else."""
    return State.C_INFO1


CALLING = Table(
    entry={
        State.C_INFO0: common.queue_info0,
        State.C_REPEAT: common.queue_info0,
        State.C_REPEAT_LAST: common.finish_info0,
        State.C_TURN1: common.await_turn,
        State.C_HEAR_L1: common.await_l2,
        State.C_HEAR_L2: common.capture,
        State.C_TONE2: await_second,
        State.C_TURN2: common.await_turn,
        State.C_INFO1: queue_info1,
        State.C_MARKS: common.queue_marks,
    },
    transitions={
        (State.PAUSE, Input.TIMEOUT): common.after_pause,
        (State.PAUSE, Input.INFO0): common.hear_info0,
        (State.C_INFO0, Input.INFO0): common.hear_info0,
        (State.C_INFO0, Input.TIMEOUT): common.begin_tone,
        (State.C_TONE, Input.INFO0): common.hear_info0_again,
        (State.C_TONE, Input.TONE): tone_too_early,
        (State.C_TONE, Input.REVERSAL): hear_a1,
        (State.C_TONE, Input.TIMEOUT): common.nothing_heard,
        (State.C_RETRAIN, Input.REVERSAL): hear_a1,
        (State.C_RETRAIN, Input.TIMEOUT): await_info0a,
        (State.C_REPEAT, Input.INFO0): common.hear_info0_repeating,
        (State.C_REPEAT, Input.TONE): common.hear_tone_repeating,
        (State.C_REPEAT, Input.TIMEOUT): common.repeat,
        (State.C_REPEAT_LAST, Input.INFO0): common.hear_info0,
        (State.C_REPEAT_LAST, Input.TIMEOUT): common.begin_tone,
        (State.C_TURN1, Input.TIMEOUT): turn_b,
        (State.C_TAIL1, Input.TIMEOUT): await_a2,
        (State.C_WAIT_A2, Input.REVERSAL): hear_a2,
        (State.C_WAIT_A2, Input.HIDDEN): miss_a2,
        (State.C_WAIT_A2, Input.INFO0): hear_info0_in_silence,
        (State.C_WAIT_A2, Input.TIMEOUT): no_a2,
        (State.C_SILENT, Input.TONE): hear_silent_a,
        (State.C_SILENT, Input.INFO0): hear_info0_in_silence,
        (State.C_SILENT, Input.TIMEOUT): common.nothing_heard,
        (State.C_HEAR_L1, Input.TIMEOUT): common.begin_l2,
        (State.C_HEAR_L2, Input.TIMEOUT): end_l2_calling,
        (State.C_TONE2, Input.REVERSAL): hear_a3,
        (State.C_TONE2, Input.HIDDEN): miss_a3,
        (State.C_TONE2, Input.TIMEOUT): no_a3,
        (State.C_TURN2, Input.TIMEOUT): turn_b,
        (State.C_TAIL2, Input.TIMEOUT): probe_calling,
        (State.C_PROBE, Input.TONE): hear_a_after_l2,
        (State.C_PROBE, Input.TIMEOUT): common.retrain,
        (State.C_INFO1, Input.TIMEOUT): end_info1c,
        (State.C_SENT_INFO1, Input.INFO1): hear_info1a,
        (State.C_SENT_INFO1, Input.TIMEOUT): await_info1a,
        (State.C_WAIT_INFO1, Input.INFO1): hear_info1a,
        (State.C_WAIT_INFO1, Input.INFO0): hear_info0_after_info1,
        (State.C_WAIT_INFO1, Input.MARKS): send_info1c_again,
        (State.C_WAIT_INFO1, Input.TIMEOUT): no_info1a,
        (State.C_RECOVER, Input.INFO1): hear_info1a,
        (State.C_RECOVER, Input.INFO0): hear_info0_after_info1,
        (State.C_RECOVER, Input.MARKS): send_info1c_again,
        (State.C_RECOVER, Input.TONE): common.respond,
        (State.C_RECOVER, Input.TIMEOUT): common.retrain,
        (State.C_MARKS, Input.MARKS): send_info1c_again,
        (State.C_MARKS, Input.TONE): common.respond,
        (State.C_MARKS, Input.TIMEOUT): common.retrain,
    },
)
