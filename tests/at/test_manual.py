"""docs/howto/at-commands.md keeps up with the tables of the code."""

from pathlib import Path

import pytest

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

MANUAL = (Path(__file__).parents[2] / "docs/howto/at-commands.md").read_text()


@pytest.mark.parametrize("name", sorted(USR_56K.parameters))
def test_every_command_stands_in_the_manual_with_its_default(name: str) -> None:
    row = next(line for line in MANUAL.splitlines() if line.startswith(f"| `{name}`"))
    values, default = (cell.strip() for cell in row.split("|")[2:4])
    parameter = USR_56K.parameters[name]
    assert default == str(parameter.default)
    assert values.endswith(str(max(parameter.allowed)))


@pytest.mark.parametrize("number", [*range(13), 13, 15, 25, 27, 28, 32, 51, 54, 55, 56])
def test_every_register_with_an_effect_stands_in_the_manual(number: int) -> None:
    row = next(line for line in MANUAL.splitlines() if line.startswith(f"| S{number} |"))
    assert row.split("|")[2].strip() == str(USR_56K.registers[number].default)


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
