"""A call's audio: playout, G.711, the party, and packets out; one tick is one frame of 20 ms.

```
 datagram ─► RtpSession ─► playout ─┐ tick        ┌─► decode ─► party.process ─► encode ─┐
                                    └─► 160 octets ┘                                     └─► packet
```

The call owns the sample clock: `now` counts the samples that were exchanged, nothing else moves it.
"""

import random
from dataclasses import dataclass, field

from ansam.call.delay import DelayPlan
from ansam.call.drift import DriftLoop
from ansam.call.party import Informed, Party, Tolerant
from ansam.call.statistics import CallStatistics
from ansam.codec.g711 import Law
from ansam.errors import RemoteProtocolError
from ansam.path import NetworkFacts
from ansam.path.watch import PathWatch
from ansam.rtp.control import Control
from ansam.rtp.playout import DEFAULT_DELAY
from ansam.rtp.redundancy import Redundancy
from ansam.rtp.session import Address, RtpSession
from ansam.rtp.srtp import NotAuthenticRtp, SrtpKeys, SrtpReceiver, SrtpSender
from ansam.sdp.negotiation import PCMU, RED_TYPE, RemoteMedia
from ansam.units import FRAME, Codewords, Samples

HELD_KEEP_ALIVE = 750
"""Frames between empty datagrams that hold a NAT's binding while we may not send: 15 s (RFC 6263 §4.1)."""

INFORMED = 50
"""Frames between two times that the watch on the path is told facts."""


@dataclass(frozen=True, slots=True)
class CallMedia:
    """What signalling agreed on.

    Attributes:
        remote: Where the far end receives; an empty host while it holds the call: nothing is sent.
        law: A-law or µ-law.
        send_type: Payload type of our packets.
        receive_type: Payload type of theirs.
        also: Further types they may use for the same law (voice-band data, V.152).
        redundancy: RFC 2198, where it was agreed on.
        srtp: Keys, where the audio is encrypted.
        control: Where the far end takes RTCP; None: nobody reports.
        mux: RTCP shares the RTP port.
    """

    remote: Address
    law: Law
    send_type: int
    receive_type: int
    also: frozenset[int] = frozenset()
    redundancy: Redundancy | None = None
    srtp: SrtpKeys | None = field(default=None, repr=False)
    control: Address | None = None
    mux: bool = False

    @classmethod
    def agreed(cls, remote: RemoteMedia, *, answered: bool) -> "CallMedia":
        """Return what an offer/answer exchange means.

        Args:
            remote: The peer's side.
            answered: We wrote the answer, which repeats the peer's payload type; in our offers it is the
                static one.
        """
        law = Law.ULAW if remote.codec == PCMU else Law.ALAW
        host = "" if remote.on_hold else remote.address
        plain, vbd, red = remote.payload_type, remote.vbd_type, remote.red_type
        # V.152 (09/2010) §7.1.0.1: a payload type marked for voice-band data is what a modem is to use.
        send = plain if vbd is None else vbd
        if not answered:
            plain = remote.codec.payload_type
            vbd = None if vbd is None else remote.codec.vbd_type
        redundancy = None
        if red is not None:
            redundancy = Redundancy(remote.redundancy, red, red if answered else RED_TYPE)
        srtp = None
        if remote.crypto is not None and remote.our_crypto is not None:
            srtp = SrtpKeys(remote.crypto.suite, remote.our_crypto.key, remote.crypto.key)
        also = frozenset() if vbd is None else frozenset({vbd})
        return cls((host, remote.port), law, send, plain, also, redundancy, srtp, remote.control, remote.mux)


