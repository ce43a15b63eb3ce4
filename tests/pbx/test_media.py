"""Rewriting of session descriptions for the relay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.pbx.media import RelayPorts, Side, redirect

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.7\r\ns=-\r\nc=IN IP4 10.0.0.7\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na=x-unknown:kept\r\n"
)
RELAY = ("192.0.2.1", 20000)


def test_address_and_port_are_replaced_and_nothing_else() -> None:
    text, target = redirect(SDP, RELAY)
    assert target == ("10.0.0.7", 4000)
    assert text == SDP.replace(b"c=IN IP4 10.0.0.7", b"c=IN IP4 192.0.2.1").replace(b"4000", b"20000")


def test_the_address_of_the_media_goes_before_that_of_the_session() -> None:
    text, target = redirect(SDP + b"c=IN IP4 10.0.0.8\r\n", RELAY)
    assert target == ("10.0.0.8", 4000)
    assert text.count(b"192.0.2.1") == 2


def test_further_media_are_switched_off() -> None:
    text, target = redirect(SDP + b"m=video 4002 RTP/AVP 96\r\nc=IN IP4 10.0.0.9\r\n", RELAY)
    assert b"m=video 0 RTP/AVP 96\r\n" in text
    assert target == ("10.0.0.7", 4000)


def test_a_refused_medium_before_the_one_in_use() -> None:
    refused = SDP.replace(b"m=audio 4000", b"m=video 0 RTP/AVP 96\r\nm=audio 4000")
    text, target = redirect(refused, RELAY)
    assert b"m=video 0 " in text
    assert b"m=audio 20000 " in text
    assert target == ("10.0.0.7", 4000)


def test_hold_stays_hold() -> None:
    text, target = redirect(SDP.replace(b"c=IN IP4 10.0.0.7", b"c=IN IP4 0.0.0.0"), RELAY)
    assert b"c=IN IP4 0.0.0.0" in text
    assert target == ("0.0.0.0", 4000)


@pytest.mark.parametrize(
    ("host", "port"), [("slow.example.com", 4000), ("10.0.0.7", 65535), ("10.0.0.7", 99999)]
)
def test_what_nothing_can_be_sent_to(host: str, port: int) -> None:
    text = SDP.replace(b"10.0.0.7", host.encode()).replace(b"4000", str(port).encode())
    assert redirect(text, RELAY)[1] is None


def test_ways_around_the_relay_are_cut() -> None:
    text, _ = redirect(SDP + b"a=candidate:1 1 UDP 1 10.0.0.7 4000 typ host\r\na=rtcp:4001\r\n", RELAY)
    assert b"candidate" not in text
    assert b"rtcp:" not in text


def test_ipv6() -> None:
    text, target = redirect(
        SDP.replace(b"IP4 10.0.0.7\r\nt", b"IP6 2001:db8::7\r\nt"), ("2001:db8::1", 20000)
    )
    assert b"c=IN IP6 2001:db8::1\r\n" in text
    assert target == ("2001:db8::7", 4000)


def test_no_media() -> None:
    assert redirect(b"v=0\r\n", RELAY) == (b"v=0\r\n", None)
    assert redirect(b"", RELAY) == (b"", None)


def test_ports_by_side() -> None:
    ports = RelayPorts(("a", 1), ("b", 2))
    assert (ports.facing(Side.CALLER), ports.facing(Side.CALLEE)) == (("a", 1), ("b", 2))


@given(st.binary(max_size=200))
def test_any_octets_pass(data: bytes) -> None:
    redirect(b"m=audio 1 " + data, RELAY)
    redirect(data, RELAY)
