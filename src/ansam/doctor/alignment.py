"""Where in what came back is what was sent, block by block.

```
 sent noise ──┬─ FFT correlation with all that came ───► round trip, once
              └─ blocks of 160: correlation near the lag of the block before ───► lag, gain, heard
```

A block that correlates with nothing near was lost, replaced or muted. After `LOST` of them the whole range is
searched again: a jitter buffer may have jumped far.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ansam.units import FRAME, Audio, Samples, samples

LONGEST_ROUND_TRIP: Samples = samples(4.0)
NEAR: Samples = 240
"""Search around the last lag, samples each way: a frame and a half."""
LOST = 10
SPAN: Samples = 4000
"""Samples correlated when the whole range is searched."""
LIKE = 0.5
"""Correlation from which on a block is what was sent: noise 5 dB below it leaves 0.87."""
CERTAIN = 4.5
"""The peak of a search over the whole range, as a multiple of the RMS of all else."""
FOLLOWED = 3
"""Blocks in a row that make a new lag a slip and not a chance likeness."""
STEP = 2
"""Samples from which on a change of lag is a slip; less is drift."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One entry per block of 160 samples; all arrays have shape (blocks,).

    Attributes:
        start: First sample of block 0 in the recording.
        lag: From a block's sending to its return, samples; -1 where it was not heard.
        fine: The same with fractions; NaN where not heard.
        gain: Factor it came back with; NaN where not heard.
        heard: It came back, wholly.
        erased: Part of it was marked as never arrived.
    """

    start: Samples
    lag: NDArray[np.int64]
    fine: Floats
    gain: Floats
    heard: NDArray[np.bool_]
    erased: NDArray[np.bool_]

    @property
    def blocks(self) -> int:
        """How many there are."""
        return len(self.lag)

    @property
    def main_lag(self) -> Samples:
        """The lag most blocks have; -1 where none was heard."""
        heard = self.lag[self.heard]
        return int(np.bincount(heard).argmax()) if heard.size else -1

    def slips(self) -> list[Samples]:
        """Return the jumps of the lag in order, positive where the path grew longer."""
        heard = self.lag[self.heard]
        if not heard.size:
            return []
        jumps, current, at = [], int(heard[0]), 0
        while at < heard.size:
            run = heard[at : at + FOLLOWED]
            moved = int(run[0]) - current
            if abs(moved) >= STEP and run.size == FOLLOWED and np.ptp(run) <= 1:
                jumps.append(moved)
                current = int(run[0])
            elif abs(moved) < STEP:
                current = int(run[0])
            at += 1
        return jumps

    def drift_ppm(self) -> float:
        """Return how much longer the path grows, slips left out: samples per million."""
        place = np.flatnonzero(self.heard)
        if place.size < 50:
            return 0.0
        fine = self.fine[place]
        jumps = np.diff(fine)
        smooth = np.concatenate(([0.0], np.cumsum(np.where(np.abs(jumps) < STEP, jumps, 0.0))))
        return float(np.polyfit(place * FRAME, smooth, 1)[0] * 1e6)


def locate(sent: Audio, came: Audio) -> Samples | None:
    """Return where `sent` begins in `came`, or None where it is not there.

    Args:
        sent: Shape (n,).
        came: Shape (m,), m > n.
    """
    size = 1 << (len(sent) + len(came) - 1).bit_length()
    spectrum = np.fft.rfft(came, size) * np.conj(np.fft.rfft(sent, size))
    found = np.abs(np.fft.irfft(spectrum, size)[: max(1, len(came) - len(sent) + 1)])
    at = int(found.argmax())
    rest = np.delete(found, np.arange(max(0, at - 64), min(found.size, at + 65)))
    floor = float(np.sqrt(np.mean(rest**2))) if rest.size else 0.0
    energy = float(np.sum(np.square(came[at : at + len(sent)], dtype=np.float64)))
    # Two silences agree in nothing, whatever their rounding says.
    return at if energy > 1e-5 and found[at] > CERTAIN * floor else None


def follow(tx: Audio, rx: Audio, erased: NDArray[np.bool_], start: Samples, length: Samples) -> Track | None:
    """Follow a stretch of noise on its way back.

    Args:
        tx: All that was sent, shape (n,).
        rx: All that came, shape (n,).
        erased: What of it never arrived, shape (n,).
        start: First sample of the stretch.
        length: Its length.

    Returns:
        None where it did not come back at all.
    """
    lag = _search(tx, rx, start, length)
    if lag is None:
        return None
    count = length // FRAME
    lags = np.full(count, -1)
    fine, gain = np.full(count, np.nan), np.full(count, np.nan)
    gone = np.zeros(count, bool)
    missing = 0
    for block in range(count):
        at = start + block * FRAME
        if missing >= LOST:
            lag = _search(tx, rx, at, min(SPAN, start + length - at)) or lag
            missing = 0
        near = slice(at + lag, at + lag + FRAME)
        gone[block] = near.stop > len(rx) or bool(erased[near].any())
        found = None if gone[block] else match(tx[at : at + FRAME], rx, at + lag)
        if found is None:
            missing += 1
            continue
        offset, fraction, gain[block] = found
        missing, lag = 0, lag + offset
        lags[block], fine[block] = lag, lag + fraction
    return Track(start, lags, fine, gain, lags >= 0, gone)


def _search(tx: Audio, rx: Audio, start: Samples, length: Samples) -> Samples | None:
    """Return the lag of a stretch: of the first piece of it that is found."""
    for at in range(start, start + length - FRAME, SPAN):
        sent = tx[at : min(at + SPAN, start + length)]
        found = locate(sent, rx[at : at + LONGEST_ROUND_TRIP + len(sent)])
        if found is not None:
            return found
    return None


def match(sent: Audio, rx: Audio, place: Samples) -> tuple[int, float, float] | None:
    """Look for a block of noise near a place.

    Args:
        sent: The block, shape (160,).
        rx: All that came, shape (n,).
        place: Where it is expected in it.

    Returns:
        How far from there it came back, whole and fraction, and its gain; None: it did not.
    """
    first = max(0, place - NEAR)
    came = rx[first : place + FRAME + NEAR].astype(np.float64)
    wave = sent.astype(np.float64)
    products = np.correlate(came, wave, "valid")
    energy = np.convolve(came**2, np.ones(FRAME), "valid")
    alike = products / np.sqrt(np.maximum(energy * float(wave @ wave), 1e-12))
    at = int(np.abs(alike).argmax())
    if abs(alike[at]) < LIKE:
        return None
    fraction = 0.0
    if 0 < at < alike.size - 1:
        left, middle, right = np.abs(alike[at - 1 : at + 2])
        curve = left - 2 * middle + right
        fraction = 0.5 * float(left - right) / float(curve) if curve < 0 else 0.0
    return first + at - place, fraction, float(products[at] / (wave @ wave))
