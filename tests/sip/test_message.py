"""Parser and serialiser: round trips, pieces of a stream, limits, other people's parsers."""

import contextlib

import pytest
import sipmessage
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sippy.SipRequest import SipRequest
from tests.support.sip_torture import VALID

from ansam.errors import LocalProtocolError, RemoteProtocolError
from ansam.sip.fields import CSeq, Via, parse_cseq, parse_number, parse_via
from ansam.sip.headers import COMPACT_FORMS, TOKEN, Headers, canonical_name, quote, split_outside, unquote
from ansam.sip.message import (
    MAX_BODY,
    MAX_FIELDS,
    MAX_HEAD,
    BodyTooShort,
    Message,
    Request,
    Response,
    UnsupportedVersion,
    from_of,
    parse_message,
    serialise,
    to_of,
)
from ansam.sip.stream import StreamBroken, StreamReader
from ansam.sip.uri import NameAddr, SipUri, parse_name_addr, parse_uri, user_of

TOKENS = st.from_regex(TOKEN, fullmatch=True).filter(lambda t: len(t) < 40)
TEXT = st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"), max_size=60)
VALUES = TEXT.map(lambda t: t.strip(" \t"))
NAMES = TOKENS.filter(lambda n: canonical_name(n) != "Content-Length")
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=12).map(Headers.of)
URIS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=30)
URIS = URIS.filter(lambda u: u.isprintable()).map("sip:".__add__)
REASONS = VALUES
MESSAGES = st.one_of(
    st.builds(
        Request, TOKENS.filter(lambda m: m.upper()[:4] != "SIP/"), URIS, FIELDS, st.binary(max_size=200)
    ),
    st.builds(Response, st.integers(100, 699), REASONS, FIELDS, st.binary(max_size=200)),
)


def without_length(message: Message) -> tuple[object, ...]:
    headers = message.headers.without("Content-Length")
    return type(message), message.start_line(), headers, message.body


@settings(max_examples=60)
@given(MESSAGES)
def test_what_is_written_is_read_back(message: Message) -> None:
    assert without_length(parse_message(serialise(message))) == without_length(message)


@given(st.binary(max_size=400))
def test_random_octets_are_a_message_or_a_protocol_error(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse_message(data)


@given(
    st.lists(
        st.sampled_from(
            [b"INVITE ", b"sip:a@b", b" SIP/2.0", b"\r\n", b"\n", b": ", b"Via", b"l:5", b"\0", b"x"]
        )
    )
)
def test_random_pieces_are_a_message_or_a_protocol_error(parts: list[bytes]) -> None:
    data = b"".join(parts)
    try:
        message = parse_message(data)
    except RemoteProtocolError:
        return
    assert without_length(parse_message(serialise(message))) == without_length(message)


@settings(max_examples=40)
@given(st.lists(MESSAGES, min_size=1, max_size=4), st.lists(st.integers(1, 50)), st.integers(0, 3))
def test_a_stream_gives_the_same_messages_however_it_is_cut(
    messages: list[Message], cuts: list[int], blank_lines: int
) -> None:
    data = b"".join(b"\r\n" * blank_lines + serialise(message) for message in messages)
    reader = StreamReader()
    got: list[Message] = []
    for cut in [*cuts, len(data)]:
        got += reader.receive(data[:cut])
        data = data[cut:]
    assert [without_length(m) for m in got] == [without_length(m) for m in messages]


@pytest.mark.parametrize("name", [name for name in VALID if name not in ("inv2543",)])
def test_octet_by_octet_equals_whole(name: str) -> None:
    whole = StreamReader().receive(VALID[name])
    reader = StreamReader()
    assert [m for i in range(len(VALID[name])) for m in reader.receive(VALID[name][i : i + 1])] == whole


HEAD = b"OPTIONS sip:a@b SIP/2.0\r\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (HEAD + b"X: " + b"y" * MAX_HEAD, "header fields of more than"),
        (HEAD + b"X: 1\r\n" * (MAX_FIELDS + 1) + b"\r\n", "more than 256 header fields"),
        (HEAD + b"l: %d\r\n\r\n" % (MAX_BODY + 1), "Content-Length 65537"),
        (HEAD + b"X: 1\r\n\r\n", "no Content-Length"),
        (HEAD + b"l: 1\r\nl: 2\r\n\r\n", "several Content-Length"),
        (HEAD + b"l: -1\r\n\r\n", "Content-Length is no number"),
        (b"GET / HTTP/1.1\r\n\r\n", "version"),
        (b"\x16\x03\x01\x02\x00\x01\n\n", "start line"),
    ],
)
def test_a_stream_that_cannot_be_followed_is_broken_off(data: bytes, what: str) -> None:
    good = serialise(Request("OPTIONS", "sip:a@b", Headers()))
    with pytest.raises(StreamBroken, match=what) as caught:
        StreamReader().receive(good + data)
    assert len(caught.value.complete) == 1


