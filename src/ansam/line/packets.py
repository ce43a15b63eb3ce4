"""Packets on their way, and the adaptor's fixed jitter buffer at the end of it.

A packet is one frame of 160 samples. It is lost or late by chance; the buffer plays the packet that was sent
first `delay + playout` after it left (rounded up to its own 20 ms grid) and then one packet per frame in
order, whatever comes: what is not there in time is an erasure of exactly its 160 samples.

Only where the two adaptors' clocks differ does the buffer run empty or full in the end. Then it *slips*: it
starts anew at its nominal delay, and the signal jumps by a whole number of frames. That is what a telephone
adaptor does every few minutes of a call, and what no modem likes.
"""

import math
from dataclasses import dataclass

import numpy as np

from ansam.line.parameters import PathParameters
from ansam.units import FRAME, SAMPLE_RATE, Audio

MAX_IN_FLIGHT = 4096
"""Packets held at most: above that nobody plays them and the oldest are dropped."""

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
    """

    def __init__(self, parameters: PathParameters, rng: np.random.Generator) -> None:
        self.counters = PacketCounters()
        per_ms = SAMPLE_RATE / 1000
        self._delay = parameters.delay_ms * per_ms
        self._jitter = parameters.jitter_ms * per_ms
        self._playout = parameters.playout_ms * per_ms
        self._loss = LossModel(parameters.loss, parameters.loss_burst, rng)
        self._rng = rng
        self._packets: dict[int, _Packet] = {}
        self._next = 0
        self._playing = False
        self._last_sent = -math.inf

    def send(self, frame: Audio, t: float) -> None:
        """Send a packet; instants never go back."""
        arrival = t + self._delay
        if self._jitter:
            arrival += self._jitter * self._rng.random()
        if self._loss.next():
            self.counters.lost += 1
            arrival = math.inf
        self._packets[self.counters.sent] = _Packet(t, arrival, frame)
        self._packets.pop(self.counters.sent - MAX_IN_FLIGHT, None)
        self.counters.sent += 1
        self._last_sent = t

    def play(self, t: float) -> Audio | None:
        """Return the frame whose turn is at `t`, or None for an erasure; call once per frame."""
        t += _SOON
        self._next = max(self._next, self.counters.sent - MAX_IN_FLIGHT)
        packet = self._packets.get(self._next)
        if not self._playing:
            if packet is None or packet.sent + self._delay + self._playout > t:
                return None
            self._playing = True
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
        return packet.frame

    def _run_dry(self, t: float) -> None:
        """Not even a packet without jitter could be here: a slip, unless the far end just stopped sending."""
        self._playing = False
        if t - self._last_sent < 1.5 * FRAME:
            self.counters.slips += 1

    def _overflow(self, t: float, packet: _Packet) -> _Packet:
        """Throw packets away until the oldest waits no longer than it should."""
        self.counters.slips += 1
        while t - (packet.sent + self._delay + self._playout) >= FRAME and self._next + 1 in self._packets:
            del self._packets[self._next]
            self._next += 1
            packet = self._packets[self._next]
        return packet
