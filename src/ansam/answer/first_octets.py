r"""Callers who are programs: PPP peers and FidoNet mailers, known by what they send at the login prompt.

A PPP peer begins with a Configure-Request of LCP (RFC 1661 §5.1) in RFC 1662's octet-stuffed framing: flag
7E, then address FF and control 03, which may be stuffed (7D 23 for 03, 7D DF for FF), or left out (address
and control field compression), then protocol C021. A mailer sends TSYNC (AE, FTS-0001), YooHoo (F1, FTS-0006)
or the words ``**EMSI_INQC816`` (FSC-0056).
"""

from dataclasses import dataclass

_FF = (b"\xff", b"\x7d\xdf")
_03 = (b"\x03", b"\x7d\x23")
_LCP = b"\xc0\x21"
LCP_STARTS = frozenset([b"\x7e" + ff + control + _LCP for ff in _FF for control in _03] + [b"\x7e" + _LCP])
"""What the beginning of an LCP frame looks like."""

MAILERS = {0xAE: "tsync", 0xF1: "yoohoo"}
"""Octets that only a mailer sends, and how ``ifcico`` wants to be told."""

EMSI_WORD = "**EMSI_INQ"


@dataclass(frozen=True, slots=True)
class PppPeer:
    """A PPP peer: what it has sent so far belongs to the program that will speak with it."""

    octets: bytes


class LcpEar:
    """Listens for the beginning of an LCP frame; holds back what may become one."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, octet: int) -> tuple[bytes, PppPeer | None]:
        """Take one octet.

        Returns:
            Octets that are no LCP frame, for whoever reads names; and the peer, once it is known.
        """
        held = self._held + bytes([octet])
        if held in LCP_STARTS:
            self._held = b""
            return b"", PppPeer(held)
        free = b""
        # Two flags between frames are as good as one, and a frame may begin after anything else.
        while held and not any(start.startswith(held) for start in LCP_STARTS):
            free, held = free + held[:1], held[1:]
        self._held = held
        return free, None
