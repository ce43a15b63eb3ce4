"""SIP URIs and the name-addr form that carries them in From, To, Contact and Route.

The text of a URI is never rewritten on its way through; it is parsed where its parts matter.
"""

import re
import string
from dataclasses import dataclass

from ansam.errors import RemoteProtocolError
from ansam.sip.headers import TOKEN, quote, split_outside, unquote

_CLAUSE = "RFC 3261 §19.1"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(?::(\d{0,5}))?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_UNRESERVED_USER = frozenset(string.ascii_letters + string.digits + "-_.!~*'()&=+$,;/")
"""What stands unescaped in a user part we write. "?" could, but readers take it for the start of headers."""

Parameters = tuple[tuple[str, str | None], ...]
"""Parameters in order; None for one without a value."""


@dataclass(frozen=True, slots=True)
class SipUri:
    """A ``sip:`` or ``sips:`` URI.

    Attributes:
        scheme: In lower case.
        user: Unescaped user part, "" if none.
        password: Unescaped password or None.
        host: As written; an IPv6 address in brackets.
        port: None where it is not given.
        parameters: As written, order kept.
        headers: The text after ``?``, unparsed.
    """

    scheme: str
    user: str
    host: str
    port: int | None = None
    password: str | None = None
    parameters: Parameters = ()
    headers: str = ""

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value ("" for one without), or None if it is absent."""
        return find_parameter(self.parameters, name)

    @property
    def address(self) -> str:
        """The host without the brackets of IPv6."""
        return self.host.strip("[]")

    def same_resource(self, other: "SipUri") -> bool:
        """Return True if scheme, user, host and port agree (RFC 3261 §19.1.4 without parameters)."""
        mine = (self.scheme, self.user, self.host.lower(), self.port or 5060)
        return mine == (other.scheme, other.user, other.host.lower(), other.port or 5060)

    def __str__(self) -> str:
        text = self.scheme + ":"
        if self.user:
            secret = "" if self.password is None else ":" + escape_user(self.password)
            text += escape_user(self.user) + secret + "@"
        text += self.host
        if self.port is not None:
            text += f":{self.port}"
        return text + format_parameters(self.parameters) + (f"?{self.headers}" if self.headers else "")


def parse_uri(text: str) -> SipUri:
    """Read a SIP or SIPS URI.

    Args:
        text: The URI without angle brackets.

    Raises:
        RemoteProtocolError: Not a SIP URI, or one that cannot be read.
    """
    scheme, colon, rest = text.strip().partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in ("sip", "sips"):
        raise RemoteProtocolError(f"not a SIP URI: {text[:60]!r}", _CLAUSE)
    userinfo, at, hostpart = rest.rpartition("@")
    before = userinfo.partition("?")[0]
    named = "=" in userinfo[len(before) :]
    if "?" in userinfo and ("@" in before or (named and _HOST.fullmatch(before.partition(";")[0]))):
        userinfo, at, hostpart = _at_in_headers(rest)
    user, secret, password = userinfo.partition(":")
    addressed, _, headers = hostpart.partition("?")
    hostport, _, parameters = addressed.partition(";")
    found = _HOST.fullmatch(hostport.strip())
    if found is None or (at and not user):
        raise RemoteProtocolError(f"SIP URI without a readable host: {text[:60]!r}", _CLAUSE)
    port = int(found[2]) if found[2] else None
    if port is not None and port > 65535:
        raise RemoteProtocolError(f"port {port} in a SIP URI", _CLAUSE)
    return SipUri(
        scheme=scheme,
        user=unescape(user),
        host=found[1],
        port=port,
        password=unescape(password) if secret else None,
        parameters=parse_parameters(parameters),
        headers=headers,
    )


def _at_in_headers(rest: str) -> tuple[str, str, str]:
    """Cut at the last ``@`` before the ``?``; one behind it belongs to a header."""
    before, question, after = rest.partition("?")
    userinfo, at, host = before.rpartition("@")
    return userinfo, at, host + question + after


def scheme_of(uri: str) -> str:
    """Return the scheme in lower case, "" if there is none."""
    found = _SCHEME.match(uri.strip())
    text = found.group() if found else ""
    return text.lower() if found and uri.strip()[len(text) : len(text) + 1] == ":" else ""


def user_of(uri: str) -> str:
    """Return the user part of a SIP URI, or what stands behind ``tel:``; "" where nothing can be read."""
    if scheme_of(uri) == "tel":
        return uri.strip()[4:].partition(";")[0]
    try:
        return parse_uri(uri).user
    except RemoteProtocolError:
        return ""


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A display name, a URI as text and the parameters of the header field.

    Attributes:
        uri: Text of the URI.
        display: "" if none.
        parameters: Those of the field (tag, expires, q …), not of the URI.
    """

    uri: str
    display: str = ""
    parameters: Parameters = ()

    @property
    def tag(self) -> str:
        """The tag parameter, "" if none."""
        return self.parameter("tag") or ""

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value ("" for one without), or None if it is absent."""
        return find_parameter(self.parameters, name)

    def with_tag(self, tag: str) -> "NameAddr":
        """Return a copy with that tag added."""
        kept = tuple(pair for pair in self.parameters if pair[0].lower() != "tag")
        return NameAddr(self.uri, self.display, (*kept, ("tag", tag)))

    def __str__(self) -> str:
        name = quote(self.display) + " " if self.display else ""
        return f"{name}<{self.uri}>{format_parameters(self.parameters)}"


def parse_name_addr(text: str) -> NameAddr:
    """Read one name-addr or addr-spec with parameters.

    Without angle brackets, what follows a semicolon belongs to the header field (RFC 3261 §20.10).

    Raises:
        RemoteProtocolError: An unclosed quoted string or bracket, or no URI.
    """
    text = text.strip()
    display, rest = "", text
    if text.startswith('"'):
        found = re.match(r'"(?:[^"\\]|\\.)*"', text, re.DOTALL)
        if found is None:
            raise RemoteProtocolError(f"unclosed quoted string: {text[:40]!r}", "RFC 3261 §25.1")
        display, rest = unquote(found.group()), text[found.end() :].strip()
        if not rest.startswith("<"):
            raise RemoteProtocolError(f"no <URI> after a display name: {text[:60]!r}", "RFC 3261 §20.10")
    if "<" in rest:
        before, _, rest = rest.partition("<")
        uri, closed, rest = rest.partition(">")
        if not closed:
            raise RemoteProtocolError(f"unclosed angle bracket: {text[:60]!r}", "RFC 3261 §20.10")
        display = display or before.strip()
        rest = rest.strip()
        if rest and not rest.startswith(";"):
            raise RemoteProtocolError(f"text after the address: {rest[:40]!r}", "RFC 3261 §20.10")
        rest = rest[1:]
    else:
        uri, _, rest = rest.partition(";")
    uri = uri.strip()
    if not uri or not scheme_of(uri) or any(char.isspace() for char in uri):
        raise RemoteProtocolError(f"no URI in {text[:60]!r}", "RFC 3261 §20.10")
    return NameAddr(uri, display, parse_parameters(rest))


def parse_parameters(text: str) -> Parameters:
    """Read ``;``-separated parameters; quoted values come back unquoted."""
    found: list[tuple[str, str | None]] = []
    for part in split_outside(text, ";"):
        if part:
            name, equals, value = part.partition("=")
            found.append((name.strip(), unquote(value.strip()) if equals else None))
    return tuple(found)


def format_parameters(parameters: Parameters) -> str:
    """Write parameters with their leading semicolons; a value that is not a token or host is quoted."""
    out = []
    for name, value in parameters:
        if value is None:
            out.append(f";{name}")
        else:
            plain = TOKEN.fullmatch(value) or re.fullmatch(r"[\[\]0-9A-Za-z:.%\-_~/&+$()!*']+", value)
            out.append(f";{name}={value}" if plain else f";{name}={quote(value)}")
    return "".join(out)


def find_parameter(parameters: Parameters, name: str) -> str | None:
    """Return a parameter's value ("" for one without), or None if it is absent."""
    for key, value in parameters:
        if key.lower() == name:
            return value or ""
    return None


def unescape(text: str) -> str:
    """Decode %HH; an escape that is none stays as it is."""
    if "%" not in text:
        return text
    raw = re.sub(
        rb"%([0-9A-Fa-f]{2})",
        lambda found: bytes([int(found[1], 16)]),
        text.encode("utf-8", "surrogateescape"),
    )
    return raw.decode("utf-8", "surrogateescape")


def escape_user(text: str) -> str:
    """Encode a user part or password for a URI (RFC 3261 §25.1 `user`)."""
    return "".join(
        char
        if char in _UNRESERVED_USER
        else "".join(f"%{octet:02X}" for octet in char.encode("utf-8", "surrogateescape"))
        for char in text
    )


def make_uri(user: str, host: str, port: int | None = None, transport: str = "") -> str:
    """Return the text of a ``sip:`` URI; an IPv6 address gets its brackets, udp is left unsaid."""
    parameters = (("transport", transport),) if transport and transport != "udp" else ()
    return str(SipUri("sip", user, f"[{host}]" if ":" in host else host, port, parameters=parameters))
