"""Where a caller's IP packets may go.

Slirp's own addresses want care: 10.0.2.0 is a console that starts programs, 10.0.2.1 a shell on the machine,
and all others of 10.0.2.0/24 lead to the services on the machine's loopback address (slirp(1), SPECIAL
ADDRESSES). So do 127.0.0.0/8 and 0.0.0.0, which slirp connects to as they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from ansam.errors import ConfigError

HOST = IPv4Address("10.0.2.2")
"""The machine itself; also our end of the link."""

NAMES = IPv4Address("10.0.2.3")
"""The machine's name server."""

CALLER = IPv4Address("10.0.2.15")
"""Every caller: each has an emulator of its own."""

SPECIAL = IPv4Network("10.0.2.0/24")
_NEVER = (SPECIAL, IPv4Network("0.0.0.0/8"), IPv4Network("127.0.0.0/8"), IPv4Network("224.0.0.0/3"))
_ICMP, _TCP, _UDP = 1, 6, 17
_DOMAIN = 53


@dataclass(frozen=True, slots=True)
class Reach:
    """What callers can get at.

    Attributes:
        deny: Networks that they can not.
        host: Whether 10.0.2.2 leads to the services on this machine's loopback address.
    """

    deny: tuple[IPv4Network, ...] = ()
    host: bool = False

    def allows(self, packet: bytes) -> bool:
        """Return whether a packet from the caller may go on."""
        header = (packet[0] & 15) * 4 if packet else 0
        if len(packet) < 20 or packet[0] >> 4 != 4 or header < 20 or len(packet) < header:
            return False
        if int.from_bytes(packet[12:16], "big") != int(CALLER):
            return False
        target = IPv4Address(packet[16:20])
        protocol = packet[9]
        if target == HOST:
            return self.host or protocol == _ICMP
        if target == NAMES:
            first = not int.from_bytes(packet[6:8], "big") & 0x1FFF
            port = int.from_bytes(packet[header + 2 : header + 4], "big")
            return protocol in (_TCP, _UDP) and first and port == _DOMAIN
        return not any(target in network for network in (*_NEVER, *self.deny))


def parse_networks(texts: Iterable[str]) -> tuple[IPv4Network, ...]:
    """Return networks, such as ``192.168.0.0/16``.

    Raises:
        ConfigError: One is none.
    """
    networks = []
    for text in texts:
        try:
            networks.append(IPv4Network(text))
        except (AddressValueError, NetmaskValueError, ValueError) as error:
            raise ConfigError(f"deny: {text!r} is no IPv4 network: {error}", "192.168.0.0/16") from None
    return tuple(networks)
