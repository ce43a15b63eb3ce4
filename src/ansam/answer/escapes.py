r"""The escapes of mgetty's issue files and login prompts, mgetty(8) and mgetty.config(5).

Kept to mgetty 1.2.1 in the details that show: a text that comes near 300 characters is cut, a value that
does not fit is left out, an unknown escape stands for its own letter, and a number is read as C does
(``\040`` octal, ``\32`` decimal, ``\0x20`` hexadecimal).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ansam.answer.settings import Machine

LIMIT = 300
"""mgetty's MAX_PROMPT_LENGTH."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CONTROL = {"n": b"\n", "r": b"\r", "g": b"\a", "b": b"\b", "v": b"\v", "f": b"\f", "t": b"\t"}
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class PromptValues:
    r"""What the escapes stand for.

    Attributes:
        machine: ``@ \s \m \R \V``.
        port: ``\P`` and ``\L``.
        speed: ``\S``, bit/s.
        connect: ``\I``: the CONNECT result without the word and the blank, ``2400/NONE``.
        caller_id: ``\Y``.
        users: ``\N`` and ``\U``: how many are logged in.
        moment: ``\C \D \T``, local time.
    """

    machine: Machine
    port: str
    speed: int
    connect: str
    caller_id: str
    users: int
    moment: datetime


def _ctime(moment: datetime) -> str:
    """Return ctime(3) without its line end, whatever the locale."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day} {month} {moment.day:2d} {moment:%H:%M:%S} {moment.year}"


_VALUE: dict[str, Callable[[PromptValues], str]] = {
    "s": lambda v: v.machine.sysname,
    "m": lambda v: v.machine.machine,
    "R": lambda v: v.machine.release,
    "V": lambda v: v.machine.version,
    "Y": lambda v: v.caller_id,
    "P": lambda v: v.port,
    "L": lambda v: v.port,
    "C": lambda v: _ctime(v.moment),
    "I": lambda v: v.connect,
    "N": lambda v: str(v.users),
    "U": lambda v: str(v.users),
    "S": lambda v: str(v.speed),
}


def expand(template: str, values: PromptValues) -> bytes:
    r"""Return a text with its escapes replaced.

    Args:
        template: Text as it stands in the issue file or the configuration.
        values: What the escapes stand for.

    Returns:
        At most 300 bytes; a ``\0`` ends the text, as it does in C.
    """
    out = bytearray()
    at = 0
    while at < len(template) and len(out) < LIMIT - 4:
        char = template[at]
        at += 1
        if char == "@":
            if len(out) + len(values.machine.nodename) + 1 > LIMIT:
                break
            out += values.machine.nodename.encode()
        elif char != "\\":
            out += char.encode()
        elif at < len(template):
            number = _NUMBER.match(template, at)
            if number:
                out.append(_c_number(number[0]) & 0xFF)
                at = number.end()
            else:
                out += _escape(template[at], values, len(out))
                at += 1
    return bytes(out[:LIMIT]).split(b"\0", 1)[0]


def _escape(letter: str, values: PromptValues, used: int) -> bytes:
    """Return what one letter after a backslash stands for; nothing where it does not fit."""
    if letter in _CONTROL:
        return _CONTROL[letter]
    if letter in "DT":
        if used + 30 > LIMIT:
            return b"(x)"
        moment = values.moment
        text = f"{moment.month}/{moment.day}/{moment.year}" if letter == "D" else f"{moment:%H:%M:%S}"
        return text.encode()
    if letter not in _VALUE:
        return letter.encode()
    text = _VALUE[letter](values)
    return text.encode() if used + len(text) + 1 <= LIMIT else b""


def _c_number(text: str) -> int:
    """Return a number as strtol(3) reads it with base 0."""
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    return int(text, 8 if text.startswith("0") else 10)
