"""Where a modem's line is, and the events that a modem tells."""

from dataclasses import dataclass
from enum import Enum

from ansam.at.results import Connect
from ansam.dce.causes import Cause
from ansam.modulation.base import Ready, Renegotiating, Retraining
from ansam.units import Samples


class LineState(Enum):
    """Where the line is."""

    ON_HOOK = "on hook"
    PAUSING = "waiting to dial"
    CALLING = "call placed"
    ANSWERING = "call accepted, no talking path yet"
    TRAINING = "modems are training"
    DATA = "connected"
    CLEARING = "hanging up"
    OFF_HOOK = "off hook, no call"


@dataclass(frozen=True, slots=True)
class Connected:
    """The CONNECT result was given."""

    connect: Connect
    text: str
    modulation: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over.

    Attributes:
        reason: The step that ended it.
        causes: What led to it, the root first and the reason last.
        began: When the call was dialled or first rang.
    """

    reason: str
    causes: tuple[Cause, ...] = ()
    began: Samples = 0


@dataclass(frozen=True, slots=True)
class TerminalRate:
    """The terminal's port goes on at this rate in bit/s (&B0, &B2)."""

    rate: int


@dataclass(frozen=True, slots=True)
class TerminalBreak:
    """The terminal gets a break of this length."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class SpeakerChanged:
    """The speaker was turned on, off, or to another volume (L)."""

    on: bool
    volume: int


DceEvent = (
    Connected | Ended | Retraining | Renegotiating | Ready | TerminalRate | TerminalBreak | SpeakerChanged
)