def test_limits_of_a_datagram() -> None:
    for data in (
        HEAD + b"X: " + b"y" * MAX_HEAD,
        HEAD + b"X: 1\r\n" * 300 + b"\r\n",
        HEAD + b"\r\n" + b"x" * 65537,
    ):
        with pytest.raises(RemoteProtocolError):
            parse_message(data)
    with pytest.raises(BodyTooShort):
        parse_message(HEAD + b"l: 5\r\n\r\nabc")
    with pytest.raises(UnsupportedVersion):
        parse_message(HEAD.replace(b"2.0", b"3.0") + b"\r\n")
    assert parse_message(HEAD + b"l: 3\r\n\r\nabcdef").body == b"abc"
    assert parse_message(HEAD + b"X: 1").headers.first("x") == "1"


@pytest.mark.parametrize(
    "message",
    [
        Request("INVITE", "sip:a@b", Headers.of([("X", "evil\r\nVia: forged")])),
        Request("INVITE", "sip:a@b\r\nVia:forged", Headers()),
        Request("INVITE", "sip:a b", Headers()),
        Request("IN VITE", "sip:a@b", Headers()),
        Request("INVITE", "", Headers()),
        Response(200, "OK\r\nX: y", Headers()),
        Response(99, "x", Headers()),
        Response(700, "x", Headers()),
        Request("INVITE", "sip:a@b", Headers.of([("X Y", "z")])),
        Request("INVITE", "sip:a@b", Headers.of([("X", "nul\0")])),
    ],
)
def test_nothing_can_be_smuggled_into_what_we_write(message: Message) -> None:
    with pytest.raises(LocalProtocolError):
        serialise(message)


# --- headers ---
@pytest.mark.parametrize(("short", "long"), COMPACT_FORMS.items())
def test_compact_forms_are_the_long_ones(short: str, long: str) -> None:
    for name in (short, short.upper()):
        headers = Headers.of([(name, "v")])
        assert headers.items == ((long, "v"),)
        assert headers.first(long.lower()) == headers.first(short) == "v"
        assert long in headers


def test_headers_keep_order_and_unknown_names() -> None:
    headers = Headers.of([("via", "1"), ("X-Odd", "a"), ("v", "2, 3"), ("x-odd", "b")])
    assert headers.items == (("Via", "1"), ("X-Odd", "a"), ("Via", "2, 3"), ("x-odd", "b"))
    assert headers.listed("Via") == ["1", "2", "3"]
    assert headers.all("X-ODD") == ["a", "b"]
    assert headers.without("x-odd").items == (("Via", "1"), ("Via", "2, 3"))
    assert headers.replaced("x-odd", "c").items == (("Via", "1"), ("x-odd", "c"), ("Via", "2, 3"))
    assert headers.replaced("New", "n").items[-1] == ("New", "n")
    assert list(headers) == list(headers.items)
    assert len(headers) == 4
    assert Headers.of([("Require", "A, b"), ("Require", "C")]).tokens("require") == ["a", "b", "c"]
    with pytest.raises(RemoteProtocolError, match="several Via"):
        headers.one("via")
    with pytest.raises(RemoteProtocolError, match="no To"):
        headers.one("t")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('"a, \\"b" <sip:x,y>, <sip:z>;q="1,2"', ['"a, \\"b" <sip:x,y>', '<sip:z>;q="1,2"']),
        ("a,,b,", ["a", "", "b", ""]),
        ('"open, end', ['"open, end']),
        ("<open, end", ["<open, end"]),
        ("", [""]),
    ],
)
def test_commas_cut_only_outside_quotes_and_brackets(text: str, parts: list[str]) -> None:
    assert split_outside(text, ",") == parts


