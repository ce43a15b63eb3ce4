"""S19: a connection on which no data pass for so long is ended."""

from ansam.units import SAMPLE_RATE, Samples


class IdleWatch:
    """Notices when data last passed."""

    def __init__(self) -> None:
        self._counters: object = None
        self._since: Samples = 0

    def follow(self, counters: object, now: Samples) -> None:
        """Take note of what tells which connection it is and how many characters have passed."""
        if counters != self._counters:
            self._counters, self._since = counters, now

    def due(self, seconds: int) -> Samples | None:
        """Return when silence will have lasted so many seconds; None for 0 seconds, which is never."""
        return self._since + seconds * SAMPLE_RATE if seconds else None
