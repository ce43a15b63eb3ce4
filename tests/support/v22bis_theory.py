"""Error rates of ideal V.22bis and V.22 receivers, by enumeration.

The receiver is coherent with perfect carrier, timing and matched filter, so the noise on each axis of the
decision is independent Gaussian. SNR is signal power over the noise power in 0 to 4 kHz, so that
Es/N0 = SNR · 4000 / 600 (8.24 dB more). Bits are counted before the descrambler, after differential decoding:

- 1200 bit/s: four phases, Gray coded, differential: 2 p (1 - p), p = Q(sqrt(Es/N0)).
- 2400 bit/s: 16-QAM; P(decided | sent) is the product of two 4-level axes; the first two bits come from the
change
  of quadrant between two independent decisions, the last two from the place within the decided quadrant.

The descrambler makes nearly three errors of each.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ansam.coding.scrambler import Scrambler
from ansam.modulation.v22bis.constants import DIBIT, POINTS, SCRAMBLER_TAPS
from ansam.units import Bits


def q(x: float) -> float:
    return 0.5 * math.erfc(x / math.sqrt(2))


def es_n0(snr_db: float) -> float:
    return float(10 ** (snr_db / 10) * 4000 / 600)


def ber_1200(snr_db: float) -> float:
    p = q(math.sqrt(es_n0(snr_db)))
    return 2 * p * (1 - p)


def ber_2400(snr_db: float) -> float:
    sigma = math.sqrt(10 / es_n0(snr_db) / 2)
    levels = np.array([-3, -1, 1, 3])
    edges = np.array([-np.inf, -2, 0, 2, np.inf])

    def axis(sent: float) -> NDArray[np.float64]:
        return np.array([q((edges[i] - sent) / sigma) - q((edges[i + 1] - sent) / sigma) for i in range(4)])

    sent = [p * 1j**quadrant for quadrant in range(4) for p in POINTS]
    where = {(round(p.real), round(p.imag)): i for i, p in enumerate(sent)}
    probability = np.zeros((16, 16))
    for i, p in enumerate(sent):
        px, py = axis(round(p.real)), axis(round(p.imag))
        for a in range(4):
            for b in range(4):
                probability[i, where[int(levels[a]), int(levels[b])]] += px[a] * py[b]
    weight = np.array([[bin(i ^ j).count("1") for j in range(4)] for i in range(4)])
    low = sum(probability[i, j] * weight[i & 3, j & 3] for i in range(16) for j in range(16)) / 16
    # How far the decided quadrant is turned from the one sent; by symmetry the same for every quadrant sent.
    turned = np.zeros(4)
    for i in range(16):
        for j in range(16):
            turned[(j // 4 - i // 4) & 3] += probability[i, j] / 16
    high = 0.0
    for change in range(4):
        for e1 in range(4):
            for e2 in range(4):
                got = (change + e2 - e1) & 3
                high += turned[e1] * turned[e2] * weight[DIBIT[change], DIBIT[got]] / 4
    return float((low + high) / 4)


def snr_for(rate: int, target: float) -> float:
    """Return the SNR in dB at which theory has that error rate."""
    law = ber_1200 if rate == 1200 else ber_2400
    low, high = 0.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if law(middle) > target else (low, middle)
    return low


def before_descrambler(errors: Bits) -> Bits:
    """Return the line bits in error, from the descrambled bits in error: division undoes multiplication."""
    return Scrambler(*SCRAMBLER_TAPS).process(errors)
