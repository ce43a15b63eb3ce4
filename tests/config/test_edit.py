"""Adding and removing blocks leaves the rest of the file as it was."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.config import load
from ansam.config.edit import add_block, remove_block
from ansam.errors import ConfigError, ResourceError

TEXT = """# mine
[exchange]

[[extension]] # the first
number = "05"
secret = "x"

# about 07
[[extension]]
number = "07"
secret = "y"

[log]
level = "info"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ansam.toml"
    path.write_text(TEXT)
    path.chmod(0o600)
    return path


def test_add_and_remove_give_the_same_text(file: Path) -> None:
    add_block(file, "extension", {"number": "09", "secret": 'a"\\ü', "call_limit": 2})
    config = load(file)
    assert [extension.number for extension in config.extensions] == ["05", "07", "09"]
    assert config.extensions[2].secret == 'a"\\ü'
    assert file.stat().st_mode & 0o777 == 0o600
    remove_block(file, "extension", "number", "09")
    assert file.read_text() == TEXT


def test_remove_the_first(file: Path) -> None:
    remove_block(file, "extension", "number", "05")
    assert [extension.number for extension in load(file).extensions] == ["07"]
    assert "# about 07" in file.read_text()


def test_add_where_there_is_none(file: Path) -> None:
    add_block(file, "user", {"name": "dirk", "entry": ["/bin/date"]})
    assert load(file).users[0].name == "dirk"


def test_what_would_be_wrong_is_not_written(file: Path) -> None:
    with pytest.raises(ConfigError, match="too"):
        add_block(file, "extension", {"number": "05", "secret": "z"})
    with pytest.raises(ConfigError, match="there are 05, 07"):
        remove_block(file, "extension", "number", "5")
    assert file.read_text() == TEXT
    assert [entry.name for entry in file.parent.iterdir()] == ["ansam.toml"]


def test_a_directory_that_cannot_be_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    with pytest.raises(ResourceError, match="Permission denied"):
        add_block(file, "user", {"name": "dirk"})


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    add_block(link, "user", {"name": "dirk"})
    assert link.is_symlink()
    assert load(file).users


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_secret_survives(secret: str) -> None:
    import tomllib

    from ansam.config.edit import block_text

    assert tomllib.loads(block_text("extension", {"secret": secret}))["extension"][0]["secret"] == secret


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owner_and_group_stay(file: Path) -> None:
    os.chown(file, 1234, 5678)
    add_block(file, "user", {"name": "bob"})
    now = file.stat()
    assert (now.st_uid, now.st_gid, now.st_mode & 0o777) == (1234, 5678, 0o600)


def test_an_owner_that_can_not_be_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refused)
    add_block(file, "user", {"name": "bob"})
    text = file.read_text()
    mine = os.stat_result((*file.stat()[:4], file.stat().st_uid + 1, *file.stat()[5:10]))
    monkeypatch.setattr(os, "fstat", lambda _: mine)
    with pytest.raises(ResourceError, match="its owner and group could not be kept"):
        add_block(file, "user", {"name": "eve"})
    assert file.read_text() == text
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\u0085"])
def test_what_ends_no_line_of_toml_is_left_alone(file: Path, sign: str) -> None:
    text = f"# a{sign}b = 1\n" + TEXT.replace('"x"', f'"x{sign}y"')
    file.write_bytes(text.encode())
    add_block(file, "user", {"name": "bob", "entry": [f"/bin/echo{sign}"]})
    assert load(file).users[0].name == "bob"
    assert load(file).extensions[0].secret == f"x{sign}y"
    assert file.read_bytes().startswith(text.encode())
    remove_block(file, "user", "name", "bob")
    assert file.read_bytes() == text.encode()


@pytest.mark.parametrize("end", ["\r\n", ""])
def test_carriage_returns_stay(file: Path, end: str) -> None:
    text = TEXT.replace("\n", "\r\n")
    file.write_bytes((text.removesuffix("\r\n") + end).encode())
    add_block(file, "extension", {"number": "09", "secret": "z"})
    add_block(file, "user", {"name": "bob"})
    data = file.read_bytes()
    assert b'[[extension]]\r\nnumber = "09"\r\nsecret = "z"\r\n\r\n' in data
    assert data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r")
    remove_block(file, "extension", "number", "09")
    remove_block(file, "user", "name", "bob")
    assert file.read_bytes() == text.encode()
