"""One RTP session: our source, the far source, and what is refused.

Sending: SSRC, first sequence number and first timestamp are random (RFC 3550 §5.1, §8.1); one packet per
frame, its timestamp the sample count. Receiving: packets count only from the negotiated address (or,
behind an address translator, from the one address learnt from the first packet: symmetric RTP, RFC 4961),
from one SSRC, of the negotiated payload type and of a size that whole multiples of 10 ms have. Anything
else is counted, never played.
"""

import random
from dataclasses import dataclass, field, replace

from ansam.errors import RemoteProtocolError
from ansam.rtp.packet import RtpPacket, build, parse
from ansam.rtp.playout import DEFAULT_DELAY, Playout
from ansam.rtp.redundancy import Block, Redundancy, RedundantSender, parse_blocks
from ansam.rtp.sequence import Order, SequenceTracker
from ansam.units import FRAME, Codewords, Samples

Address = tuple[str, int]
"""Host and port."""

SIZES = frozenset({80, 160, 240, 320})
"""Octets a G.711 payload may have: ptime 10, 20, 30 or 40 ms."""

TAKEOVER_PACKETS = 50
"""Packets of one foreign SSRC, without one of ours between, after which it is the source (1 s at 20 ms)."""

ANNOUNCED_PACKETS = 2
"""The same once signalling has said that something changes at the same address (hold, music, resumption)."""

COMFORT_NOISE = 13
"""Payload type of comfort noise (RFC 3389 §4)."""

EVENT_OCTETS = 4
"""Length of a telephone event's payload (RFC 4733 §2.3)."""


@dataclass(slots=True)
class ReceiveCounters:
    """Packets that were not played, by reason, and what was.

    Attributes:
        packets: Valid packets of our source.
        octets: Their payload octets.
        malformed: Datagrams that are not RTP.
        wrong_source: From an address that is not the far end's.
        wrong_ssrc: From a synchronisation source that is not the far end's.
        wrong_payload_type: Of a payload type that was not negotiated; what they stood for is an erasure.
        comfort_noise: Those of them that are comfort noise: a gateway thinks that nobody speaks.
        events: Those of them that look like telephone events (RFC 4733): a gateway took our signal for DTMF.
        wrong_size: Not 10, 20, 30 or 40 ms.
        out_of_window: Sequence numbers too far off to be believed at once.
        source_changes: Times another SSRC became the source.
        unauthentic: SRTP packets with a wrong tag, or replayed.
        recovered: Lost packets whose samples came in time with a later one (RFC 2198).
    """

    packets: int = 0
    octets: int = 0
    malformed: int = 0
    wrong_source: int = 0
    wrong_ssrc: int = 0
    wrong_payload_type: int = 0
    comfort_noise: int = 0
    events: int = 0
    wrong_size: int = 0
    out_of_window: int = 0
    source_changes: int = 0
    recovered: int = 0
    unauthentic: int = 0


@dataclass(frozen=True, slots=True)
class FarSource:
    """The far source in numbers, for reports of it.

    Attributes:
        ssrc: Its identifier.
        highest: Its highest sequence number, extended (RFC 3550 §6.4.1).
        expected: Packets it has sent since this series of numbers began.
        lost: Packets that have not come.
    """

    ssrc: int
    highest: int
    expected: int
    lost: int


