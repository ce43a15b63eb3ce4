"""RTCP packets: layouts of RFC 3550 §6.4 to §6.6, and what is refused."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import RemoteProtocolError
from ansam.rtp.rtcp import Report, ReportBlock, SenderInfo, build, parse

words = st.integers(0, 0xFFFFFFFF)
blocks = st.builds(
    ReportBlock, words, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), words, words, words, words
)
senders = st.builds(SenderInfo, st.integers(0, 2**64 - 1), words, words, words)
reports = st.builds(
    Report,
    words,
    st.none() | senders,
    st.lists(blocks, max_size=31).map(tuple),
    st.text("abc+/=", min_size=1, max_size=40),
    st.booleans(),
)


@given(reports)
def test_round_trip(report: Report) -> None:
    packet = build(report)
    assert len(packet) % 4 == 0
    assert parse(packet) == report


@given(st.binary(max_size=200), reports, st.integers(0, 60), st.integers(0, 255))
def test_nothing_but_its_own_error(junk: bytes, report: Report, at: int, octet: int) -> None:
    packet = bytearray(build(report))
    packet[at % len(packet)] = octet
    for data in (junk, b"\x80\xc9" + junk, bytes(packet), bytes(packet[: at * 4])):
        with contextlib.suppress(RemoteProtocolError):
            parse(data)


def test_a_sender_report_octet_by_octet() -> None:
    """Written from the figure of §6.4.1."""
    data = bytes.fromhex(
        "81c8000c 01020304 0000000580000000 00000640 0000000a 00000640"
        "0a0b0c0d 40 fffffe 00010007 00000009 00018000 00008000"
        "81ca0003 01020304 01 03 616263 00 0000"
    )
    report = parse(data)
    assert report.ssrc == 0x01020304
    assert report.sender == SenderInfo(0x580000000, 1600, 10, 1600)
    assert report.blocks == (ReportBlock(0x0A0B0C0D, 64, -2, 0x10007, 9, 0x18000, 0x8000),)
    assert (report.cname, report.bye) == ("abc", False)


def test_other_packets_are_stepped_over_and_padding_is_not_read() -> None:
    receiver = struct.pack("!BBHI", 0x80, 201, 1, 7)
    app = struct.pack("!BBHI4s", 0x80, 204, 2, 7, b"what")
    bye = struct.pack("!BBHII", 0xA1, 203, 2, 7, 4)
    report = parse(receiver + app + bye)
    assert (report.ssrc, report.bye) == (7, True)
    other = struct.pack("!BBHI", 0x81, 203, 1, 8)
    assert not parse(receiver + other).bye


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\xc9\x00\x01",
        b"\x40\xc9\x00\x01\0\0\0\7",
        b"\x80\xca\x00\x01\0\0\0\7",
        b"\x80\xc9\x00\x02\0\0\0\7",
        b"\x81\xc9\x00\x01\0\0\0\7",
        b"\x80\xc8\x00\x01\0\0\0\7",
        b"\xa0\xc9\x00\x01\0\0\0\7",
        b"\xa0\xc9\x00\x01\0\0\0\4\x80\xc9\x00\x01\0\0\0\7",
        b"\x80\xc9\x00\x01\0\0\0\7\0",
        bytes(2000),
    ],
)
def test_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(data)
