"""Parity of the terminal's characters, found out from the letters A and T as modems do.

Characters of 7 bits with parity arrive here as octets whose top bit is the parity bit. Two letters are enough
to tell the cases apart, for they differ in the number of ones:

===========  ===  ===
parity        A    T    top bits of A and T (0x41, 0x54)
===========  ===  ===
none, space   0    0
even          0    1
odd           1    0
mark          1    1
===========  ===  ===

(a and t, 0x61 and 0x74: even and odd change places.) What the modem says in command state has the same
parity. In online state it takes and gives octets as they are, so that 7E1 at both ends, Kermit's for example,
goes through unchanged.
"""

from collections.abc import Callable
from enum import Enum


class PortParity(Enum):
    """Parity of the terminal's characters."""

    NONE = "N"
    EVEN = "E"
    ODD = "O"
    MARK = "M"
    SPACE = "S"


def _table(parity: PortParity) -> bytes:
    tops: dict[PortParity, Callable[[int], int]] = {
        PortParity.NONE: lambda c: c & 0x80,
        PortParity.EVEN: lambda c: 0x80 * ((c & 0x7F).bit_count() & 1),
        PortParity.ODD: lambda c: 0x80 * (1 - ((c & 0x7F).bit_count() & 1)),
        PortParity.MARK: lambda c: 0x80,
        PortParity.SPACE: lambda c: 0,
    }
    return bytes((c & 0x7F) | tops[parity](c) for c in range(256))


_TABLES = {parity: _table(parity) for parity in PortParity}
_BY_TOP_BITS = {
    (0, 0): PortParity.NONE,
    (0, 1): PortParity.EVEN,
    (1, 0): PortParity.ODD,
    (1, 1): PortParity.MARK,
}


def with_parity(octets: bytes, parity: PortParity) -> bytes:
    """Return the octets with the top bit that `parity` asks for; with none, as they are."""
    return octets if parity is PortParity.NONE else octets.translate(_TABLES[parity])


class ParityDetector:
    """Watches the terminal's characters in command state.

    The CR at the end of the line is held against what A and T showed: where it does not agree, the letters
    were no 7-bit ones (PETSCII has its capitals at 0xC1 and its CR at 0x0D), and there is no parity.

    Attributes:
        parity: Of the last command line.
        seen: Command lines that have begun.
    """

    def __init__(self) -> None:
        self.parity = PortParity.NONE
        self.seen = 0
        self._first: int | None = None
        self._in_line = False

    def receive(self, octets: bytes, end: int = 13) -> None:
        """Take characters, cut anywhere.

        Args:
            octets: As received.
            end: The character that ends a line (S3).
        """
        for octet in octets:
            if self._in_line:
                if octet & 0x7F == end:
                    self._in_line = False
                    if with_parity(bytes([end]), self.parity) != bytes([octet]):
                        self.parity = PortParity.NONE
                continue
            first, self._first = self._first, None
            if octet & 0x5F == ord("A"):
                self._first = octet
            elif first is not None and octet & 0x7F == first & 0x7F ^ 0x15:  # T to A, t to a
                self._letters(first, octet)

    def _letters(self, first: int, second: int) -> None:
        tops = (first >> 7, second >> 7)
        if first & 0x20 and tops[0] != tops[1]:
            tops = tops[::-1]
        self.parity = _BY_TOP_BITS[tops]
        self.seen += 1
        self._in_line = True
