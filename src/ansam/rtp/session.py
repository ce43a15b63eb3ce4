"""One RTP session: our source, the far source, and what is refused.

Sending: SSRC, first sequence number and first timestamp are random (RFC 3550 §5.1, §8.1); one packet per
    frame, its
timestamp the sample count. Receiving: packets count only from the negotiated address (or, behind an address
translator, from the one address learnt from the first packet: symmetric RTP, RFC 4961), from one SSRC, of the
negotiated payload type and of a size that whole multiples of 10 ms have. Anything else is counted, never
played.
"""

import random
from dataclasses import dataclass, field

from ansam.errors import RemoteProtocolError
from ansam.rtp.packet import RtpPacket, build, parse
from ansam.rtp.playout import DEFAULT_DELAY, Playout
from ansam.rtp.sequence import Order, SequenceTracker
from ansam.units import FRAME, Codewords, Samples

Address = tuple[str, int]
"""Host and port."""

SIZES = frozenset({80, 160, 240, 320})
"""Octets a G.711 payload may have: ptime 10, 20, 30 or 40 ms."""

TAKEOVER_PACKETS = 50
"""Packets of one foreign SSRC, without one of ours between, after which it is the source (1 s at 20 ms)."""


@dataclass(slots=True)
class ReceiveCounters:
    """Packets that were not played, by reason, and what was.

    Attributes:
        packets: Valid packets of our source.
        octets: Their payload octets.
        malformed: Datagrams that are not RTP.
        wrong_source: From an address that is not the far end's.
        wrong_ssrc: From a synchronisation source that is not the far end's.
        wrong_payload_type: Of a payload type that was not negotiated (comfort noise, telephone events).
        wrong_size: Not 10, 20, 30 or 40 ms.
        out_of_window: Sequence numbers too far off to be believed at once.
        source_changes: Times another SSRC became the source.
    """

    packets: int = 0
    octets: int = 0
    malformed: int = 0
    wrong_source: int = 0
    wrong_ssrc: int = 0
    wrong_payload_type: int = 0
    wrong_size: int = 0
    out_of_window: int = 0
    source_changes: int = 0


@dataclass(slots=True)
class _Far:
    """The far source, once it is known."""

    ssrc: int
    tracker: SequenceTracker = field(default_factory=SequenceTracker)
    transit: float | None = None


