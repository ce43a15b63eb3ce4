"""Changing values of a block leaves the rest of the file as it was."""

from pathlib import Path

import pytest

from ansam.config import load
from ansam.config.edit_values import change_block
from ansam.errors import ConfigError

TEXT = """# mine
[exchange]

[[extension]] # the first
number = "05"
# its secret
secret = "x"

# about 07
[[extension]]
number = "07"
secret = "y"
name = '''
one'''
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ansam.toml"
    path.write_text(TEXT)
    return path


def test_values_change_in_their_place_and_new_ones_stand_behind(file: Path) -> None:
    change_block(file, "extension", "number", "05", {"secret": 'a"b', "ring_seconds": 7.5, "call_limit": 2})
    assert load(file).extensions[0].ring_seconds == 7.5
    assert file.read_text().split("\n\n")[1] == (
        '[[extension]] # the first\nnumber = "05"\n# its secret\nsecret = "a\\"b"\n'
        "ring_seconds = 7.5\ncall_limit = 2"
    )


def test_what_is_written_over_several_lines_is_left_to_people(file: Path) -> None:
    with pytest.raises(ConfigError, match="by hand"):
        change_block(file, "extension", "number", "07", {"name": "n"})
    change_block(file, "extension", "number", "07", {"secret": "z"})
    assert load(file).extensions[1].secret == "z"


def test_faults_change_nothing(file: Path) -> None:
    before = file.read_text()
    with pytest.raises(ConfigError, match="call_limit"):
        change_block(file, "extension", "number", "05", {"call_limit": 0})
    with pytest.raises(ConfigError, match="08 is not there"):
        change_block(file, "extension", "number", "08", {"secret": "z"})
    with pytest.raises(ConfigError, match="nobody"):
        change_block(file, "extension", "number", "05", {"forward_busy": "nobody"})
    assert file.read_text() == before
