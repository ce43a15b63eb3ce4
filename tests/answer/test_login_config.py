from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansam.answer.config_file import ConfigFaults
from ansam.answer.login_config import LoginRules, parse_login_config

DEBIAN = Path("/etc/mgetty/login.config")

SAMPLE = """
# name    account utmp  program
U*        uucp    @     /usr/sbin/uucico -l -u @
*bbs      games   bbs   /usr/games/bbs @ \\I
/FIDO/    uucp    fido  /usr/lib/fnet/ifcico @
/AutoPPP/ -       a_ppp /usr/sbin/pppd auth +pap login
telnet    gast    -     /usr/bin/telnet -8 smarty
*         -       -     /bin/login @
"""


def read(text: str) -> LoginRules:
    return parse_login_config(text, "login.config")


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("Uhost", "/usr/sbin/uucico"),
        ("U", "/usr/sbin/uucico"),
        ("uhost", "/bin/login"),
        ("mybbs", "/usr/games/bbs"),
        ("/FIDO/", "/usr/lib/fnet/ifcico"),
        ("/AutoPPP/", "/usr/sbin/pppd"),
        ("telnet", "/usr/bin/telnet"),
        ("telnets", "/bin/login"),
    ],
)
def test_the_first_that_fits(name: str, program: str) -> None:
    rule = read(SAMPLE).find(name)
    assert rule is not None
    assert rule.argv[0] == program
    assert rule.is_login == (program == "/bin/login")


def test_columns() -> None:
    rule = read(SAMPLE).find("/AutoPPP/")
    assert rule is not None
    assert (rule.account, rule.utmp, rule.where) == ("root", "a_ppp", "login.config:6")
    assert rule.command.argv == ("/usr/sbin/pppd", "auth", "+pap", "login")
    assert rule.command.run_as == "root"


def test_everyone_else_is_not_a_special_caller() -> None:
    rules = read("* - - /bin/login @")
    assert rules.find("/AutoPPP/") is None
    assert rules.find("/FIDO/") is None
    assert len(rules) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nguest", "login.config:2: 'guest': an account is missing"),
        ("guest games", "login.config:1: 'guest': a utmp entry is missing"),
        ("guest games -", "login.config:1: 'guest': a program is missing"),
        ("/autoppp/ - - /x", "login.config:1: unknown special name '/autoppp/' (did you mean '/AutoPPP/'?)"),
        ("a*b - - /x", "login.config:1: name 'a*b' (one * may stand at the beginning or at the end)"),
        ("a - - login @", "login.config:1: program 'login' (give its whole path, such as /bin/login)"),
    ],
)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(ConfigFaults) as caught:
        read(text)
    assert str(caught.value).startswith(message)


@pytest.mark.skipif(not DEBIAN.exists(), reason="no login.config of Debian (package mgetty)")
def test_debians_own_file() -> None:
    rules = parse_login_config(DEBIAN.read_text(), str(DEBIAN))
    assert [rule.name for rule in rules] == ["/AutoPPP/", "*"]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200), st.text(max_size=20))
def test_any_text_is_read_or_refused_in_words(text: str, name: str) -> None:
    faults, found = "", None
    try:
        found = read(text).find(name)
    except ConfigFaults as error:
        faults = str(error)
    assert all(line.startswith("login.config:") for line in faults.splitlines())
    assert found is None or found.argv[0].startswith("/")
