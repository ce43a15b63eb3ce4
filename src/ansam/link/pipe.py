"""A link without a line: characters through a network stream, as fast as a modem of the agreed speed sends.

::

    terminal ── send ──► queue ──► pace ──► take_stream ──► network
             ◄── take_data ── pace ◄── queue ◄── offer_stream ──

It has the upper half of `link.base.Link`; below there are octets where a line has bits. Each direction has a
queue of about one second, so that a full one holds up the far end's TCP as circuit 106 holds up the terminal.
A character takes ten bits, as on a line without error control.
"""

from ansam.link.base import LinkDown, LinkEvent, LinkStatistics, LinkUp
from ansam.units import SAMPLE_RATE, Samples

BITS_PER_CHARACTER = 10
UNPACED_LIMIT = 16384
LEAST_LIMIT = 256

STEP: Samples = SAMPLE_RATE // 50
"""Characters move in portions of 20 ms."""

END_PATIENCE: Samples = 10 * SAMPLE_RATE
"""How long what arrived last waits for a terminal that does not read, after the far end has closed."""


class Pace:
    """How many characters one direction may move.

    A queue that has been empty starts with one step's worth, so what is sent does not depend on how often the
    pace was looked at; one that is held up catches up by at most one second.

    Args:
        rate: Bit/s; 0 is without limit.
        now: When it begins.
    """

    def __init__(self, rate: int, now: Samples) -> None:
        self._rate = rate
        self._since = now
        self._moved = 0

    def allowance(self, now: Samples) -> int:
        """Return how many characters may move now."""
        if not self._rate:
            return UNPACED_LIMIT
        return (now - self._since) * self._rate // (BITS_PER_CHARACTER * SAMPLE_RATE) - self._moved

    def spend(self, count: int) -> None:
        """Characters have moved."""
        self._moved += count

    def rested(self, now: Samples, rest: Samples = STEP) -> None:
        """What could have moved before the last `rest` samples will not be made up for."""
        if self._rate and self.allowance(now) > rest * self._rate // (BITS_PER_CHARACTER * SAMPLE_RATE):
            self._since, self._moved = now - rest, 0

    def due(self, waiting: int) -> Samples:
        """Return when the next portion of `waiting` characters may move."""
        if not self._rate:
            return 0
        portion = min(waiting, max(1, STEP * self._rate // (BITS_PER_CHARACTER * SAMPLE_RATE)))
        units = (self._moved + portion) * BITS_PER_CHARACTER * SAMPLE_RATE
        return self._since + -(-units // self._rate)


class Pipe:
    """One connection.

    Args:
        rate: Bit/s of both directions; 0 does not hold anything up.
        protocol: For the CONNECT text: ``TCP``, ``TELNET``, ``SSH``.
    """

    def __init__(self, rate: int, protocol: str) -> None:
        self._rate = rate
        self._limit = max(LEAST_LIMIT, rate // BITS_PER_CHARACTER) if rate else UNPACED_LIMIT
        self._protocol = protocol
        self._events: list[LinkEvent] = []
        self._sent = bytearray()
        self._received = bytearray()
        self._octets_sent = self._octets_received = 0
        self._now: Samples = 0
        self._tx = self._rx = Pace(rate, 0)
        self._ending = ""
        self._moved_at: Samples = 0
        self._closing = self._over = False

    def start(self, now: Samples) -> None:
        """Begin: data may flow at once."""
        self._now = now
        self._tx, self._rx = Pace(self._rate, now), Pace(self._rate, now)
        self._events.append(LinkUp(self._protocol))

    # -- terminal --------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> int:
        """Queue octets for the far end; return how many were taken."""
        if not self._sent:
            self._tx.rested(self._now)
        taken = data[: self.room()]
        self._sent += taken
        return len(taken)

    def room(self) -> int:
        """Return how many octets `send` would take now."""
        return 0 if self._closing else self._limit - len(self._sent)

    def pending(self) -> int:
        """Return how many octets wait for the network."""
        return len(self._sent)

    def take_data(self, limit: int | None = None) -> bytes:
        """Return octets that arrived and are due, at most `limit`."""
        count = min(len(self._received), self._rx.allowance(self._now))
        data = bytes(self._received[: count if limit is None else min(count, limit)])
        del self._received[: len(data)]
        if data:
            self._moved_at = self._now
            self._rx.spend(len(data))
        return data

    # -- network ---------------------------------------------------------------------------------------------

    def offer_stream(self, data: bytes) -> int:
        """Take octets of the network; return how many there was room for."""
        if not self._received:
            self._rx.rested(self._now)
        taken = data[: self._limit - len(self._received)]
        self._received += taken
        self._octets_received += len(taken)
        return len(taken)

    def take_stream(self, limit: int) -> bytes:
        """Return octets for the network that are due, at most `limit`."""
        count = min(len(self._sent), self._tx.allowance(self._now), limit)
        data = bytes(self._sent[:count])
        del self._sent[:count]
        self._tx.spend(count)
        self._octets_sent += count
        return data

    def end_stream(self, reason: str) -> None:
        """The far end has closed: `LinkDown` follows when the terminal has got everything."""
        if not self._ending:
            self._ending, self._moved_at = reason, self._now

    # -- what all links have ---------------------------------------------------------------------------------

    def take_events(self) -> list[LinkEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    def send_break(self, milliseconds: int, now: Samples) -> None:
        """A stream has no break; it is left out."""

    def statistics(self) -> LinkStatistics:
        """Return what was counted since the start."""
        return LinkStatistics(
            octets_sent=self._octets_sent, octets_received=self._octets_received, protocol=self._protocol
        )

    def disconnect(self, now: Samples) -> None:
        """End: `LinkDown` follows when the network has got everything."""
        self._closing = True
        self.handle_timer(now)

    def deadline(self) -> Samples | None:
        """Return when `handle_timer` wants to be called, or None."""
        due = [
            pace.due(len(queue))
            for pace, queue in ((self._tx, self._sent), (self._rx, self._received))
            if queue
        ]
        if self._ending or self._closing:
            due.append(self._moved_at + END_PATIENCE if self._received and not self._closing else self._now)
        # What is overdue waits for the terminal or the network, not for time.
        due = [max(instant, self._now + STEP) for instant in due]
        return min(due) if due and not self._over else None

    def handle_timer(self, now: Samples) -> None:
        """Move the clock."""
        self._now = max(now, self._now)
        for pace in (self._tx, self._rx):
            pace.rested(self._now, SAMPLE_RATE)
        if self._over:
            return
        if self._closing and not self._sent:
            self._over = True
            self._events.append(LinkDown("disconnected"))
        elif self._ending and (not self._received or self._now - self._moved_at >= END_PATIENCE):
            self._over = True
            self._events.append(LinkDown(self._ending))