@dataclass(slots=True)
class _Far:
    """The far source, once it is known; `interrupted` since something else came in place of its audio."""

    ssrc: int
    tracker: SequenceTracker = field(default_factory=SequenceTracker)
    transit: float | None = None
    interrupted: bool = False


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
        also: Further types we take for the same law: that of voice-band data (V.152).
        redundancy: RFC 2198, where it was agreed on.

    Attributes:
        remote: Where to send to.
        ssrc: Ours.
        playout: Where received samples wait for their turn.
        received: Counters.
        packets_sent: Packets built.
        octets_sent: Their payload.
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
        also: frozenset[int] = frozenset(),
        redundancy: Redundancy | None = None,
    ) -> None:
        self.remote = remote
        self._agree(payload_type, receive_type, also, redundancy)
        self.ssrc = rng.getrandbits(32)
        self.playout = Playout(silence, delay, start)
        self.received = ReceiveCounters()
        self.packets_sent = 0
        self.octets_sent = 0
        self.jitter = 0.0
        self._negotiated = remote
        self._sequence = rng.getrandbits(16)
        self._timestamp = (rng.getrandbits(32) - start) & 0xFFFFFFFF
        self._source: Address | None = None
        self._far: _Far | None = None
        self._former_lost = 0
        self._former_duplicates = 0
        self._rival: tuple[int, int] | None = None
        self._takeover = TAKEOVER_PACKETS
        self._marker = True

    def _agree(
        self,
        payload_type: int,
        receive_type: int | None,
        also: frozenset[int],
        redundancy: Redundancy | None,
    ) -> None:
        self.payload_type = payload_type
        self.receive_types = also | {payload_type if receive_type is None else receive_type}
        self._redundancy = redundancy
        self._repeater = RedundantSender(redundancy.depth) if redundancy and redundancy.depth else None

    # -- sending ---------------------------------------------------------------------------------------------

    def send(self, octets: bytes, now: Samples) -> bytes:
        """Return the packet that carries a frame.

        Args:
            octets: G.711 octets, as they shall arrive.
            now: Instant of the first of them.
        """
        payload_type, timestamp = self.payload_type, self.timestamp_at(now)
        if self._redundancy is not None and self._repeater is not None:
            octets = self._repeater.wrap(payload_type, timestamp, octets)
            payload_type = self._redundancy.send_type
        packet = RtpPacket(
            payload_type,
            self._sequence,
            timestamp,
            self.ssrc,
            octets,
            # RFC 3551 §4.1: set on the first packet of a talkspurt; a modem's is never interrupted.
            marker=self._marker,
        )
        self._marker = False
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.packets_sent += 1
        self.octets_sent += len(octets)
        return build(packet)

    def timestamp_at(self, now: Samples) -> int:
        """Return the RTP timestamp of an instant."""
        return (self._timestamp + now) & 0xFFFFFFFF

    def pause(self) -> None:
        """Leave out a frame that may not be sent: time goes on, the numbers of packets do not."""
        self._marker = True

    # -- receiving -------------------------------------------------------------------------------------------

    @property
    def lost(self) -> int:
        """Packets of the far source that have not come."""
        return self._former_lost + (self._far.tracker.lost if self._far else 0)

    @property
    def far(self) -> FarSource | None:
        """The far source; None before its first packet."""
        if self._far is None or self._far.tracker.highest is None:
            return None
        tracker, highest = self._far.tracker, self._far.tracker.highest
        # Extended numbers begin with a cycle in hand, so that early ones stay positive.
        return FarSource(self._far.ssrc, highest - 0x10000, tracker.expected, tracker.lost)

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
            packet, repeated = self._unwrapped(parse(data))
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
        if packet.payload_type not in self.receive_types or len(packet.payload) not in SIZES:
            self._count_refused(packet)
            far.interrupted = True
        else:
            if far.interrupted and order is Order.NEXT:
                # The numbers have no gap, but the audio has: what stood in its place is not silence.
                order = Order.AHEAD
            far.interrupted = False
            self.received.packets += 1
            self.received.octets += len(packet.payload)
            self._update_jitter(far, packet.timestamp, now)
            self.playout.receive(number, order, packet.timestamp, packet.payload, now)
            self._recover(repeated, packet.timestamp)

    def _unwrapped(self, packet: RtpPacket) -> tuple[RtpPacket, list[Block]]:
        """Return a packet with its primary frame alone, and what it repeats."""
        if self._redundancy is None or packet.payload_type != self._redundancy.receive_type:
            return packet, []
        *repeated, primary = parse_blocks(packet.payload)
        return replace(packet, payload_type=primary.payload_type, payload=primary.payload), repeated

    def _recover(self, repeated: list[Block], timestamp: int) -> None:
        for block in repeated:
            if block.payload_type in self.receive_types and len(block.payload) in SIZES:
                at = (timestamp - block.offset) & 0xFFFFFFFF
                self.received.recovered += self.playout.recover(at, block.payload)

    def pull_runs(self, now: Samples) -> list[tuple[Codewords, bool]]:
        """Return the frame of 160 samples whose turn it is, cut where erasures begin and end."""
        return self.playout.pull_runs(now)

    def renegotiated(
        self,
        remote: Address,
        payload_type: int,
        receive_type: int | None = None,
        also: frozenset[int] = frozenset(),
        redundancy: Redundancy | None = None,
    ) -> None:
        """Follow a re-INVITE: the far end may send from elsewhere, perhaps as a new source.

        A source that goes on where it was keeps its place in the playout.

        Args:
            remote: Where the far end receives now; an empty host (it holds the call) changes no address.
            payload_type: See the class.
            receive_type: See the class.
            also: See the class.
            redundancy: See the class.
        """
        self._agree(payload_type, receive_type, also, redundancy)
        self._takeover = ANNOUNCED_PACKETS
        if remote[0] and remote != self._negotiated:
            self.remote = self._negotiated = remote
            self._expect_elsewhere()

    def _expect_elsewhere(self) -> None:
        """Let the next packet name the source's address and, if it is a new one, its SSRC."""
        self._source = None
        self._takeover = 1

    def _forget_far(self) -> None:
        if self._far is None:
            return
        self._former_lost += self._far.tracker.lost
        self._former_duplicates += self._far.tracker.duplicates
        self._far = None
        self._rival = None
        self._takeover = TAKEOVER_PACKETS
        self.received.source_changes += 1
        self.playout.restart()

    def _from_far_end(self, packet: RtpPacket, source: Address) -> bool:
        if source == self._source:
            return True
        if source == self._negotiated:
            # The address signalling named always prevails over one that was only learnt.
            if self._source is not None:
                self._expect_elsewhere()
            self._source = self.remote = source
            return True
        plausible = packet.payload_type in self.receive_types and len(packet.payload) in SIZES
        if self._source is None and plausible:
            self._source = self.remote = source
            return True
        self.received.wrong_source += 1
        return False

    def _far_source(self, packet: RtpPacket) -> _Far | None:
        """Return the state of the packet's source where it is the far end's."""
        if self._far is None:
            if packet.payload_type not in self.receive_types or len(packet.payload) not in SIZES:
                self._count_refused(packet)
                return None
            self._far = _Far(packet.ssrc)
        if packet.ssrc == self._far.ssrc:
            self._rival = None
            if self._takeover == 1:
                # It moved and is the source it was: from here on a stray packet changes nothing.
                self._takeover = ANNOUNCED_PACKETS
            return self._far
        count = self._rival[1] + 1 if self._rival and self._rival[0] == packet.ssrc else 1
        self._rival = (packet.ssrc, count)
        # Deviation: RFC 3550 §8.2 leaves it open. A gateway that restarts its source unannounced would
        # otherwise leave the call mute for ever.
        if count >= self._takeover:
            announced = self._takeover < TAKEOVER_PACKETS
            self._forget_far()
            if announced:
                return self._far_source(packet)
        self.received.wrong_ssrc += 1
        return None

    def _count_refused(self, packet: RtpPacket) -> None:
        if packet.payload_type not in self.receive_types:
            self.received.wrong_payload_type += 1
            if packet.payload_type == COMFORT_NOISE:
                self.received.comfort_noise += 1
            elif packet.payload_type >= 96 and len(packet.payload) == EVENT_OCTETS:
                self.received.events += 1
        else:
            self.received.wrong_size += 1

    def _update_jitter(self, far: _Far, timestamp: int, now: float) -> None:
        """RFC 3550 A.8."""
        transit = now - timestamp
        if far.transit is not None:
            step = abs((transit - far.transit + 0x80000000) % 0x100000000 - 0x80000000)
            self.jitter += (min(step, FRAME * 50) - self.jitter) / 16
        far.transit = transit
