"""What LAPM is, counts and reports: states, counters, events."""

from dataclasses import dataclass
from enum import Enum

from ansam.link.v42 import xid


class State(Enum):
    """State of the error control function."""

    IDLE = "disconnected"
    NEGOTIATING = "XID sent"
    ESTABLISHING = "SABME sent"
    CONNECTED = "connected"
    RELEASING = "DISC sent"
    RELEASED = "released"


@dataclass(slots=True)
class Counters:
    """What ATI6 shows of the link."""

    blocks_sent: int = 0
    blocks_received: int = 0
    blocks_resent: int = 0
    octets_sent: int = 0
    octets_received: int = 0
    link_timeouts: int = 0
    link_naks: int = 0
    naks_sent: int = 0
    violations: int = 0


@dataclass(frozen=True, slots=True)
class Negotiated:
    """XID is over: these values are in force."""

    parameters: xid.Parameters


@dataclass(frozen=True, slots=True)
class Established:
    """The error-corrected connection exists (L-ESTABLISH)."""


@dataclass(frozen=True, slots=True)
class Released:
    """It does not exist any more, or could not be established (L-RELEASE).

    Attributes:
        reason: Which rule ended it.
        orderly: The peer or we asked for it by DISC.
        clause: Where that rule stands.
    """

    reason: str
    orderly: bool = False
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """An unnumbered information frame arrived (break); the information field as it is."""

    information: bytes
    command: bool


LapmEvent = Negotiated | Established | Released | Signal
