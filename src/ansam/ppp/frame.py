"""PPP in HDLC-like framing over an asynchronous line (RFC 1662)."""

import re
from enum import IntEnum

from ansam.coding.crc import crc16

FLAG = 0x7E
ESCAPE = 0x7D
FLIP = 0x20
HEADER = b"\xff\x03"
"""Address: all stations; control: unnumbered information (RFC 1662 §3.1)."""

DEFAULT_MRU = 1500
LONGEST = DEFAULT_MRU + 32
"""A longer frame is none: what we announce (RFC 1661 §6.1), and room for header and FCS."""

ALL_CONTROLS = 0xFFFFFFFF
"""Which octets below 32 are escaped before both ends have agreed (RFC 1662 §7.1)."""

_ESCAPED = re.compile(rb"\x7d(.)", re.DOTALL)


class Protocol(IntEnum):
    """Numbers of protocols (RFC 1661 §2, IANA)."""

    IP = 0x0021
    IPCP = 0x8021
    LCP = 0xC021
    PAP = 0xC023
    CHAP = 0xC223


class FrameReader:
    """Finds frames in a stream of octets, however it is cut.

    Deviation: RFC 1662 §4.2 lets a receiver drop octets below 32 that it asked to be escaped, since modems of
    the time inserted them. Nothing on our way does; a frame with one too many fails its FCS.

    Attributes:
        damaged: Frames dropped: of a wrong FCS, too short, too long or given up by their sender.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._held = bytearray()
        self._inside = False

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take octets; return protocol and information of each whole frame in them."""
        frames = []
        *ended, rest = data.split(b"\x7e")
        for piece in ended:
            self._held += piece
            if self._inside and self._held:
                frame = self._frame(bytes(self._held))
                self.damaged += frame is None
                if frame is not None:
                    frames.append(frame)
            self._held.clear()
            self._inside = True
        if self._inside:
            self._held += rest
        if len(self._held) > 2 * LONGEST:
            self._held.clear()
            self._inside = False
            self.damaged += 1
        return frames

    def _frame(self, stuffed: bytes) -> tuple[int, bytes] | None:
        if stuffed[-1] == ESCAPE:
            return None  # RFC 1662 §4.3: the sender gave it up
        frame = _ESCAPED.sub(lambda found: bytes([found[1][0] ^ FLIP]), stuffed)
        body, check = frame[:-2], frame[-2:]
        if not 4 <= len(frame) <= LONGEST or crc16(body) != int.from_bytes(check, "little"):
            return None
        # Both compressions are always understood (RFC 1661 §6.5, §6.6).
        body = body.removeprefix(HEADER)
        if not body:
            return None
        if body[0] & 1:
            return body[0], body[1:]
        if len(body) < 2:
            return None
        return int.from_bytes(body[:2], "big"), body[2:]


def encode_frame(
    protocol: int,
    information: bytes,
    *,
    controls: int = ALL_CONTROLS,
    short_header: bool = False,
    short_protocol: bool = False,
) -> bytes:
    """Return a frame as it goes on the line, flags and all.

    Args:
        protocol: Its number.
        information: What it carries.
        controls: Bit n: octet n is escaped (the peer's async-control-character-map).
        short_header: Leave address and control out.
        short_protocol: Send protocols below 256 in one octet.
    """
    body = b"" if short_header else HEADER
    body += bytes([protocol]) if short_protocol and protocol < 256 else protocol.to_bytes(2, "big")
    body += information
    body += crc16(body).to_bytes(2, "little")
    out = bytearray([FLAG])
    for octet in body:
        if octet in (FLAG, ESCAPE) or (octet < 32 and controls >> octet & 1):
            out += bytes([ESCAPE, octet ^ FLIP])
        else:
            out.append(octet)
    out.append(FLAG)
    return bytes(out)
