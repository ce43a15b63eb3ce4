"""Flow control between terminal and modem: a bounded queue, a gate, and what either side says.

Sent data (terminal to modem, &H) is stopped by circuit 106 or by XOFF of the modem; received data (modem to
terminal, &R and &I) by circuit 105, by XOFF of the terminal, or by Hewlett-Packard's ENQ and ACK.
"""

from ansam.dte.parity import PortParity, with_parity

ENQ, ACK = 5, 6

HP_BLOCK = 80
"""Characters between two ENQ (HP 3000 and HP 1000 terminals)."""


class ByteQueue:
    """First in, first out, at most `limit` bytes.

    Args:
        limit: Capacity in bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._data = bytearray()

    def __len__(self) -> int:
        return len(self._data)

    @property
    def room(self) -> int:
        """Bytes that would be taken now."""
        return self.limit - len(self._data)

    def write(self, data: bytes) -> int:
        """Append as much of `data` as fits; return how many bytes that was."""
        taken = min(len(data), self.room)
        self._data += data[:taken]
        return taken

    def read(self, count: int | None = None) -> bytes:
        """Remove and return up to `count` bytes (None: all)."""
        count = len(self._data) if count is None else count
        out = bytes(self._data[:count])
        del self._data[:count]
        return out


class Gate:
    """Whether there is room for sent data, with hysteresis.

    Closed when no more than a quarter of the room is left, open again when three quarters are free.
    """

    def __init__(self) -> None:
        self.open = True
        self._most = 0

    def reset(self) -> None:
        """Open; how much room there is at most is to be seen anew."""
        self.open = True
        self._most = 0

    def follow(self, room: int) -> None:
        """Take how many octets would be taken now; the most ever seen counts as the whole room."""
        self._most = max(self._most, room)
        if room * 4 <= self._most:
            self.open = False
        elif room * 4 >= self._most * 3:
            self.open = True


class SentDataFlow:
    """The XOFF and XON of a modem that can not take more, or can again (&H2, &H3)."""

    def __init__(self) -> None:
        self._stopped = False

    def say(self, *, open_: bool, enabled: bool) -> bool | None:
        """Return whether XON (True) or XOFF (False) is due, or None.

        Args:
            open_: There is room.
            enabled: &H has it so; switched off while the terminal is stopped, it lets it go on.
        """
        stop = enabled and not open_
        if stop == self._stopped:
            return None
        self._stopped = stop
        return not stop


class ReceivedDataFlow:
    """What the terminal says about received data with characters.

    Attributes:
        stopped: The last of XON and XOFF was XOFF.
    """

    def __init__(self) -> None:
        self.stopped = False

    def listen(self, data: bytes, xon: int, xoff: int, parity: PortParity) -> bytes:
        """Obey the flow-control characters in `data`.

        It may be called again with the same data: the last character alone counts.

        Args:
            data: Of the terminal, in order.
            xon: S22.
            xoff: S23.
            parity: Of the terminal's characters.

        Returns:
            The characters that are flow control, as they look with this parity.
        """
        on, off = with_parity(bytes([xon, xoff]), parity)
        last_on, last_off = data.rfind(on), data.rfind(off)
        if last_on != last_off:
            self.stopped = last_off > last_on
        return bytes((on, off))


class EnqAck:
    """Hewlett-Packard's pacing: ENQ after a block, the next block after ACK (&I3, &I4).

    The modem at the host answers ENQ itself, the one at the terminal asks by itself; nothing of it crosses
    the line.
    """

    def __init__(self) -> None:
        self._left = HP_BLOCK
        self._asked = False

    def reset(self) -> None:
        """A connection begins."""
        self._left, self._asked = HP_BLOCK, False

    @property
    def allowance(self) -> int:
        """Characters the terminal may get before it is asked."""
        return self._left

    def sent(self, count: int) -> None:
        """The terminal got `count` characters."""
        self._left -= count

    def ask(self) -> bool:
        """Return True when ENQ is due."""
        if self._left or self._asked:
            return False
        self._asked = True
        return True

    def answered(self) -> None:
        """The terminal sent ACK."""
        if self._asked:
            self.reset()


def original_length(data: bytes, removed: bytes, kept: int) -> int:
    """Return how much of `data` stands for its first `kept` octets without those of `removed`.

    Octets of `removed` behind the last one kept are not counted in.
    """
    if not kept:
        return 0
    for position, octet in enumerate(data):
        if octet not in removed:
            kept -= 1
            if not kept:
                return position + 1
    return len(data)
