"""The interface every link protocol has: bytes of the terminal above, bits of the modulation below.

A link is the `BitSource` of the modulation's transmitter (`pull`) and takes its received bits
(`receive_bits`). It fills with what its line idles on (marks, flags), so `pull` never blocks. The send buffer
has a limit: `send` says how many bytes it took, and the rest stays with the caller (circuit 106 goes OFF).
"""

from dataclasses import dataclass
from typing import Protocol

from ansam.units import Bits, Samples


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Data may flow.

    Attributes:
        protocol: ``NONE`` or ``LAPM``.
        compression: ``""``, ``V42BIS`` or ``V44``.
    """

    protocol: str
    compression: str = ""


@dataclass(frozen=True, slots=True)
class NoErrorControl:
    """There is none on this connection: characters cross the line as they are.

    Attributes:
        reason: What the far end did not do.
        clause: Where it stands.
    """

    reason: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The link ended.

    Attributes:
        reason: Such as ``DISC received`` or ``N400: 12 transmissions of XID unanswered``.
        clause: Where the rule stands that ended it.
    """

    reason: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class BreakReceived:
    """The far terminal sent a break of about this length."""

    milliseconds: int


LinkEvent = LinkUp | NoErrorControl | LinkDown | BreakReceived


@dataclass(frozen=True, slots=True)
class LinkStatistics:
    """What a link counted since it began; a link that has no such thing leaves it 0.

    Attributes:
        octets_sent: Octets of user data as they crossed the line, after compression.
        octets_received: Likewise.
        characters_lost: Characters dropped because the terminal did not read.
        blocks_sent: I frames sent for the first time.
        blocks_received: I frames received.
        blocks_resent: I frames sent again.
        blers: Frames or characters received in error.
        link_timeouts: Expiries of T401.
        link_naks: REJ and SREJ received.
        compression: With its parameters, ``V42BIS 2048/32``, or ``NONE``.
        protocol: ``LAPM/SREJ``, ``LAPM`` or ``NONE``.
    """

    octets_sent: int = 0
    octets_received: int = 0
    characters_lost: int = 0
    blocks_sent: int = 0
    blocks_received: int = 0
    blocks_resent: int = 0
    blers: int = 0
    link_timeouts: int = 0
    link_naks: int = 0
    compression: str = "NONE"
    protocol: str = "NONE"


class CharacterLink(Protocol):
    """The terminal's half of a link, whatever carries its characters."""

    def start(self, now: Samples) -> None:
        """The modulation (or the network) is ready: begin."""

    def send(self, data: bytes) -> int:
        """Queue bytes for the far end; return how many were taken (less than len(data) when full)."""

    def room(self) -> int:
        """Return how many bytes `send` would take now."""

    def pending(self) -> int:
        """Return how many octets are queued or unacknowledged."""

    def take_data(self, limit: int | None = None) -> bytes:
        """Return bytes that arrived, in order, at most `limit`; the rest waits for the next call."""

    def take_events(self) -> list[LinkEvent]:
        """Return the events since the last call, in order."""

    def send_break(self, milliseconds: int, now: Samples) -> None:
        """Send a break."""

    def statistics(self) -> LinkStatistics:
        """Return what was counted since the start."""

    def disconnect(self, now: Samples) -> None:
        """End the link in an orderly way; `LinkDown` follows."""

    def deadline(self) -> Samples | None:
        """Return when `handle_timer` wants to be called, or None."""

    def handle_timer(self, now: Samples) -> None:
        """Let timers act; calling early is harmless."""


class Link(CharacterLink, Protocol):
    """One link protocol over one connection of a modulation."""

    def pull(self, count: int) -> Bits:
        """Return exactly `count` bits to send (idle fill where there is nothing)."""

    def receive_bits(self, bits: Bits, now: Samples) -> None:
        """Take received bits, in order, cut anywhere."""

    def set_rate(self, rate: int, far_rate: int = 0) -> None:
        """Follow the line rate in bit/s: ours, and the far end's where it is another one (0: the same)."""

    def suspend(self, samples: Samples) -> None:
        """Push timers out: the modulation was busy retraining for this long."""
