"""What the terminal shows: the modem's octets above, a status line on the bottom row.

The remote host believes it has the screen to itself. So its octets pass through unchanged, but for
the few sequences that would reach the bottom row: scroll regions and cursor rows are held above it, and what
clears or resets the screen has the status line drawn anew. The line is drawn between sequences and characters
of the host, never within one, and not while the host has its cursor saved (there is one place to save it in,
and it is theirs).
"""

import re
from enum import Enum

SAVE, RESTORE = b"\x1b7", b"\x1b8"
SEQUENCE_LIMIT = 64
"""Longer sequences are passed through as they come."""

_PARAMETERS = re.compile(rb"^\x1b\[([0-9;]*)([A-Za-z])$")


class _In(Enum):
    GROUND = "between sequences"
    ESCAPE = "after ESC"
    CSI = "in a control sequence"
    STRING = "in a string (OSC, DCS)"
    STRING_ESCAPE = "after ESC in a string"
    ONE_MORE = "one more octet belongs to it (character sets)"
    UTF8 = "within a character"


class Screen:
    """Octets for a real terminal of a given size.

    Args:
        rows: Of the real terminal, 3 or more; the last is the status line.
        columns: Of the real terminal.
    """

    def __init__(self, rows: int = 24, columns: int = 80) -> None:
        self.rows = rows
        self.columns = columns
        self._state = _In.GROUND
        self._sequence = bytearray()
        self._more = 0
        self._cursor_saved = False
        self._status = b""
        self._dirty = True

    def start(self) -> bytes:
        """Return what sets the screen up."""
        self._dirty = True
        return b"\x1b[2J" + self._region() + b"\x1b[H" + self._draw()

    def stop(self) -> bytes:
        """Return what gives the screen back, cursor below everything."""
        return b"\x1b[0m\x1b[r" + b"\x1b[%d;1H\x1b[2K" % self.rows

    def resize(self, rows: int, columns: int) -> bytes:
        """Return what adapts to another size."""
        old, self.rows, self.columns = self.rows, rows, columns
        self._dirty = True
        wipe = b"\x1b[%d;1H\x1b[2K" % old if rows > old else b""
        return SAVE + wipe + b"\x1b[1;%dr" % (rows - 1) + RESTORE + self._draw()

    def clear(self) -> bytes:
        """Return what clears the host's part."""
        self._dirty = True
        return b"\x1b[2J\x1b[H" + self._draw()

    def set_status(self, text: str) -> bytes:
        """Change the status line; return what shows it, b"" where that has to wait or nothing has changed."""
        line = text[: self.columns].ljust(self.columns).encode("ascii", "replace")
        if line != self._status:
            self._status = line
            self._dirty = True
        return self._draw()

    def host(self, data: bytes) -> bytes:
        """Take octets of the host; return what to show."""
        out = bytearray()
        for octet in data:
            out += self._octet(octet)
        return bytes(out) + self._draw()

    # -- inside ----------------------------------------------------------------------------------------------

    def _region(self) -> bytes:
        return b"\x1b[1;%dr" % (self.rows - 1)

    def _draw(self) -> bytes:
        if not self._dirty or self._state is not _In.GROUND or self._cursor_saved:
            return b""
        self._dirty = False
        # The host may have attributes, origin mode or graphics set: save keeps all of those.
        head = SAVE + b"\x1b[?6l\x1b(B\x0f\x1b[0;7m\x1b[%d;1H" % self.rows
        return head + self._status + b"\x1b[0m" + RESTORE

    def _octet(self, octet: int) -> bytes:
        if self._state is _In.GROUND:
            if octet == 0x1B:
                self._state = _In.ESCAPE
                self._sequence[:] = b"\x1b"
                return b""
            self._character(octet)
            return bytes([octet])
        if self._state is _In.UTF8:
            if not 0x80 <= octet < 0xC0:
                self._state = _In.GROUND
                return self._octet(octet)
            self._more -= 1
            if not self._more:
                self._state = _In.GROUND
            return bytes([octet])
        return self._in_sequence(octet)

    def _character(self, octet: int) -> None:
        if octet >= 0xC2:
            self._state = _In.UTF8
            self._more = 1 if octet < 0xE0 else 2 if octet < 0xF0 else 3

    def _in_sequence(self, octet: int) -> bytes:
        if octet in (0x18, 0x1A):
            # CAN and SUB cut a sequence off (ECMA-48).
            return self._end(bytes(self._sequence) + bytes([octet]))
        self._sequence.append(octet)
        if self._state is _In.ESCAPE:
            return self._after_escape(octet)
        if self._state is _In.CSI:
            if 0x40 <= octet < 0x7F:
                return self._end(self._control_sequence(bytes(self._sequence)))
        elif self._state is _In.ONE_MORE:
            return self._end(bytes(self._sequence))
        elif self._state is _In.STRING:
            if octet == 0x07:
                return self._end(bytes(self._sequence))
            if octet == 0x1B:
                self._state = _In.STRING_ESCAPE
        elif self._state is _In.STRING_ESCAPE:
            if octet == 0x5C:
                return self._end(bytes(self._sequence))
            self._state = _In.STRING
        if len(self._sequence) >= SEQUENCE_LIMIT:
            passed = bytes(self._sequence)
            self._sequence.clear()
            return passed
        return b""

    def _after_escape(self, octet: int) -> bytes:
        if octet == ord("["):
            self._state = _In.CSI
        elif octet in b"]P_^X":
            self._state = _In.STRING
        elif octet in b"()*+#% ":
            self._state = _In.ONE_MORE
        elif octet == 0x1B:
            del self._sequence[-1:]
        else:
            return self._end(self._short_sequence(bytes(self._sequence)))
        return b""

    def _end(self, shown: bytes) -> bytes:
        self._state = _In.GROUND
        self._sequence.clear()
        return shown

    def _short_sequence(self, sequence: bytes) -> bytes:
        if sequence == SAVE:
            self._cursor_saved = True
        elif sequence == RESTORE:
            self._cursor_saved = False
        elif sequence == b"\x1bc":
            self._cursor_saved = False
            self._dirty = True
            return sequence + self._region() + b"\x1b[H"
        return sequence

    def _control_sequence(self, sequence: bytes) -> bytes:
        parsed = _PARAMETERS.match(sequence)
        if not parsed:
            return sequence
        numbers = [int(number) if number else 0 for number in parsed[1].split(b";")]
        final = parsed[2]
        last = self.rows - 1
        if final in b"Hfd" and numbers[0] > last:
            return b"\x1b[%s%s" % (b";".join(b"%d" % n for n in [last, *numbers[1:]]), final)
        if final == b"r":
            top = numbers[0] or 1
            bottom = numbers[1] if len(numbers) > 1 and numbers[1] else last
            return b"\x1b[%d;%dr" % (min(top, last - 1), min(bottom, last))
        if final == b"J":
            self._dirty = True
        elif final in b"su" and not parsed[1]:
            # The same place as ESC 7 and ESC 8 in xterm and its kind.
            self._cursor_saved = final == b"s"
        return sequence
