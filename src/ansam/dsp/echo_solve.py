"""From a record of the far end's silence to the filters that copy its echoes.

::

    rx ─► search ─► offset ─► fit of 256 taps ─► trim ─► joint fit of all paths ─► rest ─┐
          ▲                                              holes out, phases straight      │
          └──────────────────────────────────────────────────────────────────────────────┘

- One echo at a time, the strongest first: a loud echo hides a faint one under its own random sidelobes.
- *Trim*: of windows of 32 to 256 taps the one that pays. A tap that does not lower the error well beyond its
  own noise only costs, now and ten times more in double talk.
- *Holes*: where a packet of ours was lost its echo is missing, and the rest is minus the copy. Such stretches
  are dropped and the fit is repeated.
- *Straight*: the slope of the phase between echo and copy corrects the frequency offset, or shows that there
  is none.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.echo_fit import (
    Real,
    Window,
    dot,
    echo,
    factorise,
    fit,
    normal_matrix,
    right_side,
    runs_of,
    substitute,
)
from ansam.dsp.echo_search import HALF, LEAD, MAX_TAPS, Record, Search, offset_of
from ansam.units import SAMPLE_RATE

MAX_PATHS = 3
_BEFORE = 80
"""Taps of the first fit before the peak."""
_TRIM_SAMPLES = 8_000
_LENGTHS = (32, 48, 64, 96, 128, 192, 256)
_TAP_PRICE = 4.0
"""How many times its own noise a tap must take out of the error."""
_MIN_LEVEL_DB = -62.0
"""An echo fainter than this below what is sent does no harm, and A-law distorts it beyond copying."""
_HOLE = 80
"""Samples looked at together for a missing echo."""
_CERTAIN = 4.0
"""Standard deviations from which on an offset is one."""
_CROOKED = 0.01
"""Radians of phase over a record that are not worth another fit."""
_STILL = 0.3
"""Radians of phase over a record that the search can not tell from none."""
_SHORTEST = 800
"""Samples of a record below which nothing can be told."""
_WIDEST = 2 * math.pi * 1.5 / SAMPLE_RATE
"""Radians per sample by which the search may err."""
_NONE: Real = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Path:
    """One way an echo takes.

    Attributes:
        start: Delay of the first tap, samples.
        taps: Shape (1 … MAX_TAPS,).
        step: Frequency offset in radians per sample; 0.0 is none at all.
        phase: Of the offset at the record's first instant, radians.
        step_deviation: Standard deviation of `step`.
        phase_deviation: That of `phase` in the middle of the record.
        level_db: Power of the echo against that of what it is an echo of.
    """

    start: int
    taps: Real
    step: float = 0.0
    phase: float = 0.0
    step_deviation: float = 0.0
    phase_deviation: float = 0.0
    level_db: float = -120.0


@dataclass(frozen=True, slots=True)
class Findings:
    """What a record showed.

    Attributes:
        paths: In the order found, the strongest first.
        erle_db: Power of what came back against what is left of it without the echo.
    """

    paths: tuple[Path, ...] = ()
    erle_db: float = 0.0


def _loudest(rest: Real) -> tuple[int, int]:
    """Return the stretch of at most `_TRIM_SAMPLES` with most energy."""
    if len(rest) <= _TRIM_SAMPLES:
        return 0, len(rest)
    sums = np.concatenate([[0.0], np.cumsum(rest**2)])
    start = int(np.argmax(sums[_TRIM_SAMPLES:] - sums[:-_TRIM_SAMPLES]))
    return start, start + _TRIM_SAMPLES


def _solved(matrix: Real, right: Real) -> Real:
    factor, taps = matrix.copy(), right.copy()
    if not factorise(factor):
        return np.zeros_like(taps)
    substitute(factor, taps)
    return taps


def _place(record: Record, rest: Real, valid: NDArray[np.bool_], path: Path, low: int, high: int) -> Path:
    """Fit a long window between the delays `low` and `high`, and return the short one that pays."""
    wide = Window(record.lines(path.step, path.phase)[0], low, high - low)
    a, b = _loudest(rest)
    stretch = np.zeros(len(rest), np.bool_)
    stretch[a:b] = valid[a:b]
    runs = runs_of(stretch)
    matrix, right = normal_matrix([wide], runs, LEAD), right_side([wide], rest, runs, LEAD)
    matrix[np.diag_indices_from(matrix)] += 0.01 * wide.count * record.power
    taps = _solved(matrix, right)
    energy = float(np.sum(rest[stretch] ** 2))
    least = max(energy - dot(right, taps), 1e-9 * energy)
    count = max(1, int(stretch.sum()))
    price = _TAP_PRICE * least / count
    level = 10 * math.log10(max(energy - least, 0.0) / (count * record.power_from(low)) + 1e-12)
    sums = np.concatenate([[0.0], np.cumsum(taps**2)])
    best, cost = (0, wide.count), math.inf
    for length in (*(n for n in _LENGTHS if n < wide.count), wide.count):
        if least + price * length >= cost:
            break
        place = int(np.argmax(sums[length:] - sums[: len(sums) - length]))
        inside = slice(place, place + length)
        part = _solved(matrix[inside, inside], right[inside])
        spent = energy - dot(right[inside], part) + price * length
        if spent < cost:
            best, cost = (place, length), spent
    return replace(path, start=low + best[0], taps=np.zeros(best[1]), level_db=level)


@dataclass(slots=True)
class _Fitted:
    """A joint fit of some paths.

    Attributes:
        paths: With their taps.
        windows: Where these stand.
        echoes: What each makes of the record.
        rest: What is left of it.
        valid: Where it was fitted.
        noise: Power of the rest there.
        factor: Of the fit's matrix.
    """

    paths: list[Path]
    windows: list[Window]
    echoes: list[Real]
    rest: Real
    valid: NDArray[np.bool_]
    noise: float
    factor: Real


def _fit_all(record: Record, paths: list[Path], valid: NDArray[np.bool_], noise: float) -> _Fitted:
    """Fit the taps of all paths together.

    Args:
        record: The record.
        paths: Their windows, offsets and levels count; their taps do not.
        valid: What to fit.
        noise: Power expected to be left.
    """
    windows = [Window(record.lines(p.step, p.phase)[0], p.start, len(p.taps)) for p in paths]
    ridges = []
    for w, path in zip(windows, paths, strict=True):
        sent = record.power_from(w.start)
        expected = 10 ** (path.level_db / 10) * sent
        ridges.append(w.count * sent * min(1.0, max(1e-5, noise / expected)))
    taps, factor = fit(windows, ridges, record.rx, runs_of(valid), LEAD)
    count = len(record.rx)
    echoes = [echo(w, h, LEAD, count) for w, h in zip(windows, taps, strict=True)]
    rest: Real = np.where(record.valid, record.rx - np.sum(echoes, axis=0), 0.0)
    fitted = []
    for path, h, y in zip(paths, taps, echoes, strict=True):
        level = 10 * math.log10(dot(y, y) / count / record.power_from(path.start) + 1e-12)
        fitted.append(replace(path, taps=h, level_db=level))
    noise = float(np.mean(rest[valid] ** 2)) + 1e-14
    return _Fitted(fitted, windows, echoes, rest, valid, noise, factor)


def _holes(fitted: _Fitted, valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return `valid` without the stretches where the echo of some path is missing."""
    count = len(valid) // _HOLE
    shape = (count, _HOLE)
    rest = fitted.rest[: count * _HOLE].reshape(shape)
    kept = valid.copy()
    for y in fitted.echoes:
        copy = y[: count * _HOLE].reshape(shape)
        energy = np.sum(copy**2, axis=1) + 1e-30
        share = np.sum(copy * rest, axis=1) / energy
        certain = 1.5 * fitted.noise < 0.02 * energy
        for k in np.flatnonzero((share < -0.5) & certain):
            kept[max(0, (k - 1) * _HOLE) : (k + 2) * _HOLE] = False
    return kept if kept.sum() > valid.sum() // 2 else valid


