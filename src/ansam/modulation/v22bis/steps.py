"""The states of V.22bis (11/88) §6.3 and §6.4 and what each sends: one row of a table per state."""

from dataclasses import dataclass
from enum import Enum

from ansam.modulation.v22bis.constants import (
    CONFIRM_1200,
    CONFIRM_2400,
    MARK_PAUSE,
    RETRAIN_REPEAT,
    S1_LENGTH,
    START_16WAY,
    START_2400,
)
from ansam.modulation.v22bis.receiver import Heard
from ansam.modulation.v22bis.transmitter import Signal
from ansam.units import Samples, samples

GUESS_LIMIT = START_2400 + samples(0.6)
"""A far end that had sent S1 sends at 2400 bit/s 600 ms after it heard ours; the rest is a round trip."""


class State(Enum):
    """Where in the operating sequence this end is."""

    IDLE = "idle"
    AWAIT_MARK = "waiting for unscrambled ones"
    MARK_PAUSE = "silence after unscrambled ones"
    CALL_S1 = "S1"
    AWAIT_REPLY = "scrambled ones at 1200, waiting for S1 or scrambled ones"
    ANSWER_MARK = "unscrambled ones"
    REPLY_S1 = "S1 in reply"
    TRAIN_4WAY = "scrambled ones at 1200"
    TRAIN_16WAY = "16-way decisions"
    CONFIRM_2400 = "scrambled ones at 2400"
    AWAIT_ONES = "waiting for 32 ones at 2400"
    GUESS_S1 = "S1 in reply to one that lost packets may have hidden"
    GUESS_WAIT = "scrambled ones at 1200 or 2400?"
    CONFIRM_1200 = "scrambled ones at 1200 before data"
    DATA_1200 = "data at 1200"
    DATA_2400 = "data at 2400"
    RETRAIN_S1 = "retrain: S1"
    RETRAIN_WAIT = "retrain: scrambled ones at 1200, waiting for S1"
    DOWN = "down"


class Input(Enum):
    """What can end a state."""

    TIMEOUT = Heard.NONE
    MARK = Heard.MARK
    BELL_MARK = Heard.BELL_MARK
    S1 = Heard.S1
    S1_END = Heard.S1_END
    ONES_1200 = Heard.ONES_1200
    ONES_2400 = Heard.ONES_2400
    CARRIER_GONE = Heard.CARRIER_GONE
    BAD_SIGNAL = Heard.BAD_SIGNAL
    FOUR_WAY = Heard.FOUR_WAY


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the sequence.

    Attributes:
        send: Signal on the line.
        at_most: Samples until `Input.TIMEOUT`, or None.
        clause: Of V.22bis (11/88).
        from_s1: `at_most` counts from the end of the far S1 (circuit 112 ON), not from entry.
        missed: What a time-out of this step means, for `Failed`.
    """

    send: Signal
    at_most: Samples | None
    clause: str
    from_s1: bool = False
    missed: str = ""


STEPS: dict[State, Step] = {
    State.AWAIT_MARK: Step(
        Signal.SILENCE, samples(60), "§6.3.1.1.1 a)", missed="no unscrambled ones from the answering modem"
    ),
    State.MARK_PAUSE: Step(Signal.SILENCE, MARK_PAUSE, "§6.3.1.1.1 b)"),
    State.CALL_S1: Step(Signal.S1, S1_LENGTH, "§6.3.1.1.1 b)"),
    State.AWAIT_REPLY: Step(
        Signal.SCRAMBLED_ONES_1200,
        samples(8),
        "§6.3.1.1.1 c)",
        missed="the answering modem sent neither S1 nor scrambled ones",
    ),
    State.ANSWER_MARK: Step(
        Signal.UNSCRAMBLED_ONES,
        samples(60),
        "§6.3.1.1.2 a)",
        missed="neither S1 nor scrambled ones from the calling modem",
    ),
    State.REPLY_S1: Step(Signal.S1, S1_LENGTH, "§6.3.1.1.2 b)"),
    State.TRAIN_4WAY: Step(Signal.SCRAMBLED_ONES_1200, START_16WAY, "§6.3.1.1.1 d)", from_s1=True),
    State.TRAIN_16WAY: Step(Signal.SCRAMBLED_ONES_1200, START_2400, "§6.3.1.1.1 d)", from_s1=True),
    State.CONFIRM_2400: Step(Signal.SCRAMBLED_ONES_2400, CONFIRM_2400, "§6.3.1.1.1 e)"),
    # The far end's S1 may have been repeated, and the round trip may be long (satellite: 0.6 s).
    State.AWAIT_ONES: Step(Signal.SCRAMBLED_ONES_2400, samples(2), "§6.3.1.1.1 f)"),
    State.GUESS_S1: Step(Signal.S1, S1_LENGTH, "§6.3.1.1.2 b)"),
    State.GUESS_WAIT: Step(Signal.SCRAMBLED_ONES_1200, GUESS_LIMIT, "§6.3.1.2.2 c)"),
    State.CONFIRM_1200: Step(Signal.SCRAMBLED_ONES_1200, CONFIRM_1200, "§6.3.1.2.1 d)"),
    State.DATA_1200: Step(Signal.DATA_1200, None, "§6.3.1.2.1 d)"),
    State.DATA_2400: Step(Signal.DATA_2400, None, "§6.3.1.1.1 f)"),
    State.RETRAIN_S1: Step(Signal.S1, S1_LENGTH, "§6.4 a)"),
    State.RETRAIN_WAIT: Step(Signal.SCRAMBLED_ONES_1200, RETRAIN_REPEAT, "§6.4"),
    State.DOWN: Step(Signal.SILENCE, None, ""),
}
