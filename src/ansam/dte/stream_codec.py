"""What a network connection's octets mean: raw, telnet, or telnet as soon as the far end speaks it.

::

    connection ──► receive: telnet ─► PETSCII ──► modem
               ◄── send:    telnet ◄─ PETSCII ◄──

In `Protocol.AUTO` everything is raw until the far end begins with a telnet command, within its first
`AUTO_OCTETS` octets; a file that holds IAC later on is data.
"""

from enum import Enum

from ansam.dte.petscii import Petscii
from ansam.dte.telnet import BINARY, DO, DONT, ECHO, IAC, SUPPRESS_GO_AHEAD, WILL, WONT, Telnet

AUTO_OCTETS = 512

_VERBS = (WILL, WONT, DO, DONT)
_LARGEST_OPTION = 49
"""Option numbers that are in use end here: FFh FDh and anything above is no request."""


class Protocol(Enum):
    """How octets travel."""

    AUTO = "auto"
    RAW = "raw"
    TELNET = "telnet"
    SSH = "ssh"


class StreamCodec:
    """One connection.

    Args:
        protocol: `SSH` is raw here: its library does the rest.
        answering: We took the call: a telnet caller is asked to leave echo and line editing to us.
        petscii: The terminal is a Commodore and the far end is not.
    """

    def __init__(self, protocol: Protocol, *, answering: bool = False, petscii: bool = False) -> None:
        self._answering = answering
        self._petscii = Petscii() if petscii else None
        self._telnet: Telnet | None = None
        self._undecided = AUTO_OCTETS if protocol is Protocol.AUTO else 0
        self._partial = b""
        if protocol is Protocol.TELNET:
            self._begin_telnet()

    @property
    def telnet(self) -> bool:
        """The connection speaks telnet."""
        return self._telnet is not None

    def receive(self, data: bytes) -> bytes:
        """Take octets of the connection, cut anywhere; return those for the modem."""
        out = self._decode(data)
        return self._petscii.from_ascii(out) if self._petscii else out

    def finish(self) -> bytes:
        """The far end has closed: return what was held back."""
        rest, self._partial = self._partial, b""
        return self._petscii.from_ascii(rest) if self._petscii else rest

    def send(self, data: bytes) -> bytes:
        """Return the modem's octets as they cross the connection."""
        if self._petscii:
            data = self._petscii.to_ascii(data)
        return self._telnet.encode(data) if self._telnet else data

    def take_replies(self) -> bytes:
        """Return what the connection gets besides data; before any of it."""
        if self._telnet is None:
            return b""
        self._telnet.take_events()
        return self._telnet.take_replies()

    def _begin_telnet(self) -> None:
        ours = (BINARY, SUPPRESS_GO_AHEAD, ECHO) if self._answering else (BINARY, SUPPRESS_GO_AHEAD)
        theirs = (BINARY, SUPPRESS_GO_AHEAD) if self._answering else (BINARY, SUPPRESS_GO_AHEAD, ECHO)
        self._telnet = Telnet(ours, theirs)
        if self._answering:
            self._telnet.request(ECHO, ours=True)
        for option in (SUPPRESS_GO_AHEAD, BINARY):
            for direction in (True, False):
                self._telnet.request(option, ours=direction)

    def _decode(self, data: bytes) -> bytes:
        if self._telnet is not None:
            return self._telnet.receive(data)
        if not self._undecided:
            return data
        data = self._partial + data
        self._partial = b""
        at = _request(data)
        if at is None or at >= self._undecided:
            self._undecided = max(0, self._undecided - len(data))
            return data
        if len(data) < at + 3:
            # Perhaps the beginning of a request: the next octets tell.
            self._partial = data[at:]
            self._undecided -= at
            return data[:at]
        self._undecided = 0
        self._begin_telnet()
        assert self._telnet is not None
        return data[:at] + self._telnet.receive(data[at:])


def _request(data: bytes) -> int | None:
    """Return where a telnet request begins, or may begin at the end of the data."""
    at = data.find(IAC)
    while at >= 0:
        rest = data[at + 1 : at + 3]
        if (not rest or rest[0] in _VERBS) and (len(rest) < 2 or rest[1] <= _LARGEST_OPTION):
            return at
        at = data.find(IAC, at + 1)
    return None
