"""A terminal with a script: it types commands, reads result codes, then sends and keeps data.

What a modem says is commands' echo and result codes up to the CONNECT, then data, and at the end one result
code again. The terminal learns from the modem's events which is which, since data may contain anything.
"""

import re

from ansam.at.settings import Settings
from ansam.dce.dce import Connected, Dce, Ended
from ansam.line import End
from ansam.modulation.base import Ready, Renegotiating, Retraining
from ansam.sim.payload import Source
from ansam.units import Samples

OFFER = 512
"""Bytes offered to the modem at a time."""

TEXT_LIMIT = 8192

_ERRORS = ("ERROR", "4")


class Terminal:
    """A terminal on one modem.

    Args:
        end: Which end of the circuit.
        dce: The modem.
        payload: What is sent when `sending`.

    Attributes:
        text: What the modem said outside the connection, since the last command.
        connect: The CONNECT result code, or "".
        connection: The modem's event of it.
        ended: The modem's event of the call's end, or None.
        ready: Rates of the last training.
        retrains: Retrains this end asked for.
        renegotiations: Rate renegotiations this end asked for.
        sent: Bytes the modem took.
        received: Bytes the modem gave while connected.
        sending: Whether to offer payload.
    """

    def __init__(self, end: End, dce: Dce, payload: Source) -> None:
        self.end = end
        self.dce = dce
        self.text = ""
        self.connect = ""
        self.connection: Connected | None = None
        self.ended: Ended | None = None
        self.ready: Ready | None = None
        self.retrains = self.renegotiations = 0
        self.sent = bytearray()
        self.received = bytearray()
        self.sending = False
        self._payload = payload
        self._offer = b""
        self._online = False

    @property
    def settings(self) -> Settings:
        """The modem's settings."""
        return self.dce.settings

    def type(self, line: str, now: Samples) -> None:
        """Type a command line and Return."""
        self.text = ""
        self.dce.receive_dte(line.encode("ascii") + b"\r", now)
        self.read()

    def send(self, now: Samples) -> None:
        """Offer payload as far as the modem takes it."""
        # More than two seconds' worth in the modem would only lengthen the drain.
        ahead = max(128, self.ready.tx_rate // 4) if self.ready else 0
        while self.sending and self._online and self.dce.pending < ahead and self.dce.circuits.circuit_106:
            if len(self._offer) < OFFER:
                self._offer += self._payload.read(OFFER - len(self._offer))
            taken = self.dce.receive_dte(self._offer, now)
            self.sent += self._offer[:taken]
            self._offer = self._offer[taken:]
            if not taken:
                return

    def read(self) -> bool:
        """Take what the modem says and has to report; return whether there was data."""
        before = len(self.received)
        for event in self.dce.take_events():
            match event:
                case Connected():
                    self._connected(event)
                case Ended() if self.ended is None:
                    self._hung_up(event)
                case Ready():
                    self.ready = event
                case Retraining(by_us):
                    self.retrains += by_us
                case Renegotiating(by_us):
                    self.renegotiations += by_us
                case _:
                    pass
        self._take(self.dce.take_dte())
        return len(self.received) > before

    @property
    def frames_resent(self) -> int:
        """Frames the modem's error control sent again, where it tells."""
        return self.dce.frames_resent

    @property
    def last_line(self) -> str:
        """The last line the modem said since the last command: the result code."""
        lines = [line for line in re.split(r"[\r\n]+", self.text) if line]
        return lines[-1] if lines else ""

    def refused(self, line: str) -> bool:
        """Return whether the modem answered the command line with ERROR."""
        return self.last_line in _ERRORS and self.last_line != line

    def _take(self, data: bytes) -> None:
        if self._online:
            self.received += data
        else:
            self.text = (self.text + data.decode("latin-1"))[-TEXT_LIMIT:]

    def _connected(self, event: Connected) -> None:
        """Find the CONNECT in what the modem says; what follows it is data."""
        self.connection = event
        said = self.dce.take_dte()
        pattern = rb"CONNECT[^\r\n]*\r\n" if self.settings["V"] else rb"\d+\r"
        found = None if self.settings["Q"] else re.search(pattern, said)
        at = found.end() if found else 0
        self._take(said[:at])
        self.connect = self.last_line if found else event.text
        self._online = True
        self._take(said[at:])

    def _hung_up(self, event: Ended) -> None:
        """Take the result code off the end of the data."""
        self.ended = event
        self._take(self.dce.take_dte())
        if not self._online:
            return
        self._online = False
        pattern = rb"\r\n[A-Z ]+\r\n$" if self.settings["V"] else rb"\d\r$"
        found = None if self.settings["Q"] else re.search(pattern, self.received[-32:])
        if found:
            del self.received[len(self.received) - len(found[0]) :]
            self._take(found[0])
