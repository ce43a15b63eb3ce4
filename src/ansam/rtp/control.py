"""The control half of an RTP session (RTCP): what we report, and what the far end reports of us.

```
 RtpSession ─ counters ─► report every 5 s ──► far end
 far end ─► its loss and jitter of our packets; our last report's time comes back: the round trip
```

Nothing here touches the audio: a BYE ends no call, a report moves no packet. What can not be read, comes
from elsewhere or speaks for another source is counted and forgotten. The time in our reports is the call's,
not the day's: that is all a round trip needs (RFC 3550 §6.4.1 allows it).
"""

import random
from base64 import b64encode
from collections import deque
from dataclasses import dataclass

from ansam.errors import RemoteProtocolError
from ansam.rtp.rtcp import Report, ReportBlock, SenderInfo, build, parse
from ansam.rtp.session import Address, RtpSession
from ansam.rtp.srtcp import SrtcpReceiver, SrtcpSender
from ansam.rtp.srtp import NotAuthenticRtp, SrtpKeys
from ansam.units import SAMPLE_RATE, Samples

INTERVAL = 5 * SAMPLE_RATE
"""Mean time between reports (RFC 3550 §6.2: the least for a session as small as a call)."""

REMEMBERED = 16
"""Reports of ours whose echo is still believed; older times are made up."""

LONGEST_ROUND_TRIP = 10 * SAMPLE_RATE
"""What takes longer is no round trip."""

FRACTION = 65536
"""Units of the short times in report blocks, per second."""


@dataclass(slots=True)
class ControlCounters:
    """Control packets by what became of them.

    Attributes:
        sent: Reports of ours.
        packets: Reports of the far end that were taken.
        malformed: What is not RTCP.
        unauthentic: SRTCP with a wrong tag, or replayed.
        wrong_source: From an address that is not the far end's.
        wrong_ssrc: In the name of another source.
        byes: The far end says that it leaves.
    """

    sent: int = 0
    packets: int = 0
    malformed: int = 0
    unauthentic: int = 0
    wrong_source: int = 0
    wrong_ssrc: int = 0
    byes: int = 0


@dataclass(frozen=True, slots=True)
class FarReport:
    """How the far end receives us.

    Attributes:
        lost: Packets of ours it has not got.
        fraction: The share of them lately, 0 to 1.
        jitter: Of our packets there (RFC 3550 §6.4.1), samples.
    """

    lost: int
    fraction: float
    jitter: int


