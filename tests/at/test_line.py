"""Prefix, echo, editing and length of command lines: octets in, octets out."""

import pytest
from tests.support.at import Terminal

from ansam.at.actions import Dial, HangUp
from ansam.at.results import Result

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"AT\r", b"AT\r" + OK),
        (b"at\r", b"at\r" + OK),
        (b"ATZ\r", b"ATZ\r" + OK),
        (b"ATE0\r", b"ATE0\r" + OK),
        (b"ATV0\r", b"ATV0\r0\r"),
        (b"ATQ1\r", b"ATQ1\r"),
        (b"ATV0Q1\r", b"ATV0Q1\r"),
        (b"ATV0J\r", b"ATV0J\r4\r"),
        (b"ATS7?\r", b"ATS7?\r\r\n060\r\n" + OK),
        (b"ATV0S7?\r", b"ATV0S7?\r060\r\n0\r"),
        (b"AT S7 = 4 5 S7 ?\r", b"AT S7 = 4 5 S7 ?\r\r\n045\r\n" + OK),
        (b"AT\r\n", b"AT\r" + OK),
        (b"ATS3=30\r", b"ATS3=30\r\x1e\nOK\x1e\n"),
        (b"ATS4=32\r", b"ATS4=32\r\r OK\r "),
        (b"ATX9\r", b"ATX9\r" + ERROR),
    ],
)
def test_golden_octets(sent: bytes, expected: bytes) -> None:
    assert Terminal(echo=True).send(sent) == expected


@pytest.mark.parametrize(
    "sent",
    [
        b"st&N4dt05\r",
        b"At\r",
        b"aT\r",
        b"AtZ\r",
        b"aTZ\r",
        b"A T\r",
        b"\r\r\n\n",
        b"hello\r",
        b"+++",
        b"B/",
        b"x A/",
        b"/var/a/x",
        b"AA/",
        b"Ca>",
    ],
)
def test_no_response_at_all(sent: bytes) -> None:
    terminal = Terminal(echo=True)
    assert terminal.send(sent) == b""
    assert terminal.actions() == []


@pytest.mark.parametrize(
    "sent", [b"xxATZ\r", b"AATZ\r", b"AtATZ\r", b"st\rATZ\r", b"\x00\x7fATZ\r", b"aATZ\r"]
)
def test_characters_before_the_prefix_are_skipped(sent: bytes) -> None:
    terminal = Terminal(echo=True)
    assert terminal.send(sent) == b"ATZ\r" + OK
    assert terminal.actions() == [HangUp()]


def test_the_line_of_the_original_session() -> None:
    terminal = Terminal(echo=True)
    assert terminal.send(b"st&N3dt05\r") == b""
    assert terminal.send(b"at&N3dt05\r") == b"at&N3dt05\r"
    assert terminal.actions() == [Dial("05", dialling_samples=2240)]


def test_parity_is_stripped() -> None:
    even = bytes(c | 0x80 if c.bit_count() % 2 else c for c in b"ATS7?\r")
    assert Terminal(echo=True).send(even) == b"ATS7?\r\r\n060\r\n" + OK


def test_backspace_rubs_out_but_not_the_prefix() -> None:
    assert Terminal(echo=True).send(b"ATX\bZ\b\b\b\r") == b"ATX\b \bZ\b \b\r" + OK


def test_backspace_over_a_space() -> None:
    assert Terminal(echo=True).send(b"ATE1 \bX9\r") == b"ATE1 \b \bX9\r" + ERROR


def test_backspace_character_is_s5() -> None:
    terminal = Terminal()
    assert terminal.type("ATS5=127") == "OK"
    assert terminal.type("ATX9\x7f4") == "OK"


def test_del_rubs_out_where_s15_says_so() -> None:
    terminal = Terminal(echo=True)
    assert terminal.send(b"ATX9\x7f\r") == b"ATX9\r" + ERROR
    assert terminal.send(b"ATS15=32\r") == b"ATS15=32\r" + OK
    assert terminal.send(b"ATX9\x7f4\r") == b"ATX9\b \b4\r" + OK


def test_control_characters_in_a_line_are_dropped() -> None:
    assert Terminal(echo=True).send(b"AT\n\x07S7\x00?\r") == b"ATS7?\r\r\n060\r\n" + OK


def test_sixty_characters_fit_and_spaces_do_not_count() -> None:
    terminal = Terminal()
    assert terminal.type("AT" + "E0 " * 30) == "OK"
    assert terminal.type("AT" + "E0 " * 30 + "E") == "ERROR"


def test_far_too_long_a_line_is_an_error_once_and_rubbing_out_repairs_it() -> None:
    terminal = Terminal()
    assert terminal.type("AT" + "E0" * 5000) == "ERROR"
    assert terminal.type("AT" + " " * 255 + "E0") == "ERROR"
    assert terminal.type("AT" + " " * 255 + "E0" + "\b\b") == "OK"
    assert terminal.type("AT" + "E0" * 5000 + "\b" * 9990) == "OK"


def test_repeat_last_line() -> None:
    terminal = Terminal(echo=True)
    assert terminal.send(b"A/") == b"A/" + OK
    terminal.send(b"ATS8?\r")
    assert terminal.send(b"A/") == b"A/\r\n002\r\n" + OK
    assert terminal.send(b"\r\n") == b""
    assert terminal.send(b"a/a/") == (b"a/\r\n002\r\n" + OK) * 2


def test_repeat_keeps_the_last_good_line_over_one_too_long() -> None:
    terminal = Terminal()
    terminal.type("ATS8?")
    terminal.type("AT" + "X" * 70)
    assert terminal.send(b"A/") == b"\r\n002\r\n" + OK


def test_a_cr_after_a_repeated_dial_is_no_key() -> None:
    terminal = Terminal()
    terminal.send(b"ATDT5\r")
    terminal.modem.finish(Result.BUSY, 0)
    terminal.modem.take_output()
    terminal.actions()
    terminal.send(b"A/\r\n")
    assert terminal.actions() == [Dial("5", dialling_samples=1120)]
