"""A telnet server whose other end is a terminal: for a telnet client, and for emulators that speak telnet.

BINARY is asked for both ways (RFC 856), or CR NUL would stand where a file has CR; SUPPRESS GO AHEAD and ECHO
are offered, so that a client sends every key and echoes none itself: the modem (E1) or the far end does.
"""

from ansam.dte.telnet import AYT, BINARY, BRK, ECHO, SUPPRESS_GO_AHEAD, CommandReceived, Telnet
from ansam.dte.wire import BreakSent, RawWire

HERE = b"\r\n[modem]\r\n"
"""Answer to AYT."""


class TelnetWire(RawWire):
    """One telnet connection."""

    def __init__(self) -> None:
        super().__init__()
        both = (BINARY, SUPPRESS_GO_AHEAD)
        self._telnet = Telnet(ours=(*both, ECHO), theirs=both)

    def connected(self) -> None:
        """See `Wire.connected`."""
        for option in (ECHO, SUPPRESS_GO_AHEAD, BINARY):
            self._telnet.request(option, ours=True)
        for option in (SUPPRESS_GO_AHEAD, BINARY):
            self._telnet.request(option, ours=False)

    def receive(self, raw: bytes) -> bytes:
        """See `Wire.receive`."""
        data = self._telnet.receive(raw)
        for event in self._telnet.take_events():
            if event == CommandReceived(BRK):
                self._events.append(BreakSent())
            elif event == CommandReceived(AYT):
                self._replies += HERE
        return data

    def encode(self, data: bytes) -> bytes:
        """See `Wire.encode`."""
        return self._telnet.encode(data)

    def take_replies(self) -> bytes:
        """See `Wire.take_replies`."""
        return self._telnet.take_replies() + super().take_replies()

    def send_break(self, milliseconds: int) -> None:
        """See `Wire.send_break`."""
        self._replies += bytes((255, BRK))
