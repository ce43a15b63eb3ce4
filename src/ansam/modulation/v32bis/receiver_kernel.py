"""The receiver's sample loop: residual samples of the echo canceller in, descrambled bits out.

::

    x ─ dsp.qam ─ point ─ trellis decoder ─ Q bits ─ descrambler ─ bits
           ↑                 │ newest label of the best path
           └───── learn ─────┘ (while training: the symbol that was sent, or the nearest of four)

Rate signals are recognised here and not by the owner, because the symbol after the end of E is already one
of the data: the receiver must change diagrams between two symbols.

What decisions can not follow is mended here too, as a retrain takes seconds:

- *The signal is gone* (its power fell by 14 dB): everything stands still, and ones are delivered.
- *The level stepped* (decisions are guesses, and the power changed): the gain follows the power.
- *The phase jumped* (decisions are guesses, the power is the same): of 32 angles the one is taken at which
  the last points lie best on the diagram.
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
    Record,
    begin_symbol,
    filtered,
    follow_clock,
    learn,
    push,
    reliability,
)
from ansam.modulation.v32bis.constants import (
    BITS_PER_SYMBOL,
    POINT_TABLE,
    TRELLIS,
    WORD_SYMBOLS,
    Coding,
)
from ansam.modulation.v32bis.rate_signal import (
    DETECTORS,
    END_FOUND,
    RATE_FOUND,
    DetectorRecord,
    detect_bit,
)
from ansam.modulation.v32bis.trellis import (
    DECODERS,
    DEPTH,
    POINTS_IM,
    POINTS_RE,
    DecoderRecord,
    decode,
    restart,
)
from ansam.units import Audio

IDLE, WORDS, DATA = 0, 1, 2
"""Modes: no signal followed; four points, in which rate signals are looked for; data."""

HISTORY = 1024
"""Points kept for the constellation."""
_FOUR_POINTS = int(Coding.UNCODED_4800)
_WILD = 9.0
"""An error so many times its mean is no noise; it moves the loops no more than one of this size."""
_LOST_E = 6 * WORD_SYMBOLS
"""Symbols without the rate sequence after an erasure, when E is taken to have been in it, or symbols that are
none of its four states. B1 is longer."""
_STRANGE = 0.1
"""Mean square error of decisions among four states that shows that there are more."""
_WHOLE = WORD_SYMBOLS + 12
"""Symbols after an erasure of which no bit of a word depends on it: the descrambler's memory is 23 bits."""
_GOOD = 1 / 512
_FAST = 1 / 64
_LEVEL = 1 / 12
_GONE, _BACK = 0.04, 0.06
"""Power, against that of training, at which the signal is gone and at which it is back."""
_BLOCK = 96
"""Symbols over which the power is measured."""
_STEP = 1.3
"""Ratio of powers that is a step: 3 standard deviations over a block, and 1.1 dB."""
_STEPS = 8
"""Blocks after a step over which the new level is averaged."""
_WORRY = 0.4
"""Share of the error of guesses from which on the level is looked at: a smaller diagram is guessed well."""
_FREEZE = 32
"""Guesses in a row after which the loops stand still."""
_TRY, _TRY_AGAIN = 48, 64
"""Guesses after which another phase is looked for, and again."""
_LOOK = 48
"""Points looked at for that."""
_ANGLES = 32
"""Within 90 degrees."""
_BETTER = 0.5
"""Share of the error that another phase must leave at most."""
_FOUR_ERROR = 0.06
"""Mean square distance from the four training states below which the far end sends nothing else."""

STATE = np.dtype(
    [
        ("mode", "i8"),
        ("deliver", "i8"),  # 1: descrambled bits go to the owner
        ("tap_a", "i8"),
        ("tap_b", "i8"),
        ("known", "i8"),  # symbols of the training sequence that are still to come
        ("register", "i8"),
        ("run", "i8"),
        ("data", "i8"),  # coding to change to after E; -1: E is not waited for
        ("rate_word", "i8"),  # last rate signal recognised; -1: none
        ("rate_symbol", "i8"),  # symbol that ended its last sequence
        ("erased_symbol", "i8"),  # last one that was not whole
        ("clamp", "i8"),  # symbols after E whose bits are not delivered
        ("mse", "f8"),  # of the loops' decisions
        ("fast", "f8"),  # the same over a shorter time
        ("bad", "i8"),  # symbols for which the error has been that of guesses
        ("bad_error", "f8"),
        ("strange", "i8"),  # symbols that were none of the four states
        ("four", "i8"),  # 1: in data mode, the last points are training states
        ("level", "f8"),  # power at the equaliser's input
        ("absent", "i8"),  # symbols for which the signal has been gone
        ("settle", "i8"),  # symbols until the equaliser is full of signal again
        ("power", "f8"),  # sum over the present block, and its symbols
        ("counted", "i8"),
        ("usual", "f8"),  # mean power of blocks
        ("steps", "i8"),  # blocks since the level stepped
        ("history", "i8"),
        ("bits", "i8"),
    ]
)
STATES = types.Array(from_dtype(STATE), 1, "C")
_C16 = types.complex128[::1]
ReceiverRecord: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"


