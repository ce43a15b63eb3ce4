"""The command `ansam listen`."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from ansam.cli.main import main
from ansam.tones.v25 import AnswerTone


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["listen", *words])
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """Two seconds of ANSam on the right channel."""
    path = tmp_path / "call.wav"
    tone = np.concatenate([np.zeros(4000, np.float32), AnswerTone(-13, modulated=True).generate(16000)])
    both = np.stack([np.zeros_like(tone), tone], axis=1)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.rint(both * 32767).astype("<i2").tobytes())
    return path


def test_a_table_for_people(capsys: pytest.CaptureFixture[str], call: Path) -> None:
    code, out, _ = run(capsys, str(call))
    assert code == 0
    assert "ANSam" in out
    assert "answering" in out
    assert "4 reversals" in out


def test_json_and_picture(capsys: pytest.CaptureFixture[str], call: Path, tmp_path: Path) -> None:
    picture = tmp_path / "call.png"
    code, out, _ = run(capsys, str(call), "--json", "--png", str(picture))
    assert code == 0
    said = json.loads(out)
    assert said["channels"] == {"calling": 0, "answering": 1}
    assert [entry["what"] for entry in said["entries"]] == ["ANSam"]
    assert said["entries"][0]["start"] == pytest.approx(0.5, abs=0.05)
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_silence_and_a_file_that_breaks_off(capsys: pytest.CaptureFixture[str], call: Path) -> None:
    call.write_bytes(call.read_bytes()[:4000])
    code, out, _ = run(capsys, str(call))
    assert code == 0
    assert "breaks off" in out
    assert "No modem was heard" in out


def test_errors(capsys: pytest.CaptureFixture[str], call: Path, tmp_path: Path) -> None:
    code, _, err = run(capsys, str(tmp_path / "none.wav"))
    assert code == 3
    assert "none.wav" in err
    (tmp_path / "text.wav").write_text("hello")
    code, _, err = run(capsys, str(tmp_path / "text.wav"))
    assert code == 2
    assert "is no WAV file" in err
    code, _, err = run(capsys, str(call), "--png", str(tmp_path / "no" / "where.png"))
    assert code == 3
    assert "where.png" in err
    code, _, _ = run(capsys)
    assert code == 2


def test_a_name_of_a_file_is_no_markup(capsys: pytest.CaptureFixture[str], call: Path) -> None:
    other = call.rename(call.with_name("[bold]call.wav"))
    assert "[bold]call.wav" in "".join(run(capsys, str(other))[1].split("\n"))
