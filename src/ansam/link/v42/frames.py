"""LAPM frames: addresses, control fields and their octets (V.42 (03/2002) §8.2)."""

from dataclasses import dataclass
from enum import Enum

MODULUS = 128
DLCI_DATA = 0
"""§9.2.7."""


class Kind(Enum):
    """Frame types of Table 8; the value is the (first) control octet without the P/F bit."""

    I = 0x00  # noqa: E741
    RR = 0x01
    RNR = 0x05
    REJ = 0x09
    SREJ = 0x0D
    SABME = 0x6F
    DM = 0x0F
    UI = 0x03
    DISC = 0x43
    UA = 0x63
    FRMR = 0x87
    XID = 0xAF
    TEST = 0xE3


SUPERVISORY = (Kind.RR, Kind.RNR, Kind.REJ, Kind.SREJ)
_SUPERVISORY = {kind.value: kind for kind in SUPERVISORY}
_UNNUMBERED = {kind.value: kind for kind in Kind if kind.value & 3 == 3}
_UNNUMBERED_POLL = 0x10
_NO_INFORMATION = (Kind.SABME, Kind.DM, Kind.DISC, Kind.UA)


class FrameError(Exception):
    """A frame-rejection condition: V.42 (03/2002) §8.5.5, with the item of §8.2.4.12 it falls under."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        kind: Its type.
        command: A command (True) or a response.
        poll: P bit of a command, F bit of a response.
        ns: N(S), of an I frame.
        nr: N(R), of I and supervisory frames.
        information: Information field.
    """

    kind: Kind
    command: bool
    poll: bool = False
    ns: int = 0
    nr: int = 0
    information: bytes = b""

    def describe(self) -> str:
        """Return its numbers, for people: ``N(S) 5, N(R) 3, 128 octets, P``."""
        parts = [f"N(S) {self.ns}"] if self.kind is Kind.I else []
        if self.kind is Kind.I or self.kind in SUPERVISORY:
            parts.append(f"N(R) {self.nr}")
        if self.information:
            parts.append(f"{len(self.information)} octets")
        if self.poll:
            parts.append("P" if self.command else "F")
        return ", ".join(parts)

    def encode(self, from_originator: bool) -> bytes:
        """Return the octets from address to information field, as one of the ends sends them."""
        # Table 6: commands of the originator and responses of the answerer have C/R = 1.
        cr = self.command is from_originator
        address = DLCI_DATA << 2 | cr << 1 | 1
        if self.kind is Kind.I:
            control = bytes((self.ns << 1, self.nr << 1 | self.poll))
        elif self.kind in SUPERVISORY:
            control = bytes((self.kind.value, self.nr << 1 | self.poll))
        else:
            control = bytes((self.kind.value | (_UNNUMBERED_POLL if self.poll else 0),))
        return bytes((address,)) + control + self.information


def decode(octets: bytes, from_originator: bool) -> Frame | None:
    """Read a frame whose FCS was good.

    Args:
        octets: Address to information field.
        from_originator: Which end sent it.

    Returns:
        The frame, or None for an invalid one (§8.1.3: it is discarded): too short, or not our DLCI.

    Raises:
        FrameError: A frame-rejection condition (§8.2.4.12 a or b).
    """
    if len(octets) < 2 or octets[0] & 1 == 0 or octets[0] >> 2 != DLCI_DATA:
        # A second address octet would carry a DLCI that we do not use.
        return None
    command = bool(octets[0] & 2) is from_originator
    control = octets[1]
    if control & 1 == 0 or control & 3 == 1:
        if len(octets) < 3:
            return None
        nr, poll, information = octets[2] >> 1, bool(octets[2] & 1), octets[3:]
        if control & 1 == 0:
            return Frame(Kind.I, command, poll, control >> 1, nr, information)
        kind = _SUPERVISORY.get(control)
        if kind is None:
            raise FrameError(f"undefined supervisory control field {control:#04x}")
        if information and kind is not Kind.SREJ:
            raise FrameError(f"{kind.name} with an information field")
        return Frame(kind, command, poll, 0, nr, information)
    kind = _UNNUMBERED.get(control & ~_UNNUMBERED_POLL)
    if kind is None:
        raise FrameError(f"undefined control field {control:#04x}")
    if len(octets) > 2 and kind in _NO_INFORMATION:
        raise FrameError(f"{kind.name} with an information field")
    return Frame(kind, command, bool(control & _UNNUMBERED_POLL), information=octets[2:])
