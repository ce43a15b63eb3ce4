"""Calls as the interpreter sees them, repeats, aborts, and properties over random input."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.at import LOW_SPEED, Terminal, plain

from ansam.at.actions import Abort, AnswerCall, Dial, GoOnline, HangUp
from ansam.at.capabilities import Capabilities
from ansam.at.interpreter import OUTPUT_LIMIT, REDIAL_PAUSE, Interpreter, State
from ansam.at.nvram import Profile
from ansam.at.personalities import USR_56K
from ansam.at.results import Connect, Result
from ansam.at.settings import Settings
from ansam.errors import ConfigError, LocalProtocolError


def test_the_first_call() -> None:
    terminal = Terminal(echo=True)
    modem = terminal.modem
    assert terminal.send(b"ATZ\r") == b"ATZ\r\r\nOK\r\n"
    assert terminal.actions() == [HangUp()]
    assert terminal.send(b"at&N3dt05\r") == b"at&N3dt05\r"
    assert terminal.actions() == [Dial("05", dialling_samples=2240)]
    assert modem.state is State.WAITING
    modem.finish(Connect(2400), 5 * 8000)
    assert modem.take_output() == b"\r\nCONNECT 2400/NONE\r\n"
    assert modem.state is State.COMMAND
    modem.unsolicited(Result.NO_CARRIER, 9 * 8000)
    assert modem.take_output() == b"\r\nNO CARRIER\r\n"


def test_answering_by_itself() -> None:
    terminal = Terminal(echo=True)
    modem = terminal.modem
    terminal.send(b"ATS0=1\r")
    terminal.send(b"ATX")
    modem.unsolicited(Result.RING, 0)
    assert modem.take_output() == b"\r\nRING\r\n"
    modem.begin_answer(10)
    assert terminal.actions() == []
    terminal.send(b"9")
    assert terminal.actions() == [Abort()]
    modem.finish(Result.NO_CARRIER, 20)
    assert modem.take_output() == b"\r\nNO CARRIER\r\n"
    assert terminal.send(b"9\r") == b""


@pytest.mark.parametrize("line", [b"ATD5\r", b"ATA\r", b"ATO\r"])
def test_a_key_aborts_once(line: bytes) -> None:
    terminal = Terminal(echo=True)
    terminal.send(line)
    assert terminal.actions() in ([Dial("5", dialling_samples=1120)], [AnswerCall()], [GoOnline()])
    assert terminal.send(b"\n") == b""
    assert terminal.actions() == []
    assert terminal.send(b"xyz\r\n") == b""
    assert terminal.actions() == [Abort()]
    terminal.modem.finish(Result.NO_CARRIER, 0)
    assert terminal.modem.take_output() == b"\r\nNO CARRIER\r\n"
    assert terminal.send(b"AT\r") == b"AT\r\r\nOK\r\n"


def test_a_second_lf_aborts() -> None:
    terminal = Terminal()
    terminal.send(b"ATD5\r\n\n")
    assert terminal.actions() == [Dial("5", dialling_samples=1120), Abort()]


def test_an_aborted_dial_does_not_go_on_with_the_line() -> None:
    terminal = Terminal()
    terminal.send(b"ATD5;H\rx")
    terminal.modem.finish(Result.OK, 0)
    assert terminal.actions() == [Dial("5", stay_in_command=True, dialling_samples=1120), Abort()]


def test_ringing_while_dialling() -> None:
    terminal = Terminal()
    terminal.type("ATX7D5")
    terminal.modem.unsolicited(Result.RINGING, 0)
    terminal.modem.finish(Result.BUSY, 0)
    assert plain(terminal.modem.take_output()) == "RINGING | BUSY"


def test_calls_out_of_order_are_refused() -> None:
    modem = Interpreter(LOW_SPEED)
    with pytest.raises(LocalProtocolError):
        modem.finish(Result.OK, 0)
    modem.begin_answer(0)
    with pytest.raises(LocalProtocolError):
        modem.begin_answer(0)
    modem.finish(Connect(1200), 1)
    with pytest.raises(LocalProtocolError):
        modem.finish(Connect(1200), 1)


def redials(terminal: Terminal, result: Result, limit: int = 30) -> int:
    """Answer every attempt with `result`; return how many there were."""
    attempts, now = 0, 0
    while attempts < limit:
        attempts += terminal.actions().count(Dial("5", dialling_samples=1120))
        terminal.modem.finish(result, now)
        deadline = terminal.modem.deadline()
        if deadline is None:
            break
        assert deadline == now + REDIAL_PAUSE
        terminal.modem.handle_timer(deadline - 1)
        assert terminal.modem.state is State.PAUSING
        now = deadline
        terminal.modem.handle_timer(now)
    return attempts


@pytest.mark.parametrize(
    ("line", "result", "attempts"),
    [
        ("ATD5>", Result.BUSY, 10),
        ("ATD5>", Result.NO_CARRIER, 1),
        ("ATD5", Result.BUSY, 1),
    ],
)
def test_redial_while_busy(line: str, result: Result, attempts: int) -> None:
    terminal = Terminal()
    terminal.type(line)
    assert redials(terminal, result) == attempts


def test_repeat_of_a_dial_string_ends_after_ten() -> None:
    terminal = Terminal()
    terminal.type("ATD5")
    terminal.modem.finish(Result.BUSY, 0)
    terminal.actions()
    terminal.send(b"A>")
    assert redials(terminal, Result.NO_CARRIER) == 10


def test_repeat_ends_with_a_connection() -> None:
    terminal = Terminal()
    terminal.type("ATD5>")
    terminal.modem.finish(Connect(2400), 0)
    assert terminal.modem.deadline() is None


def test_repeat_ends_with_a_key_while_dialling() -> None:
    terminal = Terminal()
    terminal.type("ATD5>")
    terminal.send(b" ")
    terminal.modem.finish(Result.BUSY, 0)
    assert terminal.modem.deadline() is None


def test_repeat_of_another_command_ends_with_a_key() -> None:
    terminal = Terminal(echo=True)
    terminal.send(b"ATS8?\r")
    shown = b"\r\n002\r\n\r\nOK\r\n"
    assert terminal.send(b"A>\r\n") == b"A>" + shown
    for n in range(1, 15):
        terminal.modem.handle_timer(n * REDIAL_PAUSE)
        assert terminal.modem.take_output() == shown
    assert terminal.send(b"AT\r") == b"\r\nOK\r\n"
    assert terminal.modem.deadline() is None


def test_output_is_bounded() -> None:
    modem = Interpreter(LOW_SPEED)
    modem.receive(b"AT$\r" * 1000, 0)
    assert len(modem.take_output()) == OUTPUT_LIMIT


def test_settings_survive_a_round_trip() -> None:
    terminal = Terminal()
    terminal.type("ATE0S7=33&N3&C0PX7+MS=V22,0,300,1200;+ICF=5,1;&W")
    stored = terminal.stored[-1]
    assert Settings.from_dict(stored["profiles"][0]).to_dict() == stored["profiles"][0]
    again = Terminal(nvram=stored)
    assert again.modem.settings.to_dict() == terminal.modem.settings.to_dict()
    assert again.type("AT+MS?") == "+MS: V22,0,300,1200,0,0 | OK"


@pytest.mark.parametrize(
    "nvram",
    [
        {"profiles": [{"commands": {"E": 9}}]},
        {"profiles": [{"commands": {"J": 1}}]},
        {"profiles": [{"registers": {"7": 300}}]},
        {"profiles": [{"registers": {"x": 3}}]},
        {"profiles": [{"registers": 7}]},
        {"profiles": [{"modulation": ["V22B"]}]},
        {"profiles": [{"format": [1, 2, 3]}]},
        {"profiles": [{"commands": []}]},
        {"profiles": 5},
        {"numbers": 5},
        {"power_on": 9},
        {"power_on": "x"},
    ],
)
def test_bad_stored_settings_are_named(nvram: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"out of range|stored profile"):
        Interpreter(LOW_SPEED, Profile(nvram=nvram))


def test_a_partial_profile_keeps_defaults() -> None:
    modem = Interpreter(LOW_SPEED, Profile(nvram={"profiles": [{"commands": {"E": 0}}]}))
    assert not modem.settings.echo
    assert modem.settings.s[7] == 60


def test_capabilities_must_agree_with_themselves() -> None:
    with pytest.raises(ConfigError, match="V22"):
        Capabilities(rates=frozenset({300}), modulations={"V22": (1200,)})


def test_nothing_is_reported_unless_the_modem_does() -> None:
    modem = Interpreter(Capabilities(rates=frozenset({300}), modulations={"V21": (300,)}))
    modem.receive(b"ATE0I6\r", 0)
    assert modem.take_output() == b"ATE0I6\r\r\nERROR\r\n"


def test_rate_ladder() -> None:
    assert [USR_56K.rates[n] for n in (4, 16, 17, 18, 24, 32, 38, 39)] == [
        *(4800, 33600, 28000, 29333, 37333, 48000, 56000, 57333)
    ]


def test_reasons_of_errors_are_traced() -> None:
    terminal = Terminal()
    terminal.type("AT&N9")
    assert terminal.reasons() == ["&N9: no modulation offers 16800 bit/s"]


EVENTS = [*Result, Connect(2400), "timer", "answer"]
LINES = st.lists(
    st.one_of(
        st.binary(max_size=80),
        st.text('AaTt/>\r\n\bSZDHEQVXIO&+0123456789=?.;,$"LN@ ', max_size=40).map(str.encode),
        st.text('SZDHEQVXIOLMN&+0123456789=?.;,$"@ ', max_size=30).map(lambda body: f"AT{body}\r".encode()),
    ),
    max_size=20,
).map(b"".join)


def run(pieces: list[bytes]) -> tuple[bytes, list[object], dict[str, object]]:
    """Feed pieces; every action that waits is finished when the first key asks for it."""
    modem = Interpreter(LOW_SPEED)
    output, actions = b"", []
    for piece in pieces:
        modem.receive(piece, 0)
        output += modem.take_output()
        actions += modem.take_actions()
    return output, actions, modem.settings.to_dict()


@settings(max_examples=300, deadline=None)
@given(data=LINES, cuts=st.lists(st.integers(0, 500), max_size=10))
def test_portions_do_not_matter(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert run(pieces) == run([data])


@settings(max_examples=300, deadline=None)
@given(inputs=st.lists(st.one_of(LINES, st.sampled_from(EVENTS)), max_size=30))
def test_nothing_crashes(inputs: list[object]) -> None:
    modem = Interpreter(LOW_SPEED)
    now = 0
    for item in inputs:
        if isinstance(item, bytes):
            modem.receive(item, now)
        elif item == "timer":
            now = modem.deadline() or now
            modem.handle_timer(now)
        elif item == "answer":
            if modem.state is not State.WAITING:
                modem.begin_answer(now)
        elif modem.state is State.WAITING:
            assert isinstance(item, Result | Connect)
            modem.finish(item, now)
        else:
            assert isinstance(item, Result | Connect)
            modem.unsolicited(item, now)
        assert len(modem.take_output()) <= OUTPUT_LIMIT
        modem.take_actions()
        now += 160
    low, high = modem.settings.rate_window
    assert low >= 0
    assert high >= 0


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200).filter(lambda data: not has_prefix(data)))
def test_without_a_prefix_there_is_no_output(data: bytes) -> None:
    modem = Interpreter(LOW_SPEED)
    modem.receive(data, 0)
    assert modem.take_output() == b""
    assert modem.take_actions() == []


def has_prefix(data: bytes) -> bool:
    text = bytes(octet & 0x7F for octet in data).upper()
    return any(mark in text for mark in (b"AT", b"A/", b"A>"))


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=400))
def test_a_line_of_any_length_gets_at_most_its_echo_and_an_answer(text: str) -> None:
    modem = Interpreter(LOW_SPEED)
    modem.receive(b"AT" + text.encode(), 0)
    assert modem.take_output() == b"AT" + text.encode()
    if len(text.replace(" ", "")) > 60:
        modem.receive(b"\r", 0)
        assert modem.take_output() == b"\r\r\nERROR\r\n"
        assert modem.take_actions() == []


@settings(max_examples=100, deadline=None)
@given(values=st.dictionaries(st.sampled_from(sorted(USR_56K.registers)), st.integers(0, 127)))
def test_registers_read_back(values: dict[int, int]) -> None:
    terminal = Terminal()
    values = {n: value for n, value in values.items() if n not in (3, 4, 5)}
    for number, value in values.items():
        assert terminal.type(f"ATS{number}={value}") == "OK"
    for number, value in values.items():
        assert terminal.type(f"ATS{number}?") == f"{value:03} | OK"
    assert (
        Settings.from_dict(terminal.modem.settings.to_dict()).s.stored() == terminal.modem.settings.s.stored()
    )
