"""Every make of modem answers byte for byte as its golden transcript says, which leaves nothing out.

``python tests/support/golden.py`` writes the answers of the transcripts anew after a change that is meant to
change them; the difference is then read line by line.
"""

from pathlib import Path

import pytest
from tests.support.golden import Transcript

from ansam.at.grammar import Basic, CommandRefused, DialString, Extended, Help, SRegister, Text, next_command
from ansam.at.personalities import load, names
from ansam.at.personality import Action

HERE = Path(__file__).parent / "golden"


def commands_of(name: str) -> list[object]:
    """Return every command that the transcript of a make types, as parsed."""
    found: list[object] = []
    for line in (HERE / f"{name}.txt").read_text().splitlines():
        text = line[2:].replace(" ", "")
        if not line.startswith("> ") or text[:2] not in ("AT", "at"):
            continue
        position, text = 0, text[2:]
        while position < len(text):
            try:
                command, position = next_command(text, position, load(name))
            except CommandRefused:
                break
            found.append(command)
    return found


@pytest.mark.parametrize("name", names())
def test_transcript(name: str) -> None:
    golden = (HERE / f"{name}.txt").read_text()
    assert Transcript(name).play(golden) == golden


@pytest.mark.parametrize("name", names())
def test_every_value_of_every_command_is_typed(name: str) -> None:
    typed: set[tuple[str, int]] = set()
    for command in commands_of(name):
        if isinstance(command, Basic):
            typed.add((command.name, command.value))
        if isinstance(command, Extended) and command.operation == "=" and command.values[0].isdigit():
            typed.add((command.name, int(command.values[0])))
    for command_name, row in load(name).commands.items():
        values = load(name).information if row.action is Action.INFORMATION else row.allowed
        missing = {value for value in values if (command_name, value) not in typed}
        assert not missing, f"{command_name}: {missing}"
        assert any(value not in values for n, value in typed if n == command_name), (
            f"{command_name}: no ERROR"
        )


@pytest.mark.parametrize("name", names())
def test_every_register_is_asked_for(name: str) -> None:
    typed = commands_of(name)
    asked = {c.register for c in typed if isinstance(c, SRegister) and c.value is None}
    written = {c.register for c in typed if isinstance(c, SRegister) and c.value is not None}
    personality = load(name)
    assert asked >= set(personality.registers)
    assert written >= set(personality.registers) - {3, 4, 5}


@pytest.mark.parametrize("name", names())
def test_every_screen_text_and_mark_is_there(name: str) -> None:
    personality, typed = load(name), commands_of(name)
    assert {c.topic for c in typed if isinstance(c, Help)} >= set(personality.helps)
    assert {c.name for c in typed if isinstance(c, Text)} == set(personality.texts)
    assert {c.name for c in typed if isinstance(c, Extended)} >= set(personality.extended)
    dialled = "".join(c.text.upper() + ";" * c.semicolon for c in typed if isinstance(c, DialString))
    assert set(dialled) >= set(personality.dial)
    diagnostics = {c.value for c in typed if isinstance(c, Basic) and c.name == "Y"}
    assert diagnostics >= set(personality.diagnostics)
