"""Header fields: names, compact forms, the container, and cutting values at commas.

A field is kept as text until someone asks for its meaning, so that unknown and even broken fields pass
through unchanged, and a fault in a field nobody uses harms nobody (RFC 4475 §3.1.1).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ansam.errors import LocalProtocolError, RemoteProtocolError

COMPACT_FORMS = {
    "a": "Accept-Contact",  # RFC 3841 §9.2
    "b": "Referred-By",  # RFC 3892 §3
    "c": "Content-Type",  # RFC 3261 §7.3.3, as all without a note
    "d": "Request-Disposition",  # RFC 3841 §9.1
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",  # RFC 3841 §9.3
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",  # RFC 6665 §8.2.1
    "r": "Refer-To",  # RFC 3515 §2.1
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",  # RFC 6665 §8.2.2
    "v": "Via",
    "x": "Session-Expires",  # RFC 4028 §4
    "y": "Identity",  # RFC 8224 §4
}

_IRREGULAR = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate"}
_IRREGULAR |= {"mime-version": "MIME-Version", "rack": "RAck", "rseq": "RSeq", "sip-etag": "SIP-ETag"}
_KNOWN = (
    "Accept Accept-Encoding Accept-Language Alert-Info Allow Authentication-Info Authorization "
    "Call-Info Content-Disposition Content-Language Date Error-Info Expires In-Reply-To Max-Forwards "
    "Min-Expires Min-SE Organization Path Priority Proxy-Authenticate Proxy-Authorization Proxy-Require "
    "Reason Record-Route Reply-To Require Retry-After Route Server Service-Route Timestamp Unsupported "
    "User-Agent Warning"
)
_CANONICAL = _IRREGULAR | {name.lower(): name for name in _KNOWN.split()}
_CANONICAL |= {name.lower(): name for name in COMPACT_FORMS.values()} | _IRREGULAR

TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
"""RFC 3261 §25.1 `token`."""

_UNWRITABLE = re.compile("[\x00\r\n]")


def canonical_name(name: str) -> str:
    """Return the long form and usual spelling of a header name; an unknown name comes back as it is."""
    folded = name.lower()
    if len(folded) == 1:
        return COMPACT_FORMS.get(folded, name)
    return _CANONICAL.get(folded, name)


@dataclass(frozen=True, slots=True)
class Headers:
    """An ordered, immutable list of header fields; names compare without regard to case.

    Attributes:
        items: (name, value) in the order of the message. Known names are spelt canonically on creation,
            values are stripped of surrounding blanks.
    """

    items: tuple[tuple[str, str], ...] = ()
    _folded: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        items = tuple((canonical_name(name), value.strip(" \t")) for name, value in self.items)
        object.__setattr__(self, "items", items)
        object.__setattr__(self, "_folded", tuple(name.lower() for name, _ in items))

    @classmethod
    def of(cls, items: Iterable[tuple[str, str]]) -> "Headers":
        """Build from any iterable of (name, value)."""
        return cls(tuple(items))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and canonical_name(name).lower() in self._folded

    def all(self, name: str) -> list[str]:
        """Return the values of every field of that name, one per field line, uncut."""
        folded = canonical_name(name).lower()
        return [value for key, (_, value) in zip(self._folded, self.items, strict=True) if key == folded]

    def first(self, name: str, default: str = "") -> str:
        """Return the first field's value, or `default`."""
        values = self.all(name)
        return values[0] if values else default

    def one(self, name: str) -> str:
        """Return the value of a field that must stand exactly once.

        Raises:
            RemoteProtocolError: It is missing, or stands twice with different values.
        """
        values = self.all(name)
        if not values:
            raise RemoteProtocolError(f"no {canonical_name(name)} header field", "RFC 3261 §8.1.1")
        if any(value != values[0] for value in values):
            raise RemoteProtocolError(f"several {canonical_name(name)} header fields", "RFC 3261 §7.3.1")
        return values[0]

    def listed(self, name: str) -> list[str]:
        """Return the elements of a comma-separated list, over all lines of the field in order."""
        return [part for value in self.all(name) for part in split_outside(value, ",") if part]

    def tokens(self, name: str) -> list[str]:
        """Return the elements of a list of tokens (Require, Allow, Supported), in lower case."""
        return [part.lower() for part in self.listed(name)]

    def without(self, *names: str) -> "Headers":
        """Return a copy lacking all fields of these names."""
        drop = {canonical_name(name).lower() for name in names}
        return Headers(
            tuple(item for item, key in zip(self.items, self._folded, strict=True) if key not in drop)
        )

    def replaced(self, name: str, value: str) -> "Headers":
        """Return a copy with one field of that name, where the first of them stood (or at the end)."""
        folded = canonical_name(name).lower()
        out: list[tuple[str, str]] = []
        done = False
        for key, item in zip(self._folded, self.items, strict=True):
            if key != folded:
                out.append(item)
            elif not done:
                out.append((name, value))
                done = True
        if not done:
            out.append((name, value))
        return Headers(tuple(out))

    def plus(self, *items: tuple[str, str]) -> "Headers":
        """Return a copy with fields appended."""
        return Headers(self.items + items)

    def before(self, *items: tuple[str, str]) -> "Headers":
        """Return a copy with fields put in front."""
        return Headers(items + self.items)


def split_outside(text: str, separator: str) -> list[str]:
    """Cut a value at a separator that stands outside quoted strings and angle brackets.

    Args:
        text: A header value.
        separator: One character.

    Returns:
        The stripped parts; an unterminated quoted string or bracket extends to the end.

    Spec: RFC 3261 §7.3.1, §25.1 `quoted-string`, `name-addr`.
    """
    parts: list[str] = []
    start = 0
    quoted = bracketed = escaped = False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped = char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char == "<":
            bracketed = True
        elif char == ">":
            bracketed = False
        elif char == separator and not bracketed:
            parts.append(text[start:index].strip())
            start = index + 1
    parts.append(text[start:].strip())
    return parts


def quote(text: str) -> str:
    """Return a quoted-string for any text without CR, LF or NUL.

    Raises:
        LocalProtocolError: The text holds CR, LF or NUL, which no quoted-string can carry.
    """
    check_writable("quoted string", text)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """Return the text of a quoted-string; anything else comes back as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def check_writable(what: str, text: str) -> None:
    """Refuse text that would break out of its header field.

    Raises:
        LocalProtocolError: The text holds CR, LF or NUL.
    """
    if _UNWRITABLE.search(text):
        raise LocalProtocolError(f"{what} holds a line end or NUL: {text[:40]!r}")
