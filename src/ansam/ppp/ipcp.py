"""The Internet Protocol Control Protocol (RFC 1332), with name servers (RFC 1877)."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from ipaddress import IPv4Address

from ansam.ppp.automaton import Automaton
from ansam.ppp.packet import Option, Packet


class Kind(IntEnum):
    """Types of options. Header compression (2) is rejected: V.42bis has the headers' repetitions already."""

    ADDRESS = 3
    DNS_1 = 129
    DNS_2 = 131


class Ipcp(Automaton):
    """IPCP of one link.

    Args:
        send: Takes packets for the peer.
        own: Our address.
        peer: The address the peer gets.
        names: Name servers for it, two at most.
    """

    def __init__(
        self,
        send: Callable[[Packet], None],
        own: IPv4Address,
        peer: IPv4Address,
        names: Sequence[IPv4Address],
    ) -> None:
        super().__init__(send)
        self._own = own.packed
        self._gives: dict[int, bytes] = {Kind.ADDRESS: peer.packed}
        if names:
            # One that asks for two where there is one gets it twice.
            self._gives |= {Kind.DNS_1: names[0].packed, Kind.DNS_2: names[-1].packed}
        self._refused = False
        self._hinted = False

    def wishes(self) -> list[Option]:
        """Return the options to ask for."""
        return [] if self._refused else [(Kind.ADDRESS, self._own)]

    def judge(self, options: list[Option]) -> tuple[list[Option], list[Option]]:
        """Give the peer its address and its name servers."""
        rejected = [(kind, data) for kind, data in options if kind not in self._gives or len(data) != 4]
        better = [
            (kind, self._gives[kind]) for kind, data in options if self._gives.get(kind) not in (None, data)
        ]
        if not rejected and Kind.ADDRESS not in dict(options) and not self._hinted:
            # RFC 1332 §3.3: who does not ask is told once.
            self._hinted = True
            better.append((Kind.ADDRESS, self._gives[Kind.ADDRESS]))
        return rejected, better

    def agreed(self, options: list[Option]) -> None:
        """The peer has what we gave it."""

    def nakked(self, options: list[Option]) -> None:
        """Keep our address whatever the peer says; it does not matter to what it gets."""
        self._refused = True

    def rejected(self, options: list[Option]) -> None:
        """Do not tell our address, then."""
        self._refused = True
