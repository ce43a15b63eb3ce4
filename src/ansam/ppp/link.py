"""The server's end of one PPP link (RFC 1661 §3.2).

::

    ESTABLISH ──LCP opened──► AUTHENTICATE ──it fits──► NETWORK ──► TERMINATE ──► DEAD
                                    └── it does not, and the peer has been told ──┘

Octets in by `receive`, octets out by `take_output`; IP packets by `send_packet` and `take_packets`. All links
look alike to the peer, however many there are: each has an emulator of IP of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from random import Random

from ansam.ppp.auth import Authenticator, ChapServer, PapServer, PppUser, Verify
from ansam.ppp.automaton import State
from ansam.ppp.frame import ALL_CONTROLS, FrameReader, Protocol, encode_frame
from ansam.ppp.ipcp import Ipcp
from ansam.ppp.lcp import Lcp
from ansam.ppp.packet import Packet, decode_packet
from ansam.ppp.reach import CALLER, HOST
from ansam.ppp.settings import PppSettings
from ansam.units import Seconds


class Phase(Enum):
    """Where the link is."""

    ESTABLISH = "LCP is negotiated"
    AUTHENTICATE = "the peer proves who it is"
    NETWORK = "the peer is let in"
    TERMINATE = "the link is being closed"
    DEAD = "the link is closed"


class Ending(Enum):
    """Why it ended; the values are pppd's exit codes (pppd(8), EXIT STATUS)."""

    PEER = 0
    NEGOTIATION = 10
    AUTHENTICATION = 11
    IDLE = 12
    OURS = 5
    LINE = 16


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The peer is let in."""

    user: str
    method: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Name and password did not fit, or none came."""

    user: str
    method: str


