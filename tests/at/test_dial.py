"""Dial strings."""

from dataclasses import replace

import pytest
from tests.support.at import Terminal

from ansam.at.actions import Action, Dial, HangUp
from ansam.at.results import Result

SECOND = 8000


def untimed(actions: list[Action]) -> list[object]:
    return [replace(a, dialling_samples=0) if isinstance(a, Dial) else a for a in actions]


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("ATD05", Dial("05")),
        ("ATDT05", Dial("05")),
        ("atdp05", Dial("05")),
        ("ATDT 0 5", Dial("05")),
        ("ATDT(01) 23-45.6", Dial("0123456")),
        ("ATDT0,05", Dial("005", 2 * SECOND)),
        ("ATDT0W,,05", Dial("005", 4 * SECOND)),
        ("ATDT/05", Dial("05", SECOND // 8)),
        ("ATDT05;", Dial("05", stay_in_command=True)),
        ("ATDT05@", Dial("05", wait_quiet_answer=True)),
        ("ATDT05R", Dial("05", answer_mode=True)),
        ("ATDT!05", Dial("05")),
        ("ATD*98#A+", Dial("*98#A+")),
        ("ATDT05>", Dial("05")),
        ('ATD"05@host"', Dial("05@host")),
        ('ATDT"sip:Bob@Example.org"', Dial("sip:Bob@Example.org")),
        ('ATDT"host:5060"', Dial("host:5060")),
        ('ATDT"a;b@host";', Dial("a;b@host", stay_in_command=True)),
        ('ATDT"127.0.0.1', Dial("127.0.0.1")),
        ('ATDT1800"CALLUSR"', Dial("18002255877")),
        ("ATDT telehack.com:23", Dial("telehack.com:23")),
        ("ATDTTelehack.com", Dial("Telehack.com")),
        ("ATDlocalhost:6400;", Dial("localhost:6400", stay_in_command=True)),
        ("ATDTstar.example.org", Dial("star.example.org")),
        ("ATDT192.168.1.5", Dial("192.168.1.5")),
        ("ATDT[::1]:23", Dial("[::1]:23")),
        ("ATDTssh://joe@host", Dial("ssh://joe@host")),
        ("ATDTsip:Bob@Example.org", Dial("sip:Bob@Example.org")),
        ("ATDT1.800.555.1234", Dial("18005551234")),
        ("ATD", Dial("")),
        ("ATDT", Dial("")),
        ("ATX0DT05", Dial("05", 2 * SECOND)),
        ("ATX3S6=5DT05", Dial("05", 5 * SECOND)),
        ("ATX4S8=3DT0,05", Dial("005", 3 * SECOND)),
        ("ATE0M0&N3DT05", Dial("05")),
    ],
)
def test_dial(line: str, action: Dial) -> None:
    terminal = Terminal()
    assert terminal.type(line) == ""
    assert untimed(terminal.actions()) == [action]


@pytest.mark.parametrize("line", ["ATDL", "ATDS0", "ATDS9", "ATDTxyz", "ATD=", "ATD05^", "ATDTfoo"])
def test_refused(line: str) -> None:
    terminal = Terminal()
    assert terminal.type(line) == "ERROR"
    assert terminal.actions() == []
    assert len(terminal.reasons()) == 1


def dial(terminal: Terminal, line: str) -> list[object]:
    assert terminal.type(line) == ""
    actions = untimed(terminal.actions())
    terminal.modem.finish(Result.NO_CARRIER, terminal.now)
    assert terminal.modem.take_output() == b"\r\nNO CARRIER\r\n"
    return actions


def test_last_number() -> None:
    terminal = Terminal()
    dial(terminal, "ATDT0,05")
    assert dial(terminal, "ATDL") == [Dial("005", 2 * SECOND)]
    assert dial(terminal, "ATDTL7") == [Dial("0057", 2 * SECOND)]
    assert terminal.type("ATDL?") == "TT0,057 | OK"
    assert terminal.type("AT&ZL?") == "TT0,057 | OK"


def test_addresses_are_stored_and_dialled_again() -> None:
    terminal = Terminal()
    terminal.type("AT&Z1=telehack.com:23")
    assert dial(terminal, "ATDS1") == [Dial("telehack.com:23")]
    assert dial(terminal, "ATDL") == [Dial("telehack.com:23")]


def test_last_number_does_not_grow_without_end() -> None:
    terminal = Terminal()
    dial(terminal, "ATD" + "1" * 50)
    dial(terminal, "ATDL" + "2" * 50)
    assert terminal.type("ATDL" + "3" * 50) == "ERROR"


def test_stored_numbers() -> None:
    terminal = Terminal()
    assert terminal.type("AT&Z1=T0,05") == "OK"
    assert terminal.stored[-1]["numbers"] == ["", "T0,05", *[""] * 8]
    assert terminal.type("AT&Z1?") == "T0,05 | OK"
    assert dial(terminal, "ATDS1") == [Dial("005", 2 * SECOND)]
    assert dial(terminal, "ATDTS1;") == [Dial("005", 2 * SECOND, stay_in_command=True)]
    assert terminal.type("AT&Z=L") == "OK"
    assert terminal.type("AT&Z0?") == "TT0,05 | OK"
    again = Terminal(nvram=terminal.stored[-1])
    assert dial(again, "ATDS") == [Dial("005", 2 * SECOND)]


@pytest.mark.parametrize(
    "line", ["AT&Z10=5", "AT&Z0=S0", "AT&Z0=L5", "AT&Z0=foo", "AT&Z10?", "AT&Z0", "AT&ZL=foo"]
)
def test_numbers_that_can_not_be_stored(line: str) -> None:
    terminal = Terminal()
    assert terminal.type(line) == "ERROR"
    assert terminal.stored == []


def test_method_is_remembered() -> None:
    terminal = Terminal()
    dial(terminal, "ATDP5")
    assert terminal.modem.settings.pulse
    assert terminal.type("ATT") == "OK"
    assert not terminal.modem.settings.pulse
    assert terminal.type("ATP") == "OK"
    assert terminal.modem.settings.pulse


def test_semicolon_goes_on_with_the_line_when_the_call_stands() -> None:
    terminal = Terminal()
    assert terminal.type("ATDT5;H0S7?") == ""
    assert untimed(terminal.actions()) == [Dial("5", stay_in_command=True)]
    terminal.modem.finish(Result.OK, 0)
    assert terminal.modem.take_output() == b"\r\n060\r\n\r\nOK\r\n"
    assert terminal.actions() == [HangUp()]


def test_semicolon_ends_the_line_when_the_call_fails() -> None:
    terminal = Terminal()
    terminal.type("ATDT5;H0")
    terminal.actions()
    terminal.modem.finish(Result.BUSY, 0)
    assert terminal.modem.take_output() == b"\r\nBUSY\r\n"
    assert terminal.actions() == []


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("ATDT05", 2 * 2 * 0.070),
        ("ATS11=95DT05", 2 * 2 * 0.095),
        ("ATDT0,05", 3 * 2 * 0.070),
        ("ATDP05", 1.5 + 2 * 0.8),
        ("ATPD05#", 1.5 + 2 * 0.8),
        ('ATD"05@host"', 0),
        ("ATD", 0),
    ],
)
def test_time_the_digits_take(line: str, seconds: float) -> None:
    terminal = Terminal()
    terminal.type(line)
    (action,) = terminal.actions()
    assert isinstance(action, Dial)
    assert action.dialling_samples == round(seconds * SECOND)
