"""Which line rate to expect, from what an echo test or a call showed, and the &N that asks for it.

An echo test sees the path twice over. What our own coder added is known and counted once; the rest is taken
to be spread evenly over the two ways, levels likewise. What is left is a `LineProbe` as a V.34 modem at the
other end would measure it, and our modems' own rule (`modulation.v34.probing.choose`) says what SNR they
would find at each symbol rate. Probing keeps 2 dB back for what training may find; on a line that holds still
training finds it, so `MARGIN_DB` is given back here.

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

MARGIN_DB = 1.8

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


def own_probe(law: Law) -> LineProbe:
    """Return L2 as it leaves us: with the quantising noise of our own coder and nothing else."""
    out = np.zeros(L1_LENGTH + L2_LENGTH, np.float32)
    ProbeSender(LEVEL_DBM0).add_to(out)
    steady = law.through(out)[L1_LENGTH + SETTLE :]
    probe = analyse(steady, np.zeros(len(steady), bool))
    assert probe is not None
    return probe


def one_way(probe: LineProbe, own: LineProbe) -> LineProbe:
    """Return what one way of a path would show that an echo test showed twice over."""
    sent, came = (np.array(p.tones_dbm0) for p in (own, probe))
    tones = (sent + came) / 2
    ratio, least = (10 ** ((np.array(p.noise_dbm0) - p.tones_dbm0) / 10) for p in (probe, own))
    noise = tones + 10 * np.log10(least + np.maximum(ratio - least, 0) / 2)
    shift = float(np.mean(tones - came)) - 10 * math.log10(2)
    distortion = tuple(level + shift if level > -119 else level for level in probe.distortion_dbm0)
    return replace(
        probe,
        tones_dbm0=tuple(tones.tolist()),
        noise_dbm0=tuple(noise.tolist()),
        distortion_dbm0=distortion,
    )


def from_probe(probe: LineProbe, own: LineProbe) -> Prediction:
    """Predict from L2 as it came back from an echo test."""
    single = one_way(probe, own)
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