def _slope(record: Record, fitted: _Fitted, path: Path) -> tuple[float, float, Path]:
    """Measure by how much the phase of an echo runs away from its copy.

    Where the sender's spectrum changes over the record, taps can imitate a slope of the phase. So it is
    fitted with the taps (a step of Gauss and Newton), not after them: what the taps can do is taken out of
    its column.

    Returns:
        Slope (radians per sample), its deviation, and the path with its phase set right for that slope.
    """
    count = len(record.rx)
    late = echo(
        Window(record.lines(path.step, path.phase)[1], path.start, len(path.taps)), path.taps, LEAD, count
    )
    turned = np.where(fitted.valid, -late, 0.0)
    instants = np.arange(count)
    energy = dot(turned, turned) + 1e-30
    centre = dot(turned * instants, turned) / energy
    column = turned * (instants - centre)
    side = right_side(fitted.windows, column, runs_of(fitted.valid), LEAD)
    imitated = side.copy()
    substitute(fitted.factor, imitated)
    noise = 1.5 * fitted.noise
    lever = max(dot(column, column) - dot(imitated, side), 0.0) + noise / _WIDEST**2
    slope = dot(column, fitted.rest) / lever
    # The phase belongs to the instant of sending, and stays as it is in the middle of the echo.
    phase = path.phase + dot(turned, fitted.rest) / energy - slope * (centre - path.start)
    return (
        slope,
        math.sqrt(noise / lever),
        replace(path, phase=phase, phase_deviation=math.sqrt(noise / energy)),
    )


