"""Extended commands."""

import pytest
from tests.support.at import HIGH_SPEED, LOW_SPEED, Terminal


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("AT+GMI", "ansam | OK"),
        ("AT+GMI?", "ansam | OK"),
        ("AT+GMI=?", "OK"),
        ("AT+GMI=5", "ERROR"),
        ("AT+GMM", "USR 56K compatible | OK"),
        ("AT+GMR", "1.2.3 | OK"),
        ("AT+GSN", "0042 | OK"),
        ("AT+GCAP", "+GCAP: +MS | OK"),
        ("at+gmi;+gmr", "ansam | 1.2.3 | OK"),
        ("ATE0+GMIE0", "ERROR"),
        ("ATE0+GMI;S7?", "ansam | 060 | OK"),
        ("AT+MS?", "+MS: V22B,1,0,0,0,0 | OK"),
        ("AT+MS=?", "+MS: (B103,V21,V22,V22B),(0,1)," + ",".join(["(0,300,1200,2400)"] * 4) + " | OK"),
        ("AT+MS=V22,0;+MS?", "+MS: V22,0,0,0,0,0 | OK"),
        ("AT+MS=v22;+MS?", "+MS: V22,1,0,0,0,0 | OK"),
        ("AT+MS=V22B,1,300,2400,1200,2400;+MS?", "+MS: V22B,1,300,2400,1200,2400 | OK"),
        ("AT+MS=V22B,1,300,2400;+MS=,0;+MS?", "+MS: V22B,0,300,2400,0,0 | OK"),
        ("AT+MS=V34", "ERROR"),
        ("AT+MS=V22B,2", "ERROR"),
        ("AT+MS=V22B,1,9600", "ERROR"),
        ("AT+MS=V22B,1,2400,300", "ERROR"),
        ("AT+MS=V22B,1,0,0,2400,300", "ERROR"),
        ("AT+MS=V22B,x", "ERROR"),
        ("AT+MS=,,,,,,,", "ERROR"),
        ("AT+MS", "ERROR"),
        ("AT+MS?x", "ERROR"),
        ("AT+ER?", "+ER: 0 | OK"),
        ("AT+ER=1;+ER?", "+ER: 1 | OK"),
        ("AT+DR=?", "+DR: (0,1) | OK"),
        ("AT+MR=2", "ERROR"),
        ("AT+MR", "ERROR"),
        ("AT+MR=1,1", "ERROR"),
        ("AT+MR=", "ERROR"),
        ("AT+IPR=57600;+IPR?", "+IPR: 57600 | OK"),
        ("AT+IPR=57601", "ERROR"),
        ("AT+ICF?", "+ICF: 3,3 | OK"),
        ("AT+ICF=?", "+ICF: (0-6),(0-3) | OK"),
        ("AT+ICF=5,1;+ICF?", "+ICF: 5,1 | OK"),
        ("AT+ICF=6;+ICF?", "+ICF: 6,3 | OK"),
        ("AT+ICF=7", "ERROR"),
        ("AT+ICF", "ERROR"),
        ("AT+ICF=1,2,3", "ERROR"),
        ("AT+IFC?", "+IFC: 2,2 | OK"),
        ("AT+IFC=?", "+IFC: (0,1,2),(0,1,2) | OK"),
        ("AT+IFC=0,0;+IFC?", "+IFC: 0,0 | OK"),
        ("AT+IFC=1,1;+IFC?", "+IFC: 1,1 | OK"),
        ("AT+IFC=,1;+IFC?", "+IFC: 2,1 | OK"),
        ("AT+IFC=3", "ERROR"),
        ("AT+IFC", "ERROR"),
        ("AT+VCID=1;#CID?", "1 | OK"),
        ("AT#CID=2;+VCID?", "+VCID: 2 | OK"),
        ("AT#CID=?", "0,1,2 | OK"),
        ("AT#CID=3", "ERROR"),
        ("AT+FCLASS=0;+FCLASS?", "0 | OK"),
        ("AT+FCLASS=1", "ERROR"),
        ("AT+ES=3", "ERROR"),
        ("AT+", "ERROR"),
        ("AT+9", "ERROR"),
        ('AT+MS="V22B', "ERROR"),
        ('AT+MS="V22";+MS?', "+MS: V22,1,0,0,0,0 | OK"),
    ],
)
def test_answers(line: str, answer: str) -> None:
    assert Terminal().type(line) == answer


def test_a_modem_without_a_serial_number_has_none() -> None:
    assert Terminal(HIGH_SPEED).type("AT+GSN") == "ERROR"


@pytest.mark.parametrize(
    ("line", "carriers"),
    [
        ("AT", ("B103", "V21", "V22", "V22B")),
        ("AT+MS=V22B", ("B103", "V21", "V22", "V22B")),
        ("AT+MS=V22,1", ("B103", "V21", "V22")),
        ("AT+MS=V21,1", ("B103", "V21")),
        ("AT+MS=V22,0", ("V22",)),
    ],
)
def test_carriers_allowed(line: str, carriers: tuple[str, ...]) -> None:
    terminal = Terminal()
    assert terminal.type(line) == "OK"
    assert terminal.modem.settings.carriers(LOW_SPEED) == carriers


def test_ifc_is_the_flow_control_of_the_ampersand_commands() -> None:
    terminal = Terminal()
    terminal.type("AT+IFC=0,2")
    settings = terminal.modem.settings
    assert [settings[name] for name in ("&H", "&I", "&R")] == [1, 0, 1]
    terminal.type("AT&H3")
    assert terminal.type("AT+IFC?") == "+IFC: 0,2 | OK"
