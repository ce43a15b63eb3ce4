"""The receiver's sample loop from phase 3 on: samples of the echo canceller in, descrambled bits out.

::

    x ─ dsp.qam ─ point ─┬─ words: nearest of 4 or 16 ─ turns, Q ─ descrambler ─┬─ bits
           ↑             └─ data: to the grid ─ Viterbi, shell demapper ────────┘
           └─── learn ─── TRN as sent, the nearest point, or the best path's newest decision as sent

J, MP and what else is sent in words is for the owner to read. E is recognised here, because the symbol after
its end is the first of B1: twenty ones, which nothing else in MP has, once an MP has been read.
"""

import math
from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.coding.scrambler import descramble_bit
from ansam.dsp.qam import (
    F4,
    FRONTS,
    HALF_SYMBOL,
    NOTHING,
    begin_symbol,
    filtered,
    follow_clock,
    learn,
    push,
    reliability,
)
from ansam.modulation.v34 import decoder as data
from ansam.modulation.v34 import front as grid
from ansam.modulation.v34.constants import E_BITS
from ansam.modulation.v34.constellation import locate
from ansam.modulation.v34.precoder import FRACTION, PRECODERS
from ansam.units import Audio

IDLE, WORDS, DATA = 0, 1, 2
"""Modes: no signal followed; four or sixteen points; data."""

HISTORY = 2048
"""Points kept: the constellation's, and those among which a lost E is looked for."""
_WILD = 9.0
"""An error so many times its mean is no noise; it moves the loops no more than one of this size."""
AVERAGED = 512
"""Symbols over which errors are averaged."""
_ASTRAY = 6.0
_ASTRAY_MOST = 2.5
"""Square of the distance between x(n) decided and received, by the mean and in units of the grid, that makes
the decision doubtful; a wrong one is off by 4 at least."""
_GUESSES = 0.45
"""Mean square error of the newest decisions, in units of the grid, from which on they are like guesses: with
1.5 dB more noise than gives 1 wrong bit in 100,000."""
_DOUBT_SHARE = 1 / 16
_SPREAD_SHARE = 1 / 64
_STRANGE = 0.15
"""Mean square error of decisions among four points: data give 0.25 and more, words must have less."""
_FEW = 1 / np.sqrt(2.0)
_MANY = 1 / np.sqrt(10.0)
"""Units of the quarter superconstellation for 4 and for 16 points of mean power 1."""

STATE = np.dtype(
    [
        ("mode", "i8"),
        ("points16", "i8"),  # 1: words are sent with 16 points
        ("deliver", "i8"),
        ("tap_a", "i8"),
        ("tap_b", "i8"),
        ("known", "i8"),  # symbols of the training sequence that are still to come
        ("z", "i8"),  # turns of the last symbol
        ("register", "i8"),
        ("ones", "i8"),  # descrambled ones in a row
        ("armed", "i8"),  # 1: E ends the words
        ("ended", "i8"),  # 1: E was received
        ("data_symbols", "i8"),  # since the first of B1
        ("erased_symbol", "i8"),  # last one that was not whole
        ("before", "c16"),  # the point before the last
        ("mse", "f8"),
        ("averaged", "i8"),  # symbols in it, as far as that matters
        ("doubt", "f8"),  # the same over few symbols: above `_STRANGE` these are no words
        ("spread", "f8"),  # mean square of the points' power less 1, over the last few that arrived
        ("bad", "i8"),  # symbols of data decided like guesses
        ("searching", "i8"),  # 1: in data, with the superframe unknown: only the loops run
        ("history", "i8"),
        ("bits", "i8"),
        ("aux", "i8"),
    ]
)
STATES = types.Array(from_dtype(STATE), 1, "C")
_C16 = types.complex128[::1]
_THREE = types.Tuple((types.int64, types.int64, types.complex128))  # type: ignore[no-untyped-call]
ReceiverRecord: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"


@njit(_THREE(types.complex128, types.int64), cache=True, nogil=True)
def decide_word(point: complex, sixteen: int) -> tuple[int, int, complex]:
    """Return (clockwise turns, Q, decision) of the nearest of 4 or 16 points (§10.1.3.8, §10.1.3.9)."""
    scale = _MANY if sixteen else _FEW
    # NaN compares false, and becomes the point (-1, -1).
    x = 1 if point.real > 0 else -1
    y = 1 if point.imag > 0 else -1
    if sixteen:
        x = 3 * x if abs(point.real) > 2 * scale else x
        y = 3 * y if abs(point.imag) > 2 * scale else y
    turns, q = locate(x, y)
    return turns, q, complex(x, y) * scale


