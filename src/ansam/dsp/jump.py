"""Following a QAM signal that has jumped by some samples, without training anew.

Somebody else's jitter buffer repeats or leaves out samples now and then, and no packet tells. Channel, level,
clock and carrier frequency are what they were; only the place in the stream is another one. To the linear
part of a receiver (`dsp.qam`) that makes two unknowns:

- the symbol's instant: as a whole number of samples is missing, one of as many as a symbol has residues
  (7 at 3429 Bd, where a symbol has 7/3 samples; 10 at 2400 Bd),
- the carrier's phase.

They are found among the samples that came after the jump, by trying them all with the taps from before it:
only with the right ones do the points lie where the modulation has points, which is for its owner to judge.
What comes behind (trellis, superframe) is the owner's matter too.

::

    samples ─► low-pass, equaliser at each instant ─► turned by each phase ─► distance from the diagram
"""

import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, fields
from fractions import Fraction

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.dsp.qam import (
    F4,
    FRONTS,
    NOTHING,
    SYMBOL,
    Front,
    Record,
    begin_symbol,
    filtered,
    push,
)
from ansam.units import SAMPLE_RATE, Audio, Samples

SYMBOLS = 160
"""Symbols that must have come after the jump: 47 ms at 3429 Bd."""
_C16 = types.complex128[::1]
Measure = Callable[[NDArray[np.complex128]], tuple[float, float]]
"""Points of an unknown phase, shape (n,), to (mean square distance from the diagram where they fit best,
angle by which they must be turned back for that)."""


@njit(
    types.int64(FRONTS, F4, F4, F4, types.float32[:, ::1], F4, F4, F4, F4, F4, _C16), cache=True, nogil=True
)
def _listen(
    front: Record,
    x: Audio,
    real: NDArray[np.float32],
    imag: NDArray[np.float32],
    table: NDArray[np.float32],
    line_real: NDArray[np.float32],
    line_imag: NDArray[np.float32],
    line_good: NDArray[np.float32],
    taps_real: NDArray[np.float32],
    taps_imag: NDArray[np.float32],
    points: NDArray[np.complex128],
) -> int:
    """Run samples through a receiver's linear part with its loops held; see `dsp.qam.push`.

    Returns:
        How many points there are in `points`, the newest ones last.
    """
    count = 0
    for i in range(x.size):
        happened = push(front, x[i], False, real, imag, table, line_real, line_imag, line_good)
        if happened == NOTHING:
            continue
        output = filtered(front, taps_real, taps_imag, line_real, line_imag)
        if happened != SYMBOL:
            front[0].before = output
            continue
        point = begin_symbol(front, output)
        if count < points.size:
            points[count] = point
            count += 1
    return count


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A receiver's linear part at an instant when all was well.

    Attributes:
        at: Samples it had taken.
        state: Its record.
        taps_real: The equaliser.
        taps_imag: Likewise.
    """

    at: Samples
    state: Record
    taps_real: NDArray[np.float32]
    taps_imag: NDArray[np.float32]

    @classmethod
    def of(cls, front: Front, at: Samples) -> "Snapshot":
        """Keep what `front` is now."""
        copies = (getattr(front, f.name).copy() for f in fields(cls) if f.name != "at")
        return cls(at, *copies)


def needed(front: Front) -> Samples:
    """Return how many samples after the jump `follow` wants."""
    symbols = SYMBOLS + front.taps_real.size // 2 + 2
    return math.ceil(symbols * SAMPLE_RATE / front.baud) + int(front.table.shape[1])


def follow(
    front: Front, good: Snapshot, baud: Fraction, measure: Measure, most: float, x: Audio, first: Samples
) -> NDArray[np.complex128] | None:
    """Put a receiver's linear part where the signal is now.

    Args:
        front: The receiver's; on success it has taken all of `x`.
        good: What it was before the jump.
        baud: Exact symbol rate.
        measure: See `Measure`.
        most: Distance from which on points lie on no diagram.
        x: Shape (n,), the newest samples, none of them erased: at least `needed` of them.
        first: Instant of the first of them, on the clock of `good.at`.

    Returns:
        The last `SYMBOLS` points, in the right phase; None where no place fits, and nothing was changed.
    """
    spacing = SAMPLE_RATE / baud
    best: tuple[float, float, Front, NDArray[np.complex128]] | None = None
    for residue in range(spacing.numerator):
        trial = _ready(front, good, first, residue / spacing.denominator)
        points = _points(trial, x)
        distance, angle = measure(points)
        if best is None or distance < best[0]:
            best = (distance, angle, trial, points)
    if best is None or best[0] > most:
        return None
    _, angle, trial, points = best
    trial.state[0].phase = math.remainder(float(trial.state[0].phase) + angle, 2 * math.pi)
    front.state[:] = trial.state
    for name in ("real", "imag", "line_real", "line_imag", "line_good", "taps_real", "taps_imag"):
        getattr(front, name)[:] = getattr(trial, name)
    turned: NDArray[np.complex128] = points * complex(math.cos(angle), -math.sin(angle))
    return turned


def _ready(front: Front, good: Snapshot, first: Samples, late: float) -> Front:
    """Return a copy as it was at `good`, moved on to instant `first` and by `late` samples beyond."""
    trial = copy(front)
    trial.state = good.state.copy()
    trial.taps_real, trial.taps_imag = good.taps_real.copy(), good.taps_imag.copy()
    for name in ("real", "imag", "line_real", "line_imag"):
        setattr(trial, name, np.zeros_like(getattr(front, name)))
    trial.line_good = np.ones_like(front.line_good)
    s = trial.state[0]
    passed = first - good.at
    half = float(s.half) + float(s.drift) / 2
    # Instants of T/2 lie at good.at + next + k half; those that have passed are counted, as every other one
    # is a symbol's.
    ahead = float(s.next) + late - passed
    steps = math.floor(-ahead / half) + 1
    s.next = ahead + steps * half
    s.odd = (int(s.odd) + steps) & 1
    s.mixer = math.remainder(float(s.mixer) - float(s.increment) * passed, 2 * math.pi)
    s.phase = math.remainder(float(s.phase) + float(s.frequency) * steps / 2, 2 * math.pi)
    s.write = s.newest = 0
    s.dirty = s.hold = s.learnt = 0
    s.before = 0j
    return trial


def _points(trial: Front, x: Audio) -> NDArray[np.complex128]:
    points = np.zeros(x.size, np.complex128)
    count = _listen(
        trial.state,
        np.ascontiguousarray(x),
        trial.real,
        trial.imag,
        trial.table,
        trial.line_real,
        trial.line_imag,
        trial.line_good,
        trial.taps_real,
        trial.taps_imag,
        points,
    )
    return points[max(0, count - SYMBOLS) : count].copy()
