"""The slow loops of the echo canceller: the phase of echoes with a frequency offset, and a watch over all.

- *Phase*: q is y turned by 90 degrees, hence -Σ rest·q / Σ q² is the angle by which the echo leads its copy.
  Every 100 ms a Kalman filter of angle, frequency and drift takes that measurement for what it is worth
  beside the rest's power: narrow under a loud far signal, wide in silence.
- *Watch*: Σ rest·y / Σ y² is 0 as long as the echo is where it was, and -1 when it is not (y then only adds
  to the rest). A path that is certainly gone is muted until its echo is certainly back.

Source: S. Haykin, Adaptive Filter Theory, 3rd ed., ch. 7 (Kalman).
"""

import math
from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.units import SAMPLE_RATE

BLOCK = 800
"""Samples between two steps of the slow loops, 100 ms."""

FROZEN, SLOW, FAST, GUIDED = range(4)

MEMORIES = np.array([0.5, 5.0, 40.0])
"""How long the watch remembers, seconds: the short one for loud echoes, the long one for faint ones."""

_GONE = 0.5
_CERTAIN = 6.0
"""Standard deviations."""
_COLOUR = 1.5
"""A far signal that fills two thirds of the band is that much denser there than white noise."""
_RATE_NOISE = 1e-14
"""How the drift of an offset changes, (rad/s²)² per second."""
RATE_DEVIATION = 1e-5
"""Drift to expect at first, rad/s² (0.0001 Hz per minute): offsets of carrier systems stand still."""
_SURPRISE = 4.0
"""Standard deviations of the mean of what was measured, over some 3 s, that show that they do not."""
_SURPRISE_KEEP = 0.97
_SURPRISE_RATE = 3e-3
"""Drift to reckon with then, rad/s², since `_SURPRISE_AGE` seconds."""
_SURPRISE_AGE = 4.0

PATH = np.dtype(
    [
        ("start", "i8"),  # delay of the first tap
        ("count", "i8"),  # taps
        ("shifted", "i8"),  # 1: there is a frequency offset
        ("muted", "i8"),  # not 0: the echo is not where it was; which memory noticed, from 1
        ("power", "f8"),  # of what was sent in training
        ("weight", "f8"),  # sum of the taps' weights
        ("angle", "f8"),  # of the newest sample turned
        ("step", "f8"),  # radians per sample
        ("rate", "f8"),  # rad/s²
        ("surprise", "f8"),  # sum of measurements over their deviation, and its variance
        ("measured", "f8"),
        # sums of this block
        ("product", "f8"),  # -rest·q
        ("energy", "f8"),  # q²
        ("match", "f8"),  # rest·y
        ("copied", "f8"),  # y²
    ]
)
STATE = np.dtype(
    [
        ("mode", "i8"),
        ("clock", "i8"),  # samples since the last block
        ("power", "f8"),  # sum of rest² in this block, and its number of samples
        ("heard", "i8"),
        ("guide", "f8"),  # the same of the rest that was given
        ("guided", "i8"),
        ("age", "i8"),  # samples from what was learnt to now
        ("noise", "f8"),  # mean power of what the phase is measured in
    ]
)
PATHS = types.Array(from_dtype(PATH), 1, "C")
STATES = types.Array(from_dtype(STATE), 1, "C")
Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"
Real = NDArray[np.float64]

CUBE = types.float64[:, :, ::1]


@njit(types.void(types.float64[:, ::1]), cache=True, nogil=True)
def _doubt(covariance: Real) -> None:
    """Reckon with a drift of the offset that was not expected."""
    moved = (_SURPRISE_AGE**2 / 2, _SURPRISE_AGE, 1.0)
    for i in range(3):
        for j in range(3):
            covariance[i, j] += _SURPRISE_RATE**2 * moved[i] * moved[j]


