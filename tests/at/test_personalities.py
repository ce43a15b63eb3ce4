"""Personality files: what there is, and how a wrong file is reported."""

from pathlib import Path

import pytest

from ansam.at.personalities import DEFAULT, HERE, load, names
from ansam.at.personality import SEMANTIC, Action
from ansam.at.settings import Settings
from ansam.errors import ConfigError

LADDER = {24: {"usr-56k": 37333, "usr-x2": 48000}, 17: {"usr-56k": 28000, "usr-x2": 33333}}


def test_what_there_is() -> None:
    assert names()[0] == DEFAULT == "usr-56k"
    assert set(names()) == {"usr-56k", "usr-x2", "courier-v34", "hayes-2400", "rockwell", "wifi"}
    for name in names():
        assert load(name).name == name
        assert load(name) is load(name)
        assert load(name).description


@pytest.mark.parametrize("name", names())
def test_every_make_has_what_the_modem_asks_for(name: str) -> None:
    personality = load(name)
    for template in range(len(personality.templates)):
        settings = Settings(personality, template)
        assert all(settings[key] in parameter.allowed for key, parameter in SEMANTIC.items())
        again = Settings.from_dict(settings.to_dict(), personality)
        assert again.to_dict() == settings.to_dict()
    present = {row.action for row in personality.commands.values()}
    assert {Action.ANSWER, Action.HOOK, Action.RESET, Action.FACTORY, Action.WRITE} <= present


@pytest.mark.parametrize("index", LADDER)
def test_the_same_index_is_another_rate_on_other_firmware(index: int) -> None:
    for name, rate in LADDER[index].items():
        assert load(name).rates[index] == rate


def test_v90_ladder() -> None:
    """TechMemo 01-0011B p. 20: from 28000 in steps of 8000/6, printed without the fraction."""
    assert load("usr-56k").rates[17:] == tuple(28000 + k * 4000 // 3 for k in range(23))


def test_x2_ladder() -> None:
    """Courier 403's table: i = 1 is 33333, 2 is 37333, 3 to 15 (i + 28) * 8000 / 6; &N is 16 + i."""
    assert load("usr-x2").rates[17:] == (33333, 37333, *((i + 28) * 8000 // 6 for i in range(3, 16)))


def test_rockwell_commands_mean_what_they_mean_there() -> None:
    settings = Settings(load("rockwell"))
    assert [settings[key] for key in ("&H", "&I", "&R", "&M", "&K", "flow")] == [1, 0, 2, 4, 1, 3]
    assert settings.s[27] == 73
    assert settings.s.usr(27) == 0


def test_the_slowest_make_has_no_fast_line() -> None:
    assert Settings(load("hayes-2400")).rate_window == (300, 2400)
    assert Settings(load("courier-v34")).rate_window == (0, 33600)
    assert Settings(load("hayes-2400")).link.wanted(calling=True) is False


BASE = (HERE / "hayes-2400.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "x =", "Invalid"),
        ('name = "hayes-2400"', "", "name is missing"),
        ('name = "hayes-2400"', "name = 5", "name = 5 must be text"),
        ('name = "hayes-2400"', 'name = "x"\nspeed = 5', "'speed' is not a key"),
        ("line_limit = 40", "line_limit = 0", "line_limit = 0 is out of range"),
        ("line_limit = 40", "line_limit = true", "line_limit = True must be a number"),
        ("profiles = 1", "profiles = 3", "profiles or stored_numbers"),
        ('resets = ["W0"]', 'resets = ["Q9"]', "'Q9' is not known"),
        ('resets = ["W0"]', 'resets = ["W0"]\nshipping_template = 4', "no template 4"),
        ("rates = [0, 300, 1200, 2400]", 'rates = ["x"]', "rates must be a list of numbers"),
        ('values = "0-3", default = 2, meaning = "Speaker v', 'values = "3-0", meaning = "', "no range"),
        (
            'values = "0-3", default = 2, meaning = "Speaker v',
            'values = "0-3", default = 9, meaning = "',
            "9 is not",
        ),
        ("[commands]", '[commands]\nlower = { values = "0", meaning = "" }', "no name of a command"),
        (
            "[commands]",
            '[commands]\nJ = { values = "0", meaning = "", action = "fly" }',
            "'fly' is not known",
        ),
        ("[commands]", '[commands]\nJ = { values = "0", meaning = "", loud = true }', "'loud' is not a key"),
        ("[commands]", '[commands]\nJ = { values = "0-1", kept = "0-2", meaning = "" }', "kept must hold"),
        ("[commands]", "[commands]\nJ = 5", "commands.J: must be a table"),
        ("[commands]", '[commands]\nJ = { values = "0-99", meaning = "", key = "L" }', "more values than L"),
        ("[commands]", '[commands]\nJ = { values = "0", meaning = "", sets = { 4 = {} } }', "4 is not one"),
        (
            "[commands]",
            '[commands]\nJ = { values = "0", meaning = "", sets = { 0 = { Z = 1 } } }',
            "no setting",
        ),
        ('"&M" = 0\n', '"&M" = 9\n', "&M = 9 is out of range"),
        ("[registers]", "[registers]\n999 = {}", "a register has a number"),
        ("[registers]", "[registers]\n60 = { default = 300 }", "do not fit"),
        ("12 = { default", "92 = { default", "S12 is missing"),
        ('6 = "link"', '6 = "fireworks"', "information.6"),
        ('style = "plain"', 'style = "loud"', "'loud' is not known"),
        ("300 = 1,", "fast = 1,", "rates: 'fast'"),
        ('"," = "Pause', '",," = "Pause', "dial: ',,'"),
        ('name = "hayes-2400"', 'name = "x"\nextends = "nothing"', "there is no such personality"),
    ],
)
def test_a_wrong_file_is_named_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "wrong.toml"
    assert old in BASE
    file.write_text(BASE.replace(old, new, 1) if old else new)
    with pytest.raises(ConfigError, match=message) as caught:
        load(str(file))
    assert "wrong.toml" in str(caught.value)


def test_one_that_is_not_known_is_told_what_there_is() -> None:
    with pytest.raises(ConfigError, match="usr-56k, courier-v34"):
        load("sportster")


def test_a_file_can_take_away(tmp_path: Path) -> None:
    file = tmp_path / "less.toml"
    file.write_text('extends = "usr-56k"\nname = "less"\n[commands]\n"&P" = false\n[registers]\n70 = false\n')
    less = load(str(file))
    assert "&P" not in less.commands
    assert 70 not in less.registers
    assert 69 in less.registers
