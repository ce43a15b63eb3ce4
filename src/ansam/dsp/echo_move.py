"""An echo that was known has jumped in time: where to?

Its filter is known, so what was sent goes through that filter, and the result is correlated with what was
heard over all delays. One second of double talk lifts the echo by 37 dB out of a far signal that fills the
band.
"""

import math

import numpy as np

from ansam.dsp.echo_search import LEAD, MAX_DELAY, Record
from ansam.dsp.echo_solve import Path

_CERTAIN = 36.0
"""Peak of the square over its mean, 6 standard deviations: by chance once in 4·10⁴ searches."""
_CERTAIN_TURNED = 20.0
"""The same for the square of a complex magnitude."""
_MEDIAN = 0.455
_MEDIAN_TURNED = 0.693
"""Median over mean of the squares of real and complex noise."""
_PACKET = 80
"""Samples that divide all usual packets, 10 ms."""
_NEAR = 2
_LIKE = 0.5
"""Least level, in amplitude, against the one that was known."""


def find_again(record: Record, path: Path) -> tuple[int, float, float] | None:
    """Look for an echo at all delays.

    Args:
        record: What was sent and heard, far signal and all.
        path: As it was; `phase` as in `Path`.

    Returns:
        The new delay of the first tap, the angle by which the echo leads there and its variance; None where
        nothing is certain.
    """
    count = len(record.rx)
    size = 1 << (LEAD + count - 1).bit_length()
    heard = np.zeros(size, np.float32)
    heard[LEAD : LEAD + count] = record.rx
    response = np.fft.rfft(path.taps.astype(np.float32), size)
    # The record's spectrum against that of a copy with delay 0; the offset's second line gives the sine.
    against = np.fft.rfft(heard) * np.conj(response)
    lines = record.lines(path.step, path.phase)[: 2 if path.step else 1]
    tables = [
        np.fft.irfft(against * np.conj(np.fft.rfft(line.astype(np.float32), size)), size)[:MAX_DELAY]
        for line in lines
    ]
    power = np.sum(np.square(tables), axis=0)
    if not path.step:
        power[tables[0] < 0] = 0.0
    power[: record.shortest] = 0.0
    peak = int(np.argmax(power))
    # Buffers slip by packets. Under noise the peak of an echo with offset is only certain to some samples.
    whole = path.start + _PACKET * round((peak - path.start) / _PACKET)
    if abs(whole - peak) <= _NEAR and 0 < whole < MAX_DELAY and power[whole] > power[peak] / 2:
        peak = whole
    heard_of = [table[record.shortest :] for table in tables]
    noise = float(np.median(np.sum(np.square(heard_of), axis=0))) / (_MEDIAN_TURNED if path.step else _MEDIAN)
    limit = noise * (_CERTAIN_TURNED if path.step else _CERTAIN)
    copied = 10 ** (path.level_db / 10) * record.power * float(np.count_nonzero(record.valid))
    if power[peak] <= limit or power[peak] < (_LIKE * copied) ** 2:
        return None
    lead = math.atan2(-tables[1][peak], tables[0][peak]) if path.step else 0.0
    return peak, lead, noise / 2 / float(power[peak])
