"""A QAM signal from its formula, over a line with any delay, clock and carrier."""

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.pulse import root_raised_cosine

BAUD = 2400.0
CARRIER = 1800.0


def four_points(count: int, seed: int = 1) -> NDArray[np.complex128]:
    """Return random points of mean power 1."""
    quadrant = np.random.default_rng(seed).integers(0, 4, count)
    return np.asarray(np.exp(0.5j * np.pi * (quadrant + 0.5)))


def wave(
    symbols: NDArray[np.complex128],
    count: int,
    first: float,
    *,
    offset_hz: float = 0.0,
    ppm: float = 0.0,
    level: float = 0.2,
    snr_db: float = 60.0,
    channel: tuple[complex, ...] = (1.0,),
    seed: int = 9,
) -> NDArray[np.float32]:
    """Return `count` samples in which symbol 0 peaks at the instant `first`.

    Args:
        symbols: Shape (n,).
        count: Samples.
        first: Instant in samples.
        offset_hz: Of the carrier.
        ppm: By which the far clock is faster than ours.
        level: RMS, about.
        snr_db: Against white noise up to 4000 Hz.
        channel: Taps of the envelope's channel, one symbol apart.
        seed: Of the noise.
    """
    t = (np.arange(count) - first) * BAUD / 8000 * (1 + ppm * 1e-6)
    seen = np.convolve(symbols, channel)
    envelope = np.zeros(count, np.complex128)
    for k in range(-16, 17):
        index = np.floor(t).astype(int) + k
        inside = (index >= 0) & (index < seen.size)
        value = np.where(inside, seen[np.where(inside, index, 0)], 0)
        envelope += value * root_raised_cosine(t - index, 0.2)
    carrier = CARRIER * (1 + ppm * 1e-6) + offset_hz
    x = (
        level
        * np.sqrt(2)
        * (envelope * np.exp(2j * np.pi * carrier * (np.arange(count) - first) / 8000)).real
    )
    noise = np.random.default_rng(seed).normal(0, level * 10 ** (-snr_db / 20), count)
    return np.asarray(x + noise, np.float32)