@njit(types.void(STATES, DECODERS, types.int64, types.boolean), cache=True, nogil=True)
def _enter_data(state: ReceiverRecord, decoder: DecoderRecord, coding: int, known: bool) -> None:
    """Decode data from the next symbol on."""
    s = state[0]
    restart(decoder, coding, DEPTH, known, decoder[0].previous)
    s.mode = DATA
    s.data = -1
    s.bad = 0
    s.four = 0


@njit(types.void(STATES, FRONTS, F4, F4), cache=True, nogil=True)
def _end_block(
    state: ReceiverRecord, front: Record, line_real: NDArray[np.float32], line_imag: NDArray[np.float32]
) -> None:
    s, f = state[0], front[0]
    ratio = s.power / (_BLOCK * s.usual)
    s.power = 0.0
    s.counted = 0
    # Near the limit of a rate the error is always large, but then it does not rise.
    stepped = (ratio > _STEP or ratio * _STEP < 1.0) and (s.bad or s.fast > 2.0 * s.mse)
    if s.fast < _WORRY * s.bad_error:
        s.steps = 0
        s.usual *= 1.0 + (min(ratio, 2.0) - 1.0) / 16
    elif s.mode == DATA and (stepped or 0 < s.steps < _STEPS):
        s.steps = 1 if stepped else s.steps + 1
        change = ratio ** (-0.5 / s.steps)
        f.gain *= change
        line_real *= np.float32(change)
        line_imag *= np.float32(change)


@njit(types.void(STATES, FRONTS, F4, F4), cache=True, nogil=True, forceinline=True)
def _follow_level(
    state: ReceiverRecord, front: Record, line_real: NDArray[np.float32], line_imag: NDArray[np.float32]
) -> None:
    """Notice that the signal is gone, is back, or has another level; adapt the gain to the latter."""
    s, f = state[0], front[0]
    re, im = line_real[f.newest], line_imag[f.newest]
    power = re * re + im * im
    s.level += _LEVEL * (power - s.level)
    if s.level < (_BACK if s.absent else _GONE):
        s.absent += 1
        s.settle = line_real.size // 4
        s.power = 0.0
        s.counted = 0
        return
    s.absent = 0
    s.settle = max(0, s.settle - 1)
    s.power += power
    s.counted += 1
    if s.counted == _BLOCK:
        _end_block(state, front, line_real, line_imag)


@njit(types.float64(types.int64, _C16, types.int64, types.float64), cache=True, nogil=True, fastmath=True)
def _distance(coding: int, points: NDArray[np.complex128], newest: int, angle: float) -> float:
    """Return the mean square distance of the last points, turned back by an angle, from a diagram."""
    count = 1 << (BITS_PER_SYMBOL[coding] + TRELLIS[coding])
    table_real, table_imag = POINTS_RE[coding, :count], POINTS_IM[coding, :count]
    cos, sin = math.cos(angle), math.sin(angle)
    total = 0.0
    for k in range(_LOOK):
        point = points[(newest - k) % HISTORY]
        re = np.float32(point.real * cos + point.imag * sin)
        im = np.float32(point.imag * cos - point.real * sin)
        least = np.float32(1e9)
        for i in range(count):
            dx = table_real[i] - re
            dy = table_imag[i] - im
            least = min(least, dx * dx + dy * dy)
        total += float(least)
    return total / _LOOK


@njit(types.void(STATES, FRONTS, types.int64, _C16), cache=True, nogil=True)
def _find_phase(state: ReceiverRecord, front: Record, coding: int, points: NDArray[np.complex128]) -> None:
    """Look for the angle at which the last points lie best; see whether they are training states."""
    s = state[0]
    newest = s.history - 1
    if coding != _FOUR_POINTS and _distance(_FOUR_POINTS, points, newest, 0.0) < _FOUR_ERROR:
        s.four = 1
        return
    now = _distance(coding, points, newest, 0.0)
    least = now
    best = 0.0
    for k in range(1, _ANGLES):
        angle = (k - _ANGLES / 2) * (math.pi / 2 / _ANGLES)
        distance = _distance(coding, points, newest, angle)
        if distance < least:
            least = distance
            best = angle
    if least < _BETTER * now:
        front[0].phase += best
        s.fast = s.mse = least
        s.bad = 0


