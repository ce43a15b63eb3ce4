"""Redundant audio (RFC 2198): each packet carries the frames before it again.

A lost packet then costs nothing as long as the next one arrives before the lost frame's turn: depth 1 mends
single losses, depth 2 losses of two in a row, for 64 kbit/s and 20 ms of playout delay each.

```
 packet k   │ F=1 PT offset=160 length=160 │ F=0 PT │ frame k-1 │ frame k │
```
"""

import struct
from collections import deque
from dataclasses import dataclass

from ansam.errors import RemoteProtocolError

MAX_DEPTH = 4
"""Frames repeated: 5 of 160 octets and their headers still fit an Ethernet frame."""

MAX_OFFSET = (1 << 14) - 1
MAX_LENGTH = (1 << 10) - 1

CLAUSE = "RFC 2198 §3"


@dataclass(frozen=True, slots=True)
class Redundancy:
    """What was agreed on.

    Attributes:
        depth: Earlier frames each of our packets repeats, 0 to `MAX_DEPTH`.
        send_type: Payload type of our redundant packets.
        receive_type: Of theirs.
    """

    depth: int
    send_type: int
    receive_type: int


@dataclass(frozen=True, slots=True)
class Block:
    """One frame of a redundant packet.

    Attributes:
        payload_type: Its own.
        offset: How much older than the packet's timestamp it is, samples; 0: the primary frame.
        payload: Its octets.
    """

    payload_type: int
    offset: int
    payload: bytes


def parse_blocks(payload: bytes) -> list[Block]:
    """Return the frames of a redundant packet, oldest first; the last one is the primary.

    Args:
        payload: Of a packet whose type is that of redundancy.

    Raises:
        RemoteProtocolError: Headers or frames do not fit the payload.
    """
    heads: list[tuple[int, int, int]] = []
    at = 0
    while True:
        if at >= len(payload):
            raise RemoteProtocolError("redundant packet without a primary frame", CLAUSE, payload)
        if not payload[at] & 0x80:
            break
        if at + 4 > len(payload):
            raise RemoteProtocolError("header of a redundant frame cut off", CLAUSE, payload)
        (word,) = struct.unpack_from("!I", payload, at)
        heads.append((word >> 24 & 0x7F, word >> 10 & MAX_OFFSET, word & MAX_LENGTH))
        at += 4
    primary = payload[at] & 0x7F
    at += 1
    blocks = []
    for kind, offset, length in heads:
        if at + length > len(payload):
            raise RemoteProtocolError("redundant frame longer than its packet", CLAUSE, payload)
        blocks.append(Block(kind, offset, payload[at : at + length]))
        at += length
    return [*blocks, Block(primary, 0, payload[at:])]


class RedundantSender:
    """Makes the payloads of our redundant packets.

    Args:
        depth: Frames to repeat.
    """

    def __init__(self, depth: int) -> None:
        self._sent: deque[tuple[int, bytes]] = deque(maxlen=depth)

    def wrap(self, payload_type: int, timestamp: int, frame: bytes) -> bytes:
        """Return the payload for a frame and those before it.

        Args:
            payload_type: Of all of them.
            timestamp: Of the frame, 32 bits.
            frame: At most `MAX_LENGTH` octets.
        """
        heads, frames = b"", b""
        for earlier, octets in self._sent:
            offset = (timestamp - earlier) & 0xFFFFFFFF
            if offset <= MAX_OFFSET:
                # What is older, from before a pause, could not be said.
                heads += struct.pack("!I", 0x80000000 | payload_type << 24 | offset << 10 | len(octets))
                frames += octets
        self._sent.append((timestamp, frame))
        return heads + bytes([payload_type]) + frames + frame
