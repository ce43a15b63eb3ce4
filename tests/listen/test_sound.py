"""WAV files of every kind, and what is none."""

import io
import struct
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ansam.codec import Law
from ansam.errors import ConfigError, ResourceError
from ansam.listen.sound import convert, read
from ansam.units import Audio


def tone(rate: int, hz: float = 1000.0, seconds: float = 0.5) -> Audio:
    return np.asarray(0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate), np.float32)


def wav(
    code: int, width: int, body: bytes, rate: int = 8000, channels: int = 1, size: int | None = None
) -> bytes:
    block = channels * width
    head = struct.pack("<HHIIHH", code, channels, rate, rate * block, block, 8 * width)
    chunks = b"fmt " + struct.pack("<I", len(head)) + head
    chunks += b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"data" + struct.pack("<I", len(body) if size is None else size) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def put(path: Path, data: bytes) -> Path:
    file = path / "call.wav"
    file.write_bytes(data)
    return file


X = tone(8000)
BODIES = {
    (1, 1): (np.rint(X * 127) + 128).astype(np.uint8).tobytes(),
    (1, 2): np.rint(X * 32767).astype("<i2").tobytes(),
    (1, 3): b"".join(int(v).to_bytes(3, "little", signed=True) for v in np.rint(X * 8388607)),
    (1, 4): np.rint(X.astype(float) * 2147483647).astype("<i4").tobytes(),
    (3, 4): X.astype("<f4").tobytes(),
    (3, 8): X.astype("<f8").tobytes(),
    (6, 1): Law.ALAW.encode(X).tobytes(),
    (7, 1): Law.ULAW.encode(X).tobytes(),
}


@pytest.mark.parametrize("kind", list(BODIES), ids=lambda kind: f"format {kind[0]}, {8 * kind[1]} bits")
def test_formats(kind: tuple[int, int], tmp_path: Path) -> None:
    sound = read(put(tmp_path, wav(*kind, BODIES[kind])))
    assert sound.rate == 8000
    assert not sound.remarks
    assert sound.channels[0].dtype == np.float32
    assert np.allclose(sound.channels[0], X, atol=0.02)


def test_as_the_standard_library_writes_it(tmp_path: Path) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((2, 2, 8000, 0, "NONE", ""))
        both = np.stack([X, -X], axis=1)
        out.writeframes(np.rint(both * 32767).astype("<i2").tobytes())
    sound = read(put(tmp_path, file.getvalue()))
    assert len(sound.channels) == 2
    assert np.allclose(sound.channels[0], -sound.channels[1], atol=1e-4)
    assert sound.seconds == 0.5


def bundle(name: str, sound: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, sound)
    return file.getvalue()


def test_a_bundle_of_the_page(tmp_path: Path) -> None:
    sound = read(put(tmp_path, bundle("call.wav", wav(1, 2, BODIES[1, 2]))))
    assert np.allclose(sound.channels[0], X, atol=1e-4)


def test_a_bundle_whose_names_are_no_text(tmp_path: Path) -> None:
    data = bundle("call.wav", wav(1, 2, BODIES[1, 2]))
    at = data.rindex(b"PK\x01\x02")  # the directory's entry: bit 11 of its flags says UTF-8
    broken = data[: at + 8] + b"\x00\x08" + data[at + 10 :].replace(b"call", b"\xff\xfe\xff\xfe")
    with pytest.raises(ConfigError, match="no bundle"):
        read(put(tmp_path, broken))


def test_numbers_that_are_no_sound(tmp_path: Path) -> None:
    body = np.array([np.inf, -np.inf, np.nan, 3e30, 0.5], "<f4").tobytes()
    sound = read(put(tmp_path, wav(3, 4, body)))
    assert sound.channels[0].tolist() == [1000, -1000, 0, 1000, 0.5]


@pytest.mark.parametrize("rate", [11025, 16000, 44100, 48000, 6000])
def test_other_sample_rates(rate: int) -> None:
    for hz in (400.0, 2500.0):
        got = convert(tone(rate, hz), rate)
        expected = tone(8000, hz)
        assert abs(len(got) - len(expected)) <= 1
        assert np.allclose(got[400:3500], expected[400:3500], atol=0.01)


def test_what_lies_beyond_4_khz_does_not_fold_back() -> None:
    got = convert(tone(48000, 6000.0), 48000)
    assert np.abs(got[200:-200]).max() < 0.001


def test_a_file_that_breaks_off(tmp_path: Path) -> None:
    body = BODIES[1, 2]
    sound = read(put(tmp_path, wav(1, 2, body)[:-1001]))
    assert "breaks off" in sound.remarks[0]
    assert len(sound.channels[0]) == (len(body) - 1001) // 2


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_file_that_was_never_closed(size: int, tmp_path: Path) -> None:
    sound = read(put(tmp_path, wav(1, 2, BODIES[1, 2], size=size)))
    assert len(sound.channels[0]) == len(X)
    assert not sound.remarks


def test_three_channels(tmp_path: Path) -> None:
    body = np.rint(np.stack([X, X, X], axis=1) * 32767).astype("<i2").tobytes()
    sound = read(put(tmp_path, wav(1, 2, body, channels=3)))
    assert len(sound.channels) == 2
    assert sound.remarks == ("3 channels: only the first two were heard",)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no WAV file"),
        (b"ID3" + bytes(100), "no WAV file"),
        (wav(1, 2, b"")[:30], "breaks off|holds no sound"),
        (wav(1, 2, b""), "holds no sound"),
        (wav(1, 2, b"\0"), "holds no sound"),
        (wav(85, 1, bytes(100)), "format 85"),
        (wav(1, 2, bytes(100), rate=1000), "1000 Hz"),
        (wav(1, 2, bytes(100), channels=0), "0 channels"),
        (bundle("else.wav", b""), "no bundle with a call.wav"),
        (bundle("call.wav", wav(1, 2, BODIES[1, 2]))[:-30], "no bundle with a call.wav"),
        (bundle("call.wav", bytes(1 << 25)), "too long"),
    ],
)
def test_what_is_no_recording(data: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=says):
        read(put(tmp_path, data))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="No such file"):
        read(tmp_path / "none.wav")
    with pytest.raises(ResourceError, match="directory"):
        read(tmp_path)


def test_random_bytes_never_crash(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    good = wav(1, 2, BODIES[1, 2][:400], channels=2)
    for _ in range(300):
        data = bytearray(good)
        for at in rng.integers(0, 60, 3):
            data[at] = int(rng.integers(0, 256))
        try:
            read(put(tmp_path, bytes(data[: int(rng.integers(1, len(data)))])))
        except ConfigError:
            continue
