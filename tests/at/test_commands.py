"""Every command: what it answers, what it sets."""

import pytest
from tests.support.at import HIGH_SPEED, Terminal

from ansam.at.actions import AnswerCall, GoOnline, HangUp, OffHook

NUMBERS = {
    "C": (0, 1),
    "E": (0, 1),
    "F": (0, 1),
    "K": (0, 1),
    "L": (0, 3),
    "M": (0, 3),
    "X": (0, 7),
    "Y": (0, 4),
    "&A": (0, 3),
    "&B": (0, 2),
    "&C": (0, 1),
    "&D": (0, 3),
    "&G": (0, 2),
    "&H": (0, 3),
    "&I": (0, 5),
    "&K": (0, 3),
    "&L": (0, 1),
    "&N": (0, 3),
    "&P": (0, 1),
    "&R": (0, 2),
    "&S": (0, 5),
    "&U": (0, 3),
    "&X": (0, 2),
    "&Y": (0, 3),
}


@pytest.mark.parametrize(("name", "low", "high"), [(name, *ends) for name, ends in NUMBERS.items()])
def test_commands_that_hold_a_number(name: str, low: int, high: int) -> None:
    terminal = Terminal()
    settings = terminal.modem.settings
    for value in range(low, high + 1):
        assert "OK" in terminal.type(f"AT{name}{value}")
        assert settings[name] == value
    assert "OK" in terminal.type(f"AT{name.lower()}")
    assert settings[name] == 0
    assert "ERROR" in terminal.type(f"AT{name}{high + 1}")
    assert "ERROR" in terminal.type(f"AT{name}{10**30}")
    assert settings[name] == 0


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("AT", "OK"),
        ("ATI0", "5607 | OK"),
        ("ATI", "5607 | OK"),
        ("ATI2", "OK | OK"),
        ("ATI3", "USR 56K compatible, ansam V1.2.3 | OK"),
        ("ATI6", "Line 1 | Line 2 | OK"),
        ("ATI12", "ERROR"),
        ("ATI16", "ERROR"),
        ("ATI11", "Levels | OK"),
        ("ATI8", "ERROR"),
        ("ATI9", "(1.0USR9160\\\\Modem\\PNPC107\\USR 56K compatible)FF | OK"),
        ("ATI99", "ERROR"),
        ("ATS0?", "000 | OK"),
        ("ATS2?S3?S4?S5?", "043 | 013 | 010 | 008 | OK"),
        ("ATS6?S7?S8?S9?", "002 | 060 | 002 | 006 | OK"),
        ("ATS10?S11?S12?", "007 | 070 | 050 | OK"),
        ("ATS7=?", "060 | OK"),
        ("ATS7=45S7?", "045 | OK"),
        ("ATS7=S7?", "000 | OK"),
        ("ATS7=256", "ERROR"),
        ("ATS3=128", "ERROR"),
        ("ATS5=128", "OK"),
        ("ATS71?", "ERROR"),
        ("ATS999=1", "ERROR"),
        ("ATS7", "ERROR"),
        ("ATS13.3=1S13?S13.3?S13.2?", "008 | 1 | 0 | OK"),
        ("ATS13=255S13.7=0S13?", "127 | OK"),
        ("ATS13.8=1", "ERROR"),
        ("ATS13.1=2", "ERROR"),
        ("ATS3.7=1", "ERROR"),
        ("ATB0B1B15B16", "OK"),
        ("ATB2", "ERROR"),
        ("AT&M0&M4", "OK"),
        ("AT&M5", "ERROR"),
        ("AT&M1", "ERROR"),
        ("AT&T0&T1&T3&T5&T8", "OK"),
        ("AT&T9", "ERROR"),
        ("AT&N3&U2", "OK"),
        ("AT&N2&U3", "ERROR"),
        ("AT&U3&N2", "ERROR"),
        ("AT&U3&N0", "OK"),
        ("AT&N4", "ERROR"),
        ("AT&N9", "ERROR"),
        ("AT&N40", "ERROR"),
        ("AT&U9", "ERROR"),
        ("ATO2", "ERROR"),
        ("ATA1", "ERROR"),
        ("ATH2", "ERROR"),
        ("ATT1", "ERROR"),
        ("ATZ6", "ERROR"),
        ("AT&F3", "ERROR"),
        ("AT&W2", "ERROR"),
        ("AT&V1", "ERROR"),
        ("ATJ", "ERROR"),
        ("ATW2", "ERROR"),
        ("AT&J0", "ERROR"),
        ("AT\\N8", "ERROR"),
        ("AT%C4", "ERROR"),
        ("AT;", "ERROR"),
        ("AT?", "ERROR"),
        ("AT&", "ERROR"),
        ("AT5", "ERROR"),
        ("ATQ0V1E0", "OK"),
        # Initialisation strings of minicom, mgetty and of users.
        ("AT S7=45 S0=0 L1 V1 X4 &c1 E0 Q0", "OK"),
        ("ATS0=0Q0&D3&C1", "OK"),
        ("AT&F1&C1&D2&K3&M4&B1&H1&R2E0", "OK"),
    ],
)
def test_answers(line: str, answer: str) -> None:
    assert Terminal().type(line) == answer


