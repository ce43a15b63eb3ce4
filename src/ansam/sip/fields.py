"""Typed values of single header fields: Via, CSeq and the plain numbers."""

import re
from dataclasses import dataclass

from ansam.errors import RemoteProtocolError
from ansam.sip.headers import TOKEN
from ansam.sip.uri import Parameters, find_parameter, format_parameters, parse_parameters

MAGIC_COOKIE = "z9hG4bK"
"""Begins every branch that identifies a transaction (RFC 3261 §8.1.1.7)."""

MAX_CSEQ = (1 << 31) - 1
"""RFC 3261 §8.1.1.5: less than 2**31."""

_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*(?P<transport>[A-Za-z0-9\-.!%*_+`'~]+)\s+"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(?:\s*:\s*(?P<port>\d{1,5}))?\s*(?P<rest>;.*)?",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of Via.

    Attributes:
        transport: In upper case.
        host: Of sent-by, as written.
        port: Of sent-by, None where it is not given.
        parameters: branch, received, rport …
    """

    transport: str
    host: str
    port: int | None
    parameters: Parameters

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value ("" for one without), or None if it is absent."""
        return find_parameter(self.parameters, name)

    @property
    def branch(self) -> str:
        """The branch, "" if none."""
        return self.parameter("branch") or ""

    @property
    def sent_by(self) -> str:
        """Host and port in lower case, with the default port filled in: part of a transaction's identity."""
        return f"{self.host.lower()}:{self.port or 5060}"

    def stamped(self, source: tuple[str, int]) -> "Via":
        """Return the Via a server keeps: with `received` and a filled `rport` (RFC 3581 §4).

        RFC 3261 §18.2.1 demands `received` where the host differs from the packet's source.
        """
        wants_port = self.parameter("rport") is not None
        kept: list[tuple[str, str | None]] = [
            pair for pair in self.parameters if pair[0].lower() not in ("received", "rport")
        ]
        if wants_port or self.host.strip("[]") != source[0]:
            kept.append(("received", source[0]))
        if wants_port:
            kept.append(("rport", str(source[1])))
        return Via(self.transport, self.host, self.port, tuple(kept))

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{format_parameters(self.parameters)}"


def parse_via(text: str) -> Via:
    """Read one Via value.

    Raises:
        RemoteProtocolError: It cannot be read.
    """
    found = _VIA.fullmatch(text.strip())
    if found is None or (found["port"] and int(found["port"]) > 65535):
        raise RemoteProtocolError(f"unreadable Via: {text[:60]!r}", "RFC 3261 §20.42")
    parameters = parse_parameters(found["rest"] or "")
    return Via(
        found["transport"].upper(), found["host"], int(found["port"]) if found["port"] else None, parameters
    )


@dataclass(frozen=True, slots=True)
class CSeq:
    """Sequence number and method."""

    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def parse_cseq(text: str) -> CSeq:
    """Read CSeq.

    Raises:
        RemoteProtocolError: Not a number below 2**31 and a method.
    """
    parts = text.split()
    if len(parts) != 2 or TOKEN.fullmatch(parts[1]) is None:
        raise RemoteProtocolError(f"unreadable CSeq: {text[:40]!r}", "RFC 3261 §20.16")
    return CSeq(parse_number(parts[0], "CSeq", MAX_CSEQ), parts[1])


def parse_number(text: str, what: str, maximum: int) -> int:
    """Read an unsigned decimal number.

    Raises:
        RemoteProtocolError: Not digits only, or above `maximum`.
    """
    text = text.strip()
    digits = text.lstrip("0") or text[-1:]
    if not (text.isascii() and text.isdigit()) or len(digits) > 20 or int(digits) > maximum:
        raise RemoteProtocolError(f"{what} is no number up to {maximum}: {text[:24]!r}", "RFC 3261 §25.1")
    return int(digits)
