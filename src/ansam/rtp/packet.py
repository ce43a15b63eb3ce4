"""RTP packets: octets to fields and back (RFC 3550 §5.1, §5.3.1).

A modem needs each octet of the payload as it was sent, so nothing here interprets the payload. The parser
is strict where leniency could move sample boundaries (padding, header length) and never reads beyond the
datagram.
"""

import struct
from dataclasses import dataclass

from ansam.errors import LocalProtocolError, RemoteProtocolError

HEADER = 12
"""Octets of the fixed header."""

MAX_PACKET = 1500
"""Longest datagram taken: an Ethernet frame; G.711 needs 332 octets at 40 ms."""

MAX_CSRC = 15

CLAUSE = "RFC 3550 §5.1"


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One RTP packet.

    Attributes:
        payload_type: 0..127.
        sequence: 0..65535.
        timestamp: 0..2³²-1, in samples of 8000 Hz for G.711.
        ssrc: 0..2³²-1.
        payload: Octets without padding.
        marker: For audio, the first packet after silence (RFC 3551 §4.1).
        csrc: At most 15 contributing sources.
        extension: (profile word, data of a multiple of 4 octets), or None.
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrc: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None


def parse(data: bytes) -> RtpPacket:
    """Return the packet in a datagram.

    Args:
        data: One whole datagram.

    Raises:
        RemoteProtocolError: Not an RTP packet, or its lengths contradict each other.
    """
    if not HEADER <= len(data) <= MAX_PACKET:
        raise RemoteProtocolError(f"RTP packet of {len(data)} octets", CLAUSE, data)
    first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    if first >> 6 != 2:
        raise RemoteProtocolError(f"RTP version {first >> 6}", CLAUSE, data)
    at = HEADER + 4 * (first & 15)
    if at > len(data):
        raise RemoteProtocolError("RTP packet shorter than its CSRC list", CLAUSE, data)
    csrc = struct.unpack_from(f"!{first & 15}I", data, HEADER)
    extension = None
    if first & 0x10:
        extension, at = _extension(data, at)
    end = len(data)
    if first & 0x20:
        padding = data[-1]
        if padding == 0 or at + padding > end:
            raise RemoteProtocolError(f"RTP padding of {padding} octets", CLAUSE, data)
        end -= padding
    return RtpPacket(
        payload_type=second & 0x7F,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=bytes(data[at:end]),
        marker=bool(second & 0x80),
        csrc=csrc,
        extension=extension,
    )


def _extension(data: bytes, at: int) -> tuple[tuple[int, bytes], int]:
    """Return the header extension at `at` and where the payload starts."""
    if at + 4 > len(data):
        raise RemoteProtocolError("RTP header extension cut off", "RFC 3550 §5.3.1", data)
    profile, words = struct.unpack_from("!HH", data, at)
    end = at + 4 + 4 * words
    if end > len(data):
        raise RemoteProtocolError("RTP header extension longer than the packet", "RFC 3550 §5.3.1", data)
    return (profile, bytes(data[at + 4 : end])), end


def build(packet: RtpPacket, padding: int = 0) -> bytes:
    """Return the octets of a packet.

    Args:
        packet: The fields.
        padding: Octets of padding to add, 0..255 (RFC 3550 §5.1, P bit).

    Raises:
        LocalProtocolError: A field is out of range.
    """
    if len(packet.csrc) > MAX_CSRC or not 0 <= packet.payload_type < 128 or not 0 <= padding < 256:
        raise LocalProtocolError(f"RTP fields out of range: {packet.payload_type=} {padding=} {packet.csrc=}")
    first = 0x80 | bool(padding) << 5 | (packet.extension is not None) << 4 | len(packet.csrc)
    second = packet.marker << 7 | packet.payload_type
    head = struct.pack("!BBHII", first, second, packet.sequence, packet.timestamp, packet.ssrc)
    if packet.csrc:
        head += struct.pack(f"!{len(packet.csrc)}I", *packet.csrc)
    if packet.extension is not None:
        profile, data = packet.extension
        if len(data) % 4:
            raise LocalProtocolError(f"RTP header extension of {len(data)} octets is not a multiple of 4")
        head += struct.pack("!HH", profile, len(data) // 4) + data
    tail = bytes(padding - 1) + bytes([padding]) if padding else b""
    return head + packet.payload + tail