@njit(types.void(STATES, types.int64, types.int64, types.uint8[::1]), cache=True, nogil=True)
def _read_word(state: ReceiverRecord, turns: int, q: int, bits: NDArray[np.uint8]) -> None:
    """Decode, descramble and deliver the bits of one symbol of words (§10.1.3.3, §10.1.3.9)."""
    s = state[0]
    i = (turns - s.z) & 3
    s.z = turns
    for n in range(4 if s.points16 else 2):
        line_bit = (i >> n) & 1 if n < 2 else (q >> (n - 2)) & 1
        bit, s.register, _ = descramble_bit(s.register, 0, line_bit, s.tap_a, s.tap_b, 0)
        s.ones = s.ones + 1 if bit else 0
        if s.deliver and s.bits < bits.size:
            bits[s.bits] = bit
            s.bits += 1


@njit(
    types.void(STATES, FRONTS, types.complex128, types.complex128, types.boolean, F4, F4, F4, F4),
    cache=True,
    nogil=True,
)
def _learn(
    state: ReceiverRecord,
    front: ReceiverRecord,
    point: complex,
    decision: complex,
    whole: bool,
    taps_real: NDArray[np.float32],
    taps_imag: NDArray[np.float32],
    line_real: NDArray[np.float32],
    line_imag: NDArray[np.float32],
) -> None:
    """Let a decision move the loops, unless samples of it are missing or it is a mere guess."""
    s = state[0]
    if not whole:
        s.erased_symbol = front[0].symbols
        return
    miss = decision - point
    square = miss.real * miss.real + miss.imag * miss.imag
    trust = 1.0 if square < _WILD * s.mse else _WILD * s.mse / square
    learn(front, point, decision, trust, taps_real, taps_imag, line_real, line_imag)
    s.averaged = min(s.averaged + 1, AVERAGED)
    s.mse += (min(square, 4.0) - s.mse) / s.averaged


@njit(types.boolean(PRECODERS, types.complex128, types.float64), cache=True, nogil=True)
def _heal(loop_precoder: ReceiverRecord, received: complex, most: float) -> bool:
    """Put x(n) as received in place of the decided one where they are too far apart; return whether.

    A wrong decision would be followed by wrong x(n) for as long as 1/(1 + h) lasts, and the equaliser would
    learn from them what makes the next decision wrong.
    """
    s = loop_precoder[0]
    unit = float(1 << FRACTION)
    a = s.x[0] / unit - received.real
    b = s.x[1] / unit - received.imag
    if a * a + b * b <= most or abs(received.real) + abs(received.imag) > 256.0:
        return False
    s.x[0] = int(np.rint(received.real * unit))
    s.x[1] = int(np.rint(received.imag * unit))
    return True


@njit(
    types.void(
        STATES,
        FRONTS,
        data.RECORDS,
        grid.FRONTS,
        PRECODERS,
        types.complex128,
        types.float64,
        _C16,
        F4,
        F4,
        F4,
        F4,
        types.uint8[::1],
        types.uint8[::1],
    ),
    cache=True,
    nogil=True,
)
def _symbol(
    state: ReceiverRecord,
    front: ReceiverRecord,
    decoder: data.DecoderRecords,
    scaling: ReceiverRecord,
    loop_precoder: ReceiverRecord,
    point: complex,
    reliable: float,
    training: NDArray[np.complex128],
    taps_real: NDArray[np.float32],
    taps_imag: NDArray[np.float32],
    line_real: NDArray[np.float32],
    line_imag: NDArray[np.float32],
    bits: NDArray[np.uint8],
    aux: NDArray[np.uint8],
) -> None:
    """Decide, learn and decode one symbol."""
    s = state[0]
    whole = front[0].hold == 0
    if whole:
        beyond = min(point.real * point.real + point.imag * point.imag, 4.0) - 1.0
        s.spread += _SPREAD_SHARE * (beyond * beyond - s.spread)
    if s.mode == WORDS:
        turns, q, decision = decide_word(point, s.points16)
        if s.known > 0:
            decision = training[training.size - s.known]
            s.known -= 1
            s.ones = 0
            s.doubt = 0.0
        elif whole and not s.points16:
            # What is not words must not be learnt from as if it were: data before an S or after an E that
            # was missed.
            miss = decision - point
            square = min(miss.real * miss.real + miss.imag * miss.imag, 1.0)
            s.doubt += _DOUBT_SHARE * (square - s.doubt)
            if s.doubt >= _STRANGE:
                whole = False
                s.averaged = 0
        _learn(state, front, point, decision, whole, taps_real, taps_imag, line_real, line_imag)
        if s.known == 0:
            _read_word(state, turns, q, bits)
        if s.armed and s.ones >= E_BITS:
            s.mode = DATA
            s.ended = 1
            s.armed = 0
            s.data_symbols = 0
            s.bad = 0
            data.begin(decoder, 0, True)
        return
    s.data_symbols += 1
    weight = s.mse / (s.mse + (1.0 - reliable)) if reliable < 1.0 else 1.0
    y, weight = grid.to_grid(scaling, point, 0.0 if reliable < 0.5 else weight)
    before = s.before
    s.before = point
    if s.searching:
        data.keep(decoder, y, weight)
        nearest = complex(2 * math.floor(y.real / 2) + 1, 2 * math.floor(y.imag / 2) + 1)
        decision = grid.follow(scaling, loop_precoder, nearest)
        if whole and weight > 0.0:
            off = y - nearest
            d = decoder.state[0]
            d.error += _SPREAD_SHARE * (off.real * off.real + off.imag * off.imag - d.error)
            s.bad = s.bad + 1 if d.error > _GUESSES else 0
        if scaling[0].taps and _heal(loop_precoder, scaling[0].x[0], _ASTRAY_MOST):
            whole = False
        _learn(state, front, point, decision, whole, taps_real, taps_imag, line_real, line_imag)
        return
    decoder.state[0].bits = s.bits
    decoder.state[0].aux = s.aux
    if data.push(decoder, y, weight, bits, aux):
        # The loops move with every second symbol: only of that one is the delay line still there.
        most = min(_ASTRAY_MOST, _ASTRAY * s.mse / (scaling[0].scale * scaling[0].scale))
        first = grid.follow(scaling, loop_precoder, decoder.state[0].tentative[0])
        if scaling[0].taps:
            _heal(loop_precoder, scaling[0].x[1], most)
        decision = grid.follow(scaling, loop_precoder, decoder.state[0].tentative[1])
        if scaling[0].taps and _heal(loop_precoder, scaling[0].x[0], most):
            whole = False
        miss = first - before
        if whole:
            s.bad = s.bad + 2 if decoder.state[0].error > _GUESSES else 0
            s.mse += (min(miss.real * miss.real + miss.imag * miss.imag, 4.0) - s.mse) / AVERAGED
        _learn(state, front, point, decision, whole, taps_real, taps_imag, line_real, line_imag)
    s.bits = decoder.state[0].bits
    s.aux = decoder.state[0].aux


