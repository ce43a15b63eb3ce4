"""What may stand behind ``answer:``."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.answer.service_url import BridgeTarget, parse_service
from ansam.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("tcp:127.0.0.1:2323", BridgeTarget("tcp", "127.0.0.1", 2323)),
        ("telnet:bbs.example", BridgeTarget("telnet", "bbs.example", 23)),
        ("telnet:[::1]:2323;hold=300", BridgeTarget("telnet", "::1", 2323, hold=300)),
        ("tcp:h:1;idle=600", BridgeTarget("tcp", "h", 1, idle=600)),
        ("command:/bin/x;idle=5", BridgeTarget("command", argv=("/bin/x",), idle=5)),
        ("rlogin:ali@bbs;term=ansi-bbs", BridgeTarget("rlogin", "bbs", 513, "ali", term="ansi-bbs")),
        ("ssh:ali:se:same@h:22;verify=no", BridgeTarget("ssh", "h", 22, "ali", "se:same", verify=False)),
        ("command:/bin/sh -c 'a; b'", BridgeTarget("command", argv=("/bin/sh", "-c", "a; b"))),
        (
            "command:/bin/x y;user=games;hold=60",
            BridgeTarget("command", user="games", argv=("/bin/x", "y"), hold=60),
        ),
    ],
)
def test_where_callers_are_put_through_to(text: str, target: BridgeTarget) -> None:
    assert parse_service(text) == target


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tcp:bbs", "no host and port"),
        ("telnet::23", "no host and port"),
        ("telnet:h:99999", "no host and port"),
        ("telnet:ali@h", "has no accounts"),
        ("ssh:h", "no account"),
        ("command:", "no program"),
        ("command:'", "no program"),
        ("telnet:h;hold=-1", "hold=0 to"),
        ("telnet:h;idle=x", "idle=0 to"),
        ("telnet:h;user=x", "there are"),
        ("gopher:h", "is not known"),
    ],
)
def test_what_is_none(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_service(text)


def test_no_secret_is_in_a_message() -> None:
    for text in ("ssh:joe:sesame@", "rlogin:joe:sesame@h;hold=x", "ssh:joe:sesame@h;sesam=1"):
        with pytest.raises(ConfigError) as found:
            parse_service(text)
        assert "sesame" not in str(found.value)


@given(st.sampled_from(["tcp:", "telnet:", "rlogin:", "ssh:", "command:"]), st.text(max_size=40))
def test_any_text_is_read_or_refused(kind: str, rest: str) -> None:
    with suppress(ConfigError):
        assert isinstance(parse_service(kind + rest), BridgeTarget)
