"""What the status line says: carrier, rate and time on line."""

import re

from ansam.units import Seconds

LINE_LIMIT = 256
_CONNECT = re.compile(r"CONNECT(?: (\S.*))?$")
_OFF_LINE = ("NO CARRIER", "NO ANSWER", "BUSY", "NO DIAL TONE", "NO DIALTONE")


class Status:
    """Reads the modem's result codes off the octets on their way to the screen.

    Where circuit 109 is known it decides; the words ``CONNECT …`` still tell the rate.

    Args:
        port: Name of the port.
    """

    def __init__(self, port: str) -> None:
        self.online = False
        self.echo = False
        self._port = port
        self._connect = ""
        self._since: Seconds = 0.0
        self._carrier: bool | None = None
        self._line = bytearray()

    def host(self, data: bytes, now: Seconds) -> None:
        """Look at octets from the modem."""
        for octet in data:
            if octet in (0x0D, 0x0A):
                self._result(self._line.decode("ascii", "replace"), now)
                self._line.clear()
            elif len(self._line) < LINE_LIMIT:
                self._line.append(octet)

    def set_carrier(self, carrier: bool | None, now: Seconds) -> None:
        """Take the state of circuit 109, None where it is not known."""
        self._carrier = carrier
        if carrier is not None and carrier != self.online:
            self._go(carrier, now)

    def text(self, now: Seconds) -> str:
        """Return the status line."""
        echo = " | echo" if self.echo else ""
        if not self.online:
            return f" CTRL-A Z for help | {self._port}{echo} | Offline"
        seconds = int(now - self._since)
        clock = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        return f" CTRL-A Z for help | {self._port}{echo} | Online {clock} | {self._connect}"

    def _result(self, line: str, now: Seconds) -> None:
        connect = _CONNECT.match(line)
        if connect:
            if not self.online or not self._connect:
                self._connect = connect[1] or "300"
            if self._carrier is None and not self.online:
                self._go(True, now)
        elif self._carrier is None and self.online and line in _OFF_LINE:
            self._go(False, now)

    def _go(self, online: bool, now: Seconds) -> None:
        self.online = online
        self._since = now
        if not online:
            self._connect = ""
