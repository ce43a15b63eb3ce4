"""Session descriptions: parsing, writing, limits."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import LocalProtocolError, RemoteProtocolError
from ansam.sdp.description import (
    MAX_LINES,
    MAX_MEDIA,
    MAX_OCTETS,
    Attribute,
    MediaDescription,
    Origin,
    SessionDescription,
    parse,
)

FULL = b"""v=0\r
o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r
s=Call to John Smith\r
i=SDP Offer #1\r
u=http://www.jdoe.example.com/home.html\r
e=Jane Doe <jane@jdoe.example.com>\r
p=+1 617 555-6011\r
c=IN IP4 198.51.100.1\r
b=CT:128\r
t=0 0\r
r=604800 3600 0 90000\r
a=recvonly\r
m=audio 49170/2 RTP/AVP 0 8\r
i=sound\r
c=IN IP4 198.51.100.2\r
b=AS:64\r
a=rtpmap:8 PCMA/8000\r
a=sendrecv\r
m=video 51372 RTP/AVP 99\r
x=unheard of\r
a=rtpmap:99 h263-1998/90000\r
"""
"""After RFC 8866 §5, with an unknown line."""


def test_everything_is_read_and_written_back() -> None:
    session = parse(FULL)
    assert session.origin == Origin("jdoe", "3724394400", 3724394405, "IN", "IP4", "198.51.100.1")
    assert session.name == "Call to John Smith"
    assert session.attribute("recvonly") == ""
    assert session.attribute("sendonly") is None
    audio, video = session.media
    assert (audio.kind, audio.port, audio.port_count, audio.protocol) == ("audio", 49170, 2, "RTP/AVP")
    assert audio.formats == ("0", "8")
    assert audio.connection == "IN IP4 198.51.100.2"
    assert audio.attribute("rtpmap") == "8 PCMA/8000"
    assert video.other == (("x", "unheard of"),)
    assert session.serialise() == FULL


def test_reading_is_tolerant() -> None:
    session = parse(b"v=0\no=- 1 2 IN IP4 h\ns= \nt=0 0\n\nm=audio 5 RTP/AVP 8\na=odd : x\n")
    assert session.name == "-"
    assert session.media[0].attributes == (Attribute("odd", "x"),)
    assert parse(b"v=0\ro=- 1 2 IN IP4 h\rt=1 2\r").times == ("1 2",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"v=1\r\n",
        b"hello",
        b"o=- 1 2 IN IP4 h\r\nv=0\r\n",
        b"v=0\r\ns=-\r\n",
        b"v=0\r\no=- 1 2 IN IP4\r\n",
        b"v=0\r\no=- 1 x IN IP4 h\r\n",
        b"v=0\r\no=- 1 2 IN IP4 h\r\nm=audio\r\n",
        b"v=0\r\no=- 1 2 IN IP4 h\r\nm=audio 65536 RTP/AVP 8\r\n",
        b"v=0\r\no=- 1 2 IN IP4 h\r\nm=audio -1 RTP/AVP 8\r\n",
        b"v=0\r\no=- 1 2 IN IP4 h\r\nm=audio 1/x RTP/AVP 8\r\n",
        b"v=0\r\no=- 1 2 IN IP4 h\r\nab=x\r\n",
        b"v=0\r\no=- 1 2 IN IP4 h\r\ns=\0\r\n",
        b"v=0\r\no=- 1 2 IN IP4 h\r\n" + b"a=x\r\n" * MAX_LINES,
        b"v=0\r\no=- 1 2 IN IP4 h\r\n" + b"m=audio 1 RTP/AVP 8\r\n" * (MAX_MEDIA + 1),
        b"v=0\r\no=- 1 2 IN IP4 h\r\ns=" + b"x" * MAX_OCTETS,
    ],
)
def test_what_is_no_description(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(data)


WORDS = st.from_regex("[!-9;-~]{1,12}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=20).map(
    lambda t: t.strip()
)
ATTRIBUTES = st.builds(Attribute, WORDS, st.none() | TEXTS)
MEDIA = st.builds(
    MediaDescription,
    WORDS,
    st.integers(0, 65535),
    WORDS,
    st.lists(WORDS, max_size=4).map(tuple),
    st.integers(2, 9) | st.just(1),
    st.none() | TEXTS,
    st.lists(ATTRIBUTES, max_size=4).map(tuple),
)
SESSIONS = st.builds(
    SessionDescription,
    st.builds(Origin, WORDS, WORDS, st.integers(0, 2**63), WORDS, WORDS, WORDS),
    TEXTS.filter(bool),
    st.none() | TEXTS,
    st.lists(TEXTS, min_size=1, max_size=2).map(tuple),
    st.lists(ATTRIBUTES, max_size=4).map(tuple),
    st.lists(MEDIA, max_size=3).map(tuple),
)


@given(SESSIONS)
def test_what_is_written_is_read_back(session: SessionDescription) -> None:
    assert parse(session.serialise()) == session


@given(st.binary(max_size=300))
def test_random_octets_are_a_description_or_a_protocol_error(data: bytes) -> None:
    for octets in (data, b"v=0\r\no=- 1 2 IN IP4 h\r\n" + data):
        with contextlib.suppress(RemoteProtocolError):
            parse(octets)


def test_nothing_can_be_smuggled_into_what_we_write() -> None:
    session = parse(FULL)
    with pytest.raises(LocalProtocolError):
        SessionDescription(session.origin, "x\r\nm=audio 1 RTP/AVP 0").serialise()
