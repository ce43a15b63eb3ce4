"""The steps of phases 3 and 4, of data and rate renegotiation (V.34 (10/96) §11.3, §11.4, §11.6)."""

from dataclasses import dataclass
from enum import Enum

from ansam.units import Samples, samples

GRID: Samples = 10
"""Decisions are taken every so many samples (1.25 ms) in training, ..."""
GRID_DATA: Samples = 160
"""... and every 20 ms in data mode: S lasts 37 ms at least, and is heard after 12."""
PAUSE: Samples = samples(0.07)
"""From the end of INFO1a to S (§11.3.1.2.1): 70 ± 5 ms."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step; no two are equal, or `State` would take them for one.

    Attributes:
        name: For logs and `PhaseEntered`.
        clause: Where it stands.
        at_most: Longest time in it, samples; None for any.
        round_trips: So many round trips are added to it.
        missed: What did not happen when that time is over.
    """

    name: str
    clause: str
    at_most: Samples | None = None
    round_trips: int = 0
    missed: str = ""


class State(Enum):
    """Where the procedure stands."""

    PHASE_2 = Step("phase 2", "§11.2")
    DOWN = Step("silence", "§11.7")
    # phase 3
    PAUSE = Step("silence", "§11.3.1.2.1", PAUSE)
    SEND = Step("S, PP, TRN", "§11.3.1")
    AWAIT_S = Step("awaits S", "§11.3.1", samples(3.5), 2, "S of phase 3 never came")
    TRAIN = Step("training", "§11.3.1", samples(3.0), 0, "PP and TRN could not be equalised")
    AWAIT_J = Step("awaits J", "§11.3.1", samples(4.0), 1, "no J was received")
    SEND_J = Step("J", "§11.3.1", samples(4.0), 2, "S did not follow our J")
    # phase 4
    TRAIN_AGAIN = Step("training", "§11.4.1", samples(3.0), 0, "TRN of phase 4 could not be equalised")
    SEND_TRN = Step("TRN", "§11.4.1", samples(4.0), 2, "TRN of phase 4 never ended")
    MP = Step("MP", "§11.4.1", samples(4.0), 3, "no MP was received")
    MP_ACKNOWLEDGED = Step("MP'", "§11.4.1", samples(3.0), 3, "neither MP' nor E was received")
    AWAIT_E = Step("E, B1", "§11.4.1", samples(3.0), 3, "no E was received")
    # data
    DATA = Step("data", "§11.4.1.1.4")
    AWAIT_S_BAR = Step("S heard", "§11.6.1.2", samples(0.3), 0, "")
    RENEGOTIATE = Step("S, TRN", "§11.6.1.1", samples(3.0), 2, "the far end did not answer our S")
    CLEARDOWN = Step("cleardown", "§11.7")


_PHASE_3 = (State.PAUSE, State.SEND, State.AWAIT_S, State.TRAIN, State.AWAIT_J, State.SEND_J)
_PHASE_4 = (
    State.TRAIN_AGAIN,
    State.SEND_TRN,
    State.MP,
    State.MP_ACKNOWLEDGED,
    State.AWAIT_E,
    State.CLEARDOWN,
)


def phase_of(state: State) -> str:
    """Return the name of the phase that a step belongs to, for reasons."""
    if state is State.PHASE_2:
        return "phase 2"
    return "phase 3" if state in _PHASE_3 else "phase 4" if state in _PHASE_4 else "data mode"
