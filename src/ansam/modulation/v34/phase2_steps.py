"""The steps of phase 2, V.34 (10/96) §11.2, its recoveries and the retrains of §11.5: one row per state.

::

    calling    INFO0c B······ B̅ ─────────── (L1 L2) B········ B̅ L1 L2····· INFO1c ─────────
    answering  INFO0a A·· A̅··········· A L1 L2······ A A̅ ───────── (L1 L2) A······· INFO1a ─ 70 ms, phase 3
                       └ round trip ┘                             round trip
"""

from dataclasses import dataclass
from enum import Enum, auto

from ansam.units import Samples, samples

TURN: Samples = samples(0.040)
"""From a reversal heard to ours, ±1 ms (§11.2.1.1.3, §11.2.1.2.5, §11.2.1.1.6)."""
TAIL: Samples = samples(0.010)
"""A tone goes on for so long after a reversal that ends it."""
TONE_A_LEAST: Samples = samples(0.050)
"""§11.2.1.2.3, §11.2.1.2.6, and for how long a tone must be heard to be one (§11.5)."""
DATA_ZEROS: Samples = samples(0.2)
"""For a tone that is heard where an INFO1 may come: one that has the same data rate for every symbol rate can
look like a tone from its beginning to its end (182 ms). Who wants a retrain sends its tone far longer."""
PAUSE: Samples = samples(0.070)
"""Silence before a retrain (§11.5)."""
RETRAIN_TONE: Samples = samples(0.5)
"""For so long tone B alone is to say that a retrain is wanted, even to one that sends INFO0a."""
START_PAUSE: Samples = samples(0.075)
"""Silence that ends phase 1 (§11.2.1.1.1)."""
L2_HEARD: Samples = samples(0.480)
"""How long L2 is listened to; 500 ms are allowed (§11.2.1.1.5), and a tail of 20 ms is ours."""
REVERSAL_WAIT: Samples = samples(2.0)
"""§11.2.2.1.3, §11.2.2.2.2."""
SECOND_WAIT: Samples = samples(0.9)
"""§11.2.2.1.4, plus a round trip."""
CALL_L2_WAIT: Samples = samples(0.650)
"""§11.2.2.1.5, plus a round trip."""
ANSWER_L2_WAIT: Samples = samples(0.600)
"""§11.2.2.2.3, plus a round trip."""
INFO1A_WAIT: Samples = samples(0.700)
"""§11.2.2.1.6, plus a round trip."""
MARKS_WAIT: Samples = samples(2.5)
"""An answering modem whose phase 3 is not answered sends INFOMARKSa 600 ms and a round trip after J began
(§11.3.2.2.1); a modem that does not (slmodemd) hangs up a few seconds later."""
ON_ITS_WAY: Samples = samples(0.150)
"""So long, and a round trip, after INFO1c INFOMARKSa may still come that were sent before it arrived."""
INFO1C_WAIT: Samples = samples(2.0)
"""§11.2.2.2.4, plus two round trips."""
INFO1C_LENGTH: Samples = samples(0.182)
"""INFO1c ends so long, and a round trip, after tone A began, at the earliest."""
NOTHING_HEARD: Samples = samples(20)
"""Beyond what the Recommendation says: a far end that does nothing is given up."""
RECOVERY_WAIT: Samples = samples(5)
"""The same where a retrain of ours may wake it up."""


class Sends(Enum):
    """What is on the line."""

    SILENCE = auto()
    TONE = auto()
    """Tone A or B, with INFO sequences where some are queued."""
    PROBE = auto()
    MARKS = auto()