class Call:
    """The media of one call.

    Args:
        media: What signalling agreed on.
        party: Who speaks and listens.
        rng: Source of the RTP session's random numbers.
        delay: Playout delay, samples.
        start: Sample clock at the first tick.

    Attributes:
        now: Instant of the next frame.
        rtp: The media stream.
        drift: The loop that slaves our pace to the far end's.
        silent_frames: Ticks since a packet of the far end came; those of a hold do not count.
        control: Reports to and from the far end; None where there are none.
        path: What meddles with the received audio.
    """

    def __init__(
        self,
        media: CallMedia,
        party: Party,
        rng: random.Random,
        delay: Samples = DEFAULT_DELAY,
        start: Samples = 0,
    ) -> None:
        self.media = media
        self.now = start
        self.drift = DriftLoop()
        self.silent_frames = 0
        self.rtp = RtpSession(
            media.remote,
            media.send_type,
            media.law.silence,
            rng,
            delay,
            start,
            media.receive_type,
            media.also,
            media.redundancy,
        )
        self.control = None if media.control is None else Control(self.rtp, media.control, rng, start)
        self._sender: SrtpSender | None = None
        self._receiver: SrtpReceiver | None = None
        self._secure(None, media.srtp)
        self._party = party
        self._tolerant = party if isinstance(party, Tolerant) else None
        self._informed = party if isinstance(party, Informed) else None
        self.path = PathWatch(media.law)
        self._plan = DelayPlan(delay)
        self._start = start
        self._heard = 0
        self._held_frames = 0
        self._resyncs = 0

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram.

        Args:
            data: As it came.
            source: From where.
            now: Its arrival on the sample clock, between the last tick's frame and the next.
        """
        if not data:
            return  # a keep-alive (RFC 6263 §4.1)
        if self._receiver is not None:
            try:
                data = self._receiver.unprotect(data)
            except NotAuthenticRtp:
                self.rtp.received.unauthentic += 1
                return
            except RemoteProtocolError:
                self.rtp.received.malformed += 1
                return
        self.rtp.receive(data, source, now)
        if self.rtp.received.packets == self._heard:
            return
        self._heard = self.rtp.received.packets
        self.silent_frames = 0
        slips = self.rtp.playout.counters.resyncs + self.rtp.received.source_changes
        if slips != self._resyncs:
            self._resyncs = slips
            self.drift.restart()
        playout = self.rtp.playout
        if playout.margin is not None:
            # A change of the delay moves a packet's turn, and nothing else.
            self.drift.update(playout.margin - playout.delay, now)
            self._plan.update(playout.margin, now)

    def tick(self) -> tuple[bytes, Address] | None:
        """Exchange one frame.

        Returns:
            The packet to send and where to; while the far end holds the call None, and an empty datagram
            every `HELD_KEEP_ALIVE` frames.
        """
        self.drift.advance(self.now)
        self._consider_delay()
        out = []
        at = self.now
        for octets, erased in self.rtp.pull_runs(self.now):
            out.append(self._exchange(octets, at, erased))
            at += len(octets)
        sent = None
        if self.media.remote[0]:
            packet = self.rtp.send(b"".join(out), self.now)
            sent = (self._sender.protect(packet) if self._sender else packet), self.rtp.remote
        else:
            self.rtp.pause()
            self._held_frames += 1
            if self._held_frames % HELD_KEEP_ALIVE == 0 and self.rtp.remote[0]:
                sent = b"", self.rtp.remote
        self.now += FRAME
        if self.now // FRAME % INFORMED == 0:
            self._inform()
        # Who holds the call owes us no packets.
        self.silent_frames += bool(self.media.remote[0])
        return sent

    def _consider_delay(self) -> None:
        """Let the playout delay follow the network, where the party says that nobody will notice."""
        if self._tolerant is None or not self._tolerant.delay_may_change:
            return
        playout = self.rtp.playout
        wanted = self._plan.wanted(playout.delay, self.now)
        if wanted != playout.delay and playout.change_delay(wanted):
            self._plan.changed()

    def _exchange(self, octets: Codewords, at: Samples, erased: bool) -> bytes:
        """Give the party what arrived for a stretch of time; return its octets for the same time."""
        law = self.media.law
        self.path.receive(octets, erased)
        tx = law.encode(self._party.process(law.decode(octets), at, erased))
        self.path.send(tx)
        return tx.tobytes()

    def _inform(self) -> None:
        """Tell the watch on the path what modem and network know."""
        received = self.rtp.received
        self.path.note_network(NetworkFacts(received.comfort_noise, received.events))
        if self._informed is not None:
            self.path.note_modem(self._informed.path_facts())

    def renegotiated(self, media: CallMedia) -> None:
        """Follow a re-INVITE that was accepted."""
        self._secure(self.media.srtp, media.srtp)
        if media.law is not self.media.law:
            self.path = PathWatch(media.law)
        self.media = media
        self.rtp.renegotiated(media.remote, media.send_type, media.receive_type, media.also, media.redundancy)
        if self.control is not None and media.control is not None:
            self.control.renegotiated(media.control)

    def _secure(self, before: SrtpKeys | None, after: SrtpKeys | None) -> None:
        """Take over keys; a direction whose key stays goes on counting where it is (RFC 3711 §3.3.1)."""
        if self.control is not None:
            self.control.secure(before, after)
        if after is None:
            self._sender = self._receiver = None
            return
        same = before is not None and before.suite == after.suite
        if before is None or not same or before.local != after.local:
            self._sender = SrtpSender(after.suite, after.local)
        if before is None or not same or before.remote != after.remote:
            self._receiver = SrtpReceiver(after.suite, after.remote)

    def statistics(self) -> CallStatistics:
        """Return how the media has fared so far."""
        rtp, playout = self.rtp, self.rtp.playout.counters
        r = rtp.received
        margin = self.rtp.playout.margin
        far, trip = (None, None) if self.control is None else (self.control.far, self.control.round_trip)
        return CallStatistics(
            frames=(self.now - self._start) // FRAME,
            packets_sent=rtp.packets_sent,
            packets_received=r.packets,
            lost=rtp.lost,
            late=playout.late,
            duplicates=rtp.duplicates,
            refused=r.malformed
            + r.unauthentic
            + r.wrong_source
            + r.wrong_ssrc
            + r.wrong_payload_type
            + r.wrong_size,
            erased_frames=playout.erased_frames,
            resyncs=playout.resyncs,
            jitter_ms=round(rtp.jitter / 8, 3),
            margin_ms=round(0.0 if margin is None else margin / 8, 3),
            skew_ppm=round(self.drift.skew_ppm, 1),
            recovered=r.recovered,
            delay_ms=rtp.playout.delay / 8,
            delay_changes=playout.delay_changes,
            round_trip_ms=None if trip is None else round(trip / 8, 3),
            far_lost=None if far is None else far.lost,
            far_jitter_ms=None if far is None else round(far.jitter / 8, 3),
            findings=tuple(finding.as_dict() for finding in self.path.findings),
        )
