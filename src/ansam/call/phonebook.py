"""The phone book: which number means which place on the network, and how to talk to it.

::

    [[entry]]
    number = "5551234"
    to = "telnet://bbs.example.org:6400"     # see `parse_target`
    rate = 2400                              # bit/s at most; 0: as fast as the modem is
    petscii = false
    name = "Some board"
    notes = "sysop: …"

The file is TOML. Lists of other programs come in through `phonebook_import`.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from ansam.dte.stream_codec import Protocol
from ansam.errors import ConfigError

TELNET_PORT, SSH_PORT = 23, 22
RATE_LIMIT = 1_000_000
TEXT_LIMIT = 200

FORMS = "HOST:PORT, tcp://HOST:PORT, telnet://HOST[:PORT], ssh://USER@HOST[:PORT] or sip:NUMBER"

_SCHEMES = {"": Protocol.AUTO, "tcp": Protocol.RAW, "raw": Protocol.RAW, "telnet": Protocol.TELNET}
_PORTS = {Protocol.AUTO: TELNET_PORT, Protocol.TELNET: TELNET_PORT, Protocol.SSH: SSH_PORT}
_NUMBER = re.compile(r"[0-9*#]{1,32}")
_KEYS = {"number": str, "to": str, "rate": int, "petscii": bool, "name": str, "notes": str}


@dataclass(frozen=True, slots=True)
class Target:
    """A place on the network.

    Attributes:
        host: Name or address.
        port: TCP port.
        protocol: How its octets travel.
        user: Of an SSH account.
        secret: Its password, "" for keys.
    """

    host: str
    port: int
    protocol: Protocol = Protocol.AUTO
    user: str = ""
    secret: str = ""

    def __str__(self) -> str:
        """Return it as a person would write it, without the secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = {Protocol.AUTO: "", Protocol.RAW: "tcp://"}.get(self.protocol, f"{self.protocol.value}://")
        return f"{scheme}{quote(self.user, safe='')}{'@' * bool(self.user)}{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the book.

    Attributes:
        number: What is dialled: digits, ``*`` and ``#``.
        to: Where it leads, as written; see `parse_target`.
        rate: Highest speed in bit/s, 0 for the modem's.
        petscii: The terminal is a Commodore, the far end is not.
        name: Of the place.
        notes: Whatever else there is to say.
    """

    number: str
    to: str
    rate: int = 0
    petscii: bool = False
    name: str = ""
    notes: str = ""

    def __post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.number):
            raise ConfigError(f"phone book: {self.number!r} is no number", "digits, * and #")
        if not 0 <= self.rate <= RATE_LIMIT:
            raise ConfigError(f"phone book: {self.number}: rate {self.rate} is out of range")
        for key in ("to", "name", "notes"):
            text = getattr(self, key)
            if len(text) > TEXT_LIMIT or not text.isprintable():
                raise ConfigError(f"phone book: {self.number}: {key} is too long or has control characters")
        if self.telephone is None:
            parse_target(self.to)

    @property
    def telephone(self) -> str | None:
        """The number to dial on the telephone line instead, or None for a place on the network."""
        return self.to.removeprefix("sip:") if self.to.startswith("sip:") else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call goes over the network, and how.

    Attributes:
        target: The place.
        rate: Highest speed in bit/s, 0 for the modem's.
        petscii: See `Entry`.
    """

    target: Target
    rate: int = 0
    petscii: bool = False


