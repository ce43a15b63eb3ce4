"""`mgetty.config` as Debian's mgetty 1.2.1 reads it (``mgetty -x9`` was asked for every case marked so)."""

import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.mgetty import MGETTY_CONFIG

from ansam.answer.chat import ChatStep
from ansam.answer.config_file import FAULTS_SHOWN, ConfigFaults, logical_lines
from ansam.answer.mgetty_config import MgettyConfig, parse_mgetty_config
from ansam.answer.mgetty_keys import OPTIONS
from ansam.answer.settings import AnswerSettings

DEBIAN = Path("/etc/mgetty/mgetty.config")

ORIGINAL = f"\n# the original session{MGETTY_CONFIG}"

RICH = r"""
debug 4
speed 38400
rings 2
fax-id ++49 89
port ttyS1
  speed 19200
  direct y
port ttyUSB0
  toggle-dtr-waittime 0100
  init-chat "" AT&F OK "AT B" OK \d\dATZ\c OK
  force-init-chat "" \d+++\dATH0 OK
  post-init-chat "" AT#CID=1 OK
  answer-chat "" ATS0=1 CONNECT \c \n
  answer-chat-timeout 0x3c
  prompt-waittime 250
  fido-send-emsi n
  autobauding
  ringback tRUE
  ringback-time 45
  ignore-carrier on
  cnd-program /usr/local/bin/who-calls
  modem-check-time 900
  modem-type data
  switchbd 19200
  notify
"""


def read(text: str, port: str = "ttyUSB0") -> MgettyConfig:
    return parse_mgetty_config(text, "mgetty.config", port)


def fault(text: str) -> str:
    with pytest.raises(ConfigFaults) as caught:
        read(text)
    return str(caught.value)


def test_the_original_session() -> None:
    config = read(ORIGINAL)
    assert config.settings(AnswerSettings()) == AnswerSettings(
        speed=9600, login_prompt="@ \\P login:\\040", login_time=60, term="vt102", emsi=True
    )
    assert config.issue_file == "/etc/mgetty/issue"
    assert not config.manners(AnswerSettings()).toggle_dtr
    assert config.inert == ()
    assert config.debug is None


def test_what_an_empty_file_means_is_debians() -> None:
    config = read("")
    settings = config.settings(AnswerSettings())
    assert (settings.speed, settings.login_prompt, settings.login_time) == (38400, "@ login:\\040", 240)
    assert (config.issue_file, config.login_config) == ("/etc/issue", "login.config")
    manners = config.manners(settings)
    assert (manners.toggle_dtr, manners.dtr_low, manners.check_time) == (True, 0.5, 3600)


def test_everything_that_acts() -> None:
    config = read(RICH)
    settings = config.settings(AnswerSettings())
    assert (settings.speed, settings.rings, settings.answer_timeout) == (38400, 2, 60)
    assert (settings.prompt_wait, settings.emsi) == (0.25, False)
    manners = config.manners(settings)
    assert (manners.dtr_low, manners.check_time, manners.ringback_time) == (0.064, 900, 45)
    assert manners.autobaud
    assert manners.ringback
    assert manners.ignore_carrier
    assert manners.caller_program == "/usr/local/bin/who-calls"
    assert [step.shown for step in manners.init] == ["AT&F", "AT B", "\\d\\dATZ\\c", "AT#CID=1"]
    assert manners.init[2] == ChatStep(((1.0, b"ATZ"),), b"OK", "\\d\\dATZ\\c")
    assert manners.force_init[0].send == ((0.5, b"+++"), (0.5, b"ATH0\r"))
    assert manners.answer == (ChatStep(((0.0, b"ATS0=1\r"),), b"", "ATS0=1"),)
    assert (config.debug, config.ports) == (4, ("ttyS1", "ttyUSB0"))


def test_what_can_not_act_is_told_once_with_its_place() -> None:
    assert [(entry.key, entry.where) for entry in read(RICH).inert] == [
        ("fax-id", "mgetty.config:5"),
        ("switchbd", "mgetty.config:25"),
        ("notify", "mgetty.config:26"),
    ]


def test_post_init_chat_follows_our_own_set_up() -> None:
    manners = read('post-init-chat "" AT#CID=1 OK').manners(AnswerSettings())
    assert [step.shown for step in manners.init] == ["ATQ0V1H0", "ATS0=0Q0&D2&C1", "AT#CID=1"]


def test_another_port_sees_the_global_part_only() -> None:
    config = read(RICH, "ttyS7")
    assert set(config.entries) == {"debug", "speed", "rings", "fax-id"}


