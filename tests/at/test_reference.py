"""The commands and registers of US Robotics' manuals: carried out or kept, or refused for a reason."""

import pytest
from tests.support.golden import MODEM

from ansam.at.interpreter import Interpreter
from ansam.at.nvram import Profile
from ansam.at.personalities import load

KNOWN = (
    "A B0-1 B15-16 C0-1 D5 E0-1 F0-1 H0-1 I0-7 I10-11 I13-15 K0-1 L0-3 M0-3 O0-1 P0 Q0 V1 X0-7",
    "Y0-4 Y11-12 Y14-17 Z0-5 Z! DL? $ &$ D$ S$ %$ #$ &A0-3 &B0-2 &C0-1 &D0-3 &F0-2 &G0-2 &H0-3 &I0-5 &K0-3",
    "&L0-1 &M0 &M4-5 &N0-16 &P0-1 &R0-2 &S0-5 &T0-8 &U0-16 &W0-1 &X0-2 &Y0-3 &Z0=05 &Z9=05 &Z0? &ZL=05 &ZL?",
    "%A0=PW,Y,N,Y,05 %B0-10 %C0-2 %E1-5 %F0-3 %L=PW %M0 %N0-10 %P0=PW %P1? %R0-1 %S= %T0-1 %V=PW",
    "+MS=V34 +MS? +DS=3,0,2048,32 +ES=3,0,2 S13.0=1 S13.0? S0-70?",
)
"""What every make has; ``E0-1`` is E0 and E1, ``S0-70?`` asks for each of 71."""

LATER = ("&V0", r"\N0-7", "#CID0-2", "-SSE=0", "-SSE=1", "+FCLASS=0")
"""On 56K modems."""

V92 = ("+PMH=0", "+PMH=1", "+PQC=0", "+PQC=3", "+PIG=0", "+PIG=1")

REFUSED = {
    "&M1": "there is no synchronous link",
    "&M6": "there is no V.25bis",
    "&M7": "there is no V.25bis",
    "+FCLASS=1": "there is no fax",
    "&N17": "no modulation has the rate",
    "&N20": "no modulation has the rate",
    "I8": "is not in the manuals",
    "I12": "is not in the manuals",
    "Y13": "is not in the manuals",
}


def spelt_out(words: str) -> list[str]:
    found = []
    for word in words.split():
        name, dash, end = word.partition("-") if not word.startswith("-") else (word, "", "")
        stem = name.rstrip("0123456789")
        if not dash or not end.rstrip("?").isdigit():
            found.append(word)
            continue
        sign = "=" if stem == "#CID" else ""
        tail = "?" if end.endswith("?") else ""
        found += [f"{stem}{sign}{n}{tail}" for n in range(int(name[len(stem) :]), int(end.rstrip("?")) + 1)]
    return found


def refused(make: str, command: str) -> bool:
    modem = Interpreter(MODEM, Profile(load(make)))
    modem.receive(f"ATE0\rAT{command}\r".encode(), 0)
    return b"ERROR" in modem.take_output()


@pytest.mark.parametrize(
    ("make", "more"), [("usr-56k", (*LATER, *V92)), ("usr-x2", LATER), ("courier-v34", ())]
)
def test_what_a_make_has_is_carried_out_or_kept(make: str, more: tuple[str, ...]) -> None:
    assert [command for command in spelt_out(" ".join((*KNOWN, *more))) if refused(make, command)] == []


@pytest.mark.parametrize("make", ["usr-56k", "usr-x2", "courier-v34"])
def test_what_a_program_would_wait_for_in_vain_is_refused(make: str) -> None:
    assert [command for command in REFUSED if not refused(make, command)] == []
