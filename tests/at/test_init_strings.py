"""Initialisation strings of the software of the era, each accepted by the makes it was written for.

The strings are the defaults or the usual settings of the programs named beside them, as their documentation
and the modem lists of the time have them (`Unclear:` most were written down from memory). How a
program writes CR (``^M``, ``|``) and pauses (``~``) is taken off; each of several lines stands by itself.
"""

import pytest
from tests.support.golden import MODEM

from ansam.at.actions import Dial
from ansam.at.interpreter import Interpreter
from ansam.at.nvram import Profile
from ansam.at.personalities import load

USR = ("usr-56k", "usr-x2", "courier-v34")
ROCKWELL = ("rockwell",)
HAYES = ("hayes-2400",)
ALL = (*USR, *ROCKWELL, *HAYES, "wifi")

STRINGS = [
    # Terminal programs.
    (ALL, "Telix 3.x, default", "ATZ"),
    (ALL, "Telix 3.x, default", "AT S7=45 S0=0 V1 X4"),
    (USR, "Telix 3.x, USR Courier and Sportster", "AT&F1S0=0"),
    (ALL, "Procomm Plus 2.x, default", "ATE1V1Q0S0=0"),
    (USR, "Procomm Plus 2.x, USR Sportster", "AT &F X4 &A3 &B1 &H1 &R2 &C1 &D2"),
    (ALL, "Terminate 3-5, default", "ATZ"),
    (USR, "Terminate 3-5, USR Courier", "AT&F1S0=0&A3&B1&H1&R2&K3&M4X7"),
    (ALL, "Qmodem 4.x, default", "ATE1S0=0V1X4Q0"),
    (ALL, "{COMMO}", "ATZ"),
    (ALL, "minicom 2.x, default", "AT S7=45 S0=0 L1 V1 X4 &c1 E1 Q0"),
    (ALL, "C-Kermit 9, type hayes-2400", "ATQ0E1V1&D2&C1"),
    (USR, "C-Kermit 9, type usr", "AT&F1"),
    (USR, "C-Kermit 9, type usr: hardware flow control", "AT&H1&R2&I0"),
    (USR, "C-Kermit 9, type usr: error correction and compression", "AT&M4&B1&K1"),
    (ROCKWELL, "C-Kermit 9, type rockwell", "AT&F&Q5\\N3%C3&K3W2"),
    # Operating systems.
    (USR, "Windows 95, mdmusrsp.inf, init", "AT&FE0V1&A3&B1&D2&S0&C1S0=0"),
    (USR, "Windows 95, as the issue of the modem's own driver writes it", "AT&FE0V1&A3&B1&D2&S0&C1"),
    (USR, "Windows 95, speaker and timer", "ATS7=60S30=0L0M1X4&H1&R2&I0B0"),
    (USR, "Windows 95, error control, compression", "AT&M4&K1S19=0"),
    (USR, "Windows 95, no error control", "AT&M0&K0"),
    (USR, "Windows 95, query", "ATI3"),
    (ALL, "Windows 95, unknown modem", "ATE0Q0V1"),
    (ROCKWELL, "Windows 95, Rockwell 33.6 driver", "AT&F"),
    (ROCKWELL, "Windows 95, Rockwell 33.6 driver", "ATE0V1S0=0&C1&D2+MR=2;+DR=1;+ER=1;W2"),
    (ROCKWELL, "Windows 95, Rockwell 33.6 driver", "ATS7=60S30=0L1M1\\N3%C3&K3B0B15B1X3"),
    (ALL, "wvdial 1.6, Init1", "ATZ"),
    (USR + ROCKWELL, "wvdial 1.6, Init2", "ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0"),
    (USR + ROCKWELL, "wvdial 1.6, found by wvdialconf", "ATQ0 V1 E1 S0=0 &C1 &D2"),
    (ALL, "chat(8) of pppd, usual script", "ATZ"),
    (USR + ROCKWELL, "chat(8) of pppd, usual script", "AT&F&C1&D2"),
    (ALL, "mgetty, init-chat", "ATQ0V1H0"),
    (ALL, "mgetty, data modem", "ATS0=0Q0&D3&C1"),
    (ALL, "uugetty", "ATE1Q0V1X4S0=0"),
    (USR, "Trumpet Winsock 2.0, login.cmd", "AT&F1"),
    (ALL, "Trumpet Winsock 2.0, login.cmd", "ATZ"),
    (ALL, "Slirp and Term scripts", "ATE0V1"),
    # Services.
    (ALL, "America Online 2.5 (DOS/GeoWorks)", "ATV1S11=55Q0E0"),
    (USR, "America Online 3.0, USR Sportster", "AT&F1E0V1Q0X4&D2&C1S7=45S0=0"),
    (ALL, "CompuServe WinCIM 1.4, Hayes", "ATV1Q0X4&C1"),
    (USR, "CompuServe WinCIM 1.4, USR Sportster", "AT&F1V1X4Q0&C1&D2&K0&M0"),
    (ALL, "Prodigy 6, Hayes", "ATE0V1X1&C1S10=100"),
    (USR, "Prodigy 6, USR", "AT&F1X1S10=100&C1"),
    (("usr-56k", "courier-v34"), "Minitel over a US Robotics modem", "ATZ0"),
    (("usr-56k", "courier-v34"), "Minitel over a US Robotics modem", "ATE0L0M0X4"),
    (("usr-56k", "courier-v34"), "Minitel over a US Robotics modem", "AT&N2S27=16"),
    (("usr-56k", "courier-v34"), "Minitel over a US Robotics modem", "ATS13=1"),
    (("usr-56k", "courier-v34"), "Minitel over a US Robotics modem", "AT&W0"),
    # Bulletin boards.
    (USR, "Renegade 1.0", "ATV1S0=0M0E0H0X7&A3&B1&D2&C1&H1&R2"),
    (USR, "RemoteAccess 2.x", "ATS0=0E0Q0V1X7&A3&B1&H1&R2&M4&K3"),
    (ALL, "RemoteAccess 2.x, default", "ATE0Q0V1S0=0"),
    (USR, "Wildcat! 4", "AT&F1E0M0X4S0=0&A3&B1&C1&D2&S0"),
    (USR, "Synchronet 2.x", "AT&F1S0=0E0V1Q0X4&C1&D2&A3&B1&H1&R2"),
    (ALL, "Synchronet 2.x, default", "ATE0V1Q0S0=0X4&C1&D2"),
    (USR, "PCBoard 15", "AT&F1M0H0S0=0E0Q0V1&C1&D2&A3&B1&K3X7"),
    (USR, "FrontDoor 2.2", "ATZ"),
    (USR, "BinkleyTerm 2.6", "ATS0=0M0X4&A3&B1&H1&R2&K3"),
    (("usr-56k", "courier-v34"), "a Courier's owner: V.34 at any rate, no fall-back", "AT&F1&N16&U8S15=2"),
    (USR, "a Courier's owner: no V.8", "AT&F1S54=192"),
    (ROCKWELL, "Supra and other Rockwell modems, BBS lists", "AT&FE0V1Q0X4&C1&D2&K3%C1\\N3W2S95=44"),
    (ROCKWELL, "Zoom 28.8 manual", "AT&F0W2S95=47"),
    (ROCKWELL, "mbse BBS, Dynalink 1428EXTRA", "AT &F &C1 &D2 X4 W2 B0 M0 \\V1 \\G0 &K3 S37=0"),
    (HAYES, "Hayes Smartcom II", "ATE0V1X4&C1&D2"),
    (HAYES, "Hayes manual", "AT&F&C1&D2&W"),
    (("wifi",), "CCGMS and other C64 terminals", "ATE1V1&K0"),
    (("wifi",), "RetroWiFiModem and tcpser users", "AT&F&C1&D2&K3S0=1"),
]

REFUSED_BY_REAL_MODEMS = {"+MR=2;"}
"""Parts of a string that this make's drivers send although it answers ERROR to them."""


@pytest.mark.parametrize(
    ("make", "source", "line"),
    [(make, source, line) for makes, source, line in STRINGS for make in makes],
)
def test_accepted(make: str, source: str, line: str) -> None:
    for part in REFUSED_BY_REAL_MODEMS:
        line = line.replace(part, "")
    modem = Interpreter(MODEM, Profile(load(make)))
    modem.receive(line.encode() + b"\r", 0)
    assert modem.take_output().endswith(b"OK\r\n"), source


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("line", ["ATDT05", "ATDP05", "ATDT0W05", "ATDT 555-1234", "ATM1DT05"])
def test_dial_prefixes(make: str, line: str) -> None:
    modem = Interpreter(MODEM, Profile(load(make)))
    modem.receive(line.encode() + b"\r", 0)
    (action,) = modem.take_actions()
    assert isinstance(action, Dial)