class PhoneBook:
    """All entries, by number.

    Args:
        entries: In the order of the file.

    Raises:
        ConfigError: A number stands twice.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            if entry.number in self._entries:
                raise ConfigError(f"phone book: number {entry.number} stands twice", "remove one")
            self._entries[entry.number] = entry

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries."""
        return tuple(self._entries.values())

    def find(self, number: str) -> Entry | None:
        """Return the entry of a number as it was dialled."""
        return self._entries.get(number)

    def place(self, number: str) -> Place | None:
        """Return the place that a dialled number or address leads to; None: it is for the telephone line.

        Raises:
            ConfigError: An address can not be understood.
        """
        entry = self.find(number)
        if entry is None:
            return Place(parse_target(number)) if is_address(number) else None
        return None if entry.telephone else Place(parse_target(entry.to), entry.rate, entry.petscii)

    def telephone(self, number: str) -> str:
        """Return what to dial on the telephone line for a number that leads to no place."""
        entry = self.find(number)
        return entry.telephone or number if entry else number

    def add(self, entry: Entry) -> None:
        """Write an entry in the place of one with the same number, or behind the others."""
        self._entries[entry.number] = entry

    def remove(self, number: str) -> None:
        """Strike out an entry.

        Raises:
            ConfigError: There is none.
        """
        if self._entries.pop(number, None) is None:
            raise ConfigError(f"phone book: there is no number {number}", "ansam phonebook list")


def is_address(number: str) -> bool:
    """Return whether what was dialled is a place on the network rather than a number or a SIP address."""
    if number.lower().startswith(("sip:", "sips:")):
        return False
    if ":" in number or re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", number):
        return True
    return "." in number and "@" not in number and bool(re.search(r"[A-Za-z]", number))


def parse_target(text: str) -> Target:
    """Return the place that ``HOST[:PORT]`` or a URL names; a bare one on port 23 speaks telnet.

    Raises:
        ConfigError: It names none.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    protocol = Protocol.SSH if scheme.lower() == "ssh" else _SCHEMES.get(scheme.lower())
    if protocol is None:
        raise ConfigError(f"{text!r}: {scheme} is not known", f"write {FORMS}")
    account, at, place = rest.rstrip("/").rpartition("@")
    if at and protocol is not Protocol.SSH:
        raise ConfigError(f"{text!r}: only ssh has a user", f"write {FORMS}")
    if protocol is Protocol.SSH and not account:
        raise ConfigError(f"{place!r}: ssh needs a user", "write ssh://USER@HOST")
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]@;]+)(?::(\d{1,5}))?", place)
    port = int(found[2]) if found and found[2] else _PORTS.get(protocol, 0)
    if found is None or not 0 < port < 65536:
        raise ConfigError(f"{place!r} is no HOST:PORT", f"write {FORMS}")
    if protocol is Protocol.AUTO and port == TELNET_PORT:
        protocol = Protocol.TELNET
    user, _, secret = account.partition(":")
    return Target(found[1].strip("[]"), port, protocol, unquote(user), unquote(secret))


def parse_book(text: str, file: str) -> PhoneBook:
    """Read the text of a phone book.

    Args:
        text: TOML.
        file: Its name, for messages.

    Raises:
        ConfigError: Something in it is wrong; the text names the entry.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{file}: not TOML: {error}") from None
    entries = data.pop("entry", [])
    if data or not isinstance(entries, list):
        raise ConfigError(f"{file}: {', '.join(data) or 'entry'} is not known", "write [[entry]] sections")
    try:
        return PhoneBook(_entry(values, index) for index, values in enumerate(entries, 1))
    except ConfigError as error:
        raise ConfigError(f"{file}: {error.message}", error.remedy) from None


def _entry(values: Any, index: int) -> Entry:
    if not isinstance(values, dict):
        raise ConfigError(f"entry {index} is no table", "write [[entry]] sections")
    for key, value in values.items():
        if type(value) is not _KEYS.get(key):
            known = ", ".join(_KEYS)
            raise ConfigError(f"entry {index}: {key} = {value!r} is not known", f"there are {known}")
    if "number" not in values or "to" not in values:
        raise ConfigError(f"entry {index}: number or to is missing")
    return Entry(**values)


def write_book(book: PhoneBook) -> str:
    """Return a phone book as TOML; what holds its default is left out."""
    parts = ["# The phone book of ansam modems; see docs/howto/wifi-modem.md.\n"]
    for entry in book.entries:
        parts.append("\n[[entry]]\n")
        for key, kind in _KEYS.items():
            value = getattr(entry, key)
            if value or key in ("number", "to"):
                parts.append(f"{key} = {_toml(value) if kind is str else str(value).lower()}\n")
    return "".join(parts)


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
