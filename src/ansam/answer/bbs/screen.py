"""What the caller's screen understands: colours, size, characters.

Text inside the board is Unicode. On the line it becomes code page 437, UTF-8 or seven-bit ASCII, or PETSCII
for a Commodore. What posters and files bring along may not steer a screen: `clean` lets only characters
through that print.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from ansam.dte.petscii import Petscii

COLUMNS_MIN, COLUMNS_MAX = 20, 132
ROWS_MIN, ROWS_MAX = 8, 100
END_OF_TEXT = 0x1A
"""DOS's end of a text file; behind it stands a SAUCE record that no caller should see."""


class Emulation(Enum):
    """What the caller's terminal takes for colours and movements."""

    ASCII = "ascii"
    ANSI = "ansi"
    PETSCII = "petscii"


class Colour(Enum):
    """What text is for: its SGR parameters (ECMA-48 §8.3.117) and its PETSCII code."""

    PLAIN = ("0", b"\x9b")
    TITLE = ("0;1;36", b"\x9f")
    KEY = ("0;1;33", b"\x9e")
    NAME = ("0;32", b"\x1e")
    QUOTE = ("0;36", b"\x98")
    ALARM = ("0;1;31", b"\x96")


@dataclass(frozen=True, slots=True)
class Look:
    """A screen as its owner describes it.

    Attributes:
        emulation: Colours and movements.
        columns: 20 to 132.
        rows: 8 to 100.
        charset: ``cp437``, ``utf-8`` or ``ascii``; PETSCII has its own.
    """

    emulation: Emulation = Emulation.ASCII
    columns: int = 80
    rows: int = 24
    charset: str = "cp437"


PLAIN = Look()
COMMODORE = Look(Emulation.PETSCII, 40, 25, "ascii")


class Screen:
    """Makes octets of text.

    Args:
        look: Of the caller.
    """

    def __init__(self, look: Look) -> None:
        self.look = look
        self._petscii = Petscii()

    @property
    def ansi(self) -> bool:
        """Whether escape sequences work."""
        return self.look.emulation is Emulation.ANSI

    @property
    def petscii(self) -> bool:
        """Whether this is a Commodore."""
        return self.look.emulation is Emulation.PETSCII

    def encode(self, text: str) -> bytes:
        """Return text for the line; line ends are CR LF in `text`, and RETURN for a Commodore."""
        if self.petscii:
            return self._petscii.from_ascii(_ascii(text))
        if self.look.charset == "utf-8":
            return text.encode("utf-8", "replace")
        if self.look.charset == "cp437":
            return b"".join(_cp437(char) for char in text)
        return _ascii(text)

    def decode(self, data: bytes) -> str:
        """Return what was typed (a Commodore's letters are ASCII already), steering characters left out."""
        charset = "utf-8" if self.look.charset == "utf-8" else self.look.charset
        return clean(data.decode(charset, "replace"))

    def translate(self, octet: int) -> int:
        """Return the key that an octet stands for."""
        return self._petscii.to_ascii(bytes([octet]))[0] if self.petscii else octet

    def colour(self, colour: Colour) -> bytes:
        """Return what makes the text that follows look so; nothing where there are no colours."""
        if self.ansi:
            return f"\x1b[{colour.value[0]}m".encode()
        return colour.value[1] if self.petscii else b""

    def clear(self) -> bytes:
        """Return what clears the screen, or begins a line where it can not be cleared."""
        if self.ansi:
            return b"\x1b[0m\x1b[2J\x1b[H"
        return b"\x93" if self.petscii else b"\r\n"

    def wipe(self, count: int) -> bytes:
        """Return what takes the last `count` characters off the line."""
        return (b"\x14" if self.petscii else b"\b \b") * count


def _ascii(text: str) -> bytes:
    if text.isascii():
        return text.encode("ascii")
    letters = (char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return "".join(letters).encode("ascii", "replace")


def _cp437(char: str) -> bytes:
    try:
        return char.encode("cp437")
    except UnicodeEncodeError:
        plain = unicodedata.normalize("NFKD", char)[:1].encode("cp437", "ignore")
        return plain or b"?"


def clean(text: str) -> str:
    """Return text without anything that is no printing character; tabs become blanks."""
    return "".join(char for char in text.replace("\t", " ") if char.isprintable())


def wrap(text: str, columns: int) -> Iterator[str]:
    """Yield a paragraph in lines of at most `columns`, broken at blanks where that is possible."""
    while len(text) > columns:
        at = text.rfind(" ", 0, columns + 1)
        if at <= 0:
            yield text[:columns]
            text = text[columns:]
        else:
            yield text[:at]
            text = text[at + 1 :]
    yield text


_CODE = re.compile(rb"@(?:X([0-9A-Fa-f])([0-9A-Fa-f])|([A-Z]{2,9}))@?")
_DOS_TO_SGR = (0, 4, 2, 6, 1, 5, 3, 7)
"""Colours of a PC's text screen in ECMA-48's order."""


def fill_in(data: bytes, values: dict[bytes, bytes], ansi: bool) -> bytes:
    """Return a display file with its codes filled in; all other octets as they are.

    Args:
        data: The file: ``@NAME@`` stands for a value, ``@Xbf`` for colours as PCBoard has them.
        values: By name without the signs.
        ansi: Whether colours are wanted.
    """
    at = data.find(bytes([END_OF_TEXT]))
    data = data if at < 0 else data[:at]

    def value(found: "re.Match[bytes]") -> bytes:
        whole = found[0]
        if found[1]:
            back, fore = int(found[1], 16), int(found[2], 16)
            bright = "1;" if fore > 7 else ""
            sgr = f"\x1b[0;{bright}{30 + _DOS_TO_SGR[fore % 8]};{40 + _DOS_TO_SGR[back % 8]}m"
            return sgr.encode() if ansi else b""
        if not whole.endswith(b"@"):
            return whole
        return values.get(found[3], whole)

    return _CODE.sub(value, data)


def line_ends(data: bytes) -> bytes:
    """Return text with CR LF at line ends that were LF alone."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
