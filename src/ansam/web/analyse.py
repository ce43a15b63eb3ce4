"""A worker that hears one recording: ``python -m ansam.web.analyse DIRECTORY``.

It reads ``source`` there and writes ``report.json``, ``spectrogram.png`` and ``audio.wav``; the signal
processing never runs in the server's own process. What is wrong with the recording is the one line on
standard error.
"""

import json
import os
import sys
import wave
from pathlib import Path

import numpy as np

from ansam.errors import AnsamError
from ansam.listen import Sound, listen, read
from ansam.scope.spectrogram import spectra_png
from ansam.units import SAMPLE_RATE
from ansam.web.upload import AUDIO, PICTURE, REPORT, SOURCE

NICENESS = 10


def analyse(directory: Path) -> None:
    """Hear the recording in a directory.

    Raises:
        AnsamError: It holds no sound.
    """
    sound = read(directory / SOURCE)
    report = listen(sound).as_dict()
    spectra_png(sound.channels, directory / PICTURE)
    _write_audio(sound, directory / AUDIO)
    # Last: whoever finds it finds the others.
    (directory / REPORT).write_text(json.dumps(report, ensure_ascii=False), "utf-8")


def _write_audio(sound: Sound, path: Path) -> None:
    octets = np.clip(np.rint(np.stack(sound.channels, axis=1) * 32767), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(sound.channels))
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(octets.tobytes())


def main() -> None:
    """Run as a program."""
    os.nice(NICENESS)
    try:
        analyse(Path(sys.argv[1]))
    except AnsamError as error:
        print(str(error).replace(repr(str(Path(sys.argv[1]) / SOURCE)), "the file"), file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
