import pytest

from ansam.call.line_url import RawLineUrl, SipLineUrl, parse_address, parse_line
from ansam.codec.g711 import Law
from ansam.errors import ConfigError
from ansam.sdp.negotiation import Secure


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("sip:07:geheim@pbx", SipLineUrl("07", "geheim", "pbx")),
        (
            "sip:07:a%3Ab%40c@10.0.0.1:5070;transport=tcp;bind=10.0.0.2;law=ulaw;playout=80;expires=60",
            SipLineUrl("07", "a:b@c", "10.0.0.1", 5070, "tcp", "10.0.0.2", Law.ULAW, 640, 60),
        ),
        (
            "sip:07:x@pbx;transport=tls;proxy=[::1]:5099;keepalive=0;ca=/x.pem;verify=off;srtp=require",
            SipLineUrl(
                "07",
                "x",
                "pbx",
                5061,
                "tls",
                proxy=("::1", 5099),
                keepalive=0,
                ca="/x.pem",
                verify=False,
                srtp=Secure.REQUIRE,
            ),
        ),
        (
            "sip:07:x@pbx;callers=registrar;vbd=off;red=2",
            SipLineUrl("07", "x", "pbx", callers="registrar", vbd=False, red=2),
        ),
        ("sip:07:@[::1]:5070", SipLineUrl("07", "", "::1", 5070)),
        ("sip:07:x@[::1]", SipLineUrl("07", "x", "::1")),
        ("tcp:127.0.0.1:9000", RawLineUrl(("127.0.0.1", 9000))),
        ("tcp-listen:0.0.0.0:9000;clock=here", RawLineUrl(("0.0.0.0", 9000), True, clock="here")),
        ("unix:/run/line;law=ulaw;clock=far", RawLineUrl("/run/line", law=Law.ULAW, clock="far")),
        ("unix-listen:/run/line", RawLineUrl("/run/line", listen=True)),
    ],
)
def test_good(text: str, url: object) -> None:
    assert parse_line(text) == url


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "unknown kind"),
        ("isdn:1", "unknown kind 'isdn'"),
        ("sip:07@pbx", "user, secret or host"),
        ("sip:07:x@", "host is missing"),
        ("sip:07:x@pbx:99999", "not HOST:PORT"),
        ("sip:07:x@pbx;transport=sctp", ";transport=sctp is not known .choose udp or tcp"),
        ("sip:07:x@pbx;playout=5", ";playout=5 .choose 20 to 1000"),
        ("sip:07:x@pbx;lawn=1", "unknown parameter ;lawn"),
        ("sip:07:x@pbx;law=alaw;law=alaw", "stands twice"),
        ("tcp:localhost", "not HOST:PORT"),
        ("tcp:h:1;clock=mine", ";clock=mine"),
        ("unix:relative", "not absolute"),
    ],
)
def test_bad_names_the_part(text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        parse_line(text)


def test_secret_never_shows() -> None:
    for text in ("sip:07:geheim@pbx:99999", "sip:07:geheim@", "sip:07:geheim@pbx;x=1"):
        with pytest.raises(ConfigError) as caught:
            parse_line(text)
        assert "geheim" not in str(caught.value)
    assert "geheim" not in str(parse_line("sip:07:geheim@pbx"))


def test_names_of_lines() -> None:
    assert str(parse_line("sip:07:x@pbx")) == "sip:07@pbx:5060"
    assert str(parse_line("tcp-listen:h:1")) == "tcp-listen:h:1"
    assert str(parse_line("unix:/a")) == "unix:/a"


def test_address() -> None:
    assert parse_address("[::1]:80", "x") == ("::1", 80)
    with pytest.raises(ConfigError, match="thing: 'a' is not HOST:PORT"):
        parse_address("a", "thing")