def _straighten(record: Record, fitted: _Fitted) -> tuple[list[Path], bool]:
    """Correct frequency offsets by the slope of the phase between each echo and its copy.

    Returns:
        The paths, and whether any changed so much that the taps must be fitted anew.
    """
    straight, again = [], False
    for path in fitted.paths:
        slope, deviation, turned = _slope(record, fitted, path)
        step = path.step + slope
        if abs(step) < _CERTAIN * deviation:
            again |= path.step != 0.0
            straight.append(replace(path, step=0.0, phase=0.0, step_deviation=deviation))
        else:
            again |= abs(slope) * len(record.rx) > _CROOKED or path.step == 0.0
            straight.append(replace(turned, step=step, step_deviation=deviation))
    return straight, again


def _settle(record: Record, paths: list[Path], noise: float) -> _Fitted:
    """Fit paths together until holes are out and phases straight."""
    fitted = _fit_all(record, paths, record.valid, noise)
    for _ in range(2):
        kept = _holes(fitted, record.valid)
        if np.array_equal(kept, fitted.valid):
            break
        fitted = _fit_all(record, fitted.paths, kept, fitted.noise)
    for _ in range(3):
        straight, again = _straighten(record, fitted)
        if not again:
            fitted.paths = straight
            break
        fitted = _fit_all(record, straight, fitted.valid, fitted.noise)
    return fitted


def _real(record: Record, path: Path, noise: float) -> bool:
    """Return whether an echo is more than noise that many taps can copy, and worth copying."""
    energy = 10 ** (path.level_db / 10) * record.power_from(path.start) * len(record.rx)
    return path.level_db > _MIN_LEVEL_DB and energy > 4 * noise * len(path.taps)


def _window_limits(record: Record, paths: list[Path], peak: int, step: float) -> tuple[int, int]:
    """Return the delays between which a path around `peak` may have taps, clear of those found before."""
    low = max(peak - _BEFORE, record.shortest + (HALF if step else 0))
    high = low + MAX_TAPS
    for path in paths:
        if path.start <= peak:
            low = max(low, min(path.start + len(path.taps), peak))
        else:
            high = min(high, path.start)
    return low, high - (high - low) % 4


def find_echoes(record: Record) -> Findings:
    """Return the echoes in a record of the far end's silence."""
    before = float(np.mean(record.rx[record.valid] ** 2)) if record.valid.any() else 0.0
    if len(record.rx) < _SHORTEST or record.power <= 0.0 or before <= 1e-6 * record.power:
        return Findings()
    search = Search(record)
    fitted = _Fitted([], [], [], record.rx, record.valid, before, np.eye(0))
    while len(fitted.paths) < MAX_PATHS:
        rest = np.where(fitted.valid, fitted.rest, 0.0)
        found = search.strongest(rest)
        if found is None:
            break
        step, phase = offset_of(record, rest, *found)
        if abs(step) * len(record.rx) < _STILL:
            step = phase = 0.0
        low, high = _window_limits(record, fitted.paths, found[0], step)
        if high - low < _LENGTHS[0]:
            break
        path = _place(record, rest, fitted.valid, Path(0, _NONE, step, phase), low, high)
        settled = _settle(record, [*fitted.paths, path], fitted.noise / 100)
        if not _real(record, settled.paths[-1], settled.noise):
            break
        fitted = settled
    return Findings(tuple(fitted.paths), 10 * math.log10(before / fitted.noise))
