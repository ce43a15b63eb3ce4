"""Offer and answer as a modem needs them (RFC 3264)."""

import pytest

from ansam.errors import LocalProtocolError
from ansam.sdp.description import parse
from ansam.sdp.negotiation import (
    PCMA,
    PCMU,
    Agreement,
    Codec,
    Direction,
    Features,
    LocalMedia,
    accept,
    negotiate,
    offer,
)

LOCAL = LocalMedia("192.0.2.1", 4000, 77)
BARE = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
BASE = "v=0\no=- 1 2 IN IP4 h\ns=-\nc=IN IP4 192.0.2.2\nt=0 0\n"


def answer_to(media: str, codecs: tuple[Codec, ...] = (PCMA,), base: str = BASE) -> Agreement | None:
    return negotiate(parse((base + media).encode()), LOCAL, codecs)


def test_our_offer_names_alaw_and_nothing_else() -> None:
    assert offer(LOCAL).serialise().decode().split("\r\n") == [
        "v=0",
        "o=- 77 1 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 4000 RTP/AVP 8",
        "a=rtpmap:8 PCMA/8000",
        "a=ptime:20",
        "a=silenceSupp:off - - - -",
        "a=ecan:b off -",
        "a=sendrecv",
        "",
    ]
    both = offer(LocalMedia("2001:db8::1", 4000, 77), (PCMU, PCMA))
    assert both.media[0].formats == ("0", "8")
    assert both.connection == "IN IP6 2001:db8::1"
    with pytest.raises(LocalProtocolError):
        offer(LOCAL, ())


def test_the_version_rises_with_each_change() -> None:
    assert offer(LOCAL.next_version()).origin.version == 2


def test_two_of_us_agree() -> None:
    agreement = negotiate(offer(LOCAL), LocalMedia("192.0.2.2", 5000, 78))
    assert agreement is not None
    assert (agreement.remote.address, agreement.remote.port, agreement.remote.codec) == (
        "192.0.2.1",
        4000,
        PCMA,
    )
    back = accept(parse(agreement.answer.serialise()))
    assert back is not None
    assert (back.address, back.port, back.payload_type) == ("192.0.2.2", 5000, 8)
    assert not back.on_hold


@pytest.mark.parametrize(
    ("media", "codecs", "codec", "number"),
    [
        ("m=audio 6000 RTP/AVP 8\n", (PCMA,), PCMA, 8),
        ("m=audio 6000 RTP/AVP 0 18 8 101\na=rtpmap:101 telephone-event/8000\n", (PCMA,), PCMA, 8),
        ("m=audio 6000 RTP/AVP 0 8\n", (PCMA, PCMU), PCMA, 8),
        ("m=audio 6000 RTP/AVP 8 0\n", (PCMU, PCMA), PCMU, 0),
        ("m=audio 6000 RTP/AVP 0\n", (PCMA, PCMU), PCMU, 0),
        ("m=audio 6000 RTP/AVP 97\na=rtpmap:97 pcma/8000/1\n", (PCMA,), PCMA, 97),
        ("m=audio 6000 rtp/avp 8\n", (PCMA,), PCMA, 8),
    ],
)
def test_our_preference_decides_with_the_peers_number(
    media: str, codecs: tuple[Codec, ...], codec: Codec, number: int
) -> None:
    agreement = answer_to(media, codecs)
    assert agreement is not None
    assert (agreement.remote.codec, agreement.remote.payload_type) == (codec, number)
    assert agreement.answer.media[0].formats == (str(number),)


@pytest.mark.parametrize(
    "media",
    [
        "",
        "m=audio 6000 RTP/AVP 0\n",
        "m=audio 6000 RTP/AVP 18\na=rtpmap:18 G729/8000\n",
        "m=audio 6000 RTP/AVP 8\na=rtpmap:8 G729/8000\n",
        "m=audio 6000 RTP/AVP 96\na=rtpmap:96 PCMA/16000\n",
        "m=audio 0 RTP/AVP 8\n",
        "m=audio 6000 RTP/SAVP 8\n",
        "m=audio 6000 RTP/AVP x 999\n",
        "m=image 6000 udptl t38\na=T38FaxVersion:0\n",
        "m=audio 6000 RTP/AVP 100\na=rtpmap:100 X-NSE/8000\n",
    ],
)
def test_what_cannot_carry_a_modem_gives_none(media: str) -> None:
    assert answer_to(media) is None


