"""The `+++` escape with guard times (Hayes; not part of V.250).

Three escape characters (S2), with at least the guard time (S12) of silence before and after and less than it
between them, bring an online modem to command state. The characters themselves are data and travel to the
far end, as on a real modem.
"""

from ansam.units import Samples


class EscapeDetector:
    """Watches the terminal's data while the modem is online.

    Args:
        character: S2 with the terminal's parity; None, for an S2 above 127, switches the detector off.
        guard: S12 in samples.
    """

    def __init__(self, character: int | None, guard: Samples) -> None:
        self._character = character
        self._guard = guard
        self._count = 0
        self._last: Samples | None = None

    def start(self, now: Samples) -> None:
        """Begin to watch; the time before counts as silence from `now` on."""
        self._count = 0
        self._last = now

    def receive(self, data: bytes, now: Samples) -> None:
        """Take the bytes the terminal sent at `now`."""
        if self._character is None or not data:
            return
        for octet in data:
            quiet = self._last is None or now - self._last >= self._guard
            if octet != self._character:
                self._count = 0
            elif quiet:
                # After a long pause this can only be the first of three.
                self._count = 1
            elif 0 < self._count < 3:
                self._count += 1
            else:
                self._count = 0
            self._last = now

    def deadline(self) -> Samples | None:
        """Return when the escape completes if nothing more is typed, or None."""
        if self._count == 3 and self._last is not None:
            return self._last + self._guard
        return None

    def escaped(self, now: Samples) -> bool:
        """Return True once, when the sequence is complete at `now`."""
        due = self.deadline()
        if due is None or now < due:
            return False
        self._count = 0
        return True
