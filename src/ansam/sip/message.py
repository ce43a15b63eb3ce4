"""Requests and responses: octets to values and back.

Reading is tolerant where a receiver can be (bare LF, folded lines, blanks before a colon, stray line ends in
front, unknown fields); what is ambiguous is an error, because two parties reading one message differently is
how gateways get cheated: contradicting Content-Length, NUL, a version other than 2.0. Writing is strict.
"""

import re
from dataclasses import dataclass

from ansam.errors import LocalProtocolError, RemoteProtocolError
from ansam.sip.fields import CSeq, Via, parse_cseq, parse_number, parse_via
from ansam.sip.headers import TOKEN, Headers, check_writable
from ansam.sip.uri import NameAddr, parse_name_addr

MAX_HEAD = 32_768
"""Octets of the start line and header fields."""

MAX_BODY = 65_536
MAX_FIELDS = 256

_RESPONSE_LINE = re.compile(r"SIP/2\.0[ \t]+(\d{3})(?:[ \t](.*))?", re.IGNORECASE | re.DOTALL)
_FOLD = re.compile(r"\n[ \t]+")


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `uri` is the Request-URI as text."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""

    def start_line(self) -> str:
        """Return the Request-Line."""
        return f"{self.method} {self.uri} SIP/2.0"


@dataclass(frozen=True, slots=True)
class Response:
    """A response."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""

    def start_line(self) -> str:
        """Return the Status-Line."""
        return f"SIP/2.0 {self.status} {self.reason}"


Message = Request | Response


def top_via(message: Message) -> Via:
    """Return the topmost Via.

    Raises:
        RemoteProtocolError: There is none, or it cannot be read.
    """
    values = message.headers.listed("Via")
    if not values:
        raise RemoteProtocolError("no Via header field", "RFC 3261 §8.1.1")
    return parse_via(values[0])


def cseq_of(message: Message) -> CSeq:
    """Return CSeq; raises RemoteProtocolError if it is missing or cannot be read."""
    return parse_cseq(message.headers.one("CSeq"))


def from_of(message: Message) -> NameAddr:
    """Return From; raises RemoteProtocolError if it is missing or cannot be read."""
    return parse_name_addr(message.headers.one("From"))


def to_of(message: Message) -> NameAddr:
    """Return To; raises RemoteProtocolError if it is missing or cannot be read."""
    return parse_name_addr(message.headers.one("To"))


def serialise(message: Message) -> bytes:
    """Return the octets of a message; Content-Length is computed and stands last.

    Raises:
        LocalProtocolError: A part would break out of its line, the method is no token or the URI has a blank.
    """
    if isinstance(message, Request):
        if TOKEN.fullmatch(message.method) is None:
            raise LocalProtocolError(f"not a method: {message.method[:40]!r}")
        if not message.uri or re.search(r"\s", message.uri):
            raise LocalProtocolError(f"not a Request-URI: {message.uri[:60]!r}")
    elif not 100 <= message.status <= 699:
        raise LocalProtocolError(f"not a status: {message.status}")
    lines = [message.start_line()]
    check_writable("start line", lines[0])
    for name, value in message.headers:
        if TOKEN.fullmatch(name) is None:
            raise LocalProtocolError(f"not a header name: {name[:40]!r}")
        check_writable(name, value)
        if name != "Content-Length":
            lines.append(f"{name}: {value}")
    lines.append(f"Content-Length: {len(message.body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + message.body


def parse_message(data: bytes) -> Message:
    """Read one datagram.

    Args:
        data: Octets of one message; what stands behind Content-Length octets of body is dropped (RFC 3261
            §18.3).

    Raises:
        RemoteProtocolError: Not a message, over a limit, or shorter than its Content-Length.
    """
    start = _skip_blank_lines(data)
    end, body_at = find_head_end(data, start)
    if end < 0:
        if len(data) - start > MAX_HEAD:
            raise RemoteProtocolError(f"header fields of more than {MAX_HEAD} octets", "RFC 3261 §7", data)
        # A datagram that stops after its fields lacks only the empty line.
        end = body_at = len(data)
    message = parse_head(data[start:end].rstrip(b"\r\n"))
    body = data[body_at:]
    length = content_length(message.headers)
    if length is not None:
        if length > len(body):
            raise BodyTooShort(message, length, len(body))
        body = body[:length]
    if len(body) > MAX_BODY:
        raise RemoteProtocolError(f"body of {len(body)} octets", "RFC 3261 §7.4", data)
    return with_body(message, body)


class BodyTooShort(RemoteProtocolError):
    """A datagram shorter than its Content-Length says; a request gets a 400 (RFC 3261 §18.3)."""

    def __init__(self, message: Message, announced: int, present: int) -> None:
        super().__init__(f"body of {present} octets where Content-Length says {announced}", "RFC 3261 §18.3")
        self.head = message


def with_body(message: Message, body: bytes) -> Message:
    """Return a copy with that body."""
    if isinstance(message, Request):
        return Request(message.method, message.uri, message.headers, body)
    return Response(message.status, message.reason, message.headers, body)


def content_length(headers: Headers) -> int | None:
    """Return Content-Length, None if there is none.

    Raises:
        RemoteProtocolError: Not a number, or several that differ.
    """
    if "Content-Length" not in headers:
        return None
    return parse_number(headers.one("Content-Length"), "Content-Length", (1 << 31) - 1)


def find_head_end(data: bytes | bytearray, start: int) -> tuple[int, int]:
    """Return where the header fields end and the body begins; (-1, -1) while the empty line is missing."""
    found = re.compile(rb"\r?\n\r?\n").search(data, start)
    return (found.start(), found.end()) if found else (-1, -1)


def _skip_blank_lines(data: bytes) -> int:
    start = 0
    while start < len(data) and data[start] in b"\r\n":
        start += 1
    return start


def parse_head(head: bytes) -> Message:
    """Read start line and header fields, without the empty line.

    Raises:
        RemoteProtocolError: The start line or a field cannot be read, or there are too many.
    """
    if len(head) > MAX_HEAD:
        raise RemoteProtocolError(f"header fields of {len(head)} octets", "RFC 3261 §7", head)
    text = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    first, _, rest = text.partition("\n")
    fields: list[tuple[str, str]] = []
    for line in _FOLD.sub(" ", rest).split("\n") if rest else []:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        if not colon or TOKEN.fullmatch(name) is None:
            raise RemoteProtocolError(f"not a header field: {line[:60]!r}", "RFC 3261 §7.3.1", head)
        fields.append((name, value.replace("\r", " ").replace("\0", "\N{REPLACEMENT CHARACTER}")))
        if len(fields) > MAX_FIELDS:
            raise RemoteProtocolError(f"more than {MAX_FIELDS} header fields", "RFC 3261 §7.3", head)
    return _start_line(first, Headers(tuple(fields)), head)


def _start_line(line: str, headers: Headers, head: bytes) -> Message:
    if "\0" in line or "\r" in line:
        raise RemoteProtocolError(f"control character in the start line: {line[:60]!r}", "RFC 3261 §7", head)
    if line[:4].upper() == "SIP/":
        found = _RESPONSE_LINE.fullmatch(line)
        if found is None or not 100 <= int(found[1]) <= 699:
            raise RemoteProtocolError(f"not a Status-Line: {line[:60]!r}", "RFC 3261 §7.2", head)
        return Response(int(found[1]), (found[2] or "").strip(" \t"), headers)
    parts = line.rstrip(" \t").split(" ")
    if len(parts) != 3 or TOKEN.fullmatch(parts[0]) is None or not parts[1] or re.search(r"\s", parts[1]):
        raise RemoteProtocolError(f"not a Request-Line: {line[:60]!r}", "RFC 3261 §7.1", head)
    if parts[2].upper() != "SIP/2.0":
        raise UnsupportedVersion(Request(parts[0], parts[1], headers), parts[2])
    return Request(parts[0], parts[1], headers)


class UnsupportedVersion(RemoteProtocolError):
    """A request of another SIP version; it gets a 505 (RFC 3261 §21.5.6)."""

    def __init__(self, message: Request, version: str) -> None:
        super().__init__(f"version {version[:20]!r}", "RFC 3261 §7.1")
        self.head = message