def test_other_lines_are_refused_in_their_place() -> None:
    agreement = answer_to(
        "m=image 6000 udptl t38\nm=audio 6002 RTP/AVP 8\nc=IN IP4 192.0.2.3\nm=audio 6004 RTP/AVP 8\na=x\n"
    )
    assert agreement is not None
    assert [(m.kind, m.port) for m in agreement.answer.media] == [("image", 0), ("audio", 4000), ("audio", 0)]
    assert (agreement.remote.address, agreement.remote.port) == ("192.0.2.3", 6002)
    assert agreement.answer.media[0].formats == ("t38",)


@pytest.mark.parametrize(
    ("attribute", "theirs", "ours", "held"),
    [
        ("", Direction.SENDRECV, "sendrecv", False),
        ("a=sendrecv\n", Direction.SENDRECV, "sendrecv", False),
        ("a=sendonly\n", Direction.SENDONLY, "recvonly", True),
        ("a=recvonly\n", Direction.RECVONLY, "sendonly", False),
        ("a=inactive\n", Direction.INACTIVE, "inactive", True),
        ("c=IN IP4 0.0.0.0\n", Direction.SENDRECV, "sendrecv", True),
    ],
)
def test_hold_is_recognised_and_mirrored(attribute: str, theirs: Direction, ours: str, held: bool) -> None:
    agreement = answer_to("m=audio 6000 RTP/AVP 8\n" + attribute)
    assert agreement is not None
    assert (agreement.remote.direction, agreement.remote.on_hold) == (theirs, held)
    assert agreement.answer.media[0].attribute(ours) == ""


def test_session_attributes_hold_unless_the_medium_says_otherwise() -> None:
    inactive = BASE + "a=inactive\n"
    held = answer_to("m=audio 6000 RTP/AVP 8\n", base=inactive)
    assert held is not None
    assert held.remote.on_hold
    back = answer_to("m=audio 6000 RTP/AVP 8\na=sendrecv\n", base=inactive)
    assert back is not None
    assert not back.remote.on_hold


@pytest.mark.parametrize("ptime", ["30", "0", "x", "000020" + 5000 * "0"])
def test_whatever_packet_time_the_far_end_wants_it_gets_ours(ptime: str) -> None:
    agreement = answer_to(f"m=audio 6000 RTP/AVP 8\na=ptime:{ptime}\n")
    assert agreement is not None
    assert b"a=ptime:20\r\n" in agreement.answer.serialise()


def test_an_answer_that_refuses_or_changes_the_codec_is_none() -> None:
    for media in ("", "m=audio 0 RTP/AVP 8\n", "m=audio 6000 RTP/AVP 0\n"):
        assert accept(parse((BASE + media).encode())) is None


@pytest.mark.parametrize("connection", ["IN IP4 0.0.0.0", "IN IP6 ::", "IN IP4", "ATM x y"])
def test_an_address_that_is_none(connection: str) -> None:
    agreement = answer_to("m=audio 6000 RTP/AVP 8\n", base=BASE.replace("IN IP4 192.0.2.2", connection))
    assert agreement is not None
    assert agreement.remote.address == ""
    assert agreement.remote.on_hold


# --- voice-band data and redundancy ---
ALL = Features(vbd=True, redundancy=2)


def test_an_offer_of_everything() -> None:
    (audio,) = offer(LOCAL, (PCMA, PCMU), ALL).media
    assert audio.formats == ("121", "8", "96", "0", "97")
    lines = [str(attribute) for attribute in audio.attributes]
    assert lines[:5] == [
        "rtpmap:8 PCMA/8000",
        "rtpmap:96 PCMA/8000",
        "gpmd:96 vbd=yes",
        "rtpmap:121 red/8000",
        "fmtp:121 96/96/96",
    ]
    assert "maxmptime:20 20 20 20 20" in lines
    with pytest.raises(LocalProtocolError):
        Features(redundancy=5)


@pytest.mark.parametrize(
    ("mine", "theirs", "agreed"),
    [
        (ALL, ALL, (8, 96, 121, 2)),
        (ALL, Features(vbd=True, redundancy=1), (8, 96, 121, 1)),
        (ALL, Features(vbd=True), (8, 96, None, 0)),
        (ALL, Features(), (8, None, None, 0)),
        (Features(), ALL, (8, None, None, 0)),
        (Features(redundancy=1), Features(redundancy=4), (8, None, 121, 1)),
    ],
)
def test_what_two_ends_agree_on(mine: Features, theirs: Features, agreed: tuple) -> None:
    made = negotiate(
        parse(offer(LOCAL, features=mine).serialise()), LocalMedia("192.0.2.2", 5000, 78), features=theirs
    )
    assert made is not None
    back = accept(parse(made.answer.serialise()), features=mine)
    for remote in (made.remote, back):
        assert remote is not None
        assert (remote.payload_type, remote.vbd_type, remote.red_type, remote.redundancy) == agreed


