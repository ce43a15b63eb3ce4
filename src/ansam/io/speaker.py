"""Where the speaker's sound goes: a WAV file, or a sound device (extra ``[audio]``).

Samples come from the thread that paces the call, which may not wait for a disk: they are queued there and
written by `flush` on the event loop.
"""

import sys
import wave
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ansam.dce.speaker import Speaker
from ansam.errors import ConfigError, ResourceError
from ansam.units import SAMPLE_RATE, Audio

GAINS = (0.125, 0.25, 0.5, 1.0)
"""L0 to L3."""

DEVICE = "device"
"""Instead of a file name: the sound device."""

BUFFER = 2 * SAMPLE_RATE * 2
"""Octets held for the sound device: two seconds; what goes beyond is dropped."""


FLUSHED = 50
"""Stretches (frames of 20 ms) that are written at a time."""


class Sink(Protocol):
    """Takes what is on the line."""

    def hear(self, rx: Audio, tx: Audio, speaker: Speaker) -> None:
        """Take a stretch of the call; called from the pacing thread, never waits.

        Args:
            rx: Received, shape (n,) float32 at full scale ±1.
            tx: Sent, the same shape.
            speaker: Whether it can be heard.
        """

    def flush(self) -> None:
        """Write what has come; called from the event loop."""

    def close(self) -> None:
        """Write the rest and let go of the file or the device."""


def int16(audio: Audio) -> NDArray[np.int16]:
    """Return audio as 16 bit samples, little endian, in its own shape; what is beyond full scale is cut."""
    return (np.clip(audio, -1.0, 1.0) * 32767).astype("<i2")


def mixed(rx: Audio, tx: Audio, volume: int) -> bytes:
    """Return both directions at the speaker's volume as 16 bit samples."""
    return int16((rx + tx) * np.float32(GAINS[volume])).tobytes()


class WavFile:
    """What the speaker plays (mono), or the whole call (stereo: received left, sent right).

    While the speaker is off nothing is written; silence of the same length stands in for it as soon as the
    speaker is on again, so that times in the file are those of the line.

    Args:
        path: The file, which is written anew.
        whole: Record the whole call, whether the speaker is on or not.

    Raises:
        ConfigError: The file can not be written.
    """

    def __init__(self, path: Path, *, whole: bool = False) -> None:
        self._whole = whole
        self._width = 4 if whole else 2
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}", "name a file that can be written") from error
        self._wav = wave.Wave_write(self._file)
        self._wav.setnchannels(2 if whole else 1)
        self._wav.setsampwidth(2)
        self._wav.setframerate(SAMPLE_RATE)
        self._queue: list[bytes] = []
        self._silence = 0
        self._begun = False

    def hear(self, rx: Audio, tx: Audio, speaker: Speaker) -> None:
        """See `Sink.hear`."""
        if self._whole:
            self._queue.append(int16(np.stack((rx, tx), axis=1)).tobytes())
        elif speaker.on:
            if self._begun and self._silence:
                self._queue.append(bytes(self._silence * self._width))
            self._begun, self._silence = True, 0
            self._queue.append(mixed(rx, tx, speaker.volume))
        else:
            self._silence += len(rx)

    def flush(self) -> None:
        """See `Sink.flush`."""
        if len(self._queue) >= FLUSHED:
            self._write()

    def _write(self) -> None:
        queue, self._queue = self._queue, []
        # Rewrites the length in the header too: the file is whole after each time.
        self._wav.writeframes(b"".join(queue))
        self._file.flush()

    def close(self) -> None:
        """See `Sink.close`."""
        self._write()
        self._wav.close()
        self._file.close()


class SoundDevice:
    """The default sound device, by the package ``sounddevice``.

    Raises:
        ConfigError: The package is not installed.
        ResourceError: There is no device.
    """

    def __init__(self) -> None:
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise ConfigError(
                f"speaker: the sound device can not be used ({error})",
                "install ansam[audio] and PortAudio, or name a WAV file",
            ) from error
        self._lock = Lock()
        self._buffer = bytearray()
        try:
            self._stream: Any = sounddevice.RawOutputStream(
                samplerate=SAMPLE_RATE, channels=1, dtype="int16", callback=self._play
            )
            self._stream.start()
        except Exception as error:
            raise ResourceError(f"speaker: no sound device ({error})", "name a WAV file") from error

    def _play(self, out: Any, frames: int, _time: object, _status: object) -> None:
        """Fill PortAudio's buffer; where there is nothing it gets silence."""
        with self._lock:
            data = bytes(self._buffer[: frames * 2])
            del self._buffer[: frames * 2]
        out[:] = data.ljust(frames * 2, b"\0")

    def hear(self, rx: Audio, tx: Audio, speaker: Speaker) -> None:
        """See `Sink.hear`."""
        if not speaker.on:
            return
        data = mixed(rx, tx, speaker.volume)
        if sys.byteorder == "big":
            data = np.frombuffer(data, "<i2").astype("i2").tobytes()
        with self._lock:
            self._buffer += data[: max(0, BUFFER - len(self._buffer))]

    def flush(self) -> None:
        """See `Sink.flush`."""

    def close(self) -> None:
        """See `Sink.close`."""
        self._stream.stop()
        self._stream.close()


def open_sinks(speaker: str, record: str) -> list[Sink]:
    """Return the sinks that options name: a WAV file or ``device`` for the speaker, a file for a record."""
    sinks: list[Callable[[], Sink]] = []
    if speaker:
        sinks.append(SoundDevice if speaker == DEVICE else lambda: WavFile(Path(speaker)))
    if record:
        sinks.append(lambda: WavFile(Path(record), whole=True))
    return [make() for make in sinks]