@njit(types.void(PATHS, types.int64, CUBE, types.float64), cache=True, nogil=True)
def _steer(paths: Record, p: int, spread: Real, noise: float) -> None:
    """Let the phase loop take what a block measured.

    Args:
        paths: The path's angle, step and rate change.
        p: Which path.
        spread: Covariance of angle, frequency (rad/s) and drift (rad/s²), shape (paths, 3, 3).
        noise: Mean power of the rest.
    """
    path, c = paths[p], spread[p]
    t = BLOCK / SAMPLE_RATE
    path.step += path.rate * t / SAMPLE_RATE
    for i in range(3):
        c[0, i] += t * c[1, i] + 0.5 * t * t * c[2, i]
        c[1, i] += t * c[2, i]
    for i in range(3):
        c[i, 0] += t * c[i, 1] + 0.5 * t * t * c[i, 2]
        c[i, 1] += t * c[i, 2]
    c[2, 2] += _RATE_NOISE * t
    if path.energy > 0.0 and not path.muted:
        lead = min(1.0, max(-1.0, path.product / path.energy))
        total = c[0, 0] + _COLOUR * noise / path.energy
        g0, g1, g2 = c[0, 0] / total, c[1, 0] / total, c[2, 0] / total
        path.angle += g0 * lead
        path.step += g1 * lead / SAMPLE_RATE
        path.rate += g2 * lead
        r0, r1, r2 = c[0, 0], c[0, 1], c[0, 2]
        for i in range(3):
            g = g0 if i == 0 else (g1 if i == 1 else g2)
            c[i, 0] -= g * r0
            c[i, 1] -= g * r1
            c[i, 2] -= g * r2
        path.surprise = _SURPRISE_KEEP * path.surprise + lead / math.sqrt(total)
        path.measured = _SURPRISE_KEEP**2 * path.measured + 1.0
        if abs(path.surprise) > _SURPRISE * math.sqrt(path.measured):
            _doubt(c)
            path.surprise = path.measured = 0.0
    path.product = 0.0
    path.energy = 0.0


@njit(types.void(PATHS, types.int64, CUBE, types.float64, types.int64), cache=True, nogil=True)
def _watch(paths: Record, p: int, memory: Real, power: float, count: int) -> None:
    """Mute a path whose echo is gone, and hear it again when it is back.

    Args:
        paths: Its `muted` may change.
        p: Which path.
        memory: Sums of match, copy, copy under squared weights, rest² and samples, shape (paths, 3, 5).
        power: Sum of rest² in this block.
        count: Samples in it.
    """
    path = paths[p]
    verdict = noticed = 0
    for k in range(len(MEMORIES)):
        m = memory[p, k]
        keep = 1.0 - BLOCK / SAMPLE_RATE / MEMORIES[k]
        m[0] = keep * m[0] + path.match
        m[1] = keep * m[1] + path.copied
        m[2] = keep * keep * m[2] + path.copied
        m[3] = keep * m[3] + power
        m[4] = keep * m[4] + count
        if m[1] <= 0.0 or m[4] <= 0.0:
            continue
        score = m[0] / math.sqrt(_COLOUR * m[2] * m[3] / m[4] + 1e-30)
        if abs(score) > _CERTAIN and abs(m[0]) > _GONE * m[1]:
            verdict, noticed = (1, 0) if score > 0.0 else (-1, k + 1)
            break
    path.match = 0.0
    path.copied = 0.0
    if verdict == (1 if path.muted else -1):
        path.muted = noticed
        memory[p, :, :] = 0.0


@njit(types.void(PATHS, STATES, CUBE, CUBE), cache=True, nogil=True)
def end_block(paths: Record, state: Record, spread: Real, memory: Real) -> None:
    """Run the slow loops on what a block summed up."""
    s = state[0]
    power, count = (s.guide, s.guided) if s.mode == GUIDED else (s.power, s.heard)
    if count:
        s.noise += 0.3 * (power / count - s.noise) if s.noise > 0.0 else power / count
    for p in range(len(paths)):
        if paths[p].shifted and s.mode != FROZEN:
            _steer(paths, p, spread, s.noise)
        _watch(paths, p, memory, s.power, s.heard)
    s.clock = 0
    s.power = s.guide = 0.0
    s.heard = s.guided = 0
