"""Reading what an adaptor says of its settings: ``spacfg.xml``, a saved page, or text.

::

    <Preferred_Codec_1_ ua="na">G711a</Preferred_Codec_1_>    spa.xml: http://ADAPTOR/admin/spacfg.xml
    <td>Preferred Codec:</td><td><select>…<option selected>   the page *admin, advanced*, saved
    Preferred Codec: G711a     Preferred_Codec[1] "G711a" ;   text: copied from a page, or SPC's source

Expat reads the XML, without a document type: where none may be declared there are no entities to expand and
no file to fetch, which is all that defusedxml would add. Sizes are limited.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.parsers import expat

from ansam.adaptor.settings import LINE, SETTINGS, tag
from ansam.errors import ConfigError

SIZE_LIMIT = 1 << 20
"""Octets of a dump; those of real adaptors have some 50 000."""

VALUES_LIMIT = 10_000
DEPTH_LIMIT = 16
VALUE_LIMIT = 4096

_WHERE = "save http://ADAPTOR/admin/spacfg.xml"


@dataclass(frozen=True, slots=True)
class Dump:
    """The settings of an adaptor.

    Attributes:
        form: ``spa.xml``, ``page`` or ``text``.
        values: By element of ``spa.xml`` in small letters. Passwords are among them.
    """

    form: str
    values: Mapping[str, str] = field(repr=False)

    def get(self, element: str) -> str | None:
        """Return a value, or None where the dump does not have it."""
        return self.values.get(element.lower())


def read_dump(data: bytes, name: str = "dump") -> Dump:
    """Read a dump of any form.

    Args:
        data: Its octets.
        name: Of the file, for messages.

    Raises:
        ConfigError: It is too large, or not what an adaptor says of itself.
    """
    if len(data) > SIZE_LIMIT:
        raise ConfigError(f"{name}: larger than {SIZE_LIMIT} octets", "is this the right file?")
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:2048].lower()
    if not start.startswith(b"<"):
        form, values = "text", _read_text(_text(data))
    elif re.search(rb"<(!doctype\s+html|html|head|body|form|table)\b", start):
        form, values = "page", _read_page(_text(data), name)
    else:
        form, values = "spa.xml", _read_xml(data, name)
    dump = Dump(form, values)
    if not any(dump.get(one.tag(line)) is not None for one in SETTINGS for line in (1, 2)):
        raise ConfigError(f"{name}: no setting of a PAP2T or its relatives is in it", _WHERE)
    return dump


def _text(data: bytes) -> str:
    """Decode; old firmware writes Latin-1 and says nothing of it."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


# -- XML -----------------------------------------------------------------------------------------------------


def _read_xml(data: bytes, name: str) -> dict[str, str]:
    reader = _XmlReader(name)
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        why = expat.ErrorString(error.code)
        raise ConfigError(f"{name}:{error.lineno}: not XML: {why}", f"{_WHERE} again") from None
    except ValueError as error:
        # An encoding that Python knows, but not expat.
        raise ConfigError(f"{name}: not XML: {error}", "save it as UTF-8") from None
    except LookupError:
        raise ConfigError(f"{name}: in an unknown encoding", "save it as UTF-8") from None
    return reader.values


class _XmlReader:
    """Takes expat's events; the innermost elements are settings."""

    def __init__(self, name: str) -> None:
        self.values: dict[str, str] = {}
        self._name = name
        self._open: list[str] = []
        self._innermost = ""
        self._pieces: list[str] = []

    def doctype(self, *_: object) -> None:
        raise ConfigError(f"{self._name}: declares a document type, which no adaptor does", _WHERE)

    def start(self, element: str, _: Mapping[str, str]) -> None:
        if len(self._open) >= DEPTH_LIMIT or len(self.values) >= VALUES_LIMIT:
            raise ConfigError(f"{self._name}: not a profile of an adaptor", _WHERE)
        self._open.append(element)
        self._innermost, self._pieces = element, []

    def end(self, element: str) -> None:
        self._open.pop()
        if element == self._innermost:
            self.values[element.lower()] = _trimmed("".join(self._pieces))
        self._innermost = ""

    def text(self, text: str) -> None:
        self._pieces.append(text)


# -- text ----------------------------------------------------------------------------------------------------

_SPC = re.compile(r'\s*([A-Za-z][\w.+-]*)(?:\[(\d)\])?\s*!?\s*"([^"]*)"\s*;')
_PAIR = re.compile(r"\s*([A-Za-z][\w .+/-]*?)\s*[:=\t]\s*(.*?)\s*")
_HEADING = re.compile(r"[\s\[(#*=-]*line\s*(\d)[\s\])#*=:-]*", re.IGNORECASE)


def _read_text(text: str) -> dict[str, str]:
    """Read lines of name and value; a heading such as ``Line 2`` says whose they are."""
    pairs: list[tuple[str, str, int]] = []
    line = 0
    for row in text.splitlines()[:VALUES_LIMIT]:
        row = row[:VALUE_LIMIT]
        if heading := _HEADING.fullmatch(row):
            line = int(heading[1])
        elif spc := _SPC.match(row):
            pairs.append((spc[1], spc[3], int(spc[2] or 0)))
        elif pair := _PAIR.fullmatch(row):
            pairs.append((pair[1], pair[2], line))
    return dict(_elements(pairs))


_OF_LINES = {one.tag(0).lower() for one in SETTINGS if one.page == LINE} | {"line_enable"}


def _elements(pairs: list[tuple[str, str, int]]) -> Iterator[tuple[str, str]]:
    """Yield elements; a setting of a line without a number is line 1's, when it comes again line 2's."""
    seen: dict[str, int] = {}
    for name, value, line in pairs:
        element = tag(name).lower()
        if element in _OF_LINES:
            seen[element] = line or seen.get(element, 0) + 1
            element = tag(element, seen[element])
        yield element, _trimmed(value)


def _trimmed(value: str) -> str:
    return " ".join(value[:VALUE_LIMIT].split())


# -- a page --------------------------------------------------------------------------------------------------


def _read_page(text: str, name: str) -> dict[str, str]:
    page = _Page()
    page.feed(text)
    page.close()
    if len(page.pairs) > VALUES_LIMIT:
        raise ConfigError(f"{name}: not a page of an adaptor", _WHERE)
    return dict(_elements(page.pairs))


class _Page(HTMLParser):
    """Pairs a label that ends in a colon with the field behind it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pairs: list[tuple[str, str, int]] = []
        self._label = ""
        self._first: str | None = None
        self._option: bool | None = None
        self._hidden = 0

    def handle_starttag(self, element: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if element in ("script", "style"):
            self._hidden += 1
        elif element == "select":
            self._first = None
        elif element == "option":
            self._option = "selected" in given
        elif element == "input" and (given.get("type") or "text").lower() in ("text", "password"):
            self._take(given.get("value") or "")

    def handle_endtag(self, element: str) -> None:
        if element in ("script", "style"):
            self._hidden = max(0, self._hidden - 1)
        elif element == "option":
            self._option = None
        elif element == "select":
            # None of them selected: a browser shows the first.
            if self._first is not None:
                self._take(self._first)
            self._first, self._option = None, None

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text or self._hidden:
            return
        if self._option is not None:
            if self._option:
                self._take(text)
            elif self._first is None:
                self._first = text
        elif text.endswith(":"):
            self._label = text[:-1].strip()
        elif self._label:
            self._take(text)

    def _take(self, value: str) -> None:
        if self._label:
            self.pairs.append((self._label, value, 0))
        self._label = ""
