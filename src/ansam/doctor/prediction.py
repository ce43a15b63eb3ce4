"""Which line rate to expect, from what an echo test or a call showed, and the &N that asks for it.

An echo test sees the path twice over. What coders add at the levels found is known (`Reference`); the rest
of the noise is taken to be spread evenly over the two ways, levels likewise. What is left is a `LineProbe` as
a V.34 modem at the other end would measure it, and our modems' own rule (`modulation.v34.probing.choose`)
says what SNR they would find at each symbol rate. Probing keeps 2 dB back for what training may find; on a
line that holds still training finds it, so `MARGIN_DB` is given back here.

Measured (tests/bench/test_doctor.py): over white noise, loss, jitter, gain and transcoding the rate predicted
is the one that two of our modems reach in `ansam sim`, or a neighbour.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from ansam.at.settings import Settings
from ansam.codec.g711 import Law
from ansam.doctor.probe import L2_LENGTH, LEVEL_DBM0
from ansam.modulation.v34.constants import SYMBOL_RATES, SymbolRate
from ansam.modulation.v34.probing import (
    L1_LENGTH,
    SETTLE,
    TONES_HZ,
    LineProbe,
    ProbeSender,
    analyse,
    choose,
    needed_snr_db,
)
from ansam.units import Audio

MARGIN_DB = 1.8

AROUND = 3
"""Tones each way over which noise is averaged: 900 Hz or a little more in all."""

LEAST_GAIN_DB = 0.1
"""Less is none: octets then come back as they are."""

V34_TOP = 16
"""&N16 is 33600 bit/s; what follows is V.90's."""

TOP_RATE = 33600

LADDER = Settings().personality.rates[: V34_TOP + 1]
"""Line rates by index of &N on our default modem, a US Robotics 56K."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What to expect.

    Attributes:
        rate: Line rate each way, bit/s; 0: no connection is to be expected.
        index: The &N of a US Robotics 56K that asks for it; 0 where there is none.
        snr_db: Of one way, as far as it is known.
        symbol_rate: Of V.34, baud; None below V.34 or where not known.
        reasons: Sentences.
    """

    rate: int
    index: int
    snr_db: float | None
    symbol_rate: int | None = None
    reasons: tuple[str, ...] = ()

    def because(self, reason: str) -> "Prediction":
        """Return it with a further reason."""
        return replace(self, reasons=(*self.reasons, reason))


def index_of(rate: int) -> int:
    """Return the index of &N that stands for a rate (the ladder's first); 0 for none."""
    return LADDER.index(rate) if rate in LADDER[1:] else 0


@dataclass(frozen=True, slots=True)
class Reference:
    """What coders alone make of L2 on a path of a certain gain.

    Attributes:
        once: As it arrives at the far end.
        twice: As it comes back from there.
    """

    once: LineProbe
    twice: LineProbe


def reference(law: Law, gain_db: float = 0.0) -> Reference:
    """Return L2 behind a path that codes, multiplies and codes again, each way.

    Args:
        law: Of both ends.
        gain_db: Of each way.
    """
    out = np.zeros(L1_LENGTH + L2_LENGTH, np.float32)
    ProbeSender(LEVEL_DBM0).add_to(out)
    factor = np.float32(10 ** (gain_db / 20))
    once = law.through(law.through(out) * factor)
    return Reference(_steady(once), _steady(law.through(once * factor)))


def _steady(audio: Audio) -> LineProbe:
    steady = audio[L1_LENGTH + SETTLE :]
    probe = analyse(steady, np.zeros(len(steady), bool))
    assert probe is not None
    return probe


def gain_of(probe: LineProbe) -> float:
    """Return the gain of one way, dB, from L2 as it came back."""
    sent = LEVEL_DBM0 - 10 * math.log10(len(TONES_HZ))
    return (float(np.median(probe.tones_dbm0)) - sent) / 2


def one_way(probe: LineProbe, known: Reference) -> LineProbe:
    """Return what one way of a path would show that an echo test showed twice over.

    Args:
        probe: L2 as it came back.
        known: The part of its noise that the coders make.
    """
    tones = np.array(known.once.tones_dbm0) + (np.array(probe.tones_dbm0) - known.twice.tones_dbm0) / 2
    found, once, twice = (10 ** (np.array(p.noise_dbm0) / 10) for p in (probe, known.once, known.twice))
    # The lines of quantising noise move with the least change of level: only what is more over a wider
    # band is something else.
    around = np.full(2 * AROUND + 1, 1 / (2 * AROUND + 1))
    more = np.maximum(np.convolve(np.pad(found - twice, AROUND, "edge"), around, "valid"), 0)
    back = 10 ** (-gain_of(probe) / 10)
    noise = 10 * np.log10(once + more * back / 2)
    shift = float(np.mean(tones - probe.tones_dbm0)) - 10 * math.log10(2)
    products = probe.distortion_dbm0 if probe.distorted else known.once.distortion_dbm0
    distortion = tuple(level + shift if level > -119 and probe.distorted else level for level in products)
    return replace(
        probe,
        tones_dbm0=tuple(tones.tolist()),
        noise_dbm0=tuple(noise.tolist()),
        distortion_dbm0=distortion,
    )


def from_probe(probe: LineProbe, law: Law) -> Prediction:
    """Predict from L2 as it came back from an echo test."""
    gain = gain_of(probe)
    single = one_way(probe, reference(law, gain if abs(gain) > LEAST_GAIN_DB else 0.0))
    choice = choose(single, lambda index, high: True, TOP_RATE)
    rate, baud = max(
        (_carried(rate, found.snr_db), rate.name)
        for rate, found in zip(SYMBOL_RATES, choice.rates, strict=True)
    )
    snr = single.snr_db
    if not rate:
        return Prediction(0, 0, snr, None, (f"{snr:.0f} dB SNR each way carry no V.34",))
    text = f"{snr:.0f} dB SNR each way, which carry {rate} bit/s at {baud} symbols/s"
    return Prediction(rate, index_of(rate), snr, baud, (text,))


def _carried(rate: SymbolRate, snr_db: float) -> int:
    """Return the data rate that a symbol rate carries, 0 for none."""
    fits = [r for r in rate.rates if needed_snr_db(r, rate) - MARGIN_DB <= snr_db]
    return max(fits, default=0)


def loss_of_band(probe: LineProbe) -> float:
    """Return by how much the weakest tone from 300 to 3300 Hz is below the median, dB."""
    levels = [level for hz, level in zip(TONES_HZ, probe.tones_dbm0, strict=True) if 300 <= hz <= 3300]
    return float(np.median(levels) - min(levels))