@given(TEXT)
def test_quoting(text: str) -> None:
    assert unquote(quote(text)) == text
    assert split_outside(quote(text), ",") == [quote(text)]


# --- uris and fields ---
USERS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z0-9]{1,6}){0,3}", fullmatch=True),
    st.ip_addresses(v=6).map(lambda a: f"[{a}]"),
    st.ip_addresses(v=4).map(str),
)
PARAMETERS = st.lists(
    st.tuples(
        st.from_regex("[a-z]{1,6}", fullmatch=True),
        st.none() | st.from_regex("[a-z0-9]{1,6}", fullmatch=True),
    ),
    max_size=3,
).map(tuple)


@given(
    st.builds(
        SipUri,
        st.sampled_from(["sip", "sips"]),
        USERS,
        HOSTS,
        st.none() | st.integers(1, 65535),
        st.none() | USERS,
        PARAMETERS,
    )
)
def test_uris_survive_a_round_trip(uri: SipUri) -> None:
    assert parse_uri(str(uri)) == uri


@given(URIS.filter(lambda u: not set(u) & set("<>")), VALUES.map(str.strip), PARAMETERS)
def test_addresses_survive_a_round_trip(
    uri: str, display: str, parameters: tuple[tuple[str, str | None], ...]
) -> None:
    address = NameAddr(uri, display, parameters)
    assert parse_name_addr(str(address)) == address


@given(st.text(max_size=60))
def test_random_text_is_a_uri_or_a_protocol_error(text: str) -> None:
    for read in (parse_uri, parse_name_addr, parse_via, parse_cseq, user_of):
        with contextlib.suppress(RemoteProtocolError):
            read(text)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("sip:07@192.0.2.1:5070;transport=tcp", "07", "192.0.2.1", 5070),
        ("SIP:Exchange", "", "Exchange", None),
        ("sip:a:secret@h", "a", "h", None),
        ("sip:[2001:db8::1]:5060", "", "[2001:db8::1]", 5060),
        ("sip:u@h;p=1?Subject=x@y", "u", "h", None),
        ("sip:h?Subject=x@y", "", "h", None),
        ("sip:u?v@h", "u?v", "h", None),
        ("sips:%40@h", "@", "h", None),
    ],
)
def test_uris_mean_what_they_say(text: str, user: str, host: str, port: int | None) -> None:
    uri = parse_uri(text)
    assert (uri.user, uri.host, uri.port) == (user, host, port)


