import random

import pytest

from ansam.rtp.packet import RtpPacket, build, parse
from ansam.rtp.session import TAKEOVER_PACKETS, RtpSession

FAR = ("192.0.2.1", 4000)
NAT = ("198.51.100.7", 61000)
SILENCE = 0xD5


def session(seed: int = 1) -> RtpSession:
    return RtpSession(FAR, 8, SILENCE, random.Random(seed))


def packet(k: int, ssrc: int = 7, payload_type: int = 8, size: int = 160) -> bytes:
    return build(RtpPacket(payload_type, k & 0xFFFF, k * 160, ssrc, bytes([k & 0xFF]) * size))


def test_sent_packets_follow_each_other() -> None:
    s = session()
    first, second = parse(s.send(b"\x01" * 160, 0)), parse(s.send(b"\x02" * 160, 160))
    assert first.marker
    assert not second.marker
    assert (second.sequence - first.sequence) & 0xFFFF == 1
    assert (second.timestamp - first.timestamp) & 0xFFFFFFFF == 160
    assert first.ssrc == second.ssrc == s.ssrc
    assert s.packets_sent == 2


def test_starts_are_random() -> None:
    a, b = parse(session(1).send(b"", 0)), parse(session(2).send(b"", 0))
    assert (a.ssrc, a.sequence, a.timestamp) != (b.ssrc, b.sequence, b.timestamp)


def test_foreign_packets_are_counted_and_never_played() -> None:
    s = session()
    octets = b""
    for k in range(10):
        s.receive(packet(k), FAR, k * 160)
        s.receive(packet(k, ssrc=8), FAR, k * 160)
        s.receive(packet(k), ("203.0.113.9", 9), k * 160)
        s.receive(b"junk", FAR, k * 160)
        codewords, erased = s.playout.pull(k * 160)
        octets += b"" if erased else codewords.tobytes()
    assert octets == b"".join(bytes([k]) * 160 for k in range(7))
    r = s.received
    assert (r.packets, r.wrong_ssrc, r.wrong_source, r.malformed) == (10, 10, 10, 10)
    assert s.lost == 0


def test_wrong_payload_type_and_size_are_counted_but_not_as_loss() -> None:
    s = session()
    s.receive(packet(0, payload_type=13), FAR, 0)
    s.receive(packet(0, size=33), FAR, 0)
    s.receive(packet(1), FAR, 0)
    s.receive(packet(2, payload_type=101), FAR, 160)
    s.receive(packet(3, size=100), FAR, 320)
    s.receive(packet(3), FAR, 320)
    s.receive(packet(4), FAR, 480)
    r = s.received
    assert (r.packets, r.wrong_payload_type, r.wrong_size) == (2, 2, 2)
    assert s.duplicates == 1
    assert s.lost == 0


def test_source_address_is_learnt_once() -> None:
    s = session()
    s.receive(packet(0, payload_type=13), NAT, 0)
    s.receive(packet(1), NAT, 0)
    assert s.remote == NAT
    s.receive(packet(2), ("203.0.113.9", 9), 160)
    assert s.received.wrong_source == 2
    assert s.remote == NAT


def test_negotiated_address_prevails_over_a_learnt_one() -> None:
    s = session()
    s.receive(packet(1, ssrc=99), NAT, 0)
    s.receive(packet(1), FAR, 10)
    assert s.remote == FAR
    s.receive(packet(2, ssrc=99), NAT, 160)
    assert s.received.wrong_source == 1
    assert s.received.packets == 2


def test_stray_sequence_number() -> None:
    s = session()
    s.receive(packet(1), FAR, 0)
    s.receive(packet(20000), FAR, 0)
    assert s.received.out_of_window == 1


def test_renegotiation_lets_a_new_source_in() -> None:
    s = session()
    s.receive(packet(1), FAR, 0)
    s.receive(packet(3), FAR, 320)
    s.renegotiated(FAR, 8)
    s.receive(packet(3), FAR, 320)
    assert s.received.source_changes == 0
    s.renegotiated(NAT, 0)
    assert s.remote == NAT
    s.receive(packet(9, ssrc=55, payload_type=0), NAT, 640)
    assert s.received.packets == 3
    assert s.received.source_changes == 1
    assert (s.lost, s.duplicates) == (1, 1)


def played(s: RtpSession, frames: int, start: int = 0) -> list[bool]:
    """Return which of the following frames are erased."""
    return [s.playout.pull((start + k) * 160)[1] for k in range(frames)]


def test_a_source_that_moves_and_goes_on_keeps_its_place() -> None:
    s = session()
    for k in range(3):
        s.receive(packet(k), FAR, k * 160)
    s.renegotiated(NAT, 8)
    for k in range(3, 6):
        s.receive(packet(k), NAT, k * 160)
    assert (s.received.source_changes, s.received.wrong_ssrc, s.lost) == (0, 0, 0)
    assert played(s, 9) == [True] * 3 + [False] * 6
    s.receive(packet(6), FAR, 960)
    assert s.received.wrong_source == 1
    # One stray packet of another SSRC takes nothing over; music on hold at the same address does.
    s.receive(packet(6, ssrc=9), NAT, 960)
    s.receive(packet(6), NAT, 960)
    assert s.received.wrong_ssrc == 1
    s.renegotiated(("", 0), 8)
    assert s.remote == NAT
    for k in range(3):
        s.receive(packet(500 + k, ssrc=9), NAT, 1120 + k * 160)
    assert (s.received.wrong_ssrc, s.received.source_changes, s.received.packets) == (2, 1, 9)


@pytest.mark.parametrize(
    ("payload_type", "payload"), [(13, b"\x40"), (101, b"\x03\x0a\x00\xa0"), (18, bytes(20))]
)
def test_comfort_noise_and_events_are_erasures(payload_type: int, payload: bytes) -> None:
    s = session()
    s.receive(packet(0), FAR, 0)
    for k in range(1, 4):
        # An event keeps the time of its beginning (RFC 4733 §2.2.2), its numbers go on.
        foreign = RtpPacket(payload_type, k, 160 if payload_type == 101 else k * 160, 7, payload)
        s.receive(build(foreign), FAR, k * 160)
    s.receive(packet(4), FAR, 640)
    assert played(s, 8) == [True] * 3 + [False] + [True] * 3 + [False]
    assert (s.received.wrong_payload_type, s.lost, s.received.packets) == (3, 0, 2)
    assert (s.received.comfort_noise, s.received.events) == (
        3 * (payload_type == 13),
        3 * (payload_type == 101),
    )


def test_a_pause_takes_time_but_no_numbers() -> None:
    s = session()
    first = parse(s.send(b"\x01", 0))
    s.pause()
    second = parse(s.send(b"\x02", 320))
    assert (second.sequence - first.sequence) & 0xFFFF == 1
    assert (second.timestamp - first.timestamp) & 0xFFFFFFFF == 320
    assert second.marker


def test_unannounced_change_of_source_is_followed_after_a_second() -> None:
    s = session()
    s.receive(packet(1), FAR, 0)
    for k in range(TAKEOVER_PACKETS + 1):
        s.receive(packet(k, ssrc=8), FAR, k * 160)
    assert s.received.wrong_ssrc == TAKEOVER_PACKETS
    assert s.received.packets == 2


def test_jitter_of_even_packets_is_zero_and_follows_rfc_3550() -> None:
    s = session()
    for k in range(50):
        s.receive(packet(k), FAR, k * 160 + 1e6)
    assert s.jitter == 0
    s.receive(packet(50), FAR, 50 * 160 + 1e6 + 16)
    assert s.jitter == 1
