"""A line editor for what follows the login name: passwords and menu commands.

BS and DEL rub out, ^U the whole line, ^W a word, ^R shows the line again; CR, LF and
CR LF all end a line, once.
"""

from dataclasses import dataclass

LINE_LIMIT = 240
"""Bytes of a line; further ones ring the bell and are dropped."""

_BELL = b"\a"


@dataclass(frozen=True, slots=True)
class Line:
    """A line was typed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Interrupt:
    """^C."""


@dataclass(frozen=True, slots=True)
class EndOfInput:
    """^D on an empty line."""


Edited = Line | Interrupt | EndOfInput


class LineEditor:
    """Collects a line and says what to echo.

    Args:
        echo: False for passwords.
        after_cr: True where the byte before was a CR: an LF at once after it is not a second line end.
        mask: Show a star for every character of what is not echoed.
    """

    def __init__(self, echo: bool = True, after_cr: bool = False, mask: bool = False) -> None:
        self.echo = echo
        self._shows = echo or mask
        self._after_cr = after_cr
        self._line = bytearray()

    @property
    def text(self) -> bytes:
        """What stands on the line now."""
        return bytes(self._line)

    def feed(self, octet: int) -> tuple[bytes, Edited | None]:
        """Take one byte; return the echo and what it completed, or None."""
        after_cr, self._after_cr = self._after_cr, octet == 0x0D
        if octet == 0x0A and after_cr:
            return b"", None
        if octet in (0x0D, 0x0A):
            line = Line(bytes(self._line))
            self._line.clear()
            return b"\r\n", line
        if octet == 0x03:
            self._line.clear()
            return (b"^C\r\n" if self.echo else b"\r\n"), Interrupt()
        if octet == 0x04:
            return (b"", None) if self._line else (b"\r\n", EndOfInput())
        return self._edit(octet), None

    def _edit(self, octet: int) -> bytes:
        if octet in (0x08, 0x7F):
            return self._show(self._rub_out())
        if octet == 0x15:
            return self._show(sum(self._rub_out() for _ in range(len(self._line))))
        if octet == 0x17:
            return self._show(self._rub_out_word())
        if octet == 0x12:
            return b"\r\n" + bytes(self._line) if self.echo else b""
        if octet < 0x20:
            return b""
        if len(self._line) >= LINE_LIMIT:
            return _BELL
        self._line.append(octet)
        if self.echo:
            return bytes([octet])
        return b"*" if self._shows and not 0x80 <= octet < 0xC0 else b""

    def _show(self, columns: int) -> bytes:
        return b"\b \b" * columns if self._shows else b""

    def _rub_out(self) -> int:
        """Remove one character (all octets of it in UTF-8); return how many columns it took."""
        if not self._line:
            return 0
        while self._line and 0x80 <= self._line[-1] < 0xC0:
            self._line.pop()
        if self._line:
            self._line.pop()
        return 1

    def _rub_out_word(self) -> int:
        columns = 0
        while self._line and self._line[-1] == 0x20:
            columns += self._rub_out()
        while self._line and self._line[-1] != 0x20:
            columns += self._rub_out()
        return columns