@dataclass(frozen=True, slots=True)
class NetworkUp:
    """IP packets can go.

    Attributes:
        mtu: Octets of a packet that the peer takes.
    """

    mtu: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The link is closed, in one line why."""

    ending: Ending
    text: str


PppEvent = Verify | Authenticated | Refused | NetworkUp | Ended


class PppServer:
    """One link.

    Args:
        settings: What callers get.
        users: Who may call, by name.
        rng: Gives magic numbers and challenges; a good one, where it matters who calls.
        now: Monotonic seconds.

    Attributes:
        phase: Where the link is.
        strayed: Packets dropped that would have gone where callers may not.
    """

    def __init__(
        self, settings: PppSettings, users: Mapping[str, PppUser], rng: Random, now: Seconds
    ) -> None:
        self.phase = Phase.ESTABLISH
        self.strayed = 0
        self._settings = settings
        self._users = users
        self._rng = rng
        self._reader = FrameReader()
        self._out = bytearray()
        self._packets: list[bytes] = []
        self._events: list[PppEvent] = []
        self._lcp = Lcp(lambda packet: self._send(Protocol.LCP, packet), settings.auth, rng)
        self._auth: Authenticator | None = None
        self._ipcp: Ipcp | None = None
        self._ending: Ended | None = None
        self._announced = False
        self._idle_since = now
        self._lcp.open(now)

    @property
    def damaged(self) -> int:
        """Frames dropped since they came damaged."""
        return self._reader.damaged

    # -- the line --------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: Seconds) -> None:
        """Take octets from the peer."""
        for protocol, information in self._reader.feed(data):
            self._take(protocol, information, now)
            self._follow(now)

    def take_output(self) -> bytes:
        """Return octets for the peer."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def take_events(self) -> list[PppEvent]:
        """Return the events since the last call, in order."""
        if self._auth is not None:
            self._events += self._auth.orders
            self._auth.orders.clear()
        events, self._events = self._events, []
        return events

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` wants to be called, or None."""
        dues = [part.deadline() for part in self._parts()]
        if self._settings.idle and self.phase is Phase.NETWORK:
            dues.append(self._idle_since + self._settings.idle)
        return min((due for due in dues if due is not None), default=None)

    def handle_timer(self, now: Seconds) -> None:
        """Let timers act; calling early is harmless."""
        for part in self._parts():
            part.handle_timer(now)
        idle = self._settings.idle
        if idle and self.phase is Phase.NETWORK and now >= self._idle_since + idle:
            self._end(Ending.IDLE, f"no packet for {idle:.0f} s", now)
        self._follow(now)

    # -- the network -----------------------------------------------------------------------------------------

    @property
    def network_up(self) -> bool:
        """Whether IP packets may be sent."""
        return self._ipcp is not None and self._ipcp.state is State.OPENED and self.phase is Phase.NETWORK

    def send_packet(self, packet: bytes) -> None:
        """Send an IP packet; dropped where the link is not up, or the peer does not take so long a one."""
        if self.network_up and len(packet) <= self._lcp.mru:
            self._put(Protocol.IP, packet)

    def take_packets(self) -> list[bytes]:
        """Return IP packets from the peer, all of them for places where callers may go."""
        packets, self._packets = self._packets, []
        return packets

    def password_checked(self, order: Verify, fits: bool, now: Seconds) -> None:
        """Take the answer to `Verify`."""
        if self._auth is not None:
            self._auth.password_checked(order, fits, now)
            self._follow(now)

    def close(self, text: str, now: Seconds) -> None:
        """End the link from this side."""
        self._end(Ending.OURS, text, now)
        self._follow(now)

    # -- inside ----------------------------------------------------------------------------------------------

    def _parts(self) -> list[Lcp | Ipcp | Authenticator]:
        parts = (self._lcp, self._auth, self._ipcp if self.phase is Phase.NETWORK else None)
        return [part for part in parts if part is not None]

    def _take(self, protocol: int, information: bytes, now: Seconds) -> None:
        if protocol == Protocol.IP:
            self._packet(information, now)
            return
        packet = decode_packet(information)
        if protocol == Protocol.LCP:
            if packet is not None:
                self._lcp.receive(packet, now)
        elif not self._lcp.is_open:
            return  # RFC 1661 §3.4: only LCP counts here
        elif protocol in (Protocol.PAP, Protocol.CHAP) and self._auth is not None:
            if packet is not None and protocol == self._auth_protocol():
                self._auth.receive(packet, now)
        elif protocol == Protocol.IPCP:
            # RFC 1661 §3.5: before the peer is let in, discarded in silence; it will ask again.
            if packet is not None and self._ipcp is not None:
                self._ipcp.receive(packet, now)
        elif self.phase is Phase.NETWORK:
            self._lcp.reject_protocol(protocol, information)

    def _auth_protocol(self) -> Protocol:
        return Protocol.PAP if self._lcp.method == "pap" else Protocol.CHAP

    def _packet(self, packet: bytes, now: Seconds) -> None:
        if not self.network_up:
            return
        self._idle_since = now
        if self._settings.reach.allows(packet):
            self._packets.append(packet)
        else:
            self.strayed += 1

    def _follow(self, now: Seconds) -> None:
        """Go to the next phase where LCP, authentication or IPCP has come to an end."""
        lcp = self._lcp
        if lcp.state is State.CLOSED:
            if self.phase is not Phase.DEAD:
                self.phase = Phase.DEAD
                trouble = Ended(Ending.NEGOTIATION, lcp.trouble) if lcp.trouble else None
                self._events.append(self._ending or trouble or Ended(Ending.PEER, "peer has ended the link"))
        elif lcp.state in (State.CLOSING, State.STOPPING):
            self.phase = Phase.TERMINATE
        elif not lcp.is_open:
            if self.phase in (Phase.AUTHENTICATE, Phase.NETWORK):
                # The peer negotiates anew, and has to prove anew who it is (RFC 1661 §3.2).
                self.phase, self._auth, self._ipcp = Phase.ESTABLISH, None, None
        elif self.phase is Phase.ESTABLISH:
            self._authenticate(now)
        if self.phase is Phase.NETWORK and self._ipcp is not None:
            self._follow_ipcp(self._ipcp, now)

    def _follow_ipcp(self, ipcp: Ipcp, now: Seconds) -> None:
        if ipcp.state is State.CLOSED:
            self._end(Ending.NEGOTIATION, f"IPCP: {ipcp.trouble or 'peer has ended it'}", now)
        elif ipcp.state is State.OPENED and not self._announced:
            self._announced = True
            self._events.append(NetworkUp(self._lcp.mru))

    def _authenticate(self, now: Seconds) -> None:
        method = self._lcp.method
        if not method:
            self._let_in(now)
            return
        self.phase = Phase.AUTHENTICATE
        if method == "pap":
            self._auth = PapServer(self._send_auth, self._users, self._judged, now)
        else:
            self._auth = ChapServer(self._send_auth, self._users, self._judged, now, self._rng)

    def _judged(self, user: PppUser | None, name: str, now: Seconds) -> None:
        method = self._lcp.method
        if user is not None:
            self._events.append(Authenticated(user.name, method))
            self._let_in(now)
            return
        self._events.append(Refused(name, method))
        text = f"{name}: wrong password ({method})" if name else f"peer gave no name ({method})"
        self._end(Ending.AUTHENTICATION, text, now)

    def _let_in(self, now: Seconds) -> None:
        self.phase = Phase.NETWORK
        self._idle_since = now
        self._ipcp = Ipcp(
            lambda packet: self._send(Protocol.IPCP, packet), HOST, CALLER, self._settings.names
        )
        self._ipcp.open(now)

    def _end(self, ending: Ending, text: str, now: Seconds) -> None:
        self._ending = self._ending or Ended(ending, text)
        self._lcp.close(now)

    def _send_auth(self, packet: Packet) -> None:
        self._send(self._auth_protocol(), packet)

    def _send(self, protocol: Protocol, packet: Packet) -> None:
        self._put(protocol, packet.encode())

    def _put(self, protocol: Protocol, information: bytes) -> None:
        lcp = self._lcp
        if protocol is Protocol.LCP:
            # RFC 1662 §7.1, RFC 1661 §6.6: LCP goes as if nothing were agreed.
            self._out += encode_frame(protocol, information, controls=ALL_CONTROLS)
            return
        self._out += encode_frame(
            protocol,
            information,
            controls=lcp.controls,
            short_header=lcp.short_header,
            short_protocol=lcp.short_protocol,
        )
