"""Redundant audio (RFC 2198): packets and what they mend."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import RemoteProtocolError
from ansam.rtp.packet import MAX_PACKET, RtpPacket, build, parse
from ansam.rtp.redundancy import MAX_DEPTH, Block, Redundancy, RedundantSender, parse_blocks
from ansam.rtp.session import RtpSession

FAR = ("192.0.2.1", 4000)
SILENCE = 0xD5


def session(depth: int, seed: int = 1, **options: object) -> RtpSession:
    agreed = Redundancy(depth, 121, 122)
    return RtpSession(FAR, 8, SILENCE, random.Random(seed), redundancy=agreed, **options)  # type: ignore[arg-type]


def test_the_packet_of_the_rfc() -> None:
    """RFC 2198 §4: two headers, the older frame first."""
    sender = RedundantSender(1)
    assert sender.wrap(8, 1000, b"ab") == bytes([8]) + b"ab"
    second = sender.wrap(8, 1160, b"cd")
    assert second.hex() == "88028002" + "08" + b"abcd".hex()
    assert parse_blocks(second) == [Block(8, 160, b"ab"), Block(8, 0, b"cd")]


@pytest.mark.parametrize(
    "broken", [b"", b"\x88", b"\x88\x02\x80", b"\x88\x02\x80\x02", b"\x88\x02\x80\x02\x08a"]
)
def test_what_is_cut_off(broken: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_blocks(broken)


@given(st.binary(max_size=300))
def test_any_octets(data: bytes) -> None:
    try:
        blocks = parse_blocks(data)
    except RemoteProtocolError:
        return
    assert sum(len(block.payload) for block in blocks) <= len(data)


def test_what_was_said_before_a_pause_is_not_repeated() -> None:
    sender = RedundantSender(2)
    sender.wrap(8, 0xFFFFFF00, b"a")
    assert len(parse_blocks(sender.wrap(8, 0x40, b"b"))) == 2
    assert [block.payload for block in parse_blocks(sender.wrap(8, 0x40 + 16383, b"c"))] == [b"b", b"c"]


def test_the_deepest_packet_fits_a_frame_of_ethernet() -> None:
    s = session(MAX_DEPTH)
    packets = [s.send(bytes([k]) * 160, k * 160) for k in range(MAX_DEPTH + 1)]
    assert len(packets[-1]) <= MAX_PACKET
    assert {parse(packet).payload_type for packet in packets} == {121}


def transfer(depth: int, lost: set[int], swapped: int = -1) -> tuple[RtpSession, list[int]]:
    """Send 40 frames to a far end with 60 ms of playout; return it and the frames that were erased."""
    sender, receiver = session(depth, 2), session(depth, 3)
    sender._redundancy = Redundancy(depth, 122, 121)
    order = list(range(40))
    if swapped >= 0:
        order[swapped], order[swapped + 1] = order[swapped + 1], order[swapped]
    packets = [sender.send(bytes([k]) * 160, k * 160) for k in range(40)]
    erased = []
    for at, k in enumerate(order):
        if k not in lost:
            receiver.receive(packets[k], FAR, at * 160)
        octets, gone = receiver.playout.pull(at * 160)
        if at >= 3:
            if gone:
                erased.append(at - 3)
            else:
                assert octets.tobytes() == bytes([at - 3]) * 160
    return receiver, erased


@pytest.mark.parametrize(
    ("depth", "lost", "erased"),
    [
        (1, {5, 9, 20}, []),
        (1, {5, 6}, [5]),
        (2, {5, 6}, []),
        (2, {5, 6, 7}, [5]),
        (3, {5, 6, 7}, []),
        (4, {5, 6, 7, 8}, [5]),  # mended, but after its turn: the playout delay is three frames
        (0, {5}, [5]),
    ],
)
def test_losses_are_mended(depth: int, lost: set[int], erased: list[int]) -> None:
    receiver, gone = transfer(depth, lost)
    assert gone == erased
    assert receiver.received.recovered == len(lost) - len(erased)
    assert receiver.lost == len(lost)


def test_a_packet_that_was_mended_and_comes_after_all() -> None:
    receiver, gone = transfer(1, set(), swapped=10)
    assert gone == []
    assert receiver.lost == receiver.duplicates == 0
    assert receiver.received.packets == 40


def test_random_loss_with_one_repetition() -> None:
    rng = random.Random(4)
    for _ in range(20):
        lost = {k for k in range(1, 38) if rng.random() < 0.1}
        _, gone = transfer(1, lost)
        assert gone == sorted(k for k in lost if k + 1 in lost and k < 37)


def test_plain_packets_are_taken_too_and_nonsense_is_counted() -> None:
    s = session(1, also=frozenset({96}))
    for k, (kind, payload) in enumerate(
        [
            (8, bytes(160)),
            (96, bytes(160)),
            (122, bytes([8]) + bytes(160)),
            (122, bytes([18]) + bytes(20)),
            (122, b"\x88"),
            (122, b"\x92\x02\x80\x14" + bytes([96]) + bytes(180)),
            (121, bytes(160)),
        ]
    ):
        s.receive(build(RtpPacket(kind, k, k * 160, 7, payload)), FAR, k * 160)
    r = s.received
    assert (r.packets, r.wrong_payload_type, r.malformed, r.recovered) == (4, 2, 1, 0)


def test_without_agreement_redundant_packets_are_foreign() -> None:
    s = RtpSession(FAR, 8, SILENCE, random.Random(1))
    s.receive(build(RtpPacket(121, 1, 160, 7, bytes([8]) + bytes(160))), FAR, 0)
    assert s.received.wrong_source + s.received.wrong_payload_type == 1
    s.renegotiated(FAR, 8, redundancy=Redundancy(1, 121, 121))
    s.receive(build(RtpPacket(121, 2, 320, 7, bytes([8]) + bytes(160))), FAR, 0)
    assert s.received.packets == 1
    s.renegotiated(FAR, 8)
    assert parse(s.send(bytes(160), 0)).payload_type == 8
