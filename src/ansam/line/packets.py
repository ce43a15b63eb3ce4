"""Packets on their way, and the adaptor's fixed jitter buffer at the end of it.

A packet is one frame of 160 samples. It is lost or late by chance; the buffer plays the packet that was sent
first `delay + playout` after it left (rounded up to its own 20 ms grid) and then one packet per frame in
order, whatever comes: what is not there in time is an erasure of exactly its 160 samples.

Only where the two ends' clocks differ does the buffer run empty or full in the end. Then it *slips*: it
starts anew at its nominal delay, and the signal jumps by a whole number of frames. That is what a telephone
adaptor does every few minutes of a call, and what no modem likes. A box in the middle that sends packets of
its own (`Relay`) slips by one frame at a time instead; its receivers see nothing but a jump of the signal.
"""

import heapq
import math
from dataclasses import dataclass, replace

import numpy as np

from ansam.line.parameters import PathParameters
from ansam.units import FRAME, SAMPLE_RATE, Audio

MAX_IN_FLIGHT = 4096
"""Packets held at most: above that nobody plays them and the oldest are dropped."""

BOX_BUFFER_MS = 60.0
"""Buffer of a box in the middle."""

_SOON = 1e-6
"""Samples; rounding of instants."""


@dataclass(slots=True)
class PacketCounters:
    """What became of a direction's packets.

    Attributes:
        sent: Packets that left.
        lost: Packets that never arrived.
        late: Packets that arrived after their turn.
        slips: Times the jitter buffer ran empty or full and started anew.
    """

    sent: int = 0
    lost: int = 0
    late: int = 0
    slips: int = 0


class LossModel:
    """Loses a fraction of packets, `burst` in a row, the gaps between bursts being geometric.

    Args:
        loss: Fraction of packets, 0 … 1.
        burst: Packets in a row.
        rng: Source of chance.
    """

    def __init__(self, loss: float, burst: int, rng: np.random.Generator) -> None:
        # A cycle is a gap of mean (1-q)/q packets and a burst of b: loss = b / (b + (1-q)/q).
        self._start = loss / (loss + burst * (1 - loss)) if loss else 0.0
        self._burst = burst
        self._left = 0
        self._rng = rng

    def next(self) -> bool:
        """Return whether the next packet is lost."""
        if not self._start:
            return False
        if not self._left and self._rng.random() < self._start:
            self._left = self._burst
        if self._left:
            self._left -= 1
            return True
        return False


@dataclass(frozen=True, slots=True)
class _Packet:
    sent: float
    arrival: float
    frame: Audio


