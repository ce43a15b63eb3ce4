"""What happens to a call outside the modem, and what the modem asks for."""

from dataclasses import dataclass
from enum import Enum


class Progress(Enum):
    """Call progress as the line reports it; on VoIP these are SIP responses, not tones."""

    RINGING = "the far end rings"
    CONNECTED = "the far end answered: there is a talking path"
    BUSY = "the far end is busy"
    NO_ANSWER = "the far end does not answer or is not registered"
    NO_SUCH_NUMBER = "nobody has this number"
    REFUSED = "the call is not allowed"
    UNREACHABLE = "the exchange does not respond"


@dataclass(frozen=True, slots=True)
class Stream:
    """A call over a network stream, without audio.

    Attributes:
        protocol: For the CONNECT text: ``TCP``, ``TELNET`` or ``SSH``.
        rate: Highest speed in bit/s that the far end wants, 0 for any.
        paced: Characters take the time that a modem of the agreed speed needs.
    """

    protocol: str = "TCP"
    rate: int = 0
    paced: bool = True


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Call this number."""

    number: str


@dataclass(frozen=True, slots=True)
class AcceptCall:
    """Answer the call that is ringing; `Progress.CONNECTED` follows."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up, whatever state the call is in; `reason` is for the log."""

    reason: str


LineAction = PlaceCall | AcceptCall | EndCall
