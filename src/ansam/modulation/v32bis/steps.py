"""The steps of start-up, retrain and rate renegotiation (V.32bis (02/91) §6 to §8): what each waits for."""

from dataclasses import dataclass
from enum import Enum

from ansam.units import FRAME, Samples, samples

GRID: Samples = 40
"""Decisions are taken every so many samples (5 ms, a fifth of the 64 symbols in which a modem must answer a
reversal) in start-up, ..."""
GRID_DATA: Samples = FRAME
"""... and every 20 ms in data mode."""

TRN_WAIT = samples(3.5)
"""TRN, or a special sequence before it (§6 note 3), is at most 8192 symbols long."""
ROUND_TRIP_MAX = samples(1.6)
"""Longest round trip that is waited for: 600 ms each way, and jitter buffers."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step; no two are equal, or `State` would take them for one.

    Attributes:
        name: For logs and `PhaseEntered`.
        clause: Where it stands.
        at_most: Longest time in it, samples; None for any. The round trip is added where the far end's answer
            is awaited.
        missed: What did not happen when that time is over.
        round_trip: The measured round trip is added to `at_most`.
    """

    name: str
    clause: str
    at_most: Samples | None = None
    missed: str = ""
    round_trip: bool = False


class State(Enum):
    """Where the procedure stands."""

    IDLE = Step("idle", "§6")
    LISTEN = Step("silence", "§6")
    DOWN = Step("silence", "§6")
    # calling modem
    AA = Step("AA", "§6.1")
    CC = Step("CC", "§6.1", ROUND_TRIP_MAX + samples(0.3), "the second phase reversal of AC never came")
    AWAIT_S = Step("silence", "§6.1", TRN_WAIT + samples(0.6), "S of the answering modem never came", True)
    TRAIN = Step("training", "§5.2", TRN_WAIT, "TRN could not be equalised")
    AWAIT_R1 = Step("awaits R1", "§6.1", TRN_WAIT + samples(1.5), "no rate signal R1 was received")
    SEND_TRN = Step("S, TRN", "§6.1")
    AWAIT_S2 = Step("R2", "§6.1", TRN_WAIT + samples(2), "no second S followed R2", True)
    TRAIN2 = Step("training", "§5.2", TRN_WAIT, "the second TRN could not be equalised")
    AWAIT_R3 = Step("awaits R3", "§6.1", TRN_WAIT + samples(1.5), "no rate signal R3 was received")
    AWAIT_E = Step("awaits E", "§6.1", samples(2), "no E followed R3", True)
    # answering modem
    AC = Step("AC", "§6.2")
    CA = Step("CA", "§6.2", ROUND_TRIP_MAX + samples(0.3), "AA never turned into CC")
    AC_AGAIN = Step("AC", "§6.2", samples(0.6), "CC never ended", True)
    ANSWER_TRN = Step("S, TRN", "§6.2")
    R1 = Step("R1", "§6.2", TRN_WAIT + samples(2), "no S followed R1", True)
    AWAIT_S_BAR = Step("awaits S-bar", "§6.2", samples(1), "S never turned into S-bar", True)
    ANSWER_TRAIN = Step("training", "§5.2", TRN_WAIT, "TRN could not be equalised")
    AWAIT_R2 = Step("awaits R2", "§6.2", TRN_WAIT + samples(1.5), "no rate signal R2 was received")
    SEND_R3 = Step("S, TRN, R3", "§6.2", TRN_WAIT + samples(2), "no E followed R2", True)
    # both
    B1 = Step("E, B1", "§6")
    DATA = Step("data", "§6")
    SUSPECT = Step("preamble?", "§8.2", samples(0.25))
    R4 = Step("R4", "§8.1", samples(0.7), "no rate signal R5 was received", True)
    END_R4 = Step("E", "§8.1", samples(0.7), "no E followed R5", True)
    R5 = Step("R5", "§8.2", samples(0.5), "no E followed R4", True)
    CLEARDOWN = Step("cleardown", "§6 note 6, §8 note 2")
