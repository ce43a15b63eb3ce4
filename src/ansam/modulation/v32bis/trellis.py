"""Data bits to labels and back: differential coding, the trellis code and its Viterbi decoder.

::

    bits ─ Q1 Q2 ─ differential ─ Y1 Y2 ─┬────────────────── label Y0 Y1 Y2 Q3 … ─ point
                                         └─ 8 states ─ Y0 ─┘
           Q3 … ─────────────────────────────────────────┘

The redundant bit halves the points that may follow each other: the eight subsets (one per Y0 Y1 Y2) have a
much larger distance within than the whole diagram, and two sequences of subsets differ in several symbols or
far in two. The decoder finds the best point of each subset, then the best sequence of subsets, which gains
about 4 dB over the uncoded diagram of the same rate. Turning all points by 90 degrees turns a code sequence
into another one with the same data (differential coding), so the receiver need not know the absolute phase.

Source: V.32bis (02/91) §2.3, figure 1; Viterbi algorithm as in J. G. Proakis and M. Salehi, Digital
Communications, 5th ed., §8.3.

The state of a decoder is one element of `DECODERS`; kernels call `decode` for every symbol.
"""

from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.dsp.records import new_record
from ansam.modulation.v32bis.constants import (
    BITS_PER_SYMBOL,
    DIFFERENTIAL,
    DIFFERENTIAL_INVERSE,
    DIFFERENTIAL_TRELLIS,
    DIFFERENTIAL_TRELLIS_INVERSE,
    POINT_TABLE,
    TRELLIS,
    Coding,
)

DEPTH = 24
"""Default delay of the decoder in symbols: 10 ms; longer gains less than 0.05 dB."""
MAX_DEPTH = 63
NO_LABEL = -1
"""What `decode` releases until its delay has passed."""
_ROWS = 64
_STATES = 8
_UNREACHED = np.float32(1000.0)
"""Metric of a state the encoder can not be in."""
_FAR = 8.0
"""Points are clipped to this on each axis, so that no sum of squares overflows; the widest diagram ends at
1.5."""
_MAX_WEIGHT = 1000.0

DECODER = np.dtype(
    [
        ("coding", "i8"),
        ("depth", "i8"),  # symbols between a point and the release of its label
        ("newest", "i8"),  # row of the last symbol in the history
        ("filled", "i8"),  # symbols decoded since the restart, up to depth
        ("best", "i8"),  # state with the least metric
        ("previous", "i8"),  # Y1 Y2 of the last released label
        ("label", "i8"),  # results of `decode`
        ("tentative", "i8"),
        ("metric", "f4", (_STATES,)),  # squared distance of the best path to each state, least is 0
        ("distance", "f4", (_STATES,)),  # of the present point to the nearest point of each subset, squared
        ("nearest", "i4", (_STATES,)),  # which point of the subset that is
        ("total", "f4", (_STATES,)),  # the next metrics, before they are normalised
        ("history", "i2", (_ROWS, _STATES)),  # state before · 128 + label, by time and state
    ]
)
DECODERS = types.Array(from_dtype(DECODER), 1, "C")
DecoderRecord: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"

POINTS_RE = np.ascontiguousarray(POINT_TABLE.real.astype(np.float32))
POINTS_IM = np.ascontiguousarray(POINT_TABLE.imag.astype(np.float32))


def _by_subset() -> NDArray[np.complex64]:
    """Return the points by coding, place within the subset and subset, so that subsets are neighbours."""
    table = np.zeros((len(Coding), 16, _STATES), np.complex64)
    for coding in filter(lambda coding: coding.trellis, Coding):
        size = coding.points.size // _STATES
        table[coding, :size] = coding.points.reshape(_STATES, size).T
    return table


_SUBSETS_RE = np.ascontiguousarray(_by_subset().real)
_SUBSETS_IM = np.ascontiguousarray(_by_subset().imag)


@njit("UniTuple(int64, 2)(int64, int64)", cache=True, nogil=True)
def trellis_step(delays: int, y: int) -> tuple[int, int]:
    """Run the convolutional encoder for one symbol (figure 1).

    Args:
        delays: Contents of its three delay elements from left to right, the left one in bit 2; 0 to 7.
        y: Y1 Y2, 0 to 3.

    Returns:
        (Y0, new delays); Y0 does not depend on `y`.
    """
    d1, d2, d3 = delays >> 2, (delays >> 1) & 1, delays & 1
    y1, y2 = y >> 1, y & 1
    n2 = d1 ^ y1 ^ y2 ^ (d3 & (d2 ^ y2))
    n3 = d2 ^ y2 ^ (d3 & y1)
    return d3, (d3 << 2) | (n2 << 1) | n3