def test_a_test_that_nothing_carries_out_leaves_the_permission_alone() -> None:
    terminal = Terminal()
    assert terminal.type("AT&T4&T1&T0") == "OK"
    assert terminal.modem.settings["&T"] == 4


def test_a_line_takes_effect_up_to_its_first_mistake() -> None:
    terminal = Terminal()
    assert terminal.type("ATS7=45S8=999S9=9") == "ERROR"
    assert [terminal.modem.settings.s[n] for n in (7, 8, 9)] == [45, 2, 6]
    assert terminal.type("ATS8?JS9?") == "002 | ERROR"


def test_with_more_modulations_and_error_control_more_is_accepted() -> None:
    terminal = Terminal(HIGH_SPEED)
    assert terminal.type("AT&M5&N24&U4&N4") == "OK"
    assert terminal.modem.settings.rate_window == (4800, 4800)
    assert terminal.type("AT&N5") == "ERROR"
    assert terminal.type("AT&N16&U8") == "OK"
    assert terminal.modem.settings.rate_window == (14400, 33600)


@pytest.mark.parametrize(
    ("line", "window"),
    [
        ("AT", (0, 0)),
        ("AT&N2", (1200, 1200)),
        ("AT&N3&U1", (300, 2400)),
        ("AT&U2", (1200, 0)),
        ("AT+MS=V22B,1,1200,2400", (1200, 2400)),
        ("AT+MS=,,,1200", (0, 1200)),
        ("AT+MS=,,,,,1200", (0, 1200)),
        ("AT&N3+MS=,,,1200", (2400, 1200)),
    ],
)
def test_rate_window(line: str, window: tuple[int, int]) -> None:
    terminal = Terminal()
    assert terminal.type(line) == "OK"
    assert terminal.modem.settings.rate_window == window


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("ATA", AnswerCall()),
        ("ATAS7?", AnswerCall()),
        ("ATO", GoOnline()),
        ("ATO0", GoOnline()),
        ("ATO1", GoOnline(retrain=True)),
    ],
)
def test_actions_that_wait(line: str, action: object) -> None:
    terminal = Terminal()
    assert terminal.type(line) == ""
    assert terminal.actions() == [action]


@pytest.mark.parametrize(
    ("line", "actions"),
    [
        ("ATH", [HangUp()]),
        ("ATH0", [HangUp()]),
        ("ATH1", [OffHook()]),
        ("ATZ", [HangUp()]),
        ("ATZ!", [HangUp()]),
    ],
)
def test_actions_that_do_not_wait(line: str, actions: list[object]) -> None:
    terminal = Terminal()
    assert terminal.type(line) == "OK"
    assert terminal.actions() == actions


