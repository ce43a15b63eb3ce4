"""V.14: start-stop characters over a line that carries bits.

What does it do? The terminal's characters (start element, 5 to 8 data bits, parity, stop elements) are put
one after the other on a synchronous bearer, with stop polarity (1) between them. Terminal and line clocks
differ a little: a sender that gets characters faster than the line takes them may leave out a stop element
now and then, at most one in eight characters (basic range, +1 %) or one in four (extended, +2.3 %), and the
receiver puts it back. A slower terminal simply leaves longer stop elements. A break is start polarity for
longer than any character.

How does it work? `M` below is the number of bits of a character with its start and stop elements. The
receiver hunts for a 0 after a 1, counts off the character, and looks at the stop position: a 1 ends the
character, a 0 is either the start of the next one (stop element deleted), a break, or a framing error. On a
line that carries characters in their own timing (V.21) nothing is ever deleted.

V.14 is not among our Recommendations on file; the facts used are confirmed in V.22bis (11/88) Table 3 and
listed in `docs/spec/v14.md`.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

import numpy as np

from ansam.link.base import BreakReceived, LinkDown, LinkEvent, LinkStatistics, LinkUp
from ansam.units import Bits, Samples

SEND_LIMIT = 2048
"""Characters queued for sending; about 8 s at 2400 bit/s."""

RECEIVE_LIMIT = 1 << 18
"""Characters held for a terminal that does not read: V.14 can not stop the far end."""


class Parity(Enum):
    """The parity element of a character."""

    NONE = "N"
    EVEN = "E"
    ODD = "O"
    MARK = "M"
    SPACE = "S"


@dataclass(frozen=True, slots=True)
class CharacterFormat:
    """How a character looks on the line.

    Attributes:
        data_bits: 5 to 8, least significant first.
        parity: Kind of parity element.
        stop_bits: 1 or 2.

    Raises:
        ValueError: For numbers outside these ranges.
    """

    data_bits: int = 8
    parity: Parity = Parity.NONE
    stop_bits: int = 1

    def __post_init__(self) -> None:
        if not 5 <= self.data_bits <= 8 or self.stop_bits not in (1, 2):
            raise ValueError(f"no such character format: {self.data_bits} data, {self.stop_bits} stop bits")

    @property
    def length(self) -> int:
        """M: bits of a character with start, parity and stop elements."""
        return 1 + self.data_bits + (self.parity is not Parity.NONE) + self.stop_bits

    def parity_bit(self, value: int) -> int:
        """Return the parity element that belongs to a character value."""
        ones = value.bit_count() & 1
        return {Parity.EVEN: ones, Parity.ODD: ones ^ 1, Parity.MARK: 1}.get(self.parity, 0)

    def encode(self, value: int) -> list[int]:
        """Return the bits of a character in the order they are sent."""
        value &= (1 << self.data_bits) - 1
        bits = [0, *((value >> i) & 1 for i in range(self.data_bits))]
        if self.parity is not Parity.NONE:
            bits.append(self.parity_bit(value))
        return bits + [1] * self.stop_bits


class Deletion(Enum):
    """How often a sender may delete a stop element: one in `value` characters."""

    NEVER = 0
    BASIC = 8
    EXTENDED = 4


@dataclass(slots=True)
class StartStopCounters:
    """What the receiver met."""

    characters_sent: int = 0
    characters_received: int = 0
    framing_errors: int = 0
    parity_errors: int = 0
    stop_elements_restored: int = 0
    characters_lost: int = 0


class _Hunt(Enum):
    """Where the receiver is."""

    MARK = "wait for stop polarity"
    START = "wait for a start element"
    CHARACTER = "inside a character"
    ZEROS = "a character of zeros without a stop element: break?"


class StartStop:
    """A `Link` of plain start-stop characters: no error control, protocol NONE.

    Args:
        character: Format on the line.
        start_stop: True on a line with asynchronous timing of its own (V.21): no stop element is ever
            missing.
        deletion: Whether our sender deletes stop elements while it has a backlog.
    """

    def __init__(
        self,
        character: CharacterFormat | None = None,
        *,
        start_stop: bool = False,
        deletion: Deletion = Deletion.NEVER,
    ) -> None:
        self.format = character or CharacterFormat()
        self.counters = StartStopCounters()
        self._deletion = Deletion.NEVER if start_stop else deletion
        self._restores = not start_stop
        self._encoded = [self.format.encode(value) for value in range(256)]
        self._queue: deque[int] = deque()
        self._line: deque[int] = deque()
        self._since_deletion = 0
        self._hunt = _Hunt.MARK
        self._position = 0
        self._value = 0
        self._zeros = 0
        self._since_restored = Deletion.EXTENDED.value
        self._rate = 0
        self._received = bytearray()
        self._events: list[LinkEvent] = []

    def start(self, now: Samples) -> None:
        """Data may flow at once: V.14 has no start-up of its own."""
        self._events.append(LinkUp("NONE"))

    # -- sending ---------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> int:
        """Queue characters; return how many were taken (the queue holds `SEND_LIMIT`)."""
        taken = min(len(data), self.room())
        self._queue.extend(data[:taken])
        return taken

    def room(self) -> int:
        """Return how many characters `send` would take now."""
        return SEND_LIMIT - len(self._queue)

    def put_bits(self, bits: Bits) -> None:
        """Send these bits before anything else (what another protocol had begun to send)."""
        self._line.extendleft(reversed(bits.tolist()))

    def pending(self) -> int:
        """Return the characters that have not wholly left."""
        return len(self._queue) + bool(self._line)

    def pull(self, count: int) -> Bits:
        """Return `count` bits: characters, and stop polarity between them."""
        line = self._line
        while len(line) < count and self._queue:
            self._put_character(self._queue.popleft())
        out = [line.popleft() for _ in range(min(count, len(line)))]
        return np.array(out + [1] * (count - len(out)), np.uint8)

    def _put_character(self, value: int) -> None:
        bits = self._encoded[value]
        self.counters.characters_sent += 1
        self._since_deletion += 1
        period = self._deletion.value
        # Only a backlog makes a sender overspeed; the last character of a run keeps its stop element.
        if period and self._since_deletion >= period and self._queue:
            self._since_deletion = 0
            bits = bits[:-1]
        self._line.extend(bits)

    def send_break(self, milliseconds: int, now: Samples) -> None:
        """Send start polarity for the time given, at least 2M+3 bits, then 2M bits of stop polarity."""
        length = self.format.length
        bits = max(2 * length + 3, milliseconds * self._rate // 1000)
        self._line.extend([0] * bits + [1] * (2 * length))

    def set_rate(self, rate: int, far_rate: int = 0) -> None:
        """Tell the bit rate we send, in bit/s, which turns the length of a break into bits."""
        self._rate = rate

    # -- receiving -------------------------------------------------------------------------------------------

    def receive_bits(self, bits: Bits, now: Samples) -> None:
        """Take received bits, cut anywhere."""
        for bit in bits.tolist():
            self._receive_bit(bit)

    def _receive_bit(self, bit: int) -> None:
        if self._hunt is _Hunt.CHARACTER:
            self._in_character(bit)
        elif self._hunt is _Hunt.START:
            if not bit:
                self._begin()
        elif self._hunt is _Hunt.MARK:
            if bit:
                self._hunt = _Hunt.START
        elif bit:
            self._zeros_ended()
        else:
            self._zeros += 1

    def _begin(self) -> None:
        self._hunt = _Hunt.CHARACTER
        self._position = 0
        self._value = 0

    def _in_character(self, bit: int) -> None:
        data_and_parity = self.format.length - 1 - self.format.stop_bits
        if self._position < data_and_parity:
            self._value |= bit << self._position
            self._position += 1
            return
        if bit:
            self._since_restored += 1
            self._deliver()
            self._hunt = _Hunt.START
        elif self._value == 0:
            self._hunt = _Hunt.ZEROS
            self._zeros = data_and_parity + 2  # with the start element and this bit
        elif self._restores and self._since_restored >= Deletion.EXTENDED.value - 1:
            self.counters.stop_elements_restored += 1
            self._since_restored = 0
            self._deliver()
            self._begin()
        else:
            self.counters.framing_errors += 1
            self._deliver()
            self._hunt = _Hunt.MARK

    def _zeros_ended(self) -> None:
        """A run of start polarity that swallowed a whole character is over."""
        length = self.format.length
        if self._zeros >= 2 * length + 3 or not self._restores:
            if self._zeros >= 2 * length:
                milliseconds = self._zeros * 1000 // self._rate if self._rate else 0
                self._events.append(BreakReceived(milliseconds))
            else:
                self.counters.framing_errors += 1
            self._hunt = _Hunt.START
            return
        # A NUL whose stop element was deleted; the zeros after it began the next character.
        surplus = self._zeros - (length - self.format.stop_bits)
        self._value = 0
        self._since_restored = 0
        self.counters.stop_elements_restored += 1
        self._deliver()
        self._hunt = _Hunt.START
        for bit in [0] * surplus + [1]:
            self._receive_bit(bit)

    def _deliver(self) -> None:
        value = self._value & ((1 << self.format.data_bits) - 1)
        if self.format.parity is not Parity.NONE:
            parity = self._value >> self.format.data_bits
            self.counters.parity_errors += parity != self.format.parity_bit(value)
        if len(self._received) >= RECEIVE_LIMIT:
            self.counters.characters_lost += 1
            return
        self.counters.characters_received += 1
        self._received.append(value)

    def take_data(self, limit: int | None = None) -> bytes:
        """Return characters that arrived, in order, at most `limit`."""
        data = bytes(self._received[:limit])
        del self._received[:limit]
        return data

    def take_events(self) -> list[LinkEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    def statistics(self) -> LinkStatistics:
        """Return what was counted since the start."""
        counters = self.counters
        return LinkStatistics(
            octets_sent=counters.characters_sent,
            octets_received=counters.characters_received,
            characters_lost=counters.characters_lost,
            blers=counters.framing_errors + counters.parity_errors,
        )

    def disconnect(self, now: Samples) -> None:
        """End at once: there is no one to tell."""
        self._events.append(LinkDown("disconnected"))

    def suspend(self, samples: Samples) -> None:
        """Do nothing: there are no timers."""

    def deadline(self) -> Samples | None:
        """V.14 has no timers."""
        return None

    def handle_timer(self, now: Samples) -> None:
        """Do nothing."""
