"""Keys of secure RTP in session descriptions (SDES, RFC 4568).

``a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:<30 octets in base64>[|lifetime][|MKI:length] [parameters]``
Whoever reads the description reads the keys: it should travel over TLS.
"""

import base64
import binascii
from dataclasses import dataclass

from ansam.sdp.description import Attribute, MediaDescription

SUITES = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
"""What we offer and accept, the preferred first (RFC 4568 §6.2)."""

KEY_OCTETS = 30
"""Master key (16 octets) and salt (14) of these suites."""

_HARMLESS = ("WSH=",)
"""Session parameters that ask nothing of us (RFC 4568 §6.3.7); a line with others is refused."""


@dataclass(frozen=True, slots=True)
class Crypto:
    """One usable a=crypto line.

    Attributes:
        tag: Its number; the answer repeats that of the line it takes.
        suite: One of `SUITES`.
        key: Master key and salt of its author's packets.
    """

    tag: int
    suite: str
    key: bytes

    def attribute(self) -> Attribute:
        """Return the line."""
        return Attribute(
            "crypto", f"{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode('ascii')}"
        )


def cryptos(medium: MediaDescription) -> list[Crypto]:
    """Return the lines we can use, in their author's order of preference."""
    found = [_parse(attribute.value or "") for attribute in medium.attributes if attribute.name == "crypto"]
    return [crypto for crypto in found if crypto is not None]


def _parse(value: str) -> Crypto | None:
    parts = value.split()
    if len(parts) < 3 or not (parts[0].isascii() and parts[0].isdigit()) or len(parts[0]) > 9:
        return None
    suite = parts[1].upper()
    method, _, info = parts[2].partition(":")
    key, *further = info.split("|")
    if suite not in SUITES or method.lower() != "inline" or ";" in parts[2]:
        return None
    # A second part with a colon is an MKI, octets in every packet that we do not write (RFC 4568 §6.1).
    if any(":" in part for part in further) or not all(p.upper().startswith(_HARMLESS) for p in parts[3:]):
        return None
    try:
        octets = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Crypto(int(parts[0]), suite, octets) if len(octets) == KEY_OCTETS else None
