import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.ppp.frame import ALL_CONTROLS, FrameReader, encode_frame
from ansam.ppp.packet import Packet, decode_options, decode_packet, encode_options
from ansam.ppp.slip import SlipReader, encode_slip

INFORMATION = st.binary(min_size=1, max_size=1500)
PROTOCOLS = st.sampled_from([0x21, 0x2D, 0xC021, 0x8021, 0xC223])


def test_the_first_frame_of_a_linux_pppd() -> None:
    # pppd 2.4.9: LCP Configure-Request id 1, asyncmap 0, magic 4b2db1d7, pcomp, accomp; everything escaped.
    line = bytes.fromhex(
        "7eff7d23c0217d217d217d207d347d227d267d207d207d207d207d257d264b2db1d77d277d227d287d22"
    )
    body = bytes.fromhex("ff03c0210101001402060000000005064b2db1d707020802")
    from ansam.coding.crc import crc16

    sent = encode_frame(0xC021, body[4:])
    assert sent.startswith(line)
    assert FrameReader().feed(sent) == [(0xC021, body[4:])]
    assert crc16(body + crc16(body).to_bytes(2, "little")) ^ 0xFFFF == 0xF0B8  # RFC 1662 appendix C.2


@given(
    st.lists(st.tuples(PROTOCOLS, INFORMATION), max_size=4),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, ALL_CONTROLS, 0x000A0000]),
    st.integers(1, 40),
)
def test_frames_come_through_however_they_are_cut(
    frames: list[tuple[int, bytes]], header: bool, protocol: bool, controls: int, piece: int
) -> None:
    line = b"".join(
        encode_frame(kind, data, controls=controls, short_header=header, short_protocol=protocol)
        for kind, data in frames
    )
    for octet in range(32):
        assert not controls >> octet & 1 or octet not in line
    reader = FrameReader()
    got = [frame for at in range(0, len(line), piece) for frame in reader.feed(line[at : at + piece])]
    assert got == frames
    assert reader.damaged == 0


@given(st.binary(max_size=4000))
def test_noise_is_no_frame_and_does_not_stop_the_next(noise: bytes) -> None:
    reader = FrameReader()
    reader.feed(noise)
    reader.feed(b"\x7e")
    assert reader.feed(encode_frame(0xC021, b"hello")) == [(0xC021, b"hello")]


@pytest.mark.parametrize("flipped", range(3, 20))
def test_a_damaged_frame_is_dropped_and_counted(flipped: int) -> None:
    line = bytearray(encode_frame(0x21, b"PLAIN TEXT WITHOUT ESCAPES", controls=0))
    line[flipped] ^= 0x01
    reader = FrameReader()
    assert reader.feed(bytes(line)) == []
    assert reader.damaged == 1


def test_a_frame_without_an_end_is_given_up() -> None:
    reader = FrameReader()
    assert reader.feed(b"\x7e" + b"x" * 10_000) == []
    assert reader.damaged == 1
    assert reader.feed(b"\x7e" + encode_frame(0x21, b"next")) == [(0x21, b"next")]
    assert reader.feed(b"\x7eabcdef\x7d\x7e") == []


@given(st.integers(0, 255), st.integers(0, 255), INFORMATION, st.binary(max_size=3))
def test_control_packets_come_back(code: int, identifier: int, data: bytes, padding: bytes) -> None:
    packet = Packet(code, identifier, data)
    assert decode_packet(packet.encode() + padding) == packet
    if data:
        assert decode_packet(packet.encode()[:-1]) is None


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=8), st.binary(max_size=40))
def test_options_come_back_and_broken_ones_are_none(options: list[tuple[int, bytes]], junk: bytes) -> None:
    assert decode_options(encode_options(options)) == options
    found = decode_options(junk)
    assert found is None or encode_options(found) == junk


@given(st.lists(st.binary(min_size=1, max_size=1500), max_size=4), st.integers(1, 40))
def test_packets_cross_slip(packets: list[bytes], piece: int) -> None:
    line = b"".join(encode_slip(packet) for packet in packets)
    reader = SlipReader()
    got = [packet for at in range(0, len(line), piece) for packet in reader.feed(line[at : at + piece])]
    assert got == packets


def test_slip_without_an_end_is_given_up() -> None:
    reader = SlipReader()
    reader.feed(b"x" * 9000)
    assert reader.feed(b"\xc0") == []
