"""Phone books of other programs: lists for tcpser, Zimodem and RetroWiFiModem.

================================================  =======================================================
``-n5551234=host:port -n 42=host``                options of tcpser, several on a line; names become the
                                                  digits of the keypad, as ``ATD"NAME"`` dials them
``ATPT"5551234=host:port,notes"``                 Zimodem's commands; P is PETSCII, T telnet
``5551234 PT host:port notes``                    Zimodem's listing (``ATP?``)
``AT&Z2=host:port,alias``, ``2:host:port,alias``  RetroWiFiModem and WiFi232, place 2, which they dial as
                                                  2222222
================================================  =======================================================

Formats: the READMEs of FozzTexx/tcpser, bozimmerman/Zimodem 3.7.1 and mecparts/RetroWiFiModem.
"""

import re

from ansam.call.phonebook import TEXT_LIMIT, Entry, PhoneBook
from ansam.errors import ConfigError

_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_SAME_DIGITS = 7
"""How often RetroWiFiModem repeats the digit of a place."""

_TCPSER = re.compile(r"(?:^|\s+)-n\s*(?P<number>[\w*#]+)=(?P<to>[^\s,]+)(?=\s|$)")
_TCPSER_LINE = re.compile(r"(?P<number>[\w*#]+)=(?P<to>[^\s,]+)")
_ZIMODEM = re.compile(
    r"(?:AT)?P(?P<modifiers>[PTEX+]*)\s*\"(?P<number>\d+)=(?P<to>[^,\"]+)(?:,(?P<notes>[^\"]*))?\"?",
    re.IGNORECASE,
)
_ZIMODEM_LISTING = re.compile(
    r"(?P<number>\d{2,})\s+(?:(?P<modifiers>[PTEX+]+)\s+)?\"?(?P<to>[^\s\":,]+:\d+)\"?\s*(?P<notes>.*)",
    re.IGNORECASE,
)
_RETRO = re.compile(r"(?:(?:AT)?&Z)?(?P<place>\d)[=:]\s*(?P<to>[^\s,]+)(?:,\s*(?P<notes>.*))?", re.IGNORECASE)


def read_list(text: str) -> list[Entry]:
    """Return the entries of another program's list.

    Empty lines, comments, commands without an entry and the modem's OK are passed over.

    Raises:
        ConfigError: A line is none of the forms above, or a number stands twice; the text names the line.
    """
    entries: list[Entry] = []
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"\s+#.*$|\\\s*(#.*)?$", "", line).strip()
        if not line or line.startswith(("#", ";")) or line.upper() in ("OK", "ATP", "ATP?", "AT&V"):
            continue
        try:
            found = _read_line(line)
        except ConfigError as error:
            raise ConfigError(f"line {number}: {error.message}", error.remedy) from None
        if not found:
            raise ConfigError(f"line {number}: {line[:60]!r} is no entry", "see docs/howto/wifi-modem.md")
        entries += found
    return list(PhoneBook(entries).entries)


def _read_line(line: str) -> list[Entry]:
    if match := _RETRO.fullmatch(line):
        return [_entry(match["place"] * _SAME_DIGITS, match["to"], "", match["notes"])]
    for form in (_ZIMODEM, _ZIMODEM_LISTING):
        if match := form.fullmatch(line):
            return [_entry(match["number"], match["to"], match["modifiers"] or "", match["notes"])]
    if match := _TCPSER_LINE.fullmatch(line):
        return [_entry(match["number"], match["to"], "", "")]
    return [_entry(match["number"], match["to"], "", "") for match in _TCPSER.finditer(line)]


def _entry(number: str, to: str, modifiers: str, notes: str | None) -> Entry:
    """Make an entry; of Zimodem's modifiers E (echo) and X (XON/XOFF) are the terminal's business here."""
    modifiers = modifiers.upper()
    scheme = "telnet://" if "T" in modifiers and "://" not in to else ""
    name = "".join(c for c in (notes or "").strip() if c.isprintable())[:TEXT_LIMIT]
    digits = number.upper().translate(_KEYPAD)
    return Entry(digits, scheme + to, petscii="P" in modifiers, name=name or number * (digits != number))
