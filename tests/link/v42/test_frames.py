import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.link.v42.frames import Frame, FrameError, Kind, decode

NUMBERED = [Kind.RR, Kind.RNR, Kind.REJ]
PLAIN = [Kind.SABME, Kind.DM, Kind.DISC, Kind.UA]
WITH_INFORMATION = [Kind.UI, Kind.XID, Kind.TEST, Kind.FRMR]

frames = st.one_of(
    st.builds(
        Frame,
        st.just(Kind.I),
        st.booleans(),
        st.booleans(),
        st.integers(0, 127),
        st.integers(0, 127),
        st.binary(max_size=20),
    ),
    st.builds(
        Frame, st.sampled_from(NUMBERED), st.booleans(), st.booleans(), st.just(0), st.integers(0, 127)
    ),
    st.builds(Frame, st.sampled_from(PLAIN), st.booleans(), st.booleans()),
    st.builds(
        Frame,
        st.sampled_from(WITH_INFORMATION),
        st.booleans(),
        st.booleans(),
        information=st.binary(max_size=20),
    ),
)


@given(frames, st.booleans())
def test_round_trip(frame, from_originator):
    assert decode(frame.encode(from_originator), from_originator) == frame


@given(st.binary(max_size=30), st.booleans())
def test_any_octets_are_a_frame_an_invalid_one_or_rejected(octets, from_originator):
    with contextlib.suppress(FrameError):
        decode(octets, from_originator)


def test_octets_of_table_8():
    assert Frame(Kind.SABME, True, True).encode(True) == b"\x03\x7f"
    assert Frame(Kind.UA, False, True).encode(False) == b"\x03\x73"
    assert Frame(Kind.DISC, True, True).encode(False) == b"\x01\x53"
    assert Frame(Kind.XID, True).encode(True) == b"\x03\xaf"
    assert Frame(Kind.RR, False, nr=5).encode(True) == b"\x01\x01\x0a"
    assert Frame(Kind.I, True, ns=1, nr=2, information=b"x").encode(True) == b"\x03\x02\x04x"


@pytest.mark.parametrize("octets", [b"\x03\x6d\x00", b"\x03\xff", b"\x03\x11\x00", b"\x03\x7fx"])
def test_frame_rejection(octets):
    with pytest.raises(FrameError):
        decode(octets, True)


@pytest.mark.parametrize("octets", [b"", b"\x03", b"\x02\x01\x7f", b"\xff\x7f", b"\x03\x01"])
def test_invalid_frames_are_ignored(octets):
    assert decode(octets, True) is None