def test_settings_screen() -> None:
    terminal = Terminal()
    screen = terminal.type("ATH1I4")
    assert screen == terminal.type("AT&V")
    lines = screen.split(" | ")
    assert lines[0] == "USR 56K compatible Settings..."
    assert lines[1] == "   B0  C1  E0  F1  L2  M1  Q0  V1  X4"
    assert lines[2] == "   BAUD=AUTO   PARITY=N  WORDLEN=8  DTE=RS-232"
    assert lines[3] == "   DIAL=TONE   OFF HOOK   TIMER   CID=0"
    assert lines[4].startswith("   &A3  &B1  &C1  &D2  &G0  &H1  &I0  &K1  &L0  &M4")
    assert lines[6].startswith("   S00=000  S01=000  S02=043  S03=013")
    assert lines[-2:] == ["   LAST DIALED #:", "OK"]
    terminal.type("ATH0+ICF=5,1;+IPR=9600;PS6=4")
    assert "BAUD=9600   PARITY=E  WORDLEN=7" in terminal.type("ATI4")
    assert "DIAL=PULSE  ON HOOK   TIMER" in terminal.type("ATI4")


def test_identity_screens() -> None:
    terminal = Terminal()
    screen = terminal.type("ATI7").split(" | ")
    assert screen[0] == "USR 56K compatible Configuration Profile..."
    assert "Options                B103,V21,V22,V22B" in screen
    assert "LAPM,V42BIS" in Terminal(HIGH_SPEED).type("ATI7")
    sum_, _ = terminal.type("ATI1").split(" | ")
    assert len(sum_) == 4
    assert sum_ != Terminal(HIGH_SPEED).type("ATI1").split(" | ")[0]


def test_nvram_screen() -> None:
    terminal = Terminal()
    terminal.type("ATS7=33&W1&Z2=T0,05")
    screen = terminal.type("ATI5").split(" | ")
    assert screen[0] == "USR 56K compatible NVRAM Settings..."
    assert screen.index("   Template Y0") < screen.index("   Template Y1")
    assert "                #2: T0,05" in screen
    assert screen[2].startswith("   DIAL=TONE   B0  C1  E1")
    assert sum("S07=033" in line for line in screen) == 1


@pytest.mark.parametrize("topic", ["", "&", "S", "D", "%", "#"])
def test_help_screens(topic: str) -> None:
    answer = Terminal().type(f"AT{topic}$")
    assert answer.startswith("HELP")
    assert answer.endswith("OK")
    assert all(len(line) < 80 for line in answer.split(" | "))


def test_factory_templates() -> None:
    terminal = Terminal()
    flow = []
    for n in range(3):
        assert "OK" in terminal.type(f"AT&F{n}E0S7?")
        flow.append([terminal.modem.settings[name] for name in ("&H", "&I", "&R")])
    assert flow == [[0, 0, 1], [1, 0, 2], [2, 2, 1]]


def test_reset_and_stored_profiles() -> None:
    terminal = Terminal()
    terminal.type("ATS7=31&W")
    terminal.type("ATS7=32X7&W1")
    assert terminal.type("ATS7=99ZS7?") == "031 | OK"
    assert terminal.type("ATZ2S7?X4") == "032 | OK"
    assert terminal.type("ATZ3E0S7?") == "060 | OK"
    assert terminal.type("ATY1ZS7?") == "032 | OK"
    assert terminal.modem.settings["Y"] == 1
    terminal.type("AT&W1")
    again = Terminal(nvram=terminal.stored[-1])
    assert again.modem.settings["Y"] == 1
    assert again.modem.settings["X"] == 7
    assert again.type("ATZ1S7?") == "031 | OK"


def test_reset_keeps_the_ring_count() -> None:
    terminal = Terminal()
    terminal.modem.settings.s[1] = 3
    assert "003" in terminal.type("ATZE0S1?")


def test_dtr_reset_restores_the_profile_silently() -> None:
    terminal = Terminal()
    terminal.type("ATS7=31")
    terminal.send(b"ATX")
    terminal.modem.reset(5)
    assert terminal.modem.settings.s[7] == 60
    assert terminal.modem.take_output() == b""
    assert terminal.actions() == []
    assert terminal.send(b"7\r") == b""
