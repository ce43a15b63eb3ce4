"""What a call leaves behind on request: sound of both ends, constellations, trace, result.

``caller.wav`` and ``answerer.wav`` are stereo at 8000 Hz, each in its own end's clock: left what the modem
sent, right what it heard. ``caller.png`` and ``answerer.png`` show the points that each end received last
while data flowed (none where the modulation has no such thing). ``trace.jsonl`` has one event per line,
``result.json`` the object of `--json`. Everything but pictures and result is written as it happens, so that a
long call needs no memory.
"""

import json
import wave
from dataclasses import asdict, is_dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ansam.errors import ResourceError
from ansam.line import End
from ansam.modulation.base import SignalReport
from ansam.scope.picture import constellation_png
from ansam.sim.result import SimResult
from ansam.trace import Sink
from ansam.units import SAMPLE_RATE, Audio

NAMES = {End.CALLING: "caller", End.ANSWERING: "answerer"}


def _plain(value: object) -> object:
    """Turn what a trace event carries into what JSON can."""
    if isinstance(value, Enum):
        return value.name
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__, **asdict(value)}
    if isinstance(value, np.ndarray):
        return [_plain(v) for v in value.tolist()]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, complex):
        return [value.real, value.imag]
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


class Recording:
    """The files of one call in a directory, which is made if it is not there.

    Raises:
        ResourceError: The directory or a file cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: list[Any] = []
        self._sound: dict[End, wave.Wave_write] = {}
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._trace = (directory / "trace.jsonl").open("w", encoding="utf-8")
            self._files.append(self._trace)
            for end, name in NAMES.items():
                sound = wave.open(str(directory / f"{name}.wav"), "wb")  # noqa: SIM115
                self._files.append(sound)
                sound.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
                self._sound[end] = sound
        except OSError as error:
            self.close()
            raise ResourceError(
                f"recording in {str(directory)!r}: {error.strerror}", "choose a directory that can be written"
            ) from error

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the files."""
        while self._files:
            self._files.pop().close()

    def audio(self, end: End, sent: Audio, heard: Audio) -> None:
        """Append a stretch of an end's sound; both of shape (n,)."""
        both = np.stack([sent, heard], axis=1)
        self._sound[end].writeframes(np.clip(np.rint(both * 32768), -32768, 32767).astype("<i2").tobytes())

    def sink(self, end: End) -> Sink:
        """Return the trace sink of an end's modem."""

        def take(now: float, source: str, name: str, **values: object) -> None:
            event = {
                "t": now / SAMPLE_RATE,
                "end": end.value,
                "source": source,
                "name": name,
                "values": values,
            }
            self._trace.write(json.dumps(event, default=_plain) + "\n")

        return take

    def constellation(self, end: End, report: SignalReport | None) -> None:
        """Draw what an end received last, where it can tell."""
        if report is not None and report.constellation:
            constellation_png(report.constellation, self._directory / f"{NAMES[end]}.png")

    def result(self, result: SimResult) -> None:
        """Write the outcome."""
        text = json.dumps(result.as_dict(), indent=2)
        (self._directory / "result.json").write_text(text + "\n", encoding="utf-8")
