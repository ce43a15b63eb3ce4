r"""Reading a login name off a line in raw mode, with the manners of mgetty 1.2.1.

CR or LF ends the name and is echoed so that both happen (``\r\n`` after CR, ``\n\r`` after LF). BS and DEL
rub out; ^U and ^C start again; ^D on an empty name and ^\ leave; NUL, SOH, XON, XOFF and ESC are ignored; the
eighth bit (a parity bit, often) is removed. A leading blank or ``-`` is rubbed out at once: a name may not
look like an option.
"""

from dataclasses import dataclass

NAME_LIMIT = 128
"""Characters of a name; further ones are rubbed out again."""

MODEM_ERRORS = frozenset({"NO CARRIER", "ERROR"})
"""A "name" that only a modem without a carrier line says."""

_RUB_OUT = b"\b \b"
_IGNORED = frozenset({0x00, 0x01, 0x11, 0x13, 0x1B})


@dataclass(frozen=True, slots=True)
class Name:
    """A name was typed; it may be empty."""

    text: str
    by_cr: bool


@dataclass(frozen=True, slots=True)
class StartAgain:
    """^U or ^C: show the prompt again."""


@dataclass(frozen=True, slots=True)
class Leave:
    r"""^D or ^\: the caller wants to go."""


Typed = Name | StartAgain | Leave


class NameReader:
    """Takes one byte at a time, since what follows a name is read by somebody else."""

    def __init__(self) -> None:
        self._name = bytearray()

    def clear(self) -> None:
        """Forget what was typed."""
        self._name.clear()

    def feed(self, octet: int) -> tuple[bytes, Typed | None]:
        """Take one byte.

        Returns:
            The echo, and what it completed or None.
        """
        if octet in (0x00, 0x01):
            return b"", None
        octet &= 0x7F
        if octet == 0x1C:
            return b"", Leave()
        if octet == 0x04:
            return b"", None if self._name else Leave()
        if octet in (0x15, 0x03):
            self._name.clear()
            return b"", StartAgain()
        if octet in (0x08, 0x7F):
            return (_RUB_OUT if self._rub_out() else b""), None
        if octet in (0x0D, 0x0A):
            name = Name(self._name.decode("ascii"), octet == 0x0D)
            self._name.clear()
            return (b"\r\n" if name.by_cr else b"\n\r"), name
        if octet in _IGNORED:
            return b"", None
        echo = bytes([octet])
        if len(self._name) >= NAME_LIMIT or (not self._name and echo in b" -"):
            return echo + _RUB_OUT, None
        self._name.append(octet)
        return echo, None

    def _rub_out(self) -> bool:
        if not self._name:
            return False
        self._name.pop()
        return True


class CaseFolder:
    """Terminals without small letters: a name all in capitals is asked for once more, then taken as small.

    getty's old custom; mgetty has it as the compile-time option DO_LCUC_MAP.
    """

    def __init__(self) -> None:
        self._asked = False

    def fold(self, name: str) -> str | None:
        """Return the name to use, or None to ask again."""
        if not name.isupper():
            return name
        if not self._asked:
            self._asked = True
            return None
        return name.lower()
