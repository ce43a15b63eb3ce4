"""The speaker: when it is on, and what a file or a device gets."""

import sys
import types
import wave
from pathlib import Path

import numpy as np
import pytest

from ansam.dce.speaker import Speaker, speaker
from ansam.errors import ConfigError, ResourceError
from ansam.io.speaker import FLUSHED, WavFile, open_sinks

PHASES = {
    "on hook": (False, False, False),
    "dialling": (True, True, False),
    "ringing and training": (True, False, False),
    "data": (True, False, True),
}

WHEN_ON = {
    0: (),
    1: ("dialling", "ringing and training"),
    2: ("dialling", "ringing and training", "data"),
    3: ("ringing and training",),
}
"""M -> phases in which it is on; V.250 and US Robotics' M3."""

RX, TX = np.full(160, 0.25, np.float32), np.full(160, 0.125, np.float32)
ON, OFF = Speaker(True, 3), Speaker(False, 3)


@pytest.mark.parametrize("m", WHEN_ON)
@pytest.mark.parametrize("phase", PHASES)
def test_when_it_is_on(m: int, phase: str) -> None:
    off_hook, dialling, carrier = PHASES[phase]
    state = speaker(m, 2, off_hook=off_hook, dialling=dialling, carrier=carrier)
    assert state == Speaker(phase in WHEN_ON[m], 2)


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


def test_a_file_has_what_is_played_at_its_times(tmp_path: Path) -> None:
    sink = WavFile(tmp_path / "deep" / "speaker.wav")
    for state in (OFF, ON, OFF, OFF, ON, OFF):
        sink.hear(RX, TX, state)
    sink.close()
    heard = samples(tmp_path / "deep" / "speaker.wav")[:, 0]
    loud = int(0.375 * 32767)
    assert [int(heard[n * 160]) for n in range(len(heard) // 160)] == [loud, 0, 0, loud]


@pytest.mark.parametrize(("volume", "gain"), list(enumerate((0.125, 0.25, 0.5, 1.0))))
def test_volume(tmp_path: Path, volume: int, gain: float) -> None:
    sink = WavFile(tmp_path / "a.wav")
    sink.hear(RX, TX, Speaker(True, volume))
    sink.close()
    assert samples(tmp_path / "a.wav")[0, 0] == int(0.375 * gain * 32767)


def test_too_loud_is_cut_not_wrapped(tmp_path: Path) -> None:
    sink = WavFile(tmp_path / "a.wav")
    sink.hear(RX + 0.9, TX + 0.9, ON)
    sink.close()
    assert samples(tmp_path / "a.wav")[0, 0] == 32767


def test_a_record_has_both_directions_whatever_the_speaker_does(tmp_path: Path) -> None:
    (sink,) = open_sinks("", str(tmp_path / "call.wav"))
    sink.hear(RX, TX, OFF)
    sink.close()
    assert samples(tmp_path / "call.wav")[0].tolist() == [8191, 4095]


def test_a_file_is_whole_while_the_call_lasts(tmp_path: Path) -> None:
    sink = WavFile(tmp_path / "a.wav")
    for _ in range(FLUSHED):
        sink.hear(RX, TX, ON)
        sink.flush()
    assert len(samples(tmp_path / "a.wav")) == FLUSHED * 160
    sink.close()


def test_a_place_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"a\.wav"):
        WavFile(tmp_path / "file" / "a.wav")


class Stream:
    """PortAudio's stream."""

    def __init__(self, **options):
        self.options = options
        self.open = False

    def start(self):
        self.open = True

    def stop(self):
        self.open = False

    def close(self):
        assert not self.open


def test_the_sound_device(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    module = types.SimpleNamespace(RawOutputStream=lambda **o: made.append(Stream(**o)) or made[-1])
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    (sink,) = open_sinks("device", "")
    sink.hear(RX, TX, OFF)
    for _ in range(1000):
        sink.hear(RX, TX, ON)
    out = bytearray(640)
    made[0].options["callback"](out, 320, None, None)
    assert np.frombuffer(bytes(out), np.int16)[0] == int(0.375 * 32767)
    for _ in range(200):
        made[0].options["callback"](out, 320, None, None)
    assert bytes(out) == bytes(640)
    sink.flush()
    sink.close()


def test_no_sound_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ConfigError, match=r"speaker.*device"):
        open_sinks("device", "")

    def none(**options):
        raise RuntimeError("Error querying device -1")

    monkeypatch.setitem(sys.modules, "sounddevice", types.SimpleNamespace(RawOutputStream=none))
    with pytest.raises(ResourceError, match="no sound device"):
        open_sinks("device", "")
