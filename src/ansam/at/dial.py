"""The dial string: V.250 (07/2003) §6.3.1 with US Robotics' additions.

A call placed over SIP sends its number in one piece, so every pause of the string, wherever it stands,
passes before the call is placed. What has a meaning on a two-wire line only (pulse or tone, waiting for a
second dial tone, hook flash) is accepted and done with.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ansam.at.actions import Dial
from ansam.at.grammar import CommandRefused
from ansam.at.settings import Settings
from ansam.units import SAMPLE_RATE, Samples

_DIGITS = "0123456789*#+ABCD"
_WITHOUT_EFFECT = "W!&$^-()."
"""Waits for tones, hook flash, calling tone; punctuation, which USR "counts but doesn't act on"."""

_PUNCTUATION = "-()."
"""Understood by every make."""

_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
"""ITU-T E.161 (02/2001) §3.1: letters on the keys."""

_ADDRESS = re.compile(
    r"[A-Za-z]+:[^\",;]+"  # a URL
    r"|[^\",;:]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}"  # host and port
    r"|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.[A-Za-z]{2,}|[0-9]{1,3}(\.[0-9]{1,3}){3}"  # a host with dots
)
"""What is an address without quotes around it; 1.800.555.1234 is a number."""

DIAL_STRING_LIMIT = 120
"""A line has less; DL with digits behind it would grow without end."""

PULSE: Samples = SAMPLE_RATE // 10
"""One period of pulse dialling: 10 pulses per second."""

INTERDIGIT_PAUSE: Samples = 8 * SAMPLE_RATE // 10
"""Between digits of pulse dialling."""

SLASH_PAUSE: Samples = SAMPLE_RATE // 8
"""``/`` in a dial string: 125 ms (Courier 3453B command reference)."""


@dataclass(frozen=True, slots=True)
class DialRequest:
    """What a dial string asks.

    Attributes:
        action: For the modem.
        repeat: ``>`` was given: on BUSY try again.
        pulse: P or T was given; None leaves the setting.
        entry: What DL dials again.
    """

    action: Dial
    repeat: bool
    pulse: bool | None
    entry: str


def parse_dial(
    text: str, semicolon: bool, settings: Settings, last: str, stored: Callable[[int], str]
) -> DialRequest:
    """Return what a dial string asks.

    Args:
        text: Behind D, without spaces; quoted parts keep their case.
        semicolon: It ended with a semicolon.
        settings: For S6, S8 and X.
        last: What DL dials, "" where nothing has been dialled.
        stored: Returns stored number n, "" where none is; raises IndexError where there is no place n.

    Raises:
        CommandRefused: A character has no meaning, or there is no such stored number.

    A quoted part that holds ``@``, ``:`` or ``.`` is an address and goes into the number as it stands; in any
    other the letters become the digits of the keypad (USR: ``"CALLUSR"`` is 2255877). An address alone needs
    no quotes, as on WiFi modems: ``DT bbs.example.org:23``.
    """
    marks = settings.personality.dial
    text = _quoted(text[:1], text[1:]) if text[:1] in tuple("TPtp") else _quoted("", text)
    method = text[: len(text) - len(text.lstrip("TPtp"))]
    upper = text[len(method) :].upper()
    if upper[:1] in ("L", "S") and upper[:1] in marks:
        text = (
            method + _quoted("", _recall(upper, last, stored)) + text[len(method) + _recall_length(upper) :]
        )
    if len(text) > DIAL_STRING_LIMIT:
        raise CommandRefused(f"dial string: more than {DIAL_STRING_LIMIT} characters")
    number: list[str] = []
    pause: Samples = settings.s[6] * SAMPLE_RATE if settings.blind_dial else 0
    pulse: bool | None = None
    flags: set[str] = set()
    for index, part in enumerate(text.split('"')):
        if index % 2:
            number.append(part if set(part) & set("@:.") else part.upper().translate(_KEYPAD))
            continue
        for mark in part.upper():
            if mark in _DIGITS:
                number.append(mark)
            elif mark in "TP":
                pulse = mark == "P"
            elif mark not in marks and mark not in _PUNCTUATION:
                raise CommandRefused(f"dial string: {mark!r} has no meaning (an address belongs in quotes)")
            elif mark == ",":
                pause += settings.s[8] * SAMPLE_RATE
            elif mark == "/":
                pause += SLASH_PAUSE
            elif mark in "R@>":
                flags.add(mark)
            elif mark not in _WITHOUT_EFFECT:
                raise CommandRefused(f"dial string: {mark!r} has no meaning (an address belongs in quotes)")
    dialled = "".join(number)
    by_pulse = settings.pulse if pulse is None else pulse
    time = _dialling_time(dialled, by_pulse, settings.s[11])
    action = Dial(dialled, pause, "R" in flags, semicolon, "@" in flags, time)
    return DialRequest(action, ">" in flags, pulse, text)


def _dialling_time(number: str, by_pulse: bool, tone_ms: int) -> Samples:
    """Return how long the digits take on a two-wire line; 0 for an address, which no such line carries."""
    if not set(number) <= set(_DIGITS):
        return 0
    if by_pulse:
        return sum((int(digit) or 10) * PULSE + INTERDIGIT_PAUSE for digit in number if digit.isdigit())
    return len(number) * 2 * tone_ms * SAMPLE_RATE // 1000


def _quoted(method: str, text: str) -> str:
    """Return a dial string with quotes around what is an address as a whole."""
    return f'{method}"{text}"' if _ADDRESS.fullmatch(text) else method + text


def _recall_length(upper: str) -> int:
    """Return how many characters of the string ``L`` or ``Sn`` takes."""
    digits = len(upper) - 1 - len(upper[1:].lstrip("0123456789"))
    return 1 if upper.startswith("L") else 1 + min(digits, 1)


def _recall(upper: str, last: str, stored: Callable[[int], str]) -> str:
    if upper.startswith("L"):
        if not last:
            raise CommandRefused("DL: nothing has been dialled")
        return last
    place = int(upper[1 : _recall_length(upper)] or 0)
    try:
        number = stored(place)
    except IndexError:
        raise CommandRefused(f"DS{place}: there is no such place") from None
    if not number:
        raise CommandRefused(f"DS{place}: no number is stored there")
    return number