class RtpSession:
    """Both directions of one media stream.

    Args:
        remote: Negotiated address of the far end.
        payload_type: Of the packets we send (the far end's choice).
        receive_type: Of those we take (our choice); None: the same.
        silence: The law's octet for silence.
        rng: Source of SSRC, sequence number and timestamp; `random.SystemRandom()` outside tests.
        delay: Playout delay, samples.
        start: Sample clock at the first frame.

    Attributes:
        remote: Where to send to.
        ssrc: Ours.
        playout: Where received samples wait for their turn.
        received: Counters.
        packets_sent: Packets built.
        jitter: Interarrival jitter of RFC 3550 §6.4.1, samples.
    """

    def __init__(
        self,
        remote: Address,
        payload_type: int,
        silence: int,
        rng: random.Random,
        delay: Samples = DEFAULT_DELAY,
        start: Samples = 0,
        receive_type: int | None = None,
    ) -> None:
        self.remote = remote
        self.payload_type = payload_type
        self.receive_type = payload_type if receive_type is None else receive_type
        self.ssrc = rng.getrandbits(32)
        self.playout = Playout(silence, delay, start)
        self.received = ReceiveCounters()
        self.packets_sent = 0
        self.jitter = 0.0
        self._negotiated = remote
        self._sequence = rng.getrandbits(16)
        self._timestamp = (rng.getrandbits(32) - start) & 0xFFFFFFFF
        self._source: Address | None = None
        self._far: _Far | None = None
        self._former_lost = 0
        self._former_duplicates = 0
        self._rival: tuple[int, int] | None = None
        self._marker = True

    # -- sending ---------------------------------------------------------------------------------------------

    def send(self, octets: bytes, now: Samples) -> bytes:
        """Return the packet that carries a frame.

        Args:
            octets: G.711 octets, as they shall arrive.
            now: Instant of the first of them.
        """
        packet = RtpPacket(
            self.payload_type,
            self._sequence,
            (self._timestamp + now) & 0xFFFFFFFF,
            self.ssrc,
            octets,
            # RFC 3551 §4.1: set on the first packet of a talkspurt; a modem's is never interrupted.
            marker=self._marker,
        )
        self._marker = False
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.packets_sent += 1
        return build(packet)

    # -- receiving -------------------------------------------------------------------------------------------

    @property
    def lost(self) -> int:
        """Packets of the far source that have not come."""
        return self._former_lost + (self._far.tracker.lost if self._far else 0)

    @property
    def duplicates(self) -> int:
        """Packets that came twice."""
        return self._former_duplicates + (self._far.tracker.duplicates if self._far else 0)

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram.

        Args:
            data: As it came.
            source: From where.
            now: Arrival on the local sample clock, fractions included.
        """
        try:
            packet = parse(data)
        except RemoteProtocolError:
            self.received.malformed += 1
            return
        if not self._from_far_end(packet, source):
            return
        far = self._far_source(packet)
        if far is None:
            return
        number, order = far.tracker.update(packet.sequence)
        if order is Order.DUPLICATE:
            return
        if order is Order.OUTSIDE:
            self.received.out_of_window += 1
            return
        if packet.payload_type != self.receive_type:
            self.received.wrong_payload_type += 1
        elif len(packet.payload) not in SIZES:
            self.received.wrong_size += 1
        else:
            self.received.packets += 1
            self.received.octets += len(packet.payload)
            self._update_jitter(far, packet.timestamp, now)
            self.playout.receive(number, order, packet.timestamp, packet.payload, now)

    def pull_runs(self, now: Samples) -> list[tuple[Codewords, bool]]:
        """Return the frame of 160 samples whose turn it is, cut where erasures begin and end."""
        return self.playout.pull_runs(now)

    def renegotiated(self, remote: Address, payload_type: int, receive_type: int | None = None) -> None:
        """Follow a re-INVITE: the far end may send from elsewhere, as a new source."""
        self.payload_type = payload_type
        self.receive_type = payload_type if receive_type is None else receive_type
        if remote == self._negotiated:
            return
        self.remote = self._negotiated = remote
        self.expect_new_source()

    def expect_new_source(self) -> None:
        """Let the next packet name a new source address and SSRC."""
        self._source = None
        self._forget_far()

    def _forget_far(self) -> None:
        if self._far is None:
            return
        self._former_lost += self._far.tracker.lost
        self._former_duplicates += self._far.tracker.duplicates
        self._far = None
        self._rival = None
        self.received.source_changes += 1
        self.playout.restart()

    def _from_far_end(self, packet: RtpPacket, source: Address) -> bool:
        if source == self._source:
            return True
        if source == self._negotiated:
            # The address signalling named always prevails over one that was only learnt.
            if self._source is not None:
                self.expect_new_source()
            self._source = self.remote = source
            return True
        plausible = packet.payload_type == self.receive_type and len(packet.payload) in SIZES
        if self._source is None and plausible:
            self._source = self.remote = source
            return True
        self.received.wrong_source += 1
        return False

    def _far_source(self, packet: RtpPacket) -> _Far | None:
        """Return the state of the packet's source where it is the far end's."""
        if self._far is None:
            if packet.payload_type != self.receive_type or len(packet.payload) not in SIZES:
                self._count_refused(packet)
                return None
            self._far = _Far(packet.ssrc)
        if packet.ssrc == self._far.ssrc:
            self._rival = None
            return self._far
        self.received.wrong_ssrc += 1
        count = self._rival[1] + 1 if self._rival and self._rival[0] == packet.ssrc else 1
        self._rival = (packet.ssrc, count)
        # Deviation: RFC 3550 §8.2 leaves it open. A gateway that restarts its source unannounced would
        # otherwise leave the call mute for ever.
        if count >= TAKEOVER_PACKETS:
            self._forget_far()
        return None

    def _count_refused(self, packet: RtpPacket) -> None:
        if packet.payload_type != self.receive_type:
            self.received.wrong_payload_type += 1
        else:
            self.received.wrong_size += 1

    def _update_jitter(self, far: _Far, timestamp: int, now: float) -> None:
        """RFC 3550 A.8."""
        transit = now - timestamp
        if far.transit is not None:
            step = abs((transit - far.transit + 0x80000000) % 0x100000000 - 0x80000000)
            self.jitter += (min(step, FRAME * 50) - self.jitter) / 16
        far.transit = transit
