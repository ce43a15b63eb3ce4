"""What the doctor says to an echo: parts that are known to the sample, each there to show one thing.

```
 silence │  bursts    │ noise ················ │ tones, rising │ answer tone │ noise │ L1 L2
  1.2 s  │ 3 × 0.52 s │ as long as was asked   │   9 × 0.2 s   │    2.0 s    │  1 s  │ 0.66 s
```

| Part | What it shows |
|---|---|
| silence | noise and comfort noise |
| bursts of 60 ms | whether silence suppression cuts fronts off; the level while we are silent |
| noise | delay, slips, loss, octets bit for bit, gain and whether it moves, SNR, second echoes |
| tones at 1020 Hz, -55 to +3 dBm0 | gates for quiet signals, compressors, clipping |
| answer tone | who reacts to 2100 Hz: echo cancellers switch off (G.168), fax gateways switch codecs |
| noise | whether the path is still what it was |
| L1 and L2 of V.34 (10/96) §10.1.2.4 | frequency response and noise by frequency, as V.34 modems find them |

Noise and not a pseudo-random sequence of bits: its amplitudes are spread as those of a fast modem's signal,
so nearly all octets of G.711 occur.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from ansam.modulation.v34.probing import L1_LENGTH, ProbeSender
from ansam.tones.v25 import AnswerTone
from ansam.units import FRAME, SAMPLE_RATE, Audio, Samples, rms_from_dbm0, samples

LEVEL_DBM0 = -13.0
"""Of noise, L2 and answer tone: what a modem sends (V.2 (11/88) §2)."""

SILENCE_LENGTH: Samples = samples(1.2)
BURSTS = 3
BURST_LENGTH: Samples = 3 * FRAME
"""Over before it comes back from most paths."""
BURST_PERIOD: Samples = 26 * FRAME
"""460 ms of silence: more than the hang-over of voice activity detectors (150 to 300 ms)."""
TONE_LENGTH: Samples = samples(0.2)
L2_LENGTH: Samples = samples(0.5)
ANSWER_TONE_LENGTH: Samples = samples(2.0)
AFTER_LENGTH: Samples = samples(1.0)

TONE_HZ = 1020.0
"""O.6 (10/92) §1: no simple fraction of 8000 Hz, so that many octets occur."""
TONES_DBM0 = (-55.0, -45.0, -35.0, -25.0, -13.0, -9.0, -6.0, 0.0, 3.0)

BAND_HZ = (150.0, 3750.0)
"""Of the noise: that of L1 and L2."""

LOUDEST = 4.0
"""Peaks of the noise over its RMS value are cut there: 1 in 16,000 samples; G.711 would clip 15 dB up."""

KNOCK_LENGTH: Samples = samples(0.128)
_KNOCK_HZ = (400.0, 3200.0)


class Part(Enum):
    """A part of the programme."""

    SILENCE = "silence"
    BURSTS = "bursts of noise"
    NOISE = "noise"
    TONES = "tones"
    ANSWER_TONE = "answer tone"
    AFTER = "noise after it"
    MULTITONE = "L1 and L2"


@dataclass(frozen=True, slots=True)
class Section:
    """Where a part stands in the programme."""

    start: Samples
    length: Samples

    @property
    def end(self) -> Samples:
        """The first sample behind it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """The whole.

    Attributes:
        audio: Shape (n,), whole frames.
        sections: Where what is.
    """

    audio: Audio
    sections: dict[Part, Section]

    @classmethod
    def make(cls, noise: Samples, rng: np.random.Generator) -> "Programme":
        """Return the programme.

        Args:
            noise: Length of the long noise, samples; whole frames are taken.
            rng: Source of the noise.
        """
        noise -= noise % FRAME
        parts = {
            Part.SILENCE: np.zeros(SILENCE_LENGTH, np.float32),
            Part.BURSTS: np.concatenate([_burst(rng) for _ in range(BURSTS)]),
            Part.NOISE: band_noise(noise, rng),
            Part.TONES: np.concatenate([_tone(level) for level in TONES_DBM0]),
            Part.ANSWER_TONE: AnswerTone(LEVEL_DBM0, modulated=True).generate(ANSWER_TONE_LENGTH),
            Part.AFTER: band_noise(AFTER_LENGTH, rng),
            Part.MULTITONE: _multitone(),
        }
        sections, at = {}, 0
        for part, audio in parts.items():
            sections[part] = Section(at, len(audio))
            at += len(audio)
        whole = np.concatenate([*parts.values(), np.zeros(-at % FRAME, np.float32)])
        return cls(whole, sections)


def band_noise(length: Samples, rng: np.random.Generator) -> Audio:
    """Return Gaussian noise of `LEVEL_DBM0` within `BAND_HZ`, shape (length,)."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    hz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    spectrum[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0
    wave = np.fft.irfft(spectrum, length)
    wave = np.clip(wave / np.sqrt(np.mean(wave**2)), -LOUDEST, LOUDEST)
    return np.asarray(wave * rms_from_dbm0(LEVEL_DBM0), np.float32)


def _burst(rng: np.random.Generator) -> Audio:
    silence = np.zeros(BURST_PERIOD - BURST_LENGTH, np.float32)
    return np.concatenate((band_noise(BURST_LENGTH, rng), silence))


def _tone(level_dbm0: float) -> Audio:
    turns = TONE_HZ * np.arange(TONE_LENGTH) / SAMPLE_RATE
    peak = rms_from_dbm0(level_dbm0) * np.sqrt(2)
    return np.asarray(peak * np.sin(2 * np.pi * turns), np.float32)


def _multitone() -> Audio:
    out = np.zeros(L1_LENGTH + L2_LENGTH, np.float32)
    ProbeSender(LEVEL_DBM0).add_to(out)
    return out


def analytic_knock() -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    """Return the knock, a chirp whose real part is sent; shape (KNOCK_LENGTH,), complex.

    What comes back is looked for with both parts, so that a path may turn its phase.
    """
    t = np.arange(KNOCK_LENGTH) / SAMPLE_RATE
    low, high = _KNOCK_HZ
    slope = (high - low) / (KNOCK_LENGTH / SAMPLE_RATE)
    wave = np.exp(2j * np.pi * (low * t + slope * t**2 / 2))
    wave *= np.sin(np.pi * (np.arange(KNOCK_LENGTH) + 0.5) / KNOCK_LENGTH)
    return np.asarray(wave * rms_from_dbm0(LEVEL_DBM0) * np.sqrt(2), np.complex128)


KNOCK: Audio = analytic_knock().real.astype(np.float32)
"""Short, and like nothing that a modem, fax or digit receiver knows."""