def _branches() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each state and each of its four entries: the state before and the subset Y0 Y1 Y2 sent."""
    before = np.zeros((_STATES, 4), np.int64)
    subset = np.zeros((_STATES, 4), np.int64)
    found = [0] * _STATES
    for delays in range(_STATES):
        for y in range(4):
            y0, after = trellis_step(delays, y)
            before[after, found[after]] = delays
            subset[after, found[after]] = 4 * y0 + y
            found[after] += 1
    return before, subset


_BEFORE, _SUBSET = _branches()


@njit("UniTuple(int64, 3)(int64, int64, int64, int64)", cache=True, nogil=True)
def encode(coding: int, previous: int, delays: int, value: int) -> tuple[int, int, int]:
    """Encode the scrambled bits of one symbol.

    Args:
        coding: A `Coding`.
        previous: Y1 Y2 of the symbol before.
        delays: Of the trellis encoder; passed through where there is none.
        value: The bits, Q1 (first in time) in the highest place.

    Returns:
        (label, Y1 Y2, new delays).
    """
    rest = BITS_PER_SYMBOL[coding] - 2
    q = (value >> rest) & 3
    if TRELLIS[coding]:
        y = DIFFERENTIAL_TRELLIS[previous, q]
        y0, delays = trellis_step(delays, y)
    else:
        y = DIFFERENTIAL[previous, q]
        y0 = 0
    return (((y0 << 2) | y) << rest) | (value & ((1 << rest) - 1)), y, delays


@njit("UniTuple(int64, 2)(int64, int64, int64)", cache=True, nogil=True, forceinline=True)
def data_of(coding: int, previous: int, label: int) -> tuple[int, int]:
    """Undo `encode` for one label: return (scrambled bits, Y1 Y2), given Y1 Y2 of the symbol before."""
    rest = BITS_PER_SYMBOL[coding] - 2
    y = (label >> rest) & 3
    q = DIFFERENTIAL_TRELLIS_INVERSE[previous, y] if TRELLIS[coding] else DIFFERENTIAL_INVERSE[previous, y]
    return (q << rest) | (label & ((1 << rest) - 1)), y


@njit(
    types.int64(types.int64, types.float32, types.float32, types.int64, types.int64),
    cache=True,
    nogil=True,
    forceinline=True,
)
def _nearest(coding: int, re: float, im: float, first: int, end: int) -> int:
    """Return the label from `first` to `end` - 1 whose point is nearest."""
    label = first
    least = np.float32(1e30)
    for i in range(first, end):
        dx = POINTS_RE[coding, i] - re
        dy = POINTS_IM[coding, i] - im
        distance = dx * dx + dy * dy
        if distance < least:
            least = distance
            label = i
    return label


@njit(types.float32(types.float64), cache=True, nogil=True, forceinline=True)
def _clipped(x: float) -> float:
    """Return a coordinate within ±_FAR; NaN becomes 0."""
    if x != x:
        return 0.0
    return min(_FAR, max(-_FAR, x))


@njit(types.int64(types.int64, types.complex128), cache=True, nogil=True)
def slice_point(coding: int, point: complex) -> int:
    """Return the label of the nearest of all points of a diagram, without regard to the trellis."""
    end = 1 << (BITS_PER_SYMBOL[coding] + TRELLIS[coding])
    return _nearest(coding, _clipped(point.real), _clipped(point.imag), 0, end)


@njit(types.void(DECODERS, types.int64, types.int64, types.boolean, types.int64), cache=True, nogil=True)
def restart(decoder: DecoderRecord, coding: int, depth: int, known: bool, previous: int) -> None:
    """Begin a new sequence of symbols.

    Args:
        decoder: Shape (1,) of `DECODER`.
        coding: A `Coding`.
        depth: Delay in symbols with a trellis, 0 to `MAX_DEPTH`; without one the delay is 0.
        known: True where the encoder's delay elements are zero at the first symbol (B1); False in the midst.
        previous: Y1 Y2 of the symbol before the first.
    """
    d = decoder[0]
    d.coding = coding
    d.depth = min(max(depth, 0), MAX_DEPTH)
    d.newest = 0
    d.filled = 0
    d.best = 0
    d.previous = previous
    d.label = NO_LABEL
    d.tentative = 0
    for i in range(_STATES):
        d.metric[i] = _UNREACHED if known and i else np.float32(0.0)


@njit(
    types.void(DECODERS, types.float32, types.float32),
    cache=True,
    nogil=True,
    forceinline=True,
    fastmath=True,
)
def _search(decoder: DecoderRecord, re: float, im: float) -> None:
    """Find the nearest point of each subset, all eight side by side."""
    d = decoder[0]
    distance, nearest = d.distance, d.nearest
    for subset in range(_STATES):
        distance[subset] = np.float32(1e30)
        nearest[subset] = 0
    for place in range(1 << (BITS_PER_SYMBOL[d.coding] - 2)):
        for subset in range(_STATES):
            dx = _SUBSETS_RE[d.coding, place, subset] - re
            dy = _SUBSETS_IM[d.coding, place, subset] - im
            squared = dx * dx + dy * dy
            nearer = squared < distance[subset]
            nearest[subset] = np.int32(place) if nearer else nearest[subset]
            distance[subset] = squared if nearer else distance[subset]


@njit(
    types.void(DECODERS, types.float32, types.float32, types.float32),
    cache=True,
    nogil=True,
    forceinline=True,
)
def _extend(decoder: DecoderRecord, re: float, im: float, weight: float) -> None:
    """Add, compare, select: move the eight best paths on by one symbol."""
    _search(decoder, re, im)
    d = decoder[0]
    rest = BITS_PER_SYMBOL[d.coding] - 2
    d.newest = (d.newest + 1) & (_ROWS - 1)
    least = np.float32(1e30)
    for state in range(_STATES):
        lowest = np.float32(1e30)
        chosen = 0
        for k in range(4):
            m = d.metric[_BEFORE[state, k]] + weight * d.distance[_SUBSET[state, k]]
            if m < lowest:
                lowest = m
                chosen = k
        subset = _SUBSET[state, chosen]
        d.total[state] = lowest
        d.history[d.newest, state] = _BEFORE[state, chosen] * 128 + (subset << rest) + d.nearest[subset]
        if lowest < least:
            least = lowest
            d.best = state
    for state in range(_STATES):
        d.metric[state] = d.total[state] - least


@njit(types.int64(DECODERS, types.int64), cache=True, nogil=True, forceinline=True)
def survivor(decoder: DecoderRecord, back: int) -> int:
    """Return the label that the best path has `back` symbols before the newest.

    The larger `back`, the surer the label; `back` must not exceed the symbols decoded since the restart, nor
    `MAX_DEPTH`. Only with a trellis.
    """
    d = decoder[0]
    state = d.best
    row = d.newest
    for _ in range(back):
        state = d.history[row, state] >> 7
        row = (row - 1) & (_ROWS - 1)
    return int(d.history[row, state]) & 127


@njit(types.int64(DECODERS, types.complex128, types.float64), cache=True, nogil=True, forceinline=True)
def decode(decoder: DecoderRecord, point: complex, weight: float) -> int:
    """Take one received point.

    Args:
        decoder: Shape (1,) of `DECODER`, set up by `restart`.
        point: On the scale of `POINT_TABLE`. One that is not finite counts as erased.
        weight: Of its squared distances in the metrics: 1 as a rule, 0 for an erased symbol (all labels are
            then as likely; the code finds Q1 Q2 of a single one), in between for a doubtful one.

    Returns:
        The scrambled data bits of the symbol `depth` before this one, Q1 (first in time) in the highest
        place; `NO_LABEL` until there is one. The record then has its label in `label` (or `NO_LABEL`), and in
        `tentative` the newest label of the best path so far, for loops that can not wait. Without a trellis
        there is no delay, and both labels are the nearest point's.
    """
    d = decoder[0]
    if not (np.isfinite(point.real) and np.isfinite(point.imag)) or not 0.0 < weight < np.inf:
        weight = 0.0
    re, im = _clipped(point.real), _clipped(point.imag)
    if TRELLIS[d.coding]:
        _extend(decoder, re, im, min(weight, _MAX_WEIGHT))
        d.tentative = d.history[d.newest, d.best] & 127
        if d.filled < d.depth:
            d.filled += 1
            d.label = NO_LABEL
            return NO_LABEL
        d.label = survivor(decoder, d.depth)
    else:
        d.label = _nearest(d.coding, re, im, 0, 1 << BITS_PER_SYMBOL[d.coding])
        d.tentative = d.label
    value, d.previous = data_of(d.coding, d.previous, d.label)
    return int(value)


@njit(
    types.void(DECODERS, types.complex128[::1], types.float64[::1], types.int64[:, ::1]),
    cache=True,
    nogil=True,
)
def _decode_all(
    decoder: DecoderRecord,
    points: NDArray[np.complex128],
    weights: NDArray[np.float64],
    out: NDArray[np.int64],
) -> None:
    for i in range(points.size):
        out[i, 0] = decode(decoder, points[i], weights[i])
        out[i, 1] = decoder[0].label
        out[i, 2] = decoder[0].tentative


class Decoder:
    """A decoder of points outside a receiver's kernel.

    Args:
        coding: What was sent.
        depth: Delay in symbols with a trellis, 0 to `MAX_DEPTH`.
        known: The encoder began with zero in its delay elements.
        previous: Y1 Y2 of the symbol before the first.
    """

    def __init__(self, coding: Coding, depth: int = DEPTH, known: bool = True, previous: int = 0) -> None:
        self._state = new_record(DECODER)
        restart(self._state, int(coding), depth, known, previous)

    def process(
        self, points: NDArray[np.complex128], weights: NDArray[np.float64] | None = None
    ) -> NDArray[np.int64]:
        """Return shape (n, 3): value, label and tentative label for each of n points, as `decode` does."""
        points = np.ascontiguousarray(points, np.complex128)
        weights = np.ones(points.size) if weights is None else np.ascontiguousarray(weights, np.float64)
        out = np.zeros((points.size, 3), np.int64)
        _decode_all(self._state, points, weights, out)
        return out
