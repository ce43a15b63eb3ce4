from ipaddress import IPv4Address

import pytest
from tests.config.test_load import faults

from ansam.answer.users import Ppp
from ansam.config import parse

USERS = """\
[[user]]
name = "guest"
[[user]]
name = "ali"
password = "$argon2id$x"
[[user]]
name = "eva"
ppp_secret = "rosebud"
entry = "ppp"
"""


def test_without_the_section_there_is_none() -> None:
    assert parse("").ppp is None


def test_everybody_with_a_password_may_call_and_nobody_else() -> None:
    config = parse(USERS + "[ppp]\n")
    assert config.ppp is not None
    callers = config.ppp.callers(config.users)
    assert {name: (user.password_hash, user.secret) for name, user in callers.items()} == {
        "ali": ("$argon2id$x", ""),
        "eva": ("", "rosebud"),
    }
    assert config.users[2].entry == Ppp()
    assert "rosebud" not in repr(config)
    assert "$argon2id$x" not in repr(callers)


def test_all_keys() -> None:
    text = USERS + (
        '[ppp]\nauth = ["chap"]\nusers = ["eva"]\ndns = "9.9.9.9"\ndeny = []\nhost = true\n'
        'idle_seconds = 600\nslirp = "/opt/slirp"\ncommand = ["/usr/sbin/pppd"]\n'
    )
    config = parse(text)
    ppp = config.ppp
    assert ppp is not None
    assert list(ppp.callers(config.users)) == ["eva"]
    assert ppp.name_server == IPv4Address("9.9.9.9")
    assert (ppp.settings.auth, ppp.settings.idle) == (("chap",), 600.0)
    assert (ppp.settings.reach.host, ppp.settings.reach.deny) == (True, ())
    assert (ppp.slirp, ppp.command) == ("/opt/slirp", ("/usr/sbin/pppd",))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[ppp]\nauth = ["chap"]\n', "a.toml:2: [ppp] auth: CHAP needs the password itself"),
        ('[ppp]\nauth = ["eap"]\n', "a.toml:2: [ppp] auth"),
        ('[ppp]\nusers = ["bob"]\n', "a.toml:2: [ppp] users: there is no user 'bob'"),
        ('[ppp]\ndns = "here"\n', "a.toml:2: [ppp] dns: 'here' is no IPv4 address"),
        ('[ppp]\ndeny = ["10.0.0.1/8"]\n', "a.toml:1: [ppp] deny: '10.0.0.1/8' is no IPv4 network"),
        ("[ppp]\nidle = 3\n", "a.toml:2: [ppp] unknown key 'idle' (did you mean 'idle_seconds'?)"),
        ('[[user]]\nname = "x"\nentry = "ppp"\n', "a.toml:3: [[user]] 1 entry: ppp (add a section [ppp])"),
        (
            '[[user]]\nname = "x"\nppp_secret = "' + "s" * 256 + '"\n',
            "a.toml:1: [[user]] 1 ppp_secret of user 'x' is longer than 255 octets",
        ),
    ],
)
def test_faults(text: str, line: str) -> None:
    assert faults(text)[0].startswith(line)