class State(Enum):
    """Where in phase 2 this end is; C_ is the calling, A_ the answering modem."""

    IDLE = "idle"
    PAUSE = "silence before phase 2"
    DONE = "end of phase 2"
    FAILED = "failed"

    C_INFO0 = "INFO0c"
    C_TONE = "tone B, waiting for a reversal of tone A"
    C_RETRAIN = "tone B of a retrain"
    C_REPEAT = "INFO0c again and again"
    C_REPEAT_LAST = "INFO0c for the last time"
    C_TURN1 = "40 ms from the reversal of A to that of B"
    C_TAIL1 = "10 ms of B reversed"
    C_WAIT_A2 = "silence, waiting for the second reversal of tone A"
    C_SILENT = "silence, waiting for tone A"
    C_HEAR_L1 = "L1 received"
    C_HEAR_L2 = "L2 received"
    C_TONE2 = "tone B after L2, waiting for a reversal of tone A"
    C_TURN2 = "40 ms from the reversal of A to the second of B"
    C_TAIL2 = "10 ms of B reversed, before L1"
    C_PROBE = "L1 and L2 sent, waiting for tone A"
    C_INFO1 = "INFO1c"
    C_SENT_INFO1 = "silence, while INFO1c is on its way"
    C_WAIT_INFO1 = "silence, waiting for INFO1a"
    C_RECOVER = "silence, waiting for tone A or INFOMARKSa"
    C_MARKS = "INFOMARKSc"

    A_INFO0 = "INFO0a"
    A_TONE = "tone A, waiting for tone B"
    A_HOLD = "tone A for 50 ms"
    A_REPEAT = "INFO0a again and again"
    A_REPEAT_LAST = "INFO0a for the last time"
    A_WAIT_B1 = "tone A reversed, waiting for a reversal of tone B"
    A_TURN1 = "40 ms from the reversal of B to that of A"
    A_TAIL1 = "10 ms of A, before L1"
    A_PROBE = "L1 and L2 sent, waiting for tone B"
    A_TONE2 = "tone A for 50 ms after L2"
    A_TAIL2 = "10 ms of A reversed"
    A_WAIT_B2 = "silence, waiting for the second reversal of tone B"
    A_HEAR_L1 = "L1 received from the calling modem"
    A_HEAR_L2 = "L2 received from the calling modem"
    A_TONE3 = "tone A, while L2 ends"
    A_WAIT_INFO1 = "tone A, waiting for INFO1c"
    A_INFO1 = "INFO1a"
    A_MARKS = "INFOMARKSa"


class Input(Enum):
    """What can end a state."""

    TIMEOUT = auto()
    INFO0 = auto()
    INFO1 = auto()
    """INFO1a for the calling, INFO1c for the answering modem."""
    MARKS = auto()
    TONE = auto()
    REVERSAL = auto()
    QUIET = auto()
    """Nothing is heard any more."""
    HIDDEN = auto()
    """The tone is over and samples were missing where it ended: its reversal must have been among them."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row.

    Attributes:
        send: Signal on the line.
        clause: Of V.34 (10/96).
        at_most: Samples until `Input.TIMEOUT`; None where the instant follows from what was heard, or there
            is none.
        round_trips: So many round trips are added to it.
        tone: How long a tone must last for `Input.TONE`.
    """

    send: Sends
    clause: str
    at_most: Samples | None = None
    round_trips: int = 0
    tone: Samples = TONE_A_LEAST


_S, _T, _P, _M = Sends.SILENCE, Sends.TONE, Sends.PROBE, Sends.MARKS

