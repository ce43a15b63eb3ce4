"""Who calls, as the terminal gets it between the first and the second RING (#CID, +VCID).

Formatted (1): lines DATE, TIME, NMBR and NAME. Raw (2): the multiple data message of Bellcore GR-30 (type
80h) in hexadecimal, with its checksum. What is not known is left out; a number that is kept
secret is ``P``, one that is not known ``O``.
"""

FORMATTED, RAW = 1, 2
"""Values of #CID."""

_MDMF, _TIME, _NUMBER, _NO_NUMBER, _NAME = 0x80, 0x01, 0x02, 0x04, 0x07
"""GR-30: type of message and of its parts."""

PRIVATE, UNKNOWN = "P", "O"

LONGEST = 64
"""Characters of a number or a name."""


def report(form: int, number: str, name: str, stamp: str) -> list[str]:
    """Return the lines for the terminal.

    Args:
        form: Value of #CID, 1 or 2.
        number: Digits, an address, "P" or "O"; "" is "O".
        name: "" where none is known.
        stamp: Month, day, hour and minute, two digits each; "" where it is not known.
    """
    number, name = _printable(number) or UNKNOWN, _printable(name)
    if form == RAW:
        return [f"MESG = {_message(number, name, stamp).hex().upper()}"]
    lines = [f"DATE = {stamp[:4]}", f"TIME = {stamp[4:]}"] if stamp else []
    lines.append(f"NMBR = {number}")
    return [*lines, f"NAME = {name}"] if name else lines


def _printable(text: str) -> str:
    return "".join(mark for mark in text if " " <= mark <= "~")[:LONGEST]


def _message(number: str, name: str, stamp: str) -> bytes:
    parts = _part(_TIME, stamp) if stamp else b""
    parts += _part(_NO_NUMBER if number in (PRIVATE, UNKNOWN) else _NUMBER, number)
    parts += _part(_NAME, name) if name else b""
    message = bytes([_MDMF, len(parts)]) + parts
    return message + bytes([-sum(message) & 0xFF])


def _part(kind: int, text: str) -> bytes:
    return bytes([kind, len(text)]) + text.encode("ascii")
