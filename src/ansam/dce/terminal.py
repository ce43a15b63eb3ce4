"""The terminal's half of the modem: the interchange circuits, and the octets that wait for the terminal."""

from ansam.at.settings import Settings
from ansam.dte.circuits import Circuits
from ansam.dte.flow import ByteQueue
from ansam.units import SAMPLE_RATE, Samples

TO_DTE_LIMIT = 16384
"""Bytes held for a terminal that does not read; the link is not drained beyond it."""

RING_PERIOD = 6 * SAMPLE_RATE
"""From one RING to the next: 2 s ringing, 4 s silence."""

RINGING_ON = 2 * SAMPLE_RATE


class TerminalSide:
    """Circuits and octets of one modem towards its terminal.

    Args:
        settings: The modem's.

    Attributes:
        ringing_since: When the call that rings began to, or None.
        next_ring: When the next RING is due.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._queue = ByteQueue(TO_DTE_LIMIT)
        self._dtr = True
        self._dtr_dropped_at: Samples | None = None
        self.ringing_since: Samples | None = None
        self.next_ring: Samples = 0

    @property
    def room(self) -> int:
        """Octets that may be put now."""
        return self._queue.room

    def put(self, octets: bytes) -> None:
        """Queue octets for the terminal; what exceeds `room` is lost."""
        self._queue.write(octets)

    def read(self, limit: int | None = None) -> bytes:
        """Return octets for the terminal, at most `limit`."""
        return self._queue.read(limit)

    def circuits(self, now: Samples, *, carrier: bool, room: bool) -> Circuits:
        """Return the circuits towards the terminal.

        Args:
            now: When.
            carrier: There is a connection.
            room: The modem takes data of the terminal.
        """
        ringing = self.ringing_since is not None and (now - self.ringing_since) % RING_PERIOD < RINGING_ON
        return Circuits(
            circuit_106=room,
            circuit_107=True,
            circuit_109=carrier or self._settings["&C"] == 0,
            circuit_125=ringing,
        )

    # -- DTR -------------------------------------------------------------------------------------------------

    def set_dtr(self, on: bool, now: Samples) -> None:
        """Follow circuit 108/2."""
        if on != self._dtr:
            self._dtr = on
            self._dtr_dropped_at = None if on else now

    def dtr_due(self) -> Samples | None:
        """Return when a drop of DTR counts (S25), or None."""
        if self._dtr_dropped_at is None:
            return None
        return self._dtr_dropped_at + self._settings.s[25] * SAMPLE_RATE // 100

    def dtr_dropped(self, now: Samples) -> bool:
        """Return True once, when a drop of DTR has lasted long enough."""
        due = self.dtr_due()
        if due is None or now < due:
            return False
        self._dtr_dropped_at = None
        return True

    # -- ringing ---------------------------------------------------------------------------------------------

    def begin_ringing(self, now: Samples) -> None:
        """A call rings from now on."""
        self.ringing_since = self.next_ring = now

    def stop_ringing(self) -> None:
        """It rings no more."""
        self.ringing_since = None
