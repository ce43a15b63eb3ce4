"""The Link Control Protocol as a server speaks it (RFC 1661 §5 and §6; RFC 1662 §7.1)."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from random import Random

from ansam.ppp.automaton import Automaton
from ansam.ppp.frame import ALL_CONTROLS, DEFAULT_MRU, Protocol
from ansam.ppp.packet import Code, Option, Packet

CHAP_MD5 = Protocol.CHAP.to_bytes(2, "big") + b"\x05"
PAP = Protocol.PAP.to_bytes(2, "big")
METHODS = {"pap": PAP, "chap": CHAP_MD5}
"""Data of the Authentication-Protocol option (RFC 1334 §2.1, RFC 1994 §3)."""

LEAST_MRU = 128
"""A peer that takes no more than this is asked for more: most packets would be in pieces."""


class Kind(IntEnum):
    """Types of options."""

    MRU = 1
    CONTROLS = 2
    AUTHENTICATION = 3
    MAGIC = 5
    SHORT_PROTOCOL = 7
    SHORT_HEADER = 8


_SIZES = {Kind.MRU: 2, Kind.CONTROLS: 4, Kind.MAGIC: 4, Kind.SHORT_PROTOCOL: 0, Kind.SHORT_HEADER: 0}


class Lcp(Automaton):
    """LCP of one link.

    Args:
        send: Takes packets for the peer.
        methods: How the peer may prove who it is, best first; none: it need not.
        rng: Gives the magic number.

    Attributes:
        method: The way agreed on, or "".
        controls: Octets below 32 that the peer wants escaped, bit by bit.
        mru: Octets it takes in a frame.
        short_protocol: It takes protocols in one octet.
        short_header: It takes frames without address and control.
    """

    codes = frozenset(Code)

    def __init__(self, send: Callable[[Packet], None], methods: Sequence[str], rng: Random) -> None:
        super().__init__(send)
        self._methods = tuple(methods)
        self._rng = rng
        self._magic = rng.randbytes(4)
        self._refused: set[int] = set()
        self._declined: set[str] = set()
        self.method = methods[0] if methods else ""
        self.controls = ALL_CONTROLS
        self.mru = DEFAULT_MRU
        self.short_protocol = False
        self.short_header = False

    def reset(self) -> None:
        """Forget what the peer takes: negotiation begins."""
        self.controls, self.mru = ALL_CONTROLS, DEFAULT_MRU
        self.short_protocol = self.short_header = False

    def wishes(self) -> list[Option]:
        """Return the options to ask for."""
        options: list[Option] = [(Kind.CONTROLS, bytes(4))]
        if self.method:
            options.append((Kind.AUTHENTICATION, METHODS[self.method]))
        options += [(Kind.MAGIC, self._magic), (Kind.SHORT_PROTOCOL, b""), (Kind.SHORT_HEADER, b"")]
        return [option for option in options if option[0] not in self._refused]

    def judge(self, options: list[Option]) -> tuple[list[Option], list[Option]]:
        """Return what is rejected and what is to be better."""
        # Not Authentication-Protocol: we prove nothing to callers.
        rejected = [option for option in options if _SIZES.get(option[0]) != len(option[1])]  # type: ignore[call-overload]
        better: list[Option] = []
        for kind, data in options:
            if kind == Kind.MRU and int.from_bytes(data, "big") < LEAST_MRU:
                better.append((kind, DEFAULT_MRU.to_bytes(2, "big")))
            if kind == Kind.MAGIC and data in (self._magic, bytes(4)):
                # RFC 1661 §6.4: our own number comes back from a looped line; zero is none.
                better.append((kind, self._rng.randbytes(4)))
        return rejected, better

    def agreed(self, options: list[Option]) -> None:
        """Take what the peer has told of itself."""
        self.reset()
        for kind, data in options:
            if kind == Kind.MRU:
                self.mru = min(DEFAULT_MRU, int.from_bytes(data, "big"))
            elif kind == Kind.CONTROLS:
                self.controls = int.from_bytes(data, "big")
            elif kind == Kind.SHORT_PROTOCOL:
                self.short_protocol = True
            elif kind == Kind.SHORT_HEADER:
                self.short_header = True

    def nakked(self, options: list[Option]) -> None:
        """Take the peer's values: another way to prove who it is, another magic number."""
        for kind, data in options:
            if kind == Kind.AUTHENTICATION:
                self._choose(data)
            elif kind == Kind.MAGIC:
                self._magic = self._rng.randbytes(4)
            elif kind == Kind.CONTROLS:
                self._refused.add(kind)

    def _choose(self, wanted: bytes) -> None:
        """Take the peer's choice where it is one of ours, else offer what it has not declined yet."""
        self._declined.add(self.method)
        left = [name for name in self._methods if name not in self._declined]
        liked = [name for name in left if METHODS[name] == wanted]
        if left:
            self.method = (liked or left)[0]
        else:
            self.trouble = f"peer wants to authenticate by {wanted.hex() or 'nothing'}"

    def rejected(self, options: list[Option]) -> None:
        """Do without; but never without authentication."""
        for kind, _ in options:
            if kind == Kind.AUTHENTICATION:
                self.trouble = "peer refuses to authenticate"
            else:
                self._refused.add(kind)

    def other(self, packet: Packet) -> None:
        """Answer echoes; what a peer says of itself (RFC 1570) needs no answer."""
        if packet.code == Code.ECHO_REQUEST and self.is_open:
            magic = bytes(4) if Kind.MAGIC in self._refused else self._magic
            self._send(Packet(Code.ECHO_REPLY, packet.identifier, magic + packet.data[4:]))

    @property
    def is_open(self) -> bool:
        """Whether other protocols may be spoken."""
        return self.state.name == "OPENED"

    def reject_protocol(self, protocol: int, information: bytes) -> None:
        """Tell the peer that a protocol is not spoken here (RFC 1661 §5.7)."""
        self._identifier = self._identifier + 1 & 0xFF
        data = protocol.to_bytes(2, "big") + information
        self._send(Packet(Code.PROTOCOL_REJECT, self._identifier, data[: self.mru - 4]))
