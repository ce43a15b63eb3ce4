"""The meddlers by name, as ``ansam sim --meddle NAME[:VALUE][@up|@down]`` calls them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ansam.codec import Law
from ansam.errors import ConfigError
from ansam.line.meddle.base import Meddler
from ansam.line.meddle.bits import RobbedBits
from ansam.line.meddle.codecs import Adpcm, Transcoding, Vocoder, WrongLaw
from ansam.line.meddle.levels import Agc, Band, Clip, Gain
from ansam.line.meddle.silence import DtmfClamp, LostFrames, Vad
from ansam.line.meddle.timing import FrameSlip, Stretch
from ansam.line.meddle.two_way import Canceller, Suppressor

Make = Callable[[float, Law, np.random.Generator], Meddler]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A meddler's maker and its value: meaning, default, range; no meaning: it has none."""

    make: Make
    value: str = ""
    default: float = 0.0
    low: float = 0.0
    high: float = 0.0
    needs_law: bool = False


MEDDLERS: Mapping[str, _Entry] = {
    "transcode": _Entry(lambda v, law, rng: Transcoding(law), needs_law=True),
    "wrong-law": _Entry(lambda v, law, rng: WrongLaw(law), needs_law=True),
    "adpcm": _Entry(lambda v, law, rng: Adpcm()),
    "vocoder": _Entry(lambda v, law, rng: Vocoder()),
    "gain": _Entry(lambda v, law, rng: Gain(v), "dB", -3.0, -40, 40),
    "agc": _Entry(lambda v, law, rng: Agc(v), "target dBm0", -20.0, -40, 0),
    "clip": _Entry(lambda v, law, rng: Clip(v), "peak dBm0", -10.0, -40, 3),
    "highpass": _Entry(lambda v, law, rng: Band(v, 4000.0), "Hz", 200.0, 1, 1000),
    "band": _Entry(lambda v, law, rng: Band(300.0, v), "upper edge, Hz", 3400.0, 1000, 4000),
    "vad": _Entry(lambda v, law, rng: Vad(v, rng), "threshold dBm0", -45.0, -70, 0),
    "dtmf-clamp": _Entry(lambda v, law, rng: DtmfClamp(v), "share of power", 0.5, 0.1, 1),
    "plc": _Entry(lambda v, law, rng: LostFrames(v, True, rng), "fraction of frames", 0.01, 0, 1),
    "lost": _Entry(lambda v, law, rng: LostFrames(v, False, rng), "fraction of frames", 0.01, 0, 1),
    "suppressor": _Entry(lambda v, law, rng: Suppressor(v), "loss in dB", 20.0, 1, 80),
    "canceller": _Entry(lambda v, law, rng: Canceller(v), "dB below the other direction", 12.0, 1, 60),
    "stretch": _Entry(lambda v, law, rng: Stretch(v, rng), "mean seconds between moves", 5.0, 0.1, 3600),
    "slip": _Entry(lambda v, law, rng: FrameSlip(v), "seconds between slips", 5.0, 0.1, 3600),
    "robbed-bit": _Entry(lambda v, law, rng: RobbedBits(law, int(v)), "phase", 0.0, 0, 5, needs_law=True),
}


@dataclass(frozen=True, slots=True)
class Meddling:
    """One meddler that was asked for.

    Attributes:
        name: In `MEDDLERS`.
        value: What it takes.
        up: It stands in the direction from calling to answering.
        down: It stands in the other.
    """

    name: str
    value: float
    up: bool = True
    down: bool = True

    @classmethod
    def parse(cls, text: str) -> "Meddling":
        """Return what ``NAME[:VALUE][@up|@down]`` means.

        Raises:
            ConfigError: There is no such name, direction or value.
        """
        head, _, way = text.partition("@")
        name, colon, number = head.partition(":")
        entry = MEDDLERS.get(name)
        if entry is None:
            raise ConfigError(f"meddle {text}", f"choose one of {', '.join(MEDDLERS)}")
        if way not in ("", "up", "down"):
            raise ConfigError(f"meddle {text}", "the direction is @up or @down")
        if colon and not entry.value:
            raise ConfigError(f"meddle {text}", f"{name} takes no value")
        try:
            value = float(number) if colon else entry.default
        except ValueError:
            raise ConfigError(f"meddle {text}", f"the value is a number ({entry.value})") from None
        if not (math.isfinite(value) and entry.low <= value <= entry.high):
            span = f"{entry.low:g} to {entry.high:g}"
            raise ConfigError(f"meddle {text}", f"choose {span} ({entry.value})")
        return cls(name, value, up=way != "down", down=way != "up")

    def check(self, law: Law) -> None:
        """Refuse a path that it cannot work on.

        Raises:
            ConfigError: It works on octets, and the path has none.
        """
        if MEDDLERS[self.name].needs_law and law is Law.LINEAR:
            raise ConfigError(f"meddle {self.name} with law linear", "choose law alaw or ulaw")

    def make(self, law: Law, rng: np.random.Generator) -> Meddler:
        """Return a fresh meddler.

        Args:
            law: Of the path.
            rng: Its source of chance.

        Raises:
            ConfigError: It works on octets, and the path has none.
        """
        self.check(law)
        return MEDDLERS[self.name].make(self.value, law, rng)
