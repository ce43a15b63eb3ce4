"""docs/howto/at-commands.md keeps up with the tables of the code."""

from tests.support import manual
from tests.support.manual import MARKER, tables

from ansam.at.codes import connect_number
from ansam.at.personalities import USR_56K
from ansam.at.results import Connect

COLUMNS = (
    ("", 0, "NONE"),
    ("", 1, "LAPM"),
    ("V32", 3, "NONE"),
    ("V32", 3, "LAPM"),
    ("V34", 3, "NONE"),
    ("V34", 3, "LAPM"),
)
"""Of the table of CONNECT's numbers: modulation, level of &A, protocol."""

MANUAL = manual.MANUAL.read_text()


def test_the_tables_are_those_of_the_code() -> None:
    """``python tests/support/manual.py`` writes them anew."""
    found = {match["name"]: match["table"] for match in MARKER.finditer(MANUAL)}
    assert found == tables()


def test_the_rate_table() -> None:
    section = MANUAL.split("## Line rate")[1].split("This is the table")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if "|" in line]
    shown = {row[column]: row[column + 1] for row in rows[2:] for column in range(0, 8, 2)}
    assert shown == {str(n): str(rate) if rate else "any" for n, rate in enumerate(USR_56K.rates)}


def test_the_numbers_of_connect() -> None:
    section = MANUAL.split("Numbers of `CONNECT`")[1].split("## S-registers")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if "|" in line]
    assert len(rows) == 2 + 14
    for rates, plain, arq, *modulated in rows[2:]:
        rate = int(rates.split(", ")[-1])
        shown = [text.split(", ")[-1] for text in (plain, arq, *modulated)]
        for text, (name, detail, protocol) in zip(shown, COLUMNS, strict=True):
            if text:
                assert connect_number(Connect(rate, name, protocol), 4, detail) == int(text)
