"""Result codes: what the modem says to the terminal, as words and as numbers.

Texts and numbers are the US Robotics ones (Courier and Sportster manuals); the plain Hayes ones are V.250
(07/2003) §5.7.1. Which parts of a CONNECT are shown is set by Xn and &An.
"""

from dataclasses import dataclass
from enum import Enum


class Result(Enum):
    """A final or unsolicited result other than CONNECT: value = (number, words)."""

    OK = (0, "OK")
    RING = (2, "RING")
    NO_CARRIER = (3, "NO CARRIER")
    ERROR = (4, "ERROR")
    NO_DIAL_TONE = (6, "NO DIAL TONE")
    BUSY = (7, "BUSY")
    NO_ANSWER = (8, "NO ANSWER")
    RINGING = (11, "RINGING")
    VOICE = (12, "VOICE")


@dataclass(frozen=True, slots=True)
class Connect:
    """What a connection is, for the CONNECT result.

    Attributes:
        rate: Line rate in bit/s: what is received (the rates of a V.34 or V.90 line can differ).
        modulation: ``""`` below V.32, else ``V32``, ``V34``, ``V90``.
        protocol: ``NONE``, ``LAPM`` or ``SYNC``; all but ``NONE`` and ``SYNC`` are error-controlled (/ARQ).
        compression: ``""``, ``V42BIS`` or ``V44``.
        carrier: `+MS` name of the modulation (``V22B``), for the +MCR report of +MR=1; "" leaves it out.
        tx_rate: Line rate in bit/s of what is sent; 0 for the same.
    """

    rate: int
    modulation: str = ""
    protocol: str = "NONE"
    compression: str = ""
    carrier: str = ""
    tx_rate: int = 0

    @property
    def arq(self) -> bool:
        """The connection is under error control."""
        return self.protocol not in ("NONE", "SYNC")
