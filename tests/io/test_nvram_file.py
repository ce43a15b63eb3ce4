"""The file of the modem's memory: what outlives the process, and what a damaged file does."""

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.support.golden import MODEM

from ansam.at.interpreter import Interpreter
from ansam.errors import ConfigError
from ansam.io.nvram_file import default_path, open_profile


def typed(file: Path | str, *lines: str, personality: str = "") -> str:
    """Start a modem with this memory, type lines, return the last answer."""
    modem = Interpreter(MODEM, open_profile(personality, str(file), "ttyUSB0"))
    answer = b""
    for line in ("ATE0", *lines):
        modem.receive(line.encode() + b"\r", 0)
        answer = modem.take_output()
    return " | ".join(line for line in answer.decode().split("\r\n") if line)


def test_what_is_stored_outlives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "down" / "modem.json"
    typed(file, "ATS7=33X7&W", "ATS7=44Y1&W1", "AT&Z9=T05", "AT%P0=WOMBAT")
    assert typed(file, "ATS7?") == "044 | OK"
    assert typed(file, "ATZ1S7?X?E0", "AT&Z9?") == "T05 | OK"
    assert typed(file, "AT%P0?") == "WOMBAT | OK"
    assert typed(file, "ATY16") == "# of NOVRAM writes = 0004 | OK"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["modem.json"]


def test_makes_do_not_share_their_memory(tmp_path: Path) -> None:
    file = tmp_path / "modem.json"
    typed(file, "ATS7=33&W")
    typed(file, "ATS7=44&W", personality="rockwell")
    assert typed(file, "ATS7?") == "033 | OK"
    assert typed(file, "ATS7?", personality="rockwell") == "044 | OK"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"{}", "version"),
        (b'{"version": 1}', "no table"),
        (b"\xff\xfe\x00", "decode"),
        (b"[" * 100_000, "recursion"),
        (b'{"version": 1, "modems": {"usr-56k": {"profiles": 5}}}', "not iterable"),
        (b'{"version": 1, "modems": {"usr-56k": []}}', "attribute"),
        (b'{"version": 1, "modems": {"usr-56k": {"profiles": [{"commands": {"X": 99}}]}}}', "out of range"),
        (b" " * (1 << 21), "too large"),
    ],
)
def test_a_damaged_file_is_put_aside(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "modem.json"
    file.write_bytes(content)
    with capture_logs() as logs:
        assert typed(file, "ATS7?") == "060 | OK"
    (entry,) = logs
    assert entry["log_level"] == "warning"
    assert reason in entry["reason"]
    assert (tmp_path / "modem.json.broken").read_bytes() == content
    file.write_bytes(content)
    typed(file, "AT&W")
    assert (tmp_path / "modem.json.broken2").read_bytes() == content
    assert json.loads(file.read_text())["version"] == 1


def test_a_place_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with capture_logs() as logs:
        assert typed(tmp_path / "file" / "modem.json", "AT&W", "ATS7=33&W", "ATS7?") == "033 | OK"
    assert len([entry for entry in logs if entry["log_level"] == "warning"]) == 1


def test_nothing_is_kept_where_none_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    typed("none", "AT&W")
    assert list(tmp_path.iterdir()) == []


def test_the_usual_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    typed("", "AT&W")
    assert (tmp_path / "ansam/nvram/ttyUSB0.json").exists()
    home = {"HOME": "/home/me"}
    assert default_path("a/../b c", home) == Path("/home/me/.local/state/ansam/nvram/a-..-b-c.json")
    assert default_path("..", home | {"XDG_STATE_HOME": "here"}).parts[-1] == "modem.json"


def test_a_personality_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "wifi"\nname = "mine"\nproduct_code = "ours"\n')
    assert typed("none", "ATI", personality=str(file)) == "ours | OK"
    with pytest.raises(ConfigError, match="No such file"):
        open_profile(str(tmp_path / "other.toml"), "none")
