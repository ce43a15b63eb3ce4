"""Every fault of a configuration is one line with its place."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from ansam.answer.service_url import BridgeTarget
from ansam.answer.users import Command, Menu
from ansam.config import Config, load, parse
from ansam.config.problems import ConfigProblems, _model_in
from ansam.config.schema import File
from ansam.errors import AnsamError, ConfigError
from ansam.pbx.dialplan import Outside
from ansam.pbx.groups import Strategy
from ansam.pbx.settings import MediaMode, Service

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "src/ansam/config/example.toml").read_text()


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        parse(text, "a.toml")
    return str(caught.value).splitlines()


def test_the_example_is_the_one_that_is_shipped() -> None:
    assert (ROOT / "examples/ansam.toml").read_text() == EXAMPLE


def test_the_example_says_what_the_defaults_are() -> None:
    config = load(ROOT / "examples/ansam.toml")
    assert config.exchange == parse("[exchange]").exchange
    assert config.log == Config().log
    default = Config().answer
    assert (config.answer.login_prompt, config.answer.login_time) == (
        default.login_prompt,
        default.login_time,
    )
    assert [extension.number for extension in config.extensions] == ["05", "07"]
    assert [modem.dte for modem in config.modems] == ["answer:login", "pty:run/ttyUSB1"]
    assert config.modems[0].line.secret == "change-me-05"


def test_an_empty_file_is_an_empty_configuration() -> None:
    assert parse("", "a.toml") == Config(path="a.toml")


def test_everything_arrives() -> None:
    config = parse(
        """
        [exchange]
        listen = ["tcp:[::1]:5070"]
        ring_seconds = 12.5
        media = "relay"
        [[user]]
        name = "dirk"
        entry = ["/bin/date", "-u"]
        run_as = "nobody"
        [[user]]
        name = "guest"
        [[user]]
        name = "ali"
        entry = "ssh:ali:sesame@bbs;hold=300;verify=no"
        [answer]
        init = ["ATZ"]
        """
    )
    assert config.exchange is not None
    assert str(config.exchange.listen[0]) == "tcp:[::1]:5070"
    assert config.exchange.settings.media is MediaMode.RELAY
    assert config.exchange.settings.ring_seconds == 12.5
    assert config.users[0].entry == Command(("/bin/date", "-u"), "nobody")
    assert config.users[1].entry == Menu()
    assert config.users[2].entry == BridgeTarget("ssh", "bbs", 22, "ali", "sesame", hold=300, verify=False)
    assert config.answer.init == ("ATZ",)


EXCHANGE = '[exchange]\n[[extension]]\nnumber = "05"\nsecret = "hush"\n'


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "[exchange]\nring_secnds = 5\n",
            ["a.toml:2: [exchange] unknown key 'ring_secnds' (did you mean 'ring_seconds'?)"],
        ),
        ("[exchagne]\n", ["a.toml:1: unknown section 'exchagne' (did you mean 'exchange'?)"]),
        (
            "[log]\nzzz = 1\n",
            ["a.toml:2: [log] unknown key 'zzz' (there are level, format)"],
        ),
        (
            '[exchange]\nring_seconds = "soon"\nmedia = "both"\n',
            [
                'a.toml:2: [exchange] ring_seconds = "soon" must be a number',
                'a.toml:3: [exchange] media = "both" must be "direct" or "relay"',
            ],
        ),
        (
            "[exchange]\n\n[[extension]]\nnumber = 5\nsecret = 'x'\n",
            [
                "a.toml:4: [[extension]] 1 number = 5 must be text in quotes"
                ' (numbers are text, because of leading zeros: number = "05")'
            ],
        ),
        (
            EXCHANGE + '\n[[extension]]\nnumber = "06"\n',
            ["a.toml:6: [[extension]] 2 'secret' is missing (add a line secret = …)"],
        ),
        (
            EXCHANGE + '[[extension]]\nnumber = "05"\nsecret = "y"\n',
            ["a.toml:6: [[extension]] 2 number '05' is that of [[extension]] 1 too (remove or rename one)"],
        ),
        ("exchange = 3\n", ["a.toml:1: exchange must be a section (write it as [exchange])"]),
        (
            "[exchange]\nlisten = [\n  'udp:127.0.0.1:70000',\n]\n",
            ["a.toml:2: [exchange] listen: port 70000 is above 65535 (5060 is the usual one)"],
        ),
        (
            "[exchange]\nlisten = ['udp:localhost:5060']\n",
            ['a.toml:2: [exchange] listen: "localhost" is no IP address (127.0.0.1 is this machine alone)'],
        ),
        (
            "[exchange]\nlisten = ['5060']\n",
            [
                'a.toml:2: [exchange] listen: "5060" is no address'
                ' (write it as "udp:127.0.0.1:5060" or "tcp:…")'
            ],
        ),
        (
            "[answer]\nmgetty_confg = 'x'\n",
            ["a.toml:2: [answer] unknown key 'mgetty_confg' (did you mean 'mgetty_config'?)"],
        ),
        (
            "[answer]\n\nlogin_config = 'x'\n",
            ["a.toml:3: [answer] login_config goes with mgetty_config (name both)"],
        ),
        ("[exchange]\nlisten = []\n", ["a.toml:2: [exchange] listen must have at least 1 entries"]),
        (
            "[exchange]\nring_seconds = 0\n",
            ["a.toml:2: [exchange] ring_seconds = 0 must be more than 0"],
        ),
        (
            "[exchange]\nrelay_ports = [0, 70000]\n",
            [
                "a.toml:2: [exchange] relay_ports.1 = 0 must be 1 or more",
            ],
        ),
        (
            "[exchange]\nmin_expires = 4000\n",
            [
                "a.toml:1: [exchange] min_expires = 4000, max_expires = 3600"
                " (min_expires must lie between 1 and max_expires)"
            ],
        ),
        (
            EXCHANGE + "[[modem]]\nname = 'm'\nline = 'sip:05:other@127.0.0.1'\ndte = 'pty:x'\n",
            ["a.toml:7: modem 'm': the secret is not that of extension 05"],
        ),
        (
            EXCHANGE + "[[modem]]\nname = 'm'\nline = 'sip:08:other@127.0.0.1'\ndte = 'pty:x'\n",
            ["a.toml:7: modem 'm': extension 08 is not in this file (add it)"],
        ),
        (
            "[[modem]]\nname = 'm'\nline = 'sip:05:x@h'\ndte = 'usb'\n",
            [
                'a.toml:4: [[modem]] 1 dte = "usb" is no terminal side'
                " (there are pty:PATH, tcp:, telnet:, rfc2217: or ip232:HOST:PORT, unix:PATH, serial:DEVICE,"
                " answer:login, answer:bbs, answer:files:/path)"
            ],
        ),
        (
            "[[modem]]\nname = 'm'\nline = 'sip:05:x@h'\ndte = 'tcp:h:0'\n"
            "[[modem]]\nname = 'n'\nline = 'sip:06:x@h'\ndte = 'rfc2217:h:1;dtr=up'\n",
            [
                'a.toml:4: [[modem]] 1 dte = "tcp:h:0" has no port from 1 to 65535 (tcp:127.0.0.1:2323)',
                "a.toml:8: [[modem]] 2 dte rfc2217:h:1;dtr=up: ;dtr=up is out of range"
                " (it may be follow, on)",
            ],
        ),
        (
            "[[user]]\nname = 'x'\nentry = 3\n",
            [
                'a.toml:3: [[user]] 1 entry = 3 must be "menu", "bbs" or "ppp"'
                ' (or "telnet:HOST", or a program with its arguments: ["/usr/bin/program", "argument"])'
            ],
        ),
        (
            "[[user]]\nname = 'x'\nentry = 'telnet:h:0'\n",
            [
                'a.toml:3: [[user]] 1 entry: service "telnet:h:0" names no host and port'
                " (telnet:127.0.0.1:2323)"
            ],
        ),
        (
            "[[user]]\nname = 'y'\nentry = 'gopher:h'\n",
            [
                'a.toml:3: [[user]] 1 entry = "gopher:h" must be "menu", "bbs" or "ppp"'
                ' (or "telnet:HOST", or a program with its arguments: ["/usr/bin/program", "argument"])'
            ],
        ),
        (
            "[[user]]\nname = 'x'\npassword = 'hallo'\n",
            ["a.toml:1: [[user]] 1 password of user 'x' is not an argon2 hash (make one with `ansam user`)"],
        ),
        ("[exchange\n", ["a.toml:1: not TOML: expected ']' at the end of a table declaration at column 10"]),
        (
            '[[extension]]\nnumber = "05"\nsecret = "x"\n',
            ["a.toml:1: extensions without an exchange (add a section [exchange])"],
        ),
    ],
)
def test_faults(text: str, lines: list[str]) -> None:
    found = faults(text)
    assert found[: len(lines)] == lines


def test_secrets_are_in_no_message() -> None:
    secret = "Tr0ub4dor"
    texts = [
        f'{EXCHANGE}[[extension]]\nnumber = "06"\nsecret = ["{secret}"]\n',
        f"[[modem]]\nname = 'm'\nline = 'sip:05:{secret}@'\ndte = 'pty:x'\n",
        f"[[modem]]\nname = 'm'\nline = 'ftp:05:{secret}@h'\ndte = 'pty:x'\n",
        f"[[user]]\nname = 'x'\npassword = '{secret}'\n",
        f'{EXCHANGE}[[modem]]\nname = "m"\nline = "sip:05:{secret}@127.0.0.1"\ndte = "pty:x"\n',
    ]
    for text in texts:
        assert secret not in str(faults(text))


def test_secrets_are_in_no_representation() -> None:
    config = parse(
        '[exchange]\ndatabase = "postgresql://u:geheim@h/d"\n'
        '[[extension]]\nnumber = "05"\nsecret = "geheim"\n'
        "[[modem]]\nname = 'm'\nline = 'sip:05@h'\ndte = 'pty:x'\n"
    )
    assert "geheim" not in repr(config)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="directory"):
        load(tmp_path)
    (tmp_path / "latin").write_bytes(b'a = "\n\n\xe4"')
    with pytest.raises(ConfigError, match="latin:3: not UTF-8"):
        load(tmp_path / "latin")
    (tmp_path / "large").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(ConfigError, match="larger"):
        load(tmp_path / "large")


KEYS = st.sampled_from(
    [
        "exchange",
        "trunk",
        "did",
        "pattern",
        "trunks",
        "extension",
        "modem",
        "user",
        "answer",
        "log",
        "number",
        "secret",
        "listen",
        "dte",
        "entry",
        "x.y",
    ]
)
VALUES = st.recursive(
    st.one_of(
        st.integers(-3, 99999).map(str),
        st.booleans().map(lambda b: str(b).lower()),
        st.sampled_from(['"05"', "'a:b'", '""', "1.5", "2020-01-01", '"""\na = 1\n"""', "'''\n[x]\n'''"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[\n" + ",\n".join(items) + "\n]"),
        st.tuples(KEYS, inner).map(lambda pair: f"{{ {pair[0]} = {pair[1]} }}".replace("\n", " ")),
    ),
    max_leaves=4,
)
LINES = st.one_of(
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
    KEYS.map(lambda key: f"[{key}]"),
    KEYS.map(lambda key: f"[[{key}]]"),
    st.just("# [exchange]"),
    st.text(max_size=20),
)


@given(st.lists(LINES, max_size=8))
@settings(max_examples=400, deadline=None)
def test_no_text_makes_more_than_a_config_error(lines: list[str]) -> None:
    try:
        parse("\n".join(lines), "a.toml")
    except AnsamError as error:
        for line in str(error).split("\n"):
            assert line.startswith("a.toml")


@given(st.integers(0, 200), st.text(max_size=6))
@settings(max_examples=300, deadline=None)
def test_the_example_with_a_part_spoilt(where: int, what: str) -> None:
    at = where * len(EXAMPLE) // 200
    with contextlib.suppress(AnsamError):
        parse(EXAMPLE[:at] + what + EXAMPLE[at + 3 :], "a.toml")


def test_numbers_of_services() -> None:
    assert parse("[exchange]").exchange.settings.services == {"*43": Service.ECHO}
    found = parse('[exchange]\n[services]\necho = "9196"\nmilliwatt = "9197"\n').exchange
    assert found.settings.services == {"9196": Service.ECHO, "9197": Service.MILLIWATT}
    assert parse('[exchange]\n[services]\necho = ""\n').exchange.settings.services == {}
    assert "services without an exchange" in faults('[services]\necho = "1"\n')[0]
    twice = '[exchange]\n[services]\necho = "05"\nsilence = "7 7"\nmilliwatt = "05"\n'
    first, second, third = faults(twice + '[[extension]]\nnumber = "05"\nsecret = "x"\n')
    assert first.startswith("a.toml:3:")
    assert "is an extension, group or callback too" in first
    assert "'7 7'" in second
    assert "'05'" in third


GROUP = """
[exchange]
[[extension]]
number = "05"
secret = "x"
[[extension]]
number = "07"
secret = "x"
forward_busy = "50"
[[group]]
number = "50"
members = ["05", "07"]
strategy = "rotate"
limit = 1
"""


def test_groups() -> None:
    config = parse(GROUP)
    (group,) = config.groups
    assert (group.members, group.strategy, group.limit) == (("05", "07"), Strategy.ROTATE, 1)
    assert config.plan().target("50") is group
    assert "groups without an exchange" in faults('[[group]]\nnumber = "5"\nmembers = ["1"]\n')[0]


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ('"05", "07"', '"05", "08"', 10, "member 08 is no extension"),
        ('members = ["05", "07"]', "members = []", 12, "members"),
        ('"rotate"', '"random"', 13, "strategy"),
        ('number = "50"', 'number = "07"', 10, "number is there twice"),
        ('forward_busy = "50"', 'forward_busy = "07"', 6, "in a circle, 07 → 07"),
        ('forward_busy = "50"', 'forward_busy = "51"', 6, "no extension and no group"),
    ],
)
def test_faults_between_numbers(old: str, new: str, line: int, text: str) -> None:
    (found,) = faults(GROUP.replace(old, new, 1))
    assert text in found
    assert found.startswith(f"a.toml:{line}"), found


def test_rules() -> None:
    rule = '[[rule]]\npattern = "00."\nstrip = 2\n[[rule]]\npattern = "9X"\nnumber = "*43"\n'
    config = parse(GROUP + rule)
    assert [config.plan().translate(number) for number in ("0005", "91")] == ["05", "*43"]
    for old, new, text in (
        ("00.", "0.0", "wrong from '.0' on"),
        ("00.", "9X", "is that of [[rule]] 1 too"),
        ("strip = 2", "strip = 0", "changes nothing"),
        ("*43", "44", "no extension, group or service"),
    ):
        (found,) = faults(GROUP + rule.replace(old, new))
        assert text in found
    assert "rules without an exchange" in faults('[[rule]]\npattern = "X"\nstrip = 1\n')[0]


TRUNK = """
[[trunk]]
name = "one"
server = "sip.example.net"
user = "4989"
secret = "hush"
registration = true
did = [
  { pattern = "4989X", number = "05" },
  { pattern = "0.", strip = 1 },
]
[[rule]]
pattern = "0."
trunks = ["one"]
callers = ["07"]
"""

BRANCH = '[[extension]]\nnumber = "4989"\nsecret = "x"\n[[trunk]]\nname = "two"\nserver = "x"\n'


def test_trunks() -> None:
    plan = parse(GROUP + TRUNK).plan()
    (trunk,) = plan.trunks
    assert (trunk.host, trunk.port, trunk.register, trunk.codecs) == (
        "sip.example.net",
        None,
        True,
        ("PCMA",),
    )
    assert [trunk.reached(number) for number in ("49895", "005", "1")] == ["05", "05", None]
    assert plan.translate("0123", "07") == Outside("0123", (trunk,))
    assert plan.translate("0123", "05") == "0123"
    (trunk,) = parse(GROUP + TRUNK.replace("sip.example.net", "[2001:db8::1]:5070")).trunks
    assert (trunk.host, trunk.port) == ("2001:db8::1", 5070)
    secure = 'transport = "tls"\nca = "x.pem"\nverify = false\nuser = "4989"'
    (trunk,) = parse(GROUP + TRUNK.replace('user = "4989"', secure)).trunks
    assert (trunk.transport, trunk.ca, trunk.verify) == ("tls", "x.pem", False)


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ('"sip.example.net"', '"http://x"', 18, "server"),
        ('"sip.example.net"', '"x:0"', 18, "server"),
        ('secret = "hush"', "sources = ['x']", 20, "no IP address"),
        ('secret = "hush"', "", 16, "registers but has no user and secret"),
        ('secret = "hush"', 'secret = "hush"\nsource = []', 21, "did you mean 'sources'?"),
        ('number = "05"', 'number = "08"', 22, "no extension, group or service"),
        ('number = "05"', 'numbr = "05"', 22, "did you mean 'number'?"),
        ("4989X", "49-9", 22, "wrong from"),
        ('["one"]', '["two"]', 28, "there is no trunk 'two'"),
        ('["07"]', '["08"]', 29, "there is no extension '08'"),
        ("registration = true", f"authenticate = true\n{BRANCH}", 19, "is an extension too"),
    ],
)
def test_faults_of_trunks(old: str, new: str, line: int, text: str) -> None:
    (found,) = faults(GROUP + TRUNK.replace(old, new, 1))
    assert text in found
    assert found.startswith(f"a.toml:{line}:"), found
    assert "hush" not in found


def test_callbacks() -> None:
    block = '[[callback]]\nnumber = "58"\ntarget = "50"\ncallers = ["07", "0017X"]\n'
    back = parse(GROUP + block).plan().callback("58")
    assert back is not None
    assert [back.allows(number) for number in ("07", "00171", "05")] == [True, True, False]
    for old, new, line, text in (
        ('"50"', '"51"', 15, "target '51' is no extension and no group"),
        ('"58"', '"05"', 15, "the number is there twice"),
        ('"0017X"', '"a-b"', 15, "is wrong from"),
        ("callers", "caller", 18, "did you mean 'callers'?"),
    ):
        found = faults(GROUP + block.replace(old, new))
        assert any(text in fault and fault.startswith(f"a.toml:{line}") for fault in found), found


def _sections(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Return the header of every section there is, and what it is made of."""
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is not None:
            yield (f"[[{name}]]" if get_origin(field.annotation) is list else f"[{name}]"), inner


@pytest.mark.parametrize(("header", "model"), list(_sections(File)), ids=[h for h, _ in _sections(File)])
def test_every_key_misspelt_names_its_line_and_the_nearest_there_is(
    header: str, model: type[BaseModel]
) -> None:
    keys = list(model.model_fields)
    for key in keys:
        for wrong in {key[:-1] + "q", key + "s", "q" + key, key.replace("_", "")} - set(keys):
            (found,) = [text for text in faults(f"# x\n{header}\n{wrong} = 1\n") if "unknown key" in text]
            assert found.startswith(f"a.toml:3: {header}")
            assert repr(wrong) in found
            assert any(f"did you mean {near!r}?" in found for near in keys) or f" {key}" in found
