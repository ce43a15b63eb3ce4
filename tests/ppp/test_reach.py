from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import ConfigError
from ansam.ppp.reach import Reach, parse_networks


def packet(
    target: str, protocol: int = 6, port: int = 80, source: str = "10.0.2.15", offset: int = 0
) -> bytes:
    header = bytes([0x45, 0, 0, 24, 0, 0, offset >> 8, offset & 255, 64, protocol, 0, 0])
    addresses = IPv4Address(source).packed + IPv4Address(target).packed
    return header + addresses + (1024).to_bytes(2, "big") + port.to_bytes(2, "big")


OPEN = Reach()
CLOSED = Reach(parse_networks(["192.168.0.0/16", "10.0.0.0/8"]))


@pytest.mark.parametrize(
    ("reach", "data", "allowed"),
    [
        (OPEN, packet("93.184.216.34"), True),
        (OPEN, packet("192.168.1.1"), True),
        (CLOSED, packet("192.168.1.1"), False),
        (CLOSED, packet("10.1.1.1"), False),
        (CLOSED, packet("93.184.216.34", 17, 53), True),
        (OPEN, packet("10.0.2.0", port=23), False),
        (OPEN, packet("10.0.2.1", port=23), False),
        (OPEN, packet("10.0.2.77"), False),
        (OPEN, packet("127.0.0.1"), False),
        (Reach(host=True), packet("127.0.0.1"), False),
        (OPEN, packet("0.0.0.0"), False),
        (OPEN, packet("255.255.255.255", 17), False),
        (OPEN, packet("224.0.0.1", 17), False),
        (OPEN, packet("10.0.2.2"), False),
        (OPEN, packet("10.0.2.2", 1), True),
        (Reach(parse_networks(["10.0.0.0/8"]), host=True), packet("10.0.2.2"), True),
        (CLOSED, packet("10.0.2.3", 17, 53), True),
        (CLOSED, packet("10.0.2.3", 6, 53), True),
        (CLOSED, packet("10.0.2.3", 17, 161), False),
        (CLOSED, packet("10.0.2.3", 17, 53, offset=8), False),
        (OPEN, packet("93.184.216.34", source="10.0.2.16"), False),
        (OPEN, packet("93.184.216.34")[:19], False),
        (OPEN, b"\x60" + packet("93.184.216.34")[1:], False),
        (OPEN, b"", False),
    ],
)
def test_where_packets_may_go(reach: Reach, data: bytes, allowed: bool) -> None:
    assert reach.allows(data) is allowed


@given(st.binary(max_size=60))
def test_any_octets_are_judged(data: bytes) -> None:
    CLOSED.allows(b"\x45" + data)


def test_a_network_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match=r"192\.168\.0\.1/16"):
        parse_networks(["192.168.0.1/16"])