@njit(
    types.boolean(STATES, DETECTORS, types.int64, types.int64, types.int64, types.uint8[::1]),
    cache=True,
    nogil=True,
    forceinline=True,
)
def _descramble(
    state: ReceiverRecord,
    detector: DetectorRecord,
    symbol: int,
    value: int,
    count: int,
    bits: NDArray[np.uint8],
) -> bool:
    """Descramble a symbol's bits; deliver them, or look for rate signals in them. Return whether E ended."""
    s = state[0]
    ended = False
    for i in range(count):
        line_bit = (value >> (count - 1 - i)) & 1
        bit, s.register, s.run = descramble_bit(s.register, s.run, line_bit, s.tap_a, s.tap_b, 0)
        if s.mode == DATA:
            if s.deliver and s.clamp <= 0 and s.bits < bits.size:
                bits[s.bits] = 1 if s.absent else bit
                s.bits += 1
        elif s.known == 0:
            found = detect_bit(detector, bit)
            whole = symbol - s.erased_symbol >= _WHOLE
            if found == RATE_FOUND:
                s.rate_word = detector[0].word
            elif found == END_FOUND and whole:
                ended = True
            if detector[0].since == 0 and whole and detector[0].candidate == s.rate_word:
                s.rate_symbol = symbol
    if s.mode == DATA:
        s.clamp -= 1
    return ended


@njit(
    types.void(
        STATES,
        FRONTS,
        DECODERS,
        DETECTORS,
        types.complex128,
        types.float64,
        _C16,
        F4,
        F4,
        F4,
        F4,
        _C16,
        types.uint8[::1],
    ),
    cache=True,
    nogil=True,
    forceinline=True,
)
def _symbol(
    state: ReceiverRecord,
    front: Record,
    decoder: DecoderRecord,
    detector: DetectorRecord,
    point: complex,
    reliable: float,
    training: NDArray[np.complex128],
    taps_real: NDArray[np.float32],
    taps_imag: NDArray[np.float32],
    line_real: NDArray[np.float32],
    line_imag: NDArray[np.float32],
    points: NDArray[np.complex128],
    bits: NDArray[np.uint8],
) -> None:
    """Decide, learn and decode one symbol."""
    s = state[0]
    if front[0].dirty == 0:
        _follow_level(state, front, line_real, line_imag)
    whole = front[0].hold == 0 and s.settle == 0
    weight = s.mse / (s.mse + (1.0 - reliable)) if reliable < 1.0 else 1.0
    value = decode(decoder, point, 0.0 if reliable < 0.5 or s.settle else weight)
    coding = decoder[0].coding
    decision = POINT_TABLE[coding, decoder[0].tentative]
    if s.known > 0:
        decision = training[training.size - s.known]
        s.known -= 1
    points[s.history] = point
    s.history = (s.history + 1) % HISTORY
    if whole:
        miss = decision - point
        square = min(4.0, miss.real * miss.real + miss.imag * miss.imag)
        if s.bad <= _FREEZE or s.mode == WORDS:
            trust = 1.0 if square < _WILD * s.mse else _WILD * s.mse / square
            learn(front, point, decision, trust, taps_real, taps_imag, line_real, line_imag)
        s.mse += _GOOD * (square - s.mse)
        s.fast += _FAST * (square - s.fast)
        s.bad = s.bad + 1 if s.fast > s.bad_error else 0
        s.strange = s.strange + 1 if s.mode == WORDS and s.fast > _STRANGE else 0
        if s.mode == DATA and s.bad % _TRY_AGAIN == _TRY:
            _find_phase(state, front, coding, points)
    else:
        s.erased_symbol = front[0].symbols
    ended = False
    if value >= 0:
        ended = _descramble(state, detector, front[0].symbols, value, BITS_PER_SYMBOL[coding], bits)
    if s.mode == WORDS and s.data >= 0:
        lost = s.rate_symbol < s.erased_symbol <= front[0].symbols - _LOST_E
        lost |= s.strange > _LOST_E and s.data != _FOUR_POINTS
        if ended or lost:
            _enter_data(state, decoder, s.data, ended)


@njit(
    types.void(
        STATES,
        FRONTS,
        DECODERS,
        DETECTORS,
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
        types.uint8[::1],
    ),
    cache=True,
    nogil=True,
)
def receive(
    state: ReceiverRecord,
    front: Record,
    decoder: DecoderRecord,
    detector: DetectorRecord,
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
    bits: NDArray[np.uint8],
) -> None:
    """Take all of `x`.

    Args:
        state: One record of `STATE`; `bits` is a result, to be cleared by the owner.
        front: Of a `dsp.qam.Front`, as are the eight arrays after `erased`.
        decoder: One record of `trellis.DECODER`.
        detector: One record of `rate_signal.DETECTOR`.
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
        bits: Room for the bits delivered.
    """
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
        _symbol(
            state,
            front,
            decoder,
            detector,
            point,
            reliable,
            training,
            taps_real,
            taps_imag,
            line_real,
            line_imag,
            points,
            bits,
        )
