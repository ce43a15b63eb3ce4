"""Keys of secure RTP in descriptions (RFC 4568), and who agrees to what."""

import base64

import pytest

from ansam.errors import LocalProtocolError
from ansam.sdp.crypto import Crypto, cryptos
from ansam.sdp.description import Attribute, MediaDescription, parse
from ansam.sdp.negotiation import Features, LocalMedia, Secure, accept, negotiate, offer

LONG, SHORT = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
OURS = LocalMedia("192.0.2.1", 4000, 77, keys=bytes(range(60)))
THEIRS = LocalMedia("192.0.2.2", 5000, 78, keys=bytes(range(100, 160)))
KEY = base64.b64encode(bytes(30)).decode()
BASE = "v=0\no=- 1 2 IN IP4 h\ns=-\nc=IN IP4 192.0.2.2\nt=0 0\nm=audio 6000 RTP/SAVP 8\n"


def read(*values: str) -> list[tuple[int, str]]:
    attributes = tuple(Attribute("crypto", value) for value in values)
    return [
        (c.tag, c.suite) for c in cryptos(MediaDescription("audio", 1, "RTP/SAVP", (), attributes=attributes))
    ]


@pytest.mark.parametrize(
    ("line", "usable"),
    [
        (f"1 {LONG} inline:{KEY}", True),
        (f"7 {SHORT.lower()} INLINE:{KEY}|2^20", True),
        (f"1 {LONG} inline:{KEY}|2^20|1:4", False),
        (f"1 {LONG} inline:{KEY}|1:4", False),
        (f"1 {LONG} inline:{KEY} WSH=64", True),
        (f"1 {LONG} inline:{KEY} UNENCRYPTED_SRTP", False),
        (f"1 {LONG} inline:{KEY} KDR=1", False),
        (f"1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}", False),
        (f"1 {LONG} inline:{KEY[:-4]}", False),
        (f"1 {LONG} inline:!!!!", False),
        (f"x {LONG} inline:{KEY}", False),
        (f"1 {LONG} uri:{KEY}", False),
        ("1", False),
        ("", False),
    ],
)
def test_lines(line: str, usable: bool) -> None:
    assert bool(read(line)) == usable


def test_what_is_written_is_read_back_and_shows_no_key() -> None:
    crypto = Crypto(3, SHORT, bytes(range(30)))
    assert cryptos(MediaDescription("audio", 1, "RTP/SAVP", (), attributes=(crypto.attribute(),))) == [crypto]
    for text in (repr(OURS), repr(offered_and_answered(Secure.REQUIRE, Secure.ACCEPT)[0])):
        assert "inline" not in text
        assert "x02" not in text


def offered_and_answered(mine: Secure, theirs: Secure):  # type: ignore[no-untyped-def]
    made = negotiate(
        parse(offer(OURS, features=Features(secure=mine)).serialise()),
        THEIRS,
        features=Features(secure=theirs),
    )
    if made is None:
        return None, None
    return made.remote, accept(parse(made.answer.serialise()), features=Features(secure=mine), local=OURS)


@pytest.mark.parametrize(
    ("mine", "theirs", "secure"),
    [
        (Secure.NO, Secure.NO, False),
        (Secure.NO, Secure.ACCEPT, False),
        (Secure.ACCEPT, Secure.ACCEPT, False),
        (Secure.NO, Secure.REQUIRE, None),
        (Secure.REQUIRE, Secure.NO, None),
        (Secure.REQUIRE, Secure.ACCEPT, True),
        (Secure.REQUIRE, Secure.REQUIRE, True),
    ],
)
def test_two_of_us(mine: Secure, theirs: Secure, secure: bool | None) -> None:
    there, here = offered_and_answered(mine, theirs)
    if secure is None:
        assert there is None
        return
    assert (here.crypto is not None) == secure
    if secure:
        assert (here.crypto, here.our_crypto) == (there.our_crypto, there.crypto)
        assert here.crypto.key == THEIRS.keys[:30]
        assert here.our_crypto.key == OURS.keys[:30]


def test_the_answer_takes_the_line_it_can_use() -> None:
    text = BASE + f"a=crypto:1 F8_128_HMAC_SHA1_80 inline:{KEY}\na=crypto:4 {SHORT} inline:{KEY}\n"
    made = negotiate(parse(text.encode()), OURS, features=Features(secure=Secure.ACCEPT))
    assert made is not None
    (audio,) = made.answer.media
    assert audio.protocol == "RTP/SAVP"
    assert cryptos(audio) == [Crypto(4, SHORT, OURS.keys[30:])]


@pytest.mark.parametrize(
    "line", [f"a=crypto:9 {LONG} inline:{KEY}\n", f"a=crypto:2 {LONG} inline:{KEY}\n", ""]
)
def test_an_answer_that_takes_no_line_of_ours(line: str) -> None:
    assert accept(parse((BASE + line).encode()), features=Features(secure=Secure.REQUIRE), local=OURS) is None


def test_without_keys_nothing_is_offered() -> None:
    with pytest.raises(LocalProtocolError):
        offer(LocalMedia("192.0.2.1", 4000, 1), features=Features(secure=Secure.REQUIRE))


def test_an_answer_cannot_take_a_key_that_was_not_offered() -> None:
    text = BASE + f"a=crypto:1 {LONG} inline:{KEY}\n"
    assert accept(parse(text.encode()), features=Features(secure=Secure.ACCEPT), local=OURS) is None
    assert accept(parse(text.encode()), features=Features(secure=Secure.REQUIRE), local=OURS) is not None
