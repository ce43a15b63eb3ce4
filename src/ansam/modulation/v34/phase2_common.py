"""Actions that both ends have in common; each returns the state to enter, or None to stay."""

from dataclasses import replace

import numpy as np

from ansam.modulation.base import Role
from ansam.modulation.v34.info import FILL, Info0
from ansam.modulation.v34.phase2_core import Core
from ansam.modulation.v34.phase2_steps import L2_HEARD, MISSED, PAUSE, TAIL, TURN, State
from ansam.modulation.v34.probing import L1_LENGTH, SETTLE
from ansam.units import Samples, samples

STEADY: Samples = samples(0.030)
"""Of tone before a reversal, where INFO0 may come as well: its zeros are fewer."""
PATIENCE = 3
"""INFO0 repeated so often without success may have been taken for longer ones."""
LONGER = 16
"""Zeros that make an INFO0 pass for one of V.90, 13 bits longer: a check that has come to 0 stays so."""
ATTEMPTS = 5
"""Retrains that phase 2 begins by itself before it gives up."""


def queue_info0(p: Core, now: Samples) -> None:
    """Queue an INFO0, and know when the next one would have to follow."""
    info = p.chooser.ours
    if p.far is not None and p.state not in (State.C_INFO0, State.A_INFO0):
        # Bit 28 acknowledges the far end's INFO0 (§11.2.2, Notes); in the first INFO0 it is 0.
        info = replace(info, acknowledge=True)
    bits = info.encode()
    if p.repeats > PATIENCE:
        # Deviation: slmodemd, after a damaged INFO0c, waits for one of V.90's length. Fill bits mean nothing.
        bits = np.concatenate((bits[: -len(FILL)], np.zeros(LONGER, np.uint8)))
    p.line.sender.queue(bits)
    p.deadline = now + p.line.sender.time_left


def finish_info0(p: Core, now: Samples) -> None:
    """Know when the queued one is used up."""
    p.deadline = now + p.line.sender.time_left


def queue_marks(p: Core, now: Samples) -> None:
    """Send INFOMARKS for as long as the state can last."""
    assert p.deadline is not None
    p.line.send_marks(p.deadline - now)


def await_turn(p: Core, now: Samples) -> None:
    """Our reversal comes 40 ms after the far one."""
    p.deadline = max(now, p.heard_at + TURN)


def await_l2(p: Core, now: Samples) -> None:
    """L1 begins 10 ms after the reversal."""
    doubt = 0 if p.heard_certain else SETTLE
    p.deadline = max(now, p.heard_at + TAIL + L1_LENGTH + SETTLE + doubt)


def capture(p: Core, now: Samples) -> None:
    """Keep L2."""
    p.line.capture()
    p.deadline = max(now + 1, p.heard_at + TAIL + L1_LENGTH + L2_HEARD)


def after_pause(p: Core, now: Samples) -> State | None:
    """The silence is over."""
    return p.following


def take_info0(p: Core) -> Info0:
    """Keep the INFO0 just heard."""
    frame = p.line.receiver.frame
    assert isinstance(frame, Info0)
    p.far = frame
    return frame


def hear_info0(p: Core, now: Samples) -> State | None:
    """INFO0 while it is expected: keep it."""
    take_info0(p)
    p.watch()
    return None


def hear_info0_again(p: Core, now: Samples) -> State | None:
    """§11.2.2.1.1, §11.2.2.2.1: an INFO0 after the first means that ours did not arrive.

    Unless it says that it did: then the far end only completes what it had begun.
    """
    first = p.far is None
    if take_info0(p).acknowledge or first:
        p.watch()
        return None
    return State.C_REPEAT if p.role is Role.CALLING else State.A_REPEAT


def hear_info0_repeating(p: Core, now: Samples) -> State | None:
    """The same while we repeat ours: bit 28 ends it."""
    return _last_repeat(p) if take_info0(p).acknowledge else None


def _last_repeat(p: Core) -> State:
    return State.C_REPEAT_LAST if p.role is Role.CALLING else State.A_REPEAT_LAST


def hear_tone_repeating(p: Core, now: Samples) -> State | None:
    """§11.2.2.1.1, §11.2.2.2.1: a tone, and INFO0 was received: the current INFO0 is the last."""
    if p.far is None:
        p.line.receiver.forget_tone()
        return None
    return _last_repeat(p)


def repeat(p: Core, now: Samples) -> State | None:
    """One more INFO0."""
    p.repeats += 1
    queue_info0(p, now)
    return None


def begin_tone(p: Core, now: Samples) -> State | None:
    """INFO0 is over: the tone follows it."""
    return State.C_TONE if p.role is Role.CALLING else State.A_TONE


def nothing_heard(p: Core, now: Samples) -> State | None:
    """Nobody there."""
    what, clause = MISSED[p.state]
    p.fail(f"nothing of V.34 was heard, {what}", now, clause)
    return None


def begin_l2(p: Core, now: Samples) -> State | None:
    """L1 is over, and L2 has settled."""
    return State.C_HEAR_L2 if p.role is Role.CALLING else State.A_HEAR_L2


def retrain(p: Core, now: Samples) -> State | None:
    """§11.5.1.1, §11.5.2.1: begin again with the tones."""
    if p.attempts >= ATTEMPTS:
        what, clause = MISSED[p.state]
        p.fail(f"{what}, after {ATTEMPTS} retrains", now, clause)
        return None
    p.miss(*MISSED[p.state])
    p.attempts += 1
    return respond(p, now)


def respond(p: Core, now: Samples) -> State | None:
    """§11.5.1.2, §11.5.2.2: the far end has begun again."""
    following = State.C_RETRAIN if p.role is Role.CALLING else State.A_TONE
    p.pause(following, now, PAUSE)
    return None
