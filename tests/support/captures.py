"""Packet captures of calls, made by hand."""

import struct

import numpy as np

from ansam.codec import Law
from ansam.rtp.packet import RtpPacket, build
from ansam.units import FRAME, Audio

ENDS = ((b"\x0a\x00\x00\x01", 4000), (b"\x0a\x00\x00\x02", 5000))


def ethernet(
    payload: bytes, source: tuple[bytes, int], target: tuple[bytes, int], vlan: bool = False
) -> bytes:
    udp = struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0x4000, 64, 17, 0) + source[0] + target[0]
    kind = b"\x81\x00\x00\x05\x08\x00" if vlan else b"\x08\x00"
    return bytes(12) + kind + ip + udp


def packets_of(
    audio: Audio, direction: int, start: float = 0.0, first: int = 0xFFFFFF00, lost: tuple[int, ...] = ()
) -> list[tuple[float, bytes]]:
    source, target = ENDS if direction == 0 else ENDS[::-1]
    found = []
    for index in range(len(audio) // FRAME):
        if index in lost:
            continue
        octets = Law.ALAW.encode(audio[index * FRAME : (index + 1) * FRAME]).tobytes()
        stamp = (first + index * FRAME) & 0xFFFFFFFF
        packet = build(RtpPacket(8, index & 0xFFFF, stamp, 77 + direction, octets))
        found.append((start + index * 0.02, ethernet(packet, source, target, vlan=direction == 1)))
    return found


def pcap(packets: list[tuple[float, bytes]], order: str = "<") -> bytes:
    out = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for at, packet in sorted(packets, key=lambda one: one[0]):
        seconds, part = divmod(round(at * 1e6), 1_000_000)
        out += struct.pack(order + "IIII", seconds, part, len(packet), len(packet)) + packet
    return out


def pcapng(packets: list[tuple[float, bytes]]) -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))

    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", 1, 0, 65535) + struct.pack("<HHB3xHH", 9, 1, 9, 0, 0))
    for at, packet in sorted(packets, key=lambda one: one[0]):
        ticks = round(at * 1e9)
        out += block(
            6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet)) + packet
        )
    return out


def two_tones(seconds: float = 2.0) -> tuple[Audio, Audio]:
    t = np.arange(round(seconds * 8000)) / 8000
    one, other = (
        np.float32(0.2) * np.sin(2 * np.pi * hertz * t).astype(np.float32) for hertz in (1000, 1500)
    )
    return one, other
