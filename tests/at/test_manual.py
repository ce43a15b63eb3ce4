"""docs/howto/at-commands.md keeps up with the tables of the code."""

from pathlib import Path

import pytest

from ansam.at.personality import USR_56K

MANUAL = (Path(__file__).parents[2] / "docs/howto/at-commands.md").read_text()


@pytest.mark.parametrize("name", sorted(USR_56K.parameters))
def test_every_command_stands_in_the_manual_with_its_default(name: str) -> None:
    row = next(line for line in MANUAL.splitlines() if line.startswith(f"| `{name}`"))
    values, default = (cell.strip() for cell in row.split("|")[2:4])
    parameter = USR_56K.parameters[name]
    assert default == str(parameter.default)
    assert values.endswith(str(max(parameter.allowed)))


@pytest.mark.parametrize("number", range(13))
def test_every_register_with_an_effect_stands_in_the_manual(number: int) -> None:
    row = next(line for line in MANUAL.splitlines() if line.startswith(f"| S{number} |"))
    assert row.split("|")[2].strip() == str(USR_56K.registers[number].default)


def test_the_rate_table() -> None:
    section = MANUAL.split("## Line rate")[1].split("This is the table")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if "|" in line]
    shown = {row[column]: row[column + 1] for row in rows[2:] for column in range(0, 8, 2)}
    assert shown == {str(n): str(rate) if rate else "any" for n, rate in enumerate(USR_56K.rates)}
