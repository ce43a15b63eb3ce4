"""The one call of a telephone line, as its signalling sees it."""

from dataclasses import dataclass
from enum import Enum

from ansam.io.rtp_socket import CallSockets
from ansam.sdp.negotiation import LocalMedia, RemoteMedia
from ansam.sip.events import CallId


class Phase(Enum):
    """Where the line's call is."""

    IDLE = "no call"
    CALLING = "INVITE sent"
    RINGING = "INVITE received"
    ACCEPTED = "200 sent without a known far end: its description comes with the ACK"
    UP = "talking path"


@dataclass(slots=True)
class CallState:
    """The one call of the line."""

    identity: CallId
    phase: Phase
    sockets: CallSockets
    local: LocalMedia
    remote: RemoteMedia | None = None
    answer: bytes = b""
    """To the offer of an incoming call; b"" where there was none."""
    offering: bool = False
    """A re-INVITE without a description was answered with our offer: the peer's answer comes in its ACK."""