class Control:
    """Sends and reads reports for one RTP session.

    Args:
        rtp: The session.
        remote: Where the far end takes control packets; an empty host: nowhere at present.
        rng: Source of the name and of the times between reports.
        start: Sample clock at the beginning.

    Attributes:
        remote: Where to send to.
        counters: What came.
        far: The far end's last report of us; None before there was one.
        round_trip: To the far end and back without its own delay, samples; None: not known yet.
    """

    def __init__(self, rtp: RtpSession, remote: Address, rng: random.Random, start: Samples = 0) -> None:
        self.remote = remote
        self.counters = ControlCounters()
        self.far: FarReport | None = None
        self.round_trip: float | None = None
        self._rtp = rtp
        self._rng = rng
        # RFC 7022 §4.2: a name of 96 random bits says nothing about anybody.
        self._cname = b64encode(rng.randbytes(12)).decode()
        self._negotiated = remote
        self._source: Address | None = None
        self._start = start
        # §6.2: half the interval before the first report.
        self._next = start + self._pause() // 2
        self._ours: deque[int] = deque(maxlen=REMEMBERED)
        self._theirs: tuple[int, int, float] | None = None
        self._sent_before = 0
        self._expected_before = 0
        self._lost_before = 0
        self._sender: SrtcpSender | None = None
        self._receiver: SrtcpReceiver | None = None

    def secure(self, before: SrtpKeys | None, after: SrtpKeys | None) -> None:
        """Take over keys; a direction whose key stays goes on counting where it is."""
        if after is None:
            self._sender = self._receiver = None
            return
        if before is None or (before.suite, before.local) != (after.suite, after.local):
            self._sender = SrtcpSender(after.suite, after.local)
        if before is None or (before.suite, before.remote) != (after.suite, after.remote):
            self._receiver = SrtcpReceiver(after.suite, after.remote)

    def renegotiated(self, remote: Address) -> None:
        """Follow a re-INVITE; an empty host (the far end holds the call) changes no address."""
        if remote[0] and remote != self._negotiated:
            self.remote = self._negotiated = remote
            self._source = None

    # -- sending ---------------------------------------------------------------------------------------------

    def due(self, now: Samples) -> bytes | None:
        """Return the report that is due, if one is."""
        if now < self._next or not self.remote[0]:
            return None
        self._next = now + self._pause()
        return self._protected(self._report(now))

    def bye(self, now: Samples) -> bytes | None:
        """Return the last packet (§6.6); None where the far end has never had another."""
        if not self.counters.sent or not self.remote[0]:
            return None
        return self._protected(self._report(now, bye=True))

    def _protected(self, report: Report) -> bytes:
        self.counters.sent += 1
        packet = build(report)
        return packet if self._sender is None else self._sender.protect(packet)

    def _pause(self) -> Samples:
        # §6.3.1: half to one and a half times the interval. Two ends need no reconsideration (§6.3.3): their
        # number does not change.
        return int(INTERVAL * (0.5 + self._rng.random()))

    def _report(self, now: Samples, *, bye: bool = False) -> Report:
        sender = None
        if self._rtp.packets_sent != self._sent_before:
            self._sent_before = self._rtp.packets_sent
            ntp = ((now - self._start) << 32) // SAMPLE_RATE
            self._ours.append(_middle(ntp))
            sender = SenderInfo(
                ntp, self._rtp.timestamp_at(now), self._rtp.packets_sent, self._rtp.octets_sent
            )
        return Report(self._rtp.ssrc, sender, self._blocks(now), self._cname, bye)

    def _blocks(self, now: Samples) -> tuple[ReportBlock, ...]:
        far = self._rtp.far
        if far is None:
            return ()
        expected = far.expected - self._expected_before
        lost = far.lost - self._lost_before
        # Appendix A.3: nothing is a loss where duplicates or a new series of numbers spoil the difference.
        fraction = min(255, (lost << 8) // expected) if 0 < lost <= expected else 0
        self._expected_before, self._lost_before = far.expected, far.lost
        last_report = since = 0
        if self._theirs is not None and self._theirs[0] == far.ssrc:
            _, last_report, arrived = self._theirs
            since = min(0xFFFFFFFF, max(0, int((now - arrived) * FRACTION / SAMPLE_RATE)))
        return (
            ReportBlock(far.ssrc, fraction, far.lost, far.highest, int(self._rtp.jitter), last_report, since),
        )

    # -- receiving -------------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take a datagram.

        Args:
            data: As it came.
            source: From where.
            now: Arrival on the local sample clock, fractions included.
        """
        try:
            report = parse(data if self._receiver is None else self._receiver.unprotect(data))
        except NotAuthenticRtp:
            self.counters.unauthentic += 1
            return
        except RemoteProtocolError:
            self.counters.malformed += 1
            return
        far = self._rtp.far
        if far is not None and report.ssrc != far.ssrc:
            self.counters.wrong_ssrc += 1
        elif not self._from_far_end(source, known=far is not None):
            self.counters.wrong_source += 1
        else:
            self._take(report, now)

    def _from_far_end(self, source: Address, *, known: bool) -> bool:
        """Return whether to believe an address: the negotiated one, or one learnt from the known source."""
        if source == self._negotiated:
            self._source = self.remote = source
        elif self._source is None and known:
            # Behind an address translator the port is another. Only who knows the SSRC is believed.
            self._source = self.remote = source
        return source == self._source

    def _take(self, report: Report, now: float) -> None:
        self.counters.packets += 1
        self.counters.byes += report.bye
        if report.sender is not None:
            self._theirs = report.ssrc, _middle(report.sender.ntp), now
        for block in report.blocks:
            if block.ssrc == self._rtp.ssrc:
                self.far = FarReport(block.lost, block.fraction / 256, block.jitter)
                self._measure(block, now)

    def _measure(self, block: ReportBlock, now: float) -> None:
        """Take the round trip: arrival less our report's time less the time the far end kept it."""
        if block.last_report not in self._ours:
            return
        arrival = int((now - self._start) * FRACTION / SAMPLE_RATE)
        trip = (arrival - block.last_report - block.since_report) & 0xFFFFFFFF
        samples = (trip - (trip >> 31 << 32)) * SAMPLE_RATE / FRACTION
        if samples <= LONGEST_ROUND_TRIP:
            # Two clocks and a rounding may make a short trip negative.
            self.round_trip = max(0.0, samples)


def _middle(ntp: int) -> int:
    return ntp >> 16 & 0xFFFFFFFF
