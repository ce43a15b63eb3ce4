"""Control packets of LCP, IPCP, PAP and CHAP: code, identifier, length, data; and configuration options."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

Option = tuple[int, bytes]
"""Type and data of a configuration option (RFC 1661 §6)."""


class Code(IntEnum):
    """Codes of LCP (RFC 1661 §5); IPCP has the first seven."""

    CONFIGURE_REQUEST = 1
    CONFIGURE_ACK = 2
    CONFIGURE_NAK = 3
    CONFIGURE_REJECT = 4
    TERMINATE_REQUEST = 5
    TERMINATE_ACK = 6
    CODE_REJECT = 7
    PROTOCOL_REJECT = 8
    ECHO_REQUEST = 9
    ECHO_REPLY = 10
    DISCARD_REQUEST = 11
    IDENTIFICATION = 12
    TIME_REMAINING = 13


@dataclass(frozen=True, slots=True)
class Packet:
    """One control packet.

    Attributes:
        code: What it is.
        identifier: Pairs requests and replies, 0 to 255.
        data: What follows the length.
    """

    code: int
    identifier: int
    data: bytes = b""

    def encode(self) -> bytes:
        """Return it as the information of a frame."""
        return bytes([self.code, self.identifier]) + (len(self.data) + 4).to_bytes(2, "big") + self.data


def decode_packet(information: bytes) -> Packet | None:
    """Return the control packet in a frame, or None where its length is wrong (RFC 1661 §5: discarded)."""
    if len(information) < 4:
        return None
    length = int.from_bytes(information[2:4], "big")
    if not 4 <= length <= len(information):
        return None
    return Packet(information[0], information[1], information[4:length])


def encode_options(options: Iterable[Option]) -> bytes:
    """Return options as the data of a packet."""
    return b"".join(bytes([kind, len(data) + 2]) + data for kind, data in options)


def decode_options(data: bytes) -> list[Option] | None:
    """Return the options of a packet, or None where a length is wrong."""
    options = []
    while data:
        if len(data) < 2 or not 2 <= data[1] <= len(data):
            return None
        options.append((data[0], data[2 : data[1]]))
        data = data[data[1] :]
    return options
