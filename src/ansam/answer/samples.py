"""Files for a house that has none of its own: what `ansam demo` gives its guests to read."""

from ansam.answer.shelf import MemoryShelf

PATTERN_NAME = "pattern.txt"
PATTERN_SIZE = 10_240

WELCOME = b"""\
You are logged in over a telephone line that does not exist.

Your keys went as characters with start and stop bits into a modem, which made
quadrature amplitude modulation of them; as A-law octets in RTP packets, 160 at
a time, that sound crossed a SIP exchange; another modem listened to it, took
the carrier, the symbols and the bits out again, and told us what you typed.

Everything you read came back the same way.

`read pattern.txt` sends ten kilobytes in which one wrong octet shows at once.
`who`, `time` and `chat` are there too, and `bye` hangs up.
"""


def pattern(size: int = PATTERN_SIZE) -> bytes:
    """Return the rotating pattern of RFC 864 (lines of 72 printable characters), LF at line ends."""
    printable = bytes(range(0x20, 0x7F))
    out = bytearray()
    shift = 0
    while len(out) < size:
        at = shift % len(printable)
        out += (printable[at:] + printable[:at])[:72] + b"\n"
        shift += 1
    return bytes(out[: size - 1]) + b"\n"


def sample_shelf() -> MemoryShelf:
    """Return the demo's files."""
    return MemoryShelf({"welcome.txt": WELCOME, PATTERN_NAME: pattern()})
