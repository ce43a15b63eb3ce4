"""Datagrams of a packet capture: pcap and pcapng files, down to the payload of UDP.

Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng; link types as LINKTYPE_… of tcpdump.org. A file
that breaks off is read as far as it goes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ansam.errors import ConfigError

MAGICS = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)
"""First octets of pcap (either order, micro- or nanoseconds) and of pcapng."""

MAX_PACKET = 1 << 18
"""Longest packet believed, as in libpcap."""

_ETHERNET, _NULL, _RAW, _LOOP, _SLL, _IPV4, _IPV6, _SLL2 = 1, 0, 101, 108, 113, 228, 229, 276
_IP_AT = {_NULL: 4, _LOOP: 4, _RAW: 0, _IPV4: 0, _IPV6: 0, _SLL: 16, _SLL2: 20, _ETHERNET: 14}
_VLAN = (0x8100, 0x88A8)
_UDP = 17


@dataclass(frozen=True, slots=True)
class Datagram:
    """One UDP datagram.

    Attributes:
        at: When it was seen, seconds.
        source: Address and port it comes from.
        target: Address and port it goes to.
        payload: What it holds.
    """

    at: float
    source: tuple[bytes, int]
    target: tuple[bytes, int]
    payload: bytes


def is_capture(head: bytes) -> bool:
    """Return whether a file that begins so is a packet capture."""
    return head[:4] in MAGICS


def datagrams(data: bytes, name: str) -> Iterator[Datagram]:
    """Yield the UDP datagrams of a capture, in order.

    Args:
        data: The file.
        name: Of the file, for messages.

    Raises:
        ConfigError: It breaks off in its header, or was taken from a link of an unknown kind.
    """
    packets = _pcapng(data, name) if data[:4] == MAGICS[-1] else _pcap(data, name)
    for at, link, packet in packets:
        if link not in _IP_AT:
            raise ConfigError(f"{name!r}: link type {link} is not known", "capture on an Ethernet interface")
        found = _udp(packet, link)
        if found is not None:
            yield Datagram(at, *found)


def _pcap(data: bytes, name: str) -> Iterator[tuple[float, int, bytes]]:
    if len(data) < 24:
        raise ConfigError(f"{name!r} breaks off in its header", "capture it again")
    order = "<" if data[:4] in (MAGICS[0], MAGICS[2]) else ">"
    fraction = 1e-9 if data[:4] in MAGICS[2:4] else 1e-6
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        seconds, part, size, _ = struct.unpack_from(order + "IIII", data, at)
        if size > MAX_PACKET:
            return
        yield seconds + part * fraction, link, data[at + 16 : at + 16 + size]
        at += 16 + size


def _pcapng(data: bytes, name: str) -> Iterator[tuple[float, int, bytes]]:
    if len(data) < 28:
        raise ConfigError(f"{name!r} breaks off in its header", "capture it again")
    order, at = "<", 0
    interfaces: list[tuple[int, float]] = []
    while at + 12 <= len(data):
        if data[at : at + 4] == MAGICS[-1]:
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(order + "II", data, at)
        if size < 12 or size % 4 or size > MAX_PACKET + 1024:
            return
        body = data[at + 8 : at + size - 4]
        if kind == 1 and len(body) >= 8:
            interfaces.append((struct.unpack_from(order + "H", body)[0], _resolution(body, order)))
        elif kind == 6 and len(body) >= 20:
            number, high, low, length = struct.unpack_from(order + "IIII", body)
            if number < len(interfaces):
                link, tick = interfaces[number]
                yield (high << 32 | low) * tick, link, body[20 : 20 + length]
        at += size


def _resolution(body: bytes, order: str) -> float:
    """Return seconds in a tick of an interface: its option if_tsresol, or microseconds."""
    at = 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        if code == 9 and size == 1 and at + 4 < len(body):
            value = body[at + 4]
            return float(2.0 ** -(value & 0x7F) if value & 0x80 else 10.0**-value)
        if code == 0:
            break
        at += 4 + (size + 3) // 4 * 4
    return 1e-6


def _udp(packet: bytes, link: int) -> tuple[tuple[bytes, int], tuple[bytes, int], bytes] | None:
    """Return source, target and payload of a datagram that is whole; None for anything else."""
    at = _IP_AT[link]
    if link == _ETHERNET:
        while len(packet) >= at and int.from_bytes(packet[at - 2 : at], "big") in _VLAN:
            at += 4
    version = packet[at] >> 4 if len(packet) > at else 0
    if version == 4 and len(packet) >= at + 20:
        fragment = int.from_bytes(packet[at + 6 : at + 8], "big") & 0x3FFF
        protocol, source, target = packet[at + 9], packet[at + 12 : at + 16], packet[at + 16 : at + 20]
        at += (packet[at] & 15) * 4
    elif version == 6 and len(packet) >= at + 40:
        fragment, protocol = 0, packet[at + 6]
        source, target = packet[at + 8 : at + 24], packet[at + 24 : at + 40]
        at += 40
    else:
        return None
    if protocol != _UDP or fragment or len(packet) < at + 8:
        return None
    from_port, to_port, length = struct.unpack_from(">HHH", packet, at)
    payload = packet[at + 8 : at + length]
    return ((source, from_port), (target, to_port), payload) if len(payload) == length - 8 else None