@njit(
    types.void(
        STATES,
        FRONTS,
        data.RECORDS,
        grid.FRONTS,
        PRECODERS,
        types.float32[::1],
        types.boolean,
        F4,
        F4,
        types.float32[:, ::1],
        F4,
        F4,
        F4,
        F4,
        F4,
        _C16,
        _C16,
        types.float64[::1],
        types.uint8[::1],
        types.uint8[::1],
    ),
    cache=True,
    nogil=True,
)
def receive(
    state: ReceiverRecord,
    front: ReceiverRecord,
    decoder: data.DecoderRecords,
    scaling: ReceiverRecord,
    loop_precoder: ReceiverRecord,
    x: Audio,
    erased: bool,
    real: NDArray[np.float32],
    imag: NDArray[np.float32],
    table: NDArray[np.float32],
    line_real: NDArray[np.float32],
    line_imag: NDArray[np.float32],
    line_good: NDArray[np.float32],
    taps_real: NDArray[np.float32],
    taps_imag: NDArray[np.float32],
    training: NDArray[np.complex128],
    points: NDArray[np.complex128],
    weights: NDArray[np.float64],
    bits: NDArray[np.uint8],
    aux: NDArray[np.uint8],
) -> None:
    """Take all of `x`.

    Args:
        state: One record of `STATE`; `bits`, which the owner clears, and `aux` are results.
        front: Of a `dsp.qam.Front`, as are the eight arrays after `erased`.
        decoder: Of `decoder.decoder_records`.
        scaling: One record of `front.FRONT`.
        loop_precoder: The precoder as the newest decisions move it.
        x: Shape (n,).
        erased: The samples never arrived.
        real: See `dsp.qam.push`.
        imag: Likewise.
        table: Likewise.
        line_real: Likewise.
        line_imag: Likewise.
        line_good: Likewise.
        taps_real: See `dsp.qam.filtered`.
        taps_imag: Likewise.
        training: The known symbols that the signal begins with.
        points: Shape (HISTORY,), ring of equalised points.
        weights: Shape (HISTORY,), how reliable they are.
        bits: Room for the bits delivered.
        aux: Room for the auxiliary channel's.
    """
    s = state[0]
    s.aux = 0
    for i in range(x.size):
        happened = push(front, x[i], erased, real, imag, table, line_real, line_imag, line_good)
        if happened == NOTHING:
            continue
        output = filtered(front, taps_real, taps_imag, line_real, line_imag)
        if happened == HALF_SYMBOL:
            follow_clock(front, output, taps_real, taps_imag)
            continue
        point = begin_symbol(front, output)
        if front[0].symbols < 0:
            continue  # the equaliser is still filling
        reliable = reliability(front, taps_real, taps_imag, line_good)
        points[s.history] = point
        weights[s.history] = reliable
        s.history = (s.history + 1) % HISTORY
        _symbol(
            state,
            front,
            decoder,
            scaling,
            loop_precoder,
            point,
            reliable,
            training,
            taps_real,
            taps_imag,
            line_real,
            line_imag,
            bits,
            aux,
        )