STEPS: dict[State, Step] = {
    State.IDLE: Step(_S, ""),
    State.PAUSE: Step(_S, "§11.2.1.1.1, §11.5"),
    State.DONE: Step(_S, "§11.3"),
    State.FAILED: Step(_S, ""),
    State.C_INFO0: Step(_T, "§11.2.1.1.1"),
    State.C_TONE: Step(_T, "§11.2.1.1.2", NOTHING_HEARD),
    State.C_RETRAIN: Step(_T, "§11.5.1.1", RETRAIN_TONE),
    State.C_REPEAT: Step(_T, "§11.2.2.1.1"),
    State.C_REPEAT_LAST: Step(_T, "§11.2.2.1.1"),
    State.C_TURN1: Step(_T, "§11.2.1.1.3"),
    State.C_TAIL1: Step(_T, "§11.2.1.1.3", TAIL),
    State.C_WAIT_A2: Step(_S, "§11.2.1.1.4", REVERSAL_WAIT - TURN - TAIL),
    State.C_SILENT: Step(_S, "§11.2.2.1.3", NOTHING_HEARD),
    State.C_HEAR_L1: Step(_S, "§11.2.1.1.5"),
    State.C_HEAR_L2: Step(_S, "§11.2.1.1.5"),
    State.C_TONE2: Step(_T, "§11.2.1.1.6"),
    State.C_TURN2: Step(_T, "§11.2.1.1.6"),
    State.C_TAIL2: Step(_T, "§11.2.1.1.6", TAIL),
    State.C_PROBE: Step(_P, "§11.2.1.1.7", samples(0.160) + CALL_L2_WAIT, 1),
    State.C_INFO1: Step(_T, "§11.2.1.1.7"),
    State.C_SENT_INFO1: Step(_S, "§11.2.1.1.8", ON_ITS_WAY, 1),
    State.C_WAIT_INFO1: Step(_S, "§11.2.1.1.8", INFO1A_WAIT - ON_ITS_WAY),
    State.C_RECOVER: Step(_S, "§11.2.2.1.6", MARKS_WAIT, 1),
    State.C_MARKS: Step(_M, "§11.4.2.1.1", RECOVERY_WAIT, 2),
    State.A_INFO0: Step(_T, "§11.2.1.2.1"),
    State.A_TONE: Step(_T, "§11.2.1.2.2", NOTHING_HEARD),
    State.A_HOLD: Step(_T, "§11.2.1.2.3"),
    State.A_REPEAT: Step(_T, "§11.2.2.2.1"),
    State.A_REPEAT_LAST: Step(_T, "§11.2.2.2.1"),
    State.A_WAIT_B1: Step(_T, "§11.2.1.2.4", REVERSAL_WAIT),
    State.A_TURN1: Step(_T, "§11.2.1.2.5"),
    State.A_TAIL1: Step(_T, "§11.2.1.2.5", TAIL),
    State.A_PROBE: Step(_P, "§11.2.1.2.6", samples(0.160) + ANSWER_L2_WAIT, 1),
    State.A_TONE2: Step(_T, "§11.2.1.2.6", TONE_A_LEAST),
    State.A_TAIL2: Step(_T, "§11.2.1.2.6", TAIL),
    State.A_WAIT_B2: Step(_S, "§11.2.1.2.6", INFO1C_WAIT, 2),
    State.A_HEAR_L1: Step(_S, "§11.2.1.2.8"),
    State.A_HEAR_L2: Step(_S, "§11.2.1.2.8"),
    State.A_TONE3: Step(_T, "§11.2.1.2.8", INFO1C_LENGTH, 1, DATA_ZEROS),
    State.A_WAIT_INFO1: Step(_T, "§11.2.1.2.8", None, 0, DATA_ZEROS),
    State.A_INFO1: Step(_T, "§11.2.1.2.9"),
    State.A_MARKS: Step(_M, "§11.2.2.2.4", RECOVERY_WAIT, 2, DATA_ZEROS),
}

MISSED: dict[State, tuple[str, str]] = {
    State.C_TONE: ("tone A with a reversal is missing", "§11.2.2.1.2"),
    State.C_WAIT_A2: ("the second reversal of tone A is missing", "§11.2.2.1.3"),
    State.C_SILENT: ("tone A did not come again", "§11.2.2.1.3"),
    State.C_TONE2: ("the reversal of tone A after L2 is missing", "§11.2.2.1.4"),
    State.C_PROBE: ("tone A, by which the far end ends our L2, is missing", "§11.2.2.1.5"),
    State.C_WAIT_INFO1: ("INFO1a is missing", "§11.2.2.1.6"),
    State.C_RECOVER: ("neither INFO1a nor INFOMARKSa nor tone A came", "§11.2.2.1.6"),
    State.C_MARKS: ("neither INFOMARKSa nor tone A came in answer to INFOMARKSc", "§11.4.2.1.1"),
    State.A_TONE: ("tone B is missing", "§11.2.1.2.2"),
    State.A_WAIT_B1: ("the reversal of tone B is missing", "§11.2.2.2.2"),
    State.A_PROBE: ("tone B, by which the far end ends our L2, is missing", "§11.2.2.2.3"),
    State.A_WAIT_B2: ("the second reversal of tone B is missing", "§11.2.2.2.4"),
    State.A_WAIT_INFO1: ("INFO1c is missing", "§11.2.2.2.4"),
    State.A_MARKS: ("INFO1c did not come again after INFOMARKSa", "§11.2.2.2.4"),
}
"""What has not come when a state times out, and where its recovery stands; other time-outs miss nothing."""
