"""What a page saved of a call: the sound, and what the modem told of it; a file may hold anything."""

import io
import json
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.cli.main import main
from ansam.errors import ConfigError
from ansam.io.control.bundle import Heard, of_last_call, pack
from ansam.listen import listen, read
from ansam.listen.bundle import Told, unpack

EVENT = {"type": "event", "t": 1.25, "kind": "phase", "name": "ODP", "text": "Has it V.42?", "side": "near"}
EVENT["clause"] = "V.42 (03/2002) §7.2.1.2"
NOISE = np.random.default_rng(1).normal(0, 0.01, (2, 16000)).astype(np.float32)


def bundled(events: bytes, sound: bytes = b"RIFF") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("call.wav", sound)
        bundle.writestr("events.json", events)
    return file.getvalue()


def listened(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what `ansam listen` says."""
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit) as end:
        main(["listen", str(path)])
    assert not end.value.code
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("call", "length", "began"),
    [(4000, 16000, -0.5), (20000, 4000, 0.0), (8000, 16000, 0.0), (24000, 16000, None), (30000, 16000, None)],
)
def test_the_sound_is_of_the_last_call(call: int, length: int, began: float | None) -> None:
    sound, found = of_last_call(Heard(NOISE, 24000, call))
    assert (sound.shape[1], found) == (length, began)
    assert np.array_equal(sound, NOISE[:, -length:])


def test_what_is_saved_is_read_again_at_its_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "call.zip"
    path.write_bytes(pack(Heard(NOISE, 24000, 4000), [EVENT, EVENT | {"kind": "lapm"}], {"state": "idle"}))
    sound = read(path)
    assert np.allclose(sound.channels, NOISE, atol=1e-4)
    assert sound.told == (Told(0.75, "phase", "ODP", "Has it V.42?", "near", "V.42 (03/2002) §7.2.1.2"),)
    report = listen(sound, ears=(), followers=())
    assert report.as_dict()["told"] == [
        {"at": 0.75, **{key: EVENT[key] for key in EVENT if key not in ("type", "t")}}
    ]
    shown = listened(path, monkeypatch, capsys)
    assert "0.750" in shown
    assert "ODP" in shown
    assert "Has it V.42?" in shown


def test_sound_of_an_earlier_call_says_so(tmp_path: Path) -> None:
    path = tmp_path / "call.zip"
    path.write_bytes(pack(Heard(NOISE, 24000, 30000), [EVENT], {}))
    sound = read(path)
    assert sound.told == ()
    assert sound.remarks == ("the modem's last call had no sound: what was heard is of an earlier one",)


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(EVENT),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("began", "events", "t", "kind", "name")), inner, max_size=4)
    ),
)


@given(anything.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_any_events_are_read_or_left_out_with_a_remark(events: bytes) -> None:
    sound, told, remarks = unpack(bundled(events), "x")
    assert sound == b"RIFF"
    assert not told or not remarks
    assert all(np.isfinite(one.at) and one.name.isprintable() for one in told)


def test_too_much_of_it_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"events.json in it is too long"):
        unpack(bundled(bytes((1 << 20) + 1)), "x")


def test_markup_of_a_stranger_is_shown_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(bytes(1600))
    path = tmp_path / "call.zip"
    told = json.dumps({"began": 0, "events": [EVENT | {"text": "[red]x[/blue]\x1b[2J"}]}).encode()
    path.write_bytes(bundled(told, file.getvalue()))
    shown = listened(path, monkeypatch, capsys)
    assert "[red]x[/blue]?[2J" in shown
