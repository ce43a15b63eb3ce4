"""PETSCII, the characters of a Commodore with both cases on, to ASCII and back.

The letters have their cases swapped (a is 41h, A is C1h), DELETE is 14h, RETURN alone ends a line, and 93h
clears the screen. What has no counterpart becomes a question mark towards the network and is left out towards
the Commodore, which would change colours by it.

Source: Commodore 64 Programmer's Reference Guide, Appendix C (CHR$ codes), lower-case set.
"""

_CR, _LF = 13, 10
_DELETE, _CLEAR, _SHIFTED_RETURN = 0x14, 0x93, 0x8D

_PUNCTUATION = {"_": 0xA4, "`": 0x27, "{": 0xB3, "|": 0xDD, "}": 0xAB, "~": 0x5E, "\\": 0x5C, "^": 0x5E}
"""ASCII to the nearest shape."""


def _to_ascii() -> bytes:
    table = bytearray(range(256))
    for code in range(0x80, 0x100):
        table[code] = ord("?")
    for offset in range(26):
        table[0x41 + offset] = 0x61 + offset
        table[0x61 + offset] = table[0xC1 + offset] = 0x41 + offset
    table[_DELETE], table[_CLEAR], table[_SHIFTED_RETURN] = 8, 12, _CR
    table[0xA4], table[0xB3], table[0xDD], table[0xAB] = b"_{|}"
    table[0xA0], table[0xA6] = b" #"
    return bytes(table)


def _from_ascii() -> bytes:
    table = bytearray(range(256))
    for offset in range(26):
        table[0x61 + offset] = 0x41 + offset
        table[0x41 + offset] = 0xC1 + offset
    for character, code in _PUNCTUATION.items():
        table[ord(character)] = code
    table[8] = table[127] = _DELETE
    table[12] = _CLEAR
    return bytes(table)


_TO_ASCII, _FROM_ASCII = _to_ascii(), _from_ascii()
_LEFT_OUT = bytes(code for code in range(32) if code not in (7, 8, 12, _CR)) + bytes(range(0x80, 0x100))


class Petscii:
    """Translates one conversation."""

    def __init__(self) -> None:
        self._after_cr = False

    def to_ascii(self, data: bytes) -> bytes:
        """Return what a Commodore typed, in ASCII."""
        return data.translate(_TO_ASCII)

    def from_ascii(self, data: bytes) -> bytes:
        """Return what the network sent, in PETSCII; CR LF, CR or LF is one RETURN however it was cut."""
        if not data:
            return b""
        if self._after_cr and data[0] == _LF:
            data = data[1:]
        if data:
            self._after_cr = data[-1] == _CR
        else:
            self._after_cr = False
        lines = data.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
        return lines.translate(_FROM_ASCII, _LEFT_OUT)
