"""The running part of the echo canceller: the filters, and how their taps follow.

::

    tx ─┬──────────────────────► [taps] ─ y1 ─┐
        └► Hilbert ─ e^(jφ) ─┬─► [taps] ─ y2 ─┤
                             └─► [taps] ─ q2  │          rx - y1 - y2 = rest
                                              └─► -

- *Taps* follow by normalised LMS. In double talk the far signal is the noise of this loop; a step of mu lets
  mu/2 of its power into the copy. Each tap moves in proportion to its size, so that a long window with a
  short echo does not learn noise in all of its empty taps.
- The *slow loops* of `ansam.dsp.echo_loops` get their sums from here.

Source: J. Benesty et al., Advances in Network and Acoustic Echo Cancellation, ch. 2 (proportionate NLMS);
S. Haykin, Adaptive Filter Theory, 3rd ed., ch. 9 (LMS).
"""

import math

import numpy as np
from numba import njit, types

from ansam.dsp.echo_loops import (
    BLOCK,
    CUBE,
    FAST,
    FROZEN,
    GUIDED,
    PATHS,
    SLOW,
    STATES,
    Real,
    Record,
    end_block,
)
from ansam.dsp.echo_search import HILBERT
from ansam.units import Audio

GRID = 160
"""Samples between two steps of the taps."""

OLDEST = 4_000
"""Samples back from which the paths can still learn."""

_SLOW = 5e-6
_FAST = 3e-3
"""LMS steps; the fast one is stable although taps move once per GRID."""
_GUIDED_DELAY = 1.0
"""LMS step times the age of what it learns from, for a loop that is stable."""
_LINE = types.float32[::1]
_CUBE32 = types.float32[:, :, ::1]
_TURNED = _CUBE32
_HILBERT = HILBERT.astype(np.float32)


@njit(types.void(_LINE, _LINE, _LINE), cache=True, nogil=True, fastmath=True)
def _filter(taps: Audio, line: Audio, out: Audio) -> None:
    """Set out[n] to the sum of taps[k] · line[n + k]; four taps at a time, along the samples."""
    count = len(out)
    for n in range(count):
        out[n] = np.float32(0)
    for k in range(0, len(taps), 4):
        a, b, c, d = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
        x = line[k : k + count + 3]
        for n in range(count):
            out[n] += a * x[n] + b * x[n + 1] + c * x[n + 2] + d * x[n + 3]


@njit(types.void(_LINE, _LINE, _LINE), cache=True, nogil=True, fastmath=True)
def _correlate(rest: Audio, line: Audio, sums: Audio) -> None:
    """Add to sums[k] the sum of rest[n] · line[n + k]."""
    count = len(rest)
    for k in range(0, len(sums), 4):
        a = b = c = d = np.float32(0)
        x = line[k : k + count + 3]
        for n in range(count):
            a += rest[n] * x[n]
            b += rest[n] * x[n + 1]
            c += rest[n] * x[n + 2]
            d += rest[n] * x[n + 3]
        sums[k] += a
        sums[k + 1] += b
        sums[k + 2] += c
        sums[k + 3] += d


@njit(types.float64(_LINE, _LINE), cache=True, nogil=True, fastmath=True)
def _dot(a: Audio, b: Audio) -> float:
    total = np.float32(0)
    for k in range(len(a)):
        total += a[k] * b[k]
    return float(total)


@njit(types.void(PATHS, types.int64, _LINE, _TURNED, types.int64, types.int64), cache=True, nogil=True)
def _turn(paths: Record, p: int, tx: Audio, turned: Audio, first: int, last: int) -> None:
    """Make the turned samples of a path from `first` to before `last` from what was sent."""
    path = paths[p]
    quadrature = np.zeros(last - first, np.float32)
    for k in range(len(_HILBERT)):
        distance = 2 * k + 1
        early = tx[first - distance : last - distance]
        late = tx[first + distance : last + distance]
        for n in range(len(quadrature)):
            quadrature[n] += _HILBERT[k] * (early[n] - late[n])
    cos, sin = math.cos(path.step), math.sin(path.step)
    c, s = math.cos(path.angle), math.sin(path.angle)
    for n in range(len(quadrature)):
        c, s = c * cos - s * sin, s * cos + c * sin
        turned[p, 0, first + n] = tx[first + n] * c - quadrature[n] * s
        turned[p, 1, first + n] = tx[first + n] * s + quadrature[n] * c
    path.angle = (path.angle + len(quadrature) * path.step) % (2 * math.pi)


@njit(types.void(PATHS, types.int64, _LINE, _TURNED, types.int64, types.int64), cache=True, nogil=True)
def fill(paths: Record, p: int, tx: Audio, turned: Audio, first: int, last: int) -> None:
    """Make the turned samples from `first` to before `last`; the path's angle is that before `first`."""
    while first < last:
        end = min(last, first + GRID)
        _turn(paths, p, tx, turned, first, end)
        first = end


