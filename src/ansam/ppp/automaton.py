"""The option negotiation automaton (RFC 1661 §4) that LCP and IPCP share.

The lower layer is up and we want the link from the first moment on, so seven of the ten states are left;
after them there is no way back but a new call::

    REQ_SENT ──RCA──► ACK_RCVD ──RCR+──► OPENED ──RTR──► STOPPING ──► CLOSED
        └──RCR+──► ACK_SENT ──RCA──────────┘   └─close─► CLOSING ───────┘
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum

from ansam.ppp.packet import Code, Option, Packet, decode_options, encode_options
from ansam.units import Seconds

RESTART: Seconds = 3.0
MAX_TERMINATE = 2
MAX_CONFIGURE = 10
MAX_FAILURE = 5
"""RFC 1661 §4.6; Naks in a row, then what is wrong is rejected."""

_NEGOTIATING = frozenset([Code.CONFIGURE_ACK, Code.CONFIGURE_NAK, Code.CONFIGURE_REJECT])


class State(Enum):
    """Where a negotiation is."""

    REQ_SENT = 6
    ACK_RCVD = 7
    ACK_SENT = 8
    OPENED = 9
    CLOSING = 4
    STOPPING = 5
    CLOSED = 2


class Automaton(ABC):
    """One negotiation.

    Args:
        send: Takes packets for the peer.

    Attributes:
        trouble: Why it was closed, where that was not asked for.
    """

    codes = frozenset(range(1, 8))
    """The codes that are known."""

    def __init__(self, send: Callable[[Packet], None]) -> None:
        self.state = State.CLOSED
        self.trouble = ""
        self._send = send
        self._identifier = 0
        self._left = 0
        self._naks = 0
        self._due: Seconds | None = None

    # -- what LCP and IPCP say -------------------------------------------------------------------------------

    @abstractmethod
    def wishes(self) -> list[Option]:
        """Return the options to ask for."""

    @abstractmethod
    def judge(self, options: list[Option]) -> tuple[list[Option], list[Option]]:
        """Return the peer's options to reject, and better values for those that do not suit."""

    @abstractmethod
    def agreed(self, options: list[Option]) -> None:
        """Take the peer's options, all of them acknowledged."""

    @abstractmethod
    def nakked(self, options: list[Option]) -> None:
        """Take the peer's values for our own options."""

    @abstractmethod
    def rejected(self, options: list[Option]) -> None:
        """Ask for these no more."""

    def other(self, packet: Packet) -> None:  # noqa: B027 - IPCP has no others
        """Take a packet of a code beyond the seven."""

    # -- the automaton ---------------------------------------------------------------------------------------

    def open(self, now: Seconds) -> None:
        """Begin (or, in OPENED, begin again: a peer's Configure-Request does that)."""
        self._left = MAX_CONFIGURE
        self._naks = 0
        self._request(now, State.REQ_SENT)

    def close(self, now: Seconds) -> None:
        """End the link."""
        if self.state in (State.CLOSED, State.CLOSING, State.STOPPING):
            return
        self._left = MAX_TERMINATE
        self._terminate(now)
        self.state = State.CLOSING

    def fail(self, trouble: str, now: Seconds) -> None:
        """End the link for a reason."""
        self.trouble = self.trouble or trouble
        self.close(now)

    def receive(self, packet: Packet, now: Seconds) -> None:
        """Take a packet from the peer."""
        if self.state is State.CLOSED:
            return
        if packet.code == Code.CONFIGURE_REQUEST:
            self._requested(packet, now)
        elif packet.code in _NEGOTIATING:
            self._answered(packet, now)
        elif packet.code == Code.TERMINATE_REQUEST:
            self._send(Packet(Code.TERMINATE_ACK, packet.identifier))
            if self.state not in (State.CLOSING, State.STOPPING):
                # RFC 1661 §4.4, zrc: the peer gets one restart period to go first.
                self.state, self._due, self._left = State.STOPPING, now + RESTART, 0
        elif packet.code == Code.TERMINATE_ACK:
            if self.state in (State.CLOSING, State.STOPPING):
                self._closed()
            elif self.state is State.OPENED:
                self.open(now)
        elif packet.code == Code.CODE_REJECT:
            # Of the first seven codes none can be done without (RXJ-).
            if packet.data[:1] and packet.data[0] < Code.CODE_REJECT:
                self.fail(f"peer rejects code {packet.data[0]}", now)
        elif packet.code not in self.codes:
            self._identifier = self._identifier + 1 & 0xFF
            self._send(Packet(Code.CODE_REJECT, self._identifier, packet.encode()[:1400]))
        else:
            self.other(packet)

    def deadline(self) -> Seconds | None:
        """Return when `handle_timer` wants to be called, or None."""
        return self._due

    def handle_timer(self, now: Seconds) -> None:
        """Let the restart timer act; calling early is harmless."""
        if self._due is None or now < self._due:
            return
        if self.state in (State.CLOSING, State.STOPPING):
            if self._left:
                self._terminate(now)
            else:
                self._closed()
        elif self._left:
            self._request(now, State.REQ_SENT if self.state is State.ACK_RCVD else self.state)
        else:
            self.trouble = self.trouble or "peer does not answer"
            self._closed()

    def _requested(self, packet: Packet, now: Seconds) -> None:
        options = decode_options(packet.data)
        if options is None or self.state in (State.CLOSING, State.STOPPING):
            return
        if self.state is State.OPENED:
            self.open(now)
        rejected, better = self.judge(options)
        if not rejected and better and self._naks >= MAX_FAILURE:
            kinds = {kind for kind, _ in better}
            rejected = [option for option in options if option[0] in kinds]
        if rejected or better:
            self._naks += not rejected
            code, answer = (Code.CONFIGURE_REJECT, rejected) if rejected else (Code.CONFIGURE_NAK, better)
            self._send(Packet(code, packet.identifier, encode_options(answer)))
            if self.state is State.ACK_SENT:
                self.state = State.REQ_SENT
            return
        self._naks = 0
        self._send(Packet(Code.CONFIGURE_ACK, packet.identifier, packet.data))
        self.agreed(options)
        self._opened() if self.state is State.ACK_RCVD else self._set(State.ACK_SENT)

    def _answered(self, packet: Packet, now: Seconds) -> None:
        options = decode_options(packet.data)
        if options is None or packet.identifier != self._identifier:
            return
        if self.state in (State.CLOSING, State.STOPPING):
            return
        if self.state in (State.ACK_RCVD, State.OPENED):
            # RFC 1661 §4.3: an answer crossed a new request, so all is asked again.
            self.open(now)
            return
        if packet.code == Code.CONFIGURE_ACK:
            if packet.data == encode_options(self.wishes()):
                self._left = MAX_CONFIGURE
                self._opened() if self.state is State.ACK_SENT else self._set(State.ACK_RCVD)
            return
        (self.nakked if packet.code == Code.CONFIGURE_NAK else self.rejected)(options)
        if self.trouble:
            self.close(now)
        else:
            self._left -= 1
            self._request(now, self.state)

    def _set(self, state: State) -> None:
        self.state = state

    def _request(self, now: Seconds, state: State) -> None:
        self.state = state
        self._left = max(0, self._left - 1)
        self._identifier = self._identifier + 1 & 0xFF
        self._send(Packet(Code.CONFIGURE_REQUEST, self._identifier, encode_options(self.wishes())))
        self._due = now + RESTART

    def _terminate(self, now: Seconds) -> None:
        self._left -= 1
        self._identifier = self._identifier + 1 & 0xFF
        self._send(Packet(Code.TERMINATE_REQUEST, self._identifier, self.trouble.encode()[:64]))
        self._due = now + RESTART

    def _opened(self) -> None:
        self.state, self._due = State.OPENED, None

    def _closed(self) -> None:
        self.state, self._due = State.CLOSED, None
