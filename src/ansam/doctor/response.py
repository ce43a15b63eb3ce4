"""The path as a filter: what of the noise that came back is explained by what was sent, and what is not.

A filter of `TAPS` taps is fitted by least squares to pieces of half a second, so that neither a slow change
of gain nor a drift of clocks counts as noise. What is left is noise: quantising, circuit noise, a codec's.

Correlating the rest with what was sent shows what came back a second time, later or earlier.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ansam.doctor.alignment import Track
from ansam.units import FRAME, Audio, Samples, db, samples

TAPS = 48
BEFORE = 24
"""Of them those ahead of the main one."""
PIECE: Samples = 4000
LEAST_BLOCKS = 6
"""Of a piece: fewer do not carry a fit."""
ECHO_SPAN: Samples = samples(1.2)
ECHO_CLEAR: Samples = 80
"""Around the main return the fit leaves its own traces."""
ECHO_SIGMA = 6.0
"""A peak counts as an echo from this multiple of the RMS of all else on: 1e-9 per place by chance."""
FLOOR_DB = 90.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Response:
    """What a stretch of noise told.

    Attributes:
        gain_db: Level of what is explained against what was sent.
        snr_db: The same against the rest, round trip, our own quantising included.
        echo: Delay beyond the main return (negative: before it) and level against it in dB; None: none seen.
    """

    gain_db: float
    snr_db: float
    echo: tuple[Samples, float] | None


def measure(tx: Audio, rx: Audio, track: Track) -> Response | None:
    """Fit the path; None where too little came back.

    Args:
        tx: All that was sent, before it was coded; shape (n,).
        rx: All that came, shape (n,).
        track: Where the noise is in it.
    """
    good = [b for b in range(track.blocks) if track.heard[b]]
    if not good:
        return None
    rest = np.zeros(track.blocks * FRAME)
    sums = []
    per_piece = PIECE // FRAME
    for first in range(0, track.blocks, per_piece):
        blocks = [b for b in good if first <= b < first + per_piece]
        blocks = [b for b in blocks if track.start + b * FRAME >= TAPS and _reaches(tx, track, b)]
        if len(blocks) >= LEAST_BLOCKS:
            sums.append(_fit(tx, rx, track, blocks, rest))
    if not sums:
        return None
    sent, explained, left = (float(np.median(x)) for x in zip(*sums, strict=True))
    snr = min(FLOOR_DB, db(max(explained, 1e-20) / max(left, 1e-20)))
    return Response(db(explained / sent), snr, _second(tx, rest, track))


def _reaches(tx: Audio, track: Track, block: int) -> bool:
    return track.start + (block + 1) * FRAME + BEFORE <= len(tx)


def _fit(tx: Audio, rx: Audio, track: Track, blocks: list[int], rest: Floats) -> tuple[float, float, float]:
    """Fit a piece, put its rest in place; return the powers sent, explained and left."""
    rows, goal = [], []
    for block in blocks:
        at = track.start + block * FRAME
        context = tx[at + BEFORE - TAPS + 1 : at + BEFORE + FRAME].astype(np.float64)
        rows.append(np.lib.stride_tricks.sliding_window_view(context, TAPS))
        goal.append(rx[at + track.lag[block] : at + track.lag[block] + FRAME])
    matrix, came = np.concatenate(rows), np.concatenate(goal).astype(np.float64)
    normal = matrix.T @ matrix
    normal[np.diag_indices(TAPS)] += 1e-9 * np.trace(normal) / TAPS
    fitted = matrix @ np.linalg.solve(normal, matrix.T @ came)
    left = came - fitted
    for index, block in enumerate(blocks):
        rest[block * FRAME : (block + 1) * FRAME] = left[index * FRAME : (index + 1) * FRAME]
    sent = float(np.mean(matrix[:, TAPS // 2] ** 2))
    # Each tap explains a little of any noise.
    spare = len(came) / (len(came) - TAPS)
    return sent, float(np.mean(fitted**2)), float(np.mean(left**2)) * spare


def _second(tx: Audio, rest: Floats, track: Track) -> tuple[Samples, float] | None:
    """Look in the rest for what was sent, at other times; see `Response.echo`."""
    if not np.any(rest):
        return None
    first = max(0, track.start - ECHO_SPAN)
    sent = tx[first : track.start + len(rest) + ECHO_SPAN].astype(np.float64)
    size = 1 << (len(sent) + len(rest)).bit_length()
    # found[k]: likeness of the rest to what was sent k samples after `first`.
    found = np.fft.irfft(np.fft.rfft(sent, size) * np.conj(np.fft.rfft(rest, size)), size)
    ahead = track.start - first
    places = np.arange(max(0, ahead - ECHO_SPAN), min(size, ahead + ECHO_SPAN))
    levels = found[places]
    clear = np.abs(places - ahead) > ECHO_CLEAR
    spread = float(np.sqrt(np.mean(levels[clear] ** 2)))
    at = int(np.argmax(np.where(clear, np.abs(levels), 0)))
    power = float(np.mean(tx[track.start : track.start + len(rest)].astype(np.float64) ** 2))
    heard = max(float(np.mean(track.heard)), 1e-3)
    if abs(levels[at]) < ECHO_SIGMA * spread:
        return None
    level = abs(levels[at]) / (power * len(rest) * heard)
    return int(ahead - places[at]), 20 * float(np.log10(level))
