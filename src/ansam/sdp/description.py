"""Parse and write session descriptions.

Reading is tolerant: unknown lines and attributes are kept (RFC 8866 §5: they are ignored, not errors), bare
LF ends a line. Writing is strict: CRLF, and the order of RFC 8866 §9.
"""

from dataclasses import dataclass, replace

from ansam.errors import LocalProtocolError, RemoteProtocolError

MAX_OCTETS = 16_384
MAX_LINES = 500
MAX_MEDIA = 32

_CLAUSE = "RFC 8866 §5"


@dataclass(frozen=True, slots=True)
class Origin:
    """The o= line.

    Attributes:
        username: ``-`` where there is none.
        session_id: Digits, kept as text.
        version: Raised by one with each change of the session (RFC 3264 §8).
        network: ``IN``.
        address_type: ``IP4`` or ``IP6``.
        address: Unicast address or host name.
    """

    username: str
    session_id: str
    version: int
    network: str
    address_type: str
    address: str

    def __str__(self) -> str:
        return " ".join(str(getattr(self, name)) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An a= line: a property (`value` None) or a value."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}:{self.value}"


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """An m= line with all that belongs to it.

    Attributes:
        kind: ``audio``, ``image`` …
        port: 0 refuses the medium (RFC 3264 §6).
        protocol: ``RTP/AVP``, ``udptl`` …
        formats: Payload types or other format names, as text, in order of preference.
        port_count: The number after ``/``, 1 where there is none.
        connection: The value of c= at this level, such as ``IN IP4 192.0.2.1``; None: the session's holds.
        attributes: The a= lines.
        other: Further lines (i=, b=, k=, unknown) as (letter, value).
    """

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    port_count: int = 1
    connection: str | None = None
    attributes: tuple[Attribute, ...] = ()
    other: tuple[tuple[str, str], ...] = ()

    def attribute(self, name: str) -> str | None:
        """Return the value of the first attribute of that name ("" for a property), or None."""
        return find_attribute(self.attributes, name)

    def lines(self) -> list[tuple[str, str]]:
        """Return the lines in the order of RFC 8866 §9."""
        port = str(self.port) if self.port_count == 1 else f"{self.port}/{self.port_count}"
        out = [("m", " ".join((self.kind, port, self.protocol, *self.formats)))]
        out += [line for line in self.other if line[0] == "i"]
        if self.connection is not None:
            out.append(("c", self.connection))
        out += [line for line in self.other if line[0] != "i"]
        out += [("a", str(attribute)) for attribute in self.attributes]
        return out


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description.

    Attributes:
        origin: The o= line.
        name: The s= line.
        connection: The session's c= value or None.
        times: The values of t=, at least one.
        attributes: The session's a= lines.
        media: The media in order; RFC 3264 answers by position.
        other: Further lines of the session as (letter, value).
    """

    origin: Origin
    name: str = "-"
    connection: str | None = None
    times: tuple[str, ...] = ("0 0",)
    attributes: tuple[Attribute, ...] = ()
    media: tuple[MediaDescription, ...] = ()
    other: tuple[tuple[str, str], ...] = ()

    def attribute(self, name: str) -> str | None:
        """Return the value of the session's first attribute of that name ("" for a property), or None."""
        return find_attribute(self.attributes, name)

    def serialise(self) -> bytes:
        """Return the octets to put in a message body.

        Raises:
            LocalProtocolError: A value holds a line end or NUL.
        """
        lines = [("v", "0"), ("o", str(self.origin)), ("s", self.name)]
        lines += [line for line in self.other if line[0] in "iuep"]
        if self.connection is not None:
            lines.append(("c", self.connection))
        lines += [line for line in self.other if line[0] == "b"]
        lines += [("t", value) for value in self.times]
        lines += [line for line in self.other if line[0] not in "iuepb"]
        lines += [("a", str(attribute)) for attribute in self.attributes]
        for medium in self.media:
            lines += medium.lines()
        for letter, value in lines:
            if any(char in value for char in "\r\n\0"):
                raise LocalProtocolError(f"SDP line {letter}= holds a line end or NUL: {value[:40]!r}")
        text = "".join(f"{letter}={value}\r\n" for letter, value in lines)
        return text.encode("utf-8", "surrogateescape")


def find_attribute(attributes: tuple[Attribute, ...], name: str) -> str | None:
    """Return the value of the first attribute of that name ("" for a property), or None."""
    for attribute in attributes:
        if attribute.name == name:
            return attribute.value or ""
    return None


def parse(data: bytes) -> SessionDescription:
    """Read a session description.

    Args:
        data: The body of a message, at most `MAX_OCTETS`.

    Returns:
        The description; what is not understood stands in `other` and `attributes`.

    Raises:
        RemoteProtocolError: Too long, no v= or o= line, or an o= or m= line that cannot be read.
    """
    if len(data) > MAX_OCTETS:
        raise RemoteProtocolError(f"session description of {len(data)} octets", _CLAUSE, data)
    lines = _split(data)
    session_lines: list[tuple[str, str]] = []
    media: list[list[tuple[str, str]]] = []
    for letter, value in lines:
        if letter == "m":
            media.append([])
        (media[-1] if media else session_lines).append((letter, value))
    if len(media) > MAX_MEDIA:
        raise RemoteProtocolError(f"{len(media)} media lines", _CLAUSE)
    session = _session(session_lines)
    return replace(session, media=tuple(_medium(group) for group in media))


def _split(data: bytes) -> list[tuple[str, str]]:
    text = data.decode("utf-8", "surrogateescape")
    lines: list[tuple[str, str]] = []
    for raw in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not raw.strip():
            continue
        letter, equals, value = raw.partition("=")
        letter = letter.strip()
        if not equals or len(letter) != 1:
            raise RemoteProtocolError(f"not a line of SDP: {raw[:40]!r}", _CLAUSE, data)
        if "\0" in value:
            raise RemoteProtocolError("NUL in SDP", "RFC 8866 §9", data)
        lines.append((letter, value.strip(" ")))
        if len(lines) > MAX_LINES:
            raise RemoteProtocolError(f"more than {MAX_LINES} lines of SDP", _CLAUSE)
    if not lines or lines[0][0] != "v" or lines[0][1] != "0":
        raise RemoteProtocolError("SDP does not begin with v=0", "RFC 8866 §5.1", data)
    return lines


def _session(lines: list[tuple[str, str]]) -> SessionDescription:
    origin: Origin | None = None
    name, connection = "-", None
    times: list[str] = []
    attributes: list[Attribute] = []
    other: list[tuple[str, str]] = []
    for letter, value in lines[1:]:
        if letter == "o" and origin is None:
            origin = _origin(value)
        elif letter == "s":
            name = value or "-"
        elif letter == "c":
            connection = value
        elif letter == "t":
            times.append(value)
        elif letter == "a":
            attributes.append(_attribute(value))
        else:
            other.append((letter, value))
    if origin is None:
        raise RemoteProtocolError("SDP without an o= line", "RFC 8866 §5.2")
    return SessionDescription(
        origin, name, connection, tuple(times) or ("0 0",), tuple(attributes), (), tuple(other)
    )


def _origin(value: str) -> Origin:
    parts = value.split()
    if len(parts) != 6:
        raise RemoteProtocolError(f"o= line of {len(parts)} parts", "RFC 8866 §5.2")
    return Origin(parts[0], parts[1], _number(parts[2], "version", 1 << 64), *parts[3:])


def _attribute(value: str) -> Attribute:
    name, colon, rest = value.partition(":")
    return Attribute(name.strip(), rest.strip() if colon else None)


def _medium(lines: list[tuple[str, str]]) -> MediaDescription:
    parts = lines[0][1].split()
    if len(parts) < 3:
        raise RemoteProtocolError(f"m= line of {len(parts)} parts", "RFC 8866 §5.14")
    port, slash, count = parts[1].partition("/")
    connection = None
    attributes: list[Attribute] = []
    other: list[tuple[str, str]] = []
    for letter, value in lines[1:]:
        if letter == "c" and connection is None:
            connection = value
        elif letter == "a":
            attributes.append(_attribute(value))
        else:
            other.append((letter, value))
    return MediaDescription(
        kind=parts[0],
        port=_number(port, "port", 65536),
        protocol=parts[2],
        formats=tuple(parts[3:]),
        port_count=_number(count, "port count", 65536) if slash else 1,
        connection=connection,
        attributes=tuple(attributes),
        other=tuple(other),
    )


def _number(text: str, what: str, bound: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) >= bound:
        raise RemoteProtocolError(f"{what} {text[:24]!r} in SDP", _CLAUSE)
    return int(text)