@pytest.mark.parametrize(
    "text", ["", "sip:", "tel:07", "sip:@h", "sip:a@h:99999", "sip:a@[::1", "sip:a@b c", "sip"]
)
def test_what_is_no_sip_uri(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_uri(text)


def test_users_of_other_schemes() -> None:
    assert user_of("tel:+4930;phone-context=x") == "+4930"
    assert user_of("http://x") == ""
    assert parse_uri("sip:07@Host").same_resource(parse_uri("sip:07@host:5060;x=y"))
    assert not parse_uri("sip:07@host").same_resource(parse_uri("sip:08@host"))


def test_via_is_stamped_with_the_source() -> None:
    via = parse_via("SIP / 2.0 / udp [2001:db8::1]:5070;branch=z9hG4bKa;rport;odd")
    assert via == Via("UDP", "[2001:db8::1]", 5070, (("branch", "z9hG4bKa"), ("rport", None), ("odd", None)))
    stamped = via.stamped(("2001:db8::2", 40000))
    assert (
        str(stamped) == "SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bKa;odd;received=2001:db8::2;rport=40000"
    )
    assert parse_via(str(stamped)) == stamped
    for text in ("SIP/3.0/UDP h", "SIP/2.0 h", "SIP/2.0/UDP", "SIP/2.0/UDP h:99999", "SIP/2.0/UDP h x"):
        with pytest.raises(RemoteProtocolError):
            parse_via(text)


def test_numbers_and_cseq() -> None:
    assert parse_cseq(" 0009\t INVITE ") == CSeq(9, "INVITE")
    assert parse_number("000", "x", 5) == 0
    for text in (
        "1",
        "x INVITE",
        "2147483648 INVITE",
        "-1 INVITE",
        "١ INVITE",
        "1 IN(VITE",
        "9" * 5000 + " INVITE",
    ):
        with pytest.raises(RemoteProtocolError):
            parse_cseq(text)


@pytest.mark.parametrize(
    "text", ['"open <sip:a@b>', "<sip:a@b", '"x" sip:a@b', "<sip:a@b> x", "", "a b", "<>", "<sip:a b>"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_name_addr(text)


# --- other parsers ---
@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["INVITE", "REGISTER", "OPTIONS", "BYE"]),
    st.from_regex("[a-z0-9]{1,8}", fullmatch=True),
    st.from_regex(r"[a-z]{1,8}\.example", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9 ,;\"\\]{0,12}", fullmatch=True).map(str.strip),
    st.integers(0, 2**31 - 1),
    st.binary(max_size=20),
)
def test_three_parsers_agree_on_what_we_write(
    method: str, user: str, host: str, display: str, number: int, body: bytes
) -> None:
    """sipmessage (BSD) and sippy read our octets as we meant them."""
    assume(display.isascii())
    fields = [
        ("Via", f"SIP/2.0/UDP {host}:5070;branch=z9hG4bK{user};rport"),
        ("From", str(NameAddr(f"sip:{user}@{host}", display).with_tag("f1"))),
        ("To", str(NameAddr(f"sip:x@{host}"))),
        ("Call-ID", f"{user}@{host}"),
        ("CSeq", str(CSeq(number, method))),
        ("Max-Forwards", "70"),
        ("Contact", f"<sip:{user}@{host};transport=tcp>;expires=60"),
    ]
    data = serialise(Request(method, f"sip:x@{host}", Headers.of(fields), body))
    ours = parse_message(data)
    theirs = sipmessage.Message.parse(data)
    assert isinstance(theirs, sipmessage.Request)
    assert (theirs.method, str(theirs.uri), theirs.body) == (method, f"sip:x@{host}", body)
    assert theirs.cseq == sipmessage.CSeq(number, method)
    assert (theirs.from_address.name or "") == from_of(ours).display == display
    assert theirs.from_address.parameters.get("tag") == "f1"
    assert theirs.contact[0].uri.user == user
    assert theirs.via[0].host == parse_via(ours.headers.first("Via")).host
    assume(not set(display) & set('\\"'))  # sippy does not read escapes in display names
    sippys = SipRequest(data.decode("latin-1"))
    assert sippys.getMethod() == method
    assert sippys.getHFBody("cseq").getCSeqNum() == number
    assert str(sippys.getHFBody("call-id")) == f"{user}@{host}"
    assert sippys.getHFBody("from").getTag() == "f1"
    assert to_of(ours).tag == ""


SIPMESSAGE_REFUSES = {"wsinv", "semiuri", "novelsc", "unkscm", "escruri", "trws"}
"""Legal messages of RFC 4475 that this parser does not read."""


@pytest.mark.parametrize("name", [name for name in VALID if name not in SIPMESSAGE_REFUSES])
def test_sipmessage_agrees_on_the_torture_messages_it_can_read(name: str) -> None:
    theirs = sipmessage.Message.parse(VALID[name])
    ours = parse_message(VALID[name])
    assert theirs.cseq is not None
    found = parse_cseq(ours.headers.first("CSeq"))
    assert (theirs.cseq.sequence, theirs.cseq.method) == (found.number, found.method)
    assert theirs.call_id == ours.headers.first("Call-ID")