@njit(types.void(PATHS, types.int64, _CUBE32, _LINE, _TURNED, types.int64, _LINE), cache=True, nogil=True)
def _learn(paths: Record, p: int, taps: Audio, tx: Audio, turned: Audio, at: int, rest: Audio) -> None:
    """Sum up what a path can learn from what was left from the instant `at` on.

    Args:
        paths: Sums for the phase loop.
        p: Which path.
        taps: Taps, weights and gradients of all paths, shape (3, paths, MAX_TAPS).
        tx: What was sent.
        turned: The same, turned.
        at: Index of rest[0].
        rest: Shape (n,), n at most GRID.
    """
    path = paths[p]
    if path.muted:
        return
    first, last = at - path.start - path.count + 1, at - path.start + len(rest)
    line = turned[p, 0, first:last] if path.shifted else tx[first:last]
    _correlate(rest, line, taps[2, p, : path.count])
    if path.shifted:
        late = np.empty(len(rest), np.float32)
        _filter(taps[0, p, : path.count], turned[p, 1, first:last], late)
        path.product -= _dot(rest, late)
        path.energy += _dot(late, late)


@njit(types.void(PATHS, STATES, _CUBE32), cache=True, nogil=True)
def _move_taps(paths: Record, state: Record, taps: Audio) -> None:
    """Move all taps along the gradients summed up, and clear these."""
    s = state[0]
    mu = _SLOW if s.mode == SLOW else _FAST
    if s.mode == GUIDED:
        mu = min(_FAST, _GUIDED_DELAY / (s.age + GRID))
    for p in range(len(paths)):
        step = np.float32(mu / (paths[p].weight * paths[p].power))
        for k in range(paths[p].count):
            taps[0, p, k] += step * taps[1, p, k] * taps[2, p, k]
            taps[2, p, k] = np.float32(0)


@njit(
    types.void(PATHS, STATES, _CUBE32, _LINE, _TURNED, CUBE, CUBE, types.int64, _LINE, types.boolean, _LINE),
    cache=True,
    nogil=True,
)
def cancel(
    paths: Record,
    state: Record,
    taps: Audio,
    tx: Audio,
    turned: Audio,
    spread: Real,
    memory: Real,
    at: int,
    rx: Audio,
    erased: bool,
    out: Audio,
) -> None:
    """Take the echo out of some samples.

    Args:
        paths: Shape (p,).
        state: Shape (1,).
        taps: Taps, last first; weights, how readily each moves; gradients; shape (3, p, MAX_TAPS).
        tx: What was sent, as far as it is known.
        turned: Real and imaginary part of the same for paths with an offset, shape (p, 2, len(tx)).
        spread: See `ansam.dsp.echo_loops`.
        memory: Likewise.
        at: Index in `tx` of the instant of rx[0].
        rx: Shape (n,).
        erased: Nothing was heard.
        out: What is left; shape (n,).
    """
    s = state[0]
    copies = np.empty((len(paths), GRID), np.float32)
    done = 0
    while done < len(rx):
        # Pieces end on a grid of the call's clock: the loops move at the same instants however it is cut.
        count = min(len(rx) - done, GRID - s.clock % GRID)
        rest = out[done : done + count]
        rest[:] = rx[done : done + count]
        for p in range(len(paths)):
            path = paths[p]
            first, last = at + done - path.start, at + done - path.start + count
            if path.shifted:
                _turn(paths, p, tx, turned, first, last)
            first -= path.count - 1
            copy = copies[p, :count]
            _filter(
                taps[0, p, : path.count], turned[p, 0, first:last] if path.shifted else tx[first:last], copy
            )
            if not path.muted:
                rest -= copy
        if erased:
            rest[:] = np.float32(0)
        else:
            s.power += _dot(rest, rest)
            s.heard += count
            for p in range(len(paths)):
                paths[p].match += _dot(rest, copies[p, :count])
                paths[p].copied += _dot(copies[p, :count], copies[p, :count])
                if s.mode == SLOW or s.mode == FAST:
                    _learn(paths, p, taps, tx, turned, at + done, rest)
        done += count
        s.clock += count
        if s.clock % GRID == 0 and s.mode != FROZEN:
            _move_taps(paths, state, taps)
        if s.clock == BLOCK:
            end_block(paths, state, spread, memory)


@njit(
    types.void(PATHS, STATES, _CUBE32, _LINE, _TURNED, types.int64, _LINE, types.int64),
    cache=True,
    nogil=True,
)
def guide(
    paths: Record, state: Record, taps: Audio, tx: Audio, turned: Audio, at: int, rest: Audio, age: int
) -> None:
    """Let all paths learn from a rest without far signal.

    Args:
        paths: As for `cancel`.
        state: As for `cancel`.
        taps: As for `cancel`.
        tx: As for `cancel`.
        turned: As for `cancel`.
        at: Index in `tx` of the rest's first instant.
        rest: Shape (n,).
        age: Samples from there to the newest one sent.
    """
    s = state[0]
    s.age = age
    s.guide += _dot(rest, rest)
    s.guided += len(rest)
    for first in range(0, len(rest), GRID):
        piece = rest[first : min(len(rest), first + GRID)]
        for p in range(len(paths)):
            _learn(paths, p, taps, tx, turned, at + first, piece)
