"""A telnet client that calls a host for somebody behind a modem: it tells who calls, and from what terminal.

BINARY both ways (RFC 856) keeps file transfers whole; TERMINAL-TYPE (RFC 1091), NAWS (RFC 1073) and
TERMINAL-SPEED (RFC 1079) are what boards ask for; NEW-ENVIRON (RFC 1572) carries the caller's number to a
host that asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansam.dte.telnet import (
    BINARY,
    ECHO,
    SUPPRESS_GO_AHEAD,
    TERMINAL_TYPE,
    OptionChanged,
    Subnegotiation,
    Telnet,
)

NAWS, TERMINAL_SPEED, NEW_ENVIRON = 31, 32, 39

_IS, _SEND = b"\0", 1
_VAR, _VALUE, _USERVAR = b"\0", b"\1", b"\3"
_ESC = b"\2"


@dataclass(frozen=True, slots=True)
class Terminal:
    """What calls.

    Attributes:
        kind: Terminal type.
        speed: Of its line, bit/s.
        size: Columns and rows.
        user: Login name, or "".
        environment: What else a host may know, such as CALLER_ID.
    """

    kind: str = "ansi"
    speed: int = 0
    size: tuple[int, int] = (80, 24)
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


class TelnetCaller:
    """The codec of one connection.

    Args:
        terminal: What the host is told.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        both = (BINARY, SUPPRESS_GO_AHEAD)
        told = (TERMINAL_TYPE, NAWS, TERMINAL_SPEED, NEW_ENVIRON)
        self._telnet = Telnet(ours=(*both, *told), theirs=(*both, ECHO))
        for option in both:
            for ours in (True, False):
                self._telnet.request(option, ours=ours)

    def receive(self, data: bytes) -> bytes:
        """Take octets of the connection, cut anywhere; return those for the caller."""
        out = self._telnet.receive(data)
        for event in self._telnet.take_events():
            match event:
                case OptionChanged(option, ours=True, on=True) if option == NAWS:
                    self._telnet.subnegotiate(NAWS, b"".join(n.to_bytes(2) for n in self._terminal.size))
                case Subnegotiation(option, asked) if asked[:1] == bytes((_SEND,)):
                    self._answer(option)
                case _:
                    pass
        return out

    def send(self, data: bytes) -> bytes:
        """Return the caller's octets as they cross the connection."""
        return self._telnet.encode(data)

    def take_replies(self) -> bytes:
        """Return what the connection gets besides data; before any of it."""
        return self._telnet.take_replies()

    def _answer(self, option: int) -> None:
        terminal = self._terminal
        match option:
            case _ if option == TERMINAL_TYPE:
                self._telnet.subnegotiate(option, _IS + terminal.kind.upper().encode("ascii", "replace"))
            case _ if option == TERMINAL_SPEED:
                self._telnet.subnegotiate(option, _IS + f"{terminal.speed},{terminal.speed}".encode())
            case _ if option == NEW_ENVIRON:
                self._telnet.subnegotiate(option, _IS + self._environment())
            case _:
                pass

    def _environment(self) -> bytes:
        """RFC 1572 §2: well-known variables first, then our own."""
        parts = [_variable(_VAR, "USER", self._terminal.user)] if self._terminal.user else []
        parts += [_variable(_USERVAR, name, value) for name, value in self._terminal.environment.items()]
        return b"".join(parts)


def _variable(kind: bytes, name: str, value: str) -> bytes:
    return kind + _escaped(name) + _VALUE + _escaped(value)


def _escaped(text: str) -> bytes:
    """Return text in which what would end it stands behind ESC (RFC 1572 §2)."""
    out = text.encode("latin-1", "replace")
    for code in (_ESC, _VAR, _VALUE, _USERVAR):
        out = out.replace(code, _ESC + code)
    return out
