"""Reports of two RTP sessions to one another."""

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from ansam.rtp.control import Control
from ansam.rtp.rtcp import Report, ReportBlock, SenderInfo, build, parse
from ansam.rtp.session import Address, RtpSession
from ansam.rtp.srtp import SrtpKeys

A, B = ("192.0.2.1", 4000), ("192.0.2.2", 5000)
A_CONTROL, B_CONTROL = ("192.0.2.1", 4001), ("192.0.2.2", 5001)
KEYS = SrtpKeys("AES_CM_128_HMAC_SHA1_32", bytes(range(30)), bytes(range(1, 31)))
MIRRORED = SrtpKeys(KEYS.suite, KEYS.remote, KEYS.local)
FRAME = 160


class End:
    """One end, and a wire to the other that delays by `delay` samples."""

    def __init__(self, own: Address, far: Address, seed: int, start: int, delay: float) -> None:
        rng = random.Random(seed)
        self.own, self.start, self.delay = own, start, delay
        self.rtp = RtpSession(far, 8, 0xD5, rng, start=start)
        self.control = Control(self.rtp, (far[0], far[1] + 1), rng, start)
        self.reports = 0


def converse(seconds: float, delay: float = 400.0, lose: int = 0, secure: bool = False) -> tuple[End, End]:
    """Let two ends talk; the clocks of both begin elsewhere. Every `lose`-th packet of the second is lost."""
    one, two = End(A, B, 1, 1000, delay), End(B, A, 2, 777_000, delay)
    if secure:
        one.control.secure(None, KEYS)
        two.control.secure(None, MIRRORED)
    queue: list[tuple[float, int, End, bytes, bool]] = []
    count = 0
    for frame in range(int(seconds * 50)):
        now = frame * FRAME
        for end, other in ((one, two), (two, one)):
            packets = [(end.rtp.send(bytes(160), end.start + now), False)]
            report = end.control.due(end.start + now)
            if report is not None:
                end.reports += 1
                packets.append((report, True))
            for packet, control in packets:
                count += 1
                if control or end is one or not lose or frame % lose:
                    queue.append((now + delay, count, other, packet, control))
        for entry in sorted(entry for entry in queue if entry[0] < now + FRAME):
            queue.remove(entry)
            at, _, end, packet, control = entry
            source = (B if end is one else A) if not control else (B_CONTROL if end is one else A_CONTROL)
            if control:
                end.control.receive(packet, source, end.start + at)
            else:
                end.rtp.receive(packet, source, end.start + at)
    return one, two


def test_round_trip_loss_and_jitter_of_both_ends() -> None:
    one, two = converse(30, delay=412.25, lose=20)
    for end in (one, two):
        assert 3 <= end.reports <= 9
        assert end.control.round_trip is not None
        assert abs(end.control.round_trip - 824.5) < 1
        assert end.control.far is not None
        assert end.control.far.jitter == 0
        assert end.control.counters.malformed == end.control.counters.wrong_ssrc == 0
    assert one.control.far is not None
    assert one.control.far.lost == 0
    assert two.control.far is not None
    assert 30 <= two.control.far.lost <= 80
    assert 0.03 < two.control.far.fraction < 0.07


def test_with_srtcp_and_without_are_the_same() -> None:
    plain, _ = converse(20)
    secured, other = converse(20, secure=True)
    assert secured.control.round_trip == plain.control.round_trip
    assert secured.control.counters.unauthentic == 0
    packet = other.control.due(10**9)
    assert packet is not None
    before = secured.control.counters.packets
    secured.control.receive(packet, B_CONTROL, 2e5)
    secured.control.receive(packet, B_CONTROL, 2e5)
    secured.control.receive(packet[:-1] + bytes([packet[-1] ^ 1]), B_CONTROL, 2e5)
    assert secured.control.counters.packets == before + 1
    assert secured.control.counters.unauthentic == 2


def test_first_report_comes_early_and_all_have_the_same_name() -> None:
    one, _ = converse(1)
    assert one.reports == 0
    times, names = [], set()
    for now in range(1000, 1000 + 60 * 8000, FRAME):
        one.rtp.send(bytes(160), now)
        packet = one.control.due(now)
        if packet is not None:
            report = parse(packet)
            assert report.sender is not None
            times.append(now - 1000)
            names.add(report.cname)
    assert 1.25 * 8000 <= times[0] <= 3.76 * 8000
    assert all(2.5 * 8000 <= b - a <= 7.6 * 8000 for a, b in itertools.pairwise(times))
    assert len(names) == 1
    assert len(names.pop()) == 16


def test_who_has_sent_nothing_reports_as_a_receiver_and_says_bye() -> None:
    one, _ = converse(0.2)
    control = one.control
    first = control.due(10**6)
    second = control.due(2 * 10**6)
    last = control.bye(3 * 10**6)
    assert first is not None
    assert second is not None
    assert last is not None
    assert [parse(p).sender is None for p in (first, second)] == [False, True]
    assert parse(last).bye
    assert End(A, B, 1, 0, 0).control.bye(0) is None
    silent = Control(one.rtp, ("", 0), random.Random(1))
    assert silent.due(10**6) is None
    silent.renegotiated(B_CONTROL)
    assert silent.due(10**6) is not None


def test_only_the_far_end_is_believed() -> None:
    one, two = converse(20)
    trip, packets = one.control.round_trip, one.control.counters.packets
    elsewhere = ("198.51.100.1", 9)
    forged = Report(two.rtp.ssrc, None, (ReportBlock(one.rtp.ssrc, 255, 9999),), "x")
    one.control.receive(build(forged), elsewhere, 3e5)
    assert one.control.counters.wrong_source == 1
    one.control.receive(build(Report(99, SenderInfo(1, 2, 3, 4), (), "x", bye=True)), B_CONTROL, 3e5)
    assert one.control.counters.wrong_ssrc == 1
    one.control.receive(b"junk", B_CONTROL, 3e5)
    assert one.control.counters.malformed == 1
    made_up = ReportBlock(one.rtp.ssrc, last_report=1234567)
    one.control.receive(build(Report(two.rtp.ssrc, None, (made_up,), "x")), B_CONTROL, 3e5)
    assert one.control.round_trip == trip
    assert one.control.counters.packets == packets + 1


def test_behind_an_address_translator_the_port_is_learnt_once() -> None:
    one, two = converse(1)
    packet = two.control.due(10**6)
    assert packet is not None
    moved, stranger = ("192.0.2.2", 61000), ("203.0.113.1", 1)
    one.control.receive(packet, moved, 1e4)
    assert one.control.remote == moved
    one.control.receive(packet, stranger, 1e4)
    assert (one.control.remote, one.control.counters.wrong_source) == (moved, 1)
    one.control.receive(packet, B_CONTROL, 1e4)
    assert one.control.remote == B_CONTROL


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=120) | st.binary(max_size=60).map(lambda b: b"\x81\xc8\0\x0c" + b)))
def test_junk_changes_nothing_of_the_audio(datagrams: list[bytes]) -> None:
    one, two = converse(0.5)
    heard = one.rtp.received.packets
    for data in datagrams:
        one.control.receive(data, B_CONTROL, 5000.5)
    one.control.due(10**6)
    one.rtp.receive(two.rtp.send(bytes(160), two.start + 25 * FRAME), B, 5100.0)
    assert one.rtp.received.packets == heard + 1