@pytest.mark.parametrize(
    ("media", "plain", "vbd"),
    [
        # V.152 (09/2010) §7.1.0.3, examples 1 and 2, with our law; example 4 writes a blank.
        ("m=audio 1 RTP/AVP 18 8 13 98\na=rtpmap:98 PCMA/8000\na=gpmd:98 vbd=yes\n", 8, 98),
        ("m=audio 1 RTP/AVP 8 18\na=gpmd:8 vbd=yes\n", 8, 8),
        ("m=audio 1 RTP/AVP 98 8\na=rtpmap:98 PCMA/8000\na=gpmd: 98 VBD=yes\n", 8, 98),
        ("m=audio 1 RTP/AVP 98 8\na=rtpmap:98 PCMA/8000\na=gpmd:98 x=y; vbd=yes\n", 8, 98),
        ("m=audio 1 RTP/AVP 8\na=gpmd:8 vbd=no\n", 8, None),
        ("m=audio 1 RTP/AVP 8 0\na=gpmd:0 vbd=yes\na=gpmd:x vbd=yes\na=gpmd\n", 8, None),
    ],
)
def test_voice_band_data_of_gateways(media: str, plain: int, vbd: int | None) -> None:
    made = negotiate(parse((BASE + media).encode()), LOCAL, features=ALL)
    assert made is not None
    assert (made.remote.payload_type, made.remote.vbd_type) == (plain, vbd)
    marked = [str(a) for a in made.answer.media[0].attributes if a.name == "gpmd"]
    assert marked == ([] if vbd is None else [f"gpmd:{vbd} vbd=yes"])
    assert made.answer.media[0].formats == tuple(str(n) for n in dict.fromkeys((plain, vbd)) if n is not None)


@pytest.mark.parametrize(
    ("lines", "agreed"),
    [
        ("a=rtpmap:99 red/8000\na=fmtp:99 8/8\n", (99, 1)),
        ("a=rtpmap:99 RED/8000\na=fmtp:99 8/8/8/8/8/8\n", (99, 2)),
        ("a=rtpmap:99 red/8000\na=fmtp:99 8\n", (99, 0)),
        ("a=rtpmap:99 red/8000\na=fmtp:99 8/0\n", (None, 0)),
        ("a=rtpmap:99 red/8000\n", (None, 0)),
        ("a=rtpmap:99 red/16000\na=fmtp:99 8/8\n", (None, 0)),
        ("a=fmtp:99 8/8\n", (None, 0)),
    ],
)
def test_redundancy_of_others(lines: str, agreed: tuple[int | None, int]) -> None:
    made = negotiate(parse((BASE + "m=audio 1 RTP/AVP 99 8\n" + lines).encode()), LOCAL, features=ALL)
    assert made is not None
    assert (made.remote.red_type, made.remote.redundancy) == agreed


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("", ("192.0.2.1", 4001)),
        ("a=rtcp:5011\r\n", ("192.0.2.1", 5011)),
        ("a=rtcp:5011 IN IP4 192.0.2.1\r\n", ("192.0.2.1", 5011)),
        ("a=rtcp:5011 IN IP4 198.51.100.9\r\n", ("192.0.2.1", 4001)),
        ("a=rtcp:0\r\n", ("192.0.2.1", 4001)),
        ("a=rtcp:x\r\n", ("192.0.2.1", 4001)),
        ("a=rtcp:99999\r\n", ("192.0.2.1", 4001)),
        ("a=rtcp:000001999999\r\n", ("192.0.2.1", 4001)),
    ],
)
def test_where_reports_go(lines: str, where: tuple[str, int]) -> None:
    text = BARE + lines.encode()
    agreement = negotiate(parse(text), LOCAL)
    assert agreement is not None
    assert agreement.remote.control == where
    assert not agreement.remote.mux
    off = negotiate(parse(text), LOCAL, features=Features(rtcp=False))
    assert off is not None
    assert off.remote.control is None


def test_one_port_for_both_where_the_offer_wants_it() -> None:
    text = BARE + b"a=rtcp-mux\r\n"
    agreement = negotiate(parse(text), LOCAL)
    assert agreement is not None
    assert agreement.remote.mux
    assert b"a=rtcp-mux\r\n" in agreement.answer.serialise()
    assert b"rtcp-mux" not in offer(LOCAL).serialise()
    unasked = accept(parse(text))
    assert unasked is not None
    assert not unasked.mux
    off = negotiate(parse(text), LOCAL, features=Features(rtcp=False))
    assert off is not None
    assert b"rtcp-mux" not in off.answer.serialise()