class PacketPath:
    """The network in one direction with the jitter buffer at its end.

    Instants are in samples of the calling end's clock and may be fractions.

    Args:
        parameters: Delay, loss, jitter and playout.
        rng: Source of chance.
        repeats: The buffer never stops: where nothing has come it plays the last frame once more, where it is
            too full it leaves out one.

    Attributes:
        counters: What became of the packets.
        playing: The first packet's turn has come, and the buffer has not run dry since.
    """

    def __init__(
        self, parameters: PathParameters, rng: np.random.Generator, *, repeats: bool = False
    ) -> None:
        self.counters = PacketCounters()
        self.playing = False
        self._repeats = repeats
        self._last: Audio | None = None
        self._coming: list[tuple[float, int]] = []
        per_ms = SAMPLE_RATE / 1000
        self._delay = parameters.delay_ms * per_ms
        self._jitter = parameters.jitter_ms * per_ms
        self._playout = parameters.playout_ms * per_ms
        self._loss = LossModel(parameters.loss, parameters.loss_burst, rng)
        self._rng = rng
        self._packets: dict[int, _Packet] = {}
        self._next = 0
        self._last_sent = -math.inf

    def send(self, frame: Audio, t: float, *, missing: bool = False) -> None:
        """Send a packet; instants never go back.

        Args:
            frame: Its samples.
            t: When.
            missing: It was lost before it came here, and is left out.
        """
        arrival = t + self._delay
        if self._jitter:
            arrival += self._jitter * self._rng.random()
        if self._loss.next() or missing:
            self.counters.lost += 1
            arrival = math.inf
        else:
            heapq.heappush(self._coming, (arrival, self.counters.sent * FRAME))
        self._packets[self.counters.sent] = _Packet(t, arrival, frame)
        self._packets.pop(self.counters.sent - MAX_IN_FLIGHT, None)
        self.counters.sent += 1
        self._last_sent = t

    def arrived(self, t: float) -> list[tuple[float, int]]:
        """Return what has come by `t` since the last `play`: (arrival, place among the sent samples)."""
        come = []
        while self._coming and self._coming[0][0] <= t:
            come.append(heapq.heappop(self._coming))
        return come

    def play(self, t: float) -> Audio | None:
        """Return the frame whose turn is at `t`, or None for an erasure; call once per frame."""
        self.arrived(t)
        t += _SOON
        self._next = max(self._next, self.counters.sent - MAX_IN_FLIGHT)
        packet = self._packets.get(self._next)
        if not self.playing:
            if packet is None or packet.sent + self._delay + self._playout > t:
                return None
            self.playing = True
        elif self._repeats and (packet is None or t < packet.arrival < math.inf):
            self.counters.slips += 1
            return self._last
        elif packet is None or packet.sent + self._delay > t:
            self._run_dry(t)
            return None
        assert packet is not None
        if t - (packet.sent + self._delay + self._playout) >= 2 * FRAME:
            packet = self._overflow(t, packet)
        self._packets.pop(self._next, None)
        self._next += 1
        if packet.arrival > t:
            self.counters.late += packet.arrival < math.inf
            return None
        self._last = packet.frame
        return packet.frame

    def _run_dry(self, t: float) -> None:
        """Not even a packet without jitter could be here: a slip, unless the far end just stopped sending."""
        self.playing = False
        if t - self._last_sent < 1.5 * FRAME:
            self.counters.slips += 1

    def _overflow(self, t: float, packet: _Packet) -> _Packet:
        """Throw packets away until the oldest waits no longer than it should; `repeats`: just one."""
        self.counters.slips += 1
        while t - (packet.sent + self._delay + self._playout) >= FRAME and self._next + 1 in self._packets:
            del self._packets[self._next]
            self._next += 1
            packet = self._packets[self._next]
            if self._repeats:
                break
        return packet


class Relay:
    """The network in one direction with a box in its middle that has a clock of its own.

    The box takes packets into a fixed buffer and sends others, which carry no trace of what it does: an
    exchange that mixes, records or transcodes works like that. Either half of the way has half the delay, the
    jitter and the loss; what is lost before the box is missing behind it too.

    Args:
        parameters: Of the whole way; `playout_ms` is that of the receiver.
        rng: Source of chance.
        rate: The box's clock as a multiple of the calling end's.
    """

    def __init__(self, parameters: PathParameters, rng: np.random.Generator, rate: float) -> None:
        half = replace(
            parameters,
            delay_ms=parameters.delay_ms / 2,
            jitter_ms=parameters.jitter_ms / 2,
            loss=parameters.loss / 2,
        )
        self._into = PacketPath(replace(half, playout_ms=BOX_BUFFER_MS), rng, repeats=True)
        self._out = PacketPath(half, rng)
        self._rate = rate
        self._tick = 0

    @property
    def counters(self) -> PacketCounters:
        """What became of the packets on the whole way."""
        before, behind = self._into.counters, self._out.counters
        # What the box did not get it does not send either: it is counted behind it.
        return PacketCounters(
            before.sent, behind.lost, before.late + behind.late, before.slips + behind.slips
        )

    def send(self, frame: Audio, t: float) -> None:
        """See `PacketPath.send`."""
        self._into.send(frame, t)

    def arrived(self, t: float) -> list[tuple[float, int]]:
        """See `PacketPath.arrived`."""
        self._catch_up(t)
        return self._out.arrived(t)

    def play(self, t: float) -> Audio | None:
        """See `PacketPath.play`."""
        self._catch_up(t)
        return self._out.play(t)

    def _catch_up(self, t: float) -> None:
        """Let the box have its frames up to `t`."""
        while (tick := self._tick * FRAME / self._rate) <= t:
            self._tick += 1
            frame = self._into.play(tick)
            if self._into.playing:
                nothing = np.zeros(FRAME, np.float32)
                self._out.send(nothing if frame is None else frame, tick, missing=frame is None)
