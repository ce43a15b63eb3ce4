"""Characters of the terminal to command lines: prefix, echo, editing, length.

A modem between lines waits for the letters A and T, by which it also finds the speed and parity of the port;
until then it takes no notice and does not echo. So everything before AT is skipped, and a line without it
gets no response at all.

`Unclear:` no manual says what happens to a line such as ``xxATZ``. The prefix is found by the letters
alone, without regard to where a line begins, so ATZ is executed here; ``st&N4dt05`` holds no A and T in
succession and is ignored. ``At`` and ``aT`` are no prefix (Courier manual: "upper or lower case, not a
combination").

`Deviation:` A/ and A> take effect at the beginning of a line only: they need no CR, so the tail of a file
sent to a modem that has just hung up (``.../data/...``) would redial.
"""

from enum import Enum

from ansam.at.registers import Registers

STORED_LIMIT = 255
"""Most characters kept of a line, spaces included (which the limit of the modem does not count)."""

BS, DEL = 0x08, 0x7F
DEL_RUBS_OUT = 32
"""S15 bit 5."""


class Prefix(Enum):
    """How much of AT has been seen."""

    NONE = "none"
    A = "A seen"
    AT = "AT seen"


class Entry(Enum):
    """What a character completed."""

    LINE = "line"
    TOO_LONG = "line with too many characters"
    REPEAT = "A/"
    REPEAT_CONTINUOUSLY = "A>"


class CommandLine:
    """The line being typed.

    Args:
        limit: Most characters that count: not AT, not CR, not spaces.
        repeats: There is A>.

    Attributes:
        text: After `Entry.LINE`: what stood behind AT, without spaces.
    """

    def __init__(self, limit: int, repeats: bool = True) -> None:
        self._limit = limit
        self._repeat_marks = b"/>" if repeats else b"/"
        self._prefix = Prefix.NONE
        self._first = 0
        self._typed = bytearray()
        self._excess = 0
        self._line_begins = True
        self.text = ""

    def clear(self) -> None:
        """Forget a line half typed."""
        self._prefix = Prefix.NONE
        self._typed.clear()
        self._excess = 0
        self._line_begins = True

    def take(self, octet: int, s: Registers) -> tuple[bytes, Entry | None]:
        """Take one character.

        Args:
            octet: As received; the eighth bit may be parity.
            s: S3 and S5 say which characters end a line and rub out, S15 whether DEL does so too.

        Returns:
            What E1 echoes, and what the character completed.
        """
        char = octet & 0x7F
        if self._prefix is not Prefix.AT:
            return self._take_prefix(char)
        if char == s[3]:
            return bytes([char]), self._complete()
        if char == s[5]:
            return self._rub_out(char), None
        if char == DEL and s.usr(15) & DEL_RUBS_OUT:
            return self._rub_out(BS), None
        if char < 0x20 or char == DEL:
            return b"", None
        if self._excess or len(self._typed) >= STORED_LIMIT:
            self._excess += 1
        else:
            self._typed.append(char)
        return bytes([char]), None

    def _take_prefix(self, char: int) -> tuple[bytes, Entry | None]:
        if char in b"Aa":
            self._line_begins = self._line_begins and self._prefix is Prefix.NONE
            self._prefix, self._first = Prefix.A, char
            return b"", None
        seen, self._prefix = self._prefix, Prefix.NONE
        if seen is Prefix.A:
            both = bytes([self._first, char])
            if both in (b"AT", b"at"):
                self._prefix = Prefix.AT
                return both, None
            if char in self._repeat_marks and self._line_begins:
                return both, Entry.REPEAT if char == ord("/") else Entry.REPEAT_CONTINUOUSLY
        self._line_begins = char < 0x20 and (self._line_begins or char in b"\r\n")
        return b"", None

    def _rub_out(self, char: int) -> bytes:
        if self._excess:
            self._excess -= 1
        elif self._typed:
            del self._typed[-1:]
        else:
            return b""
        return bytes([char, 0x20, char])

    def _complete(self) -> Entry:
        text = self._typed.decode("ascii").replace(" ", "")
        too_long = self._excess > 0 or len(text) > self._limit
        self.clear()
        if too_long:
            return Entry.TOO_LONG
        self.text = text
        return Entry.LINE