def test_a_section_of_two_ports_is_nobodys() -> None:
    """As mgetty: the whole rest of the line is one name."""
    assert read("port ttyS1 ttyUSB0\nrings 3").entries == {}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("rings 1x", 1),
        ("rings 010", 8),
        ("login-time 60 # sixty", 60),
        ("debug 0x9", 9),
        ("data-only", True),
        ("data-only tRUE", True),
        ("ignore-carrier on", True),
        ("toggle-dtr\tNO", False),
        ('login-prompt   @   "a  b"', '@ "a b"'),
        ("term", ""),
        ("issue-file a\\\n   b", "a b"),
        ("data-flow hard soft", "hard soft"),
    ],
)
def test_values_as_mgetty_reads_them(line: str, value: object) -> None:
    (entry,) = read(line).entries.values()
    assert entry.value == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\nringss 2", "mgetty.config:3: unknown option 'ringss' (did you mean 'rings'?)"),
        ("Speed 9600", "mgetty.config:1: unknown option 'Speed' (did you mean 'speed'?)"),
        ("prot ttyS0", "mgetty.config:1: unknown option 'prot' (did you mean 'port'?)"),
        ("port", "mgetty.config:1: port names no line (such as: port ttyUSB0)"),
        ("login-time sixty", "mgetty.config:1: login-time = 'sixty' (it takes a number)"),
        ("speed", "mgetty.config:1: speed has no value (it takes a number)"),
        (
            "speed 57601",
            "mgetty.config:1: speed = 57601 is no port speed of termios(3) (the nearest port speed is 57600)",
        ),
        ("toggle-dtr 1", "mgetty.config:1: toggle-dtr = '1' (it takes y or n)"),
        ("data-flow firm", "mgetty.config:1: data-flow = 'firm' (it takes hard, soft, xon, both or none)"),
        ("rings 0", "mgetty.config:1: rings = 0 (it takes a number from 1 to 1000)"),
        ("port-mode 0666666", "mgetty.config:1: port-mode = 224694 (it takes a number from 0o0 to 0o777)"),
        ("modem-type daat", "mgetty.config:1: modem-type = 'daat' (did you mean 'data'?)"),
        (
            "fax-only",
            "mgetty.config:1: fax-only: nobody would be answered, faxes are not taken (fax-only n)",
        ),
        ("direct y", "mgetty.config:1: direct: a line without a modem is not answered (direct n)"),
    ],
)
def test_faults_name_line_and_remedy(text: str, message: str) -> None:
    assert fault(text) == message


def test_all_faults_at_once_also_of_other_ports() -> None:
    assert fault("rigns 2\nport ttyS9\nlogin-time x").count("\n") == 1
    assert fault("x 1\n" * 25).splitlines()[-1] == f"mgetty.config: {25 - FAULTS_SHOWN} more"


def test_lines_are_mgettys() -> None:
    text = "# a\\\nb   c\\\n  d # e\n   # f\n\x0b\n g\\"
    assert list(logical_lines(text)) == [(2, "b c d # e"), (6, "g")]


@pytest.mark.skipif(not DEBIAN.exists(), reason="no mgetty.config of Debian (package mgetty)")
@pytest.mark.parametrize("port", ["ttyS0", "ttyUSB0"])
def test_debians_own_file(port: str) -> None:
    config = parse_mgetty_config(DEBIAN.read_text(), str(DEBIAN), port)
    assert config.issue_file == "/etc/issue.mgetty"
    assert config.settings(AnswerSettings()).speed == 38400
    assert config.debug == 4


WORDS = st.sampled_from(
    [*OPTIONS, "port", "#", "y", "n", "0x", "09", "-1", '"', "\\", "\\d", "OK", "ttyUSB0", "\n", "\n", " "]
)


@settings(max_examples=40, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=40).map(" ".join)))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    faults = ""
    try:
        config = read(text)
    except ConfigFaults as error:
        faults = str(error)
    else:
        config.manners(config.settings(AnswerSettings()))
    assert all(line.startswith("mgetty.config:") for line in faults.splitlines())


@settings(max_examples=40, deadline=None)
@given(st.text(string.printable, max_size=200))
def test_lines_keep_their_numbers(text: str) -> None:
    numbers = [number for number, _ in logical_lines(text)]
    assert numbers == sorted(set(numbers))
    assert all(1 <= number <= text.count("\n") + 1 for number in numbers)
