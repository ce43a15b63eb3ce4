import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import LocalProtocolError, RemoteProtocolError
from ansam.rtp.packet import MAX_PACKET, RtpPacket, build, parse

packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=400),
    marker=st.booleans(),
    csrc=st.lists(st.integers(0, 0xFFFFFFFF), max_size=15).map(tuple),
    extension=st.none()
    | st.tuples(
        st.integers(0, 0xFFFF), st.lists(st.binary(min_size=4, max_size=4), max_size=4).map(b"".join)
    ),
)


@given(packets, st.integers(0, 255))
def test_round_trip(packet: RtpPacket, padding: int) -> None:
    assert parse(build(packet, padding)) == packet


@given(st.binary(max_size=200))
def test_parser_never_crashes(data: bytes) -> None:
    try:
        packet = parse(data)
    except RemoteProtocolError:
        return
    assert len(packet.payload) <= len(data)


def test_fixed_header_octets() -> None:
    """RFC 3550 §5.1, laid out by hand."""
    packet = RtpPacket(8, 0x1234, 0x01020304, 0xA1B2C3D4, b"\xd5" * 160, marker=True)
    assert build(packet)[:12] == bytes.fromhex("80 88 1234 01020304 a1b2c3d4")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "0 octets"),
        (bytes(MAX_PACKET + 1), "1501 octets"),
        (b"\x40" + bytes(11), "version 1"),
        (b"\x83" + bytes(11), "CSRC"),
        (b"\x90" + bytes(11), "extension cut off"),
        (b"\x90" + bytes(13) + b"\x00\x02" + bytes(4), "longer than the packet"),
        (b"\xa0" + bytes(11) + b"\x00", "padding of 0"),
        (b"\xa0" + bytes(11) + b"\x00\x03", "padding of 3"),
    ],
)
def test_malformed(data: bytes, text: str) -> None:
    with pytest.raises(RemoteProtocolError, match=text):
        parse(data)


@pytest.mark.parametrize(
    ("packet", "padding"),
    [
        (RtpPacket(128, 0, 0, 0, b""), 0),
        (RtpPacket(8, 0, 0, 0, b"", csrc=(1,) * 16), 0),
        (RtpPacket(8, 0, 0, 0, b"", extension=(0, b"abc")), 0),
        (RtpPacket(8, 0, 0, 0, b""), 256),
    ],
)
def test_fields_out_of_range(packet: RtpPacket, padding: int) -> None:
    with pytest.raises(LocalProtocolError):
        build(packet, padding)
