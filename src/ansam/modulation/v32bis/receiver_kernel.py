"""The receiver's sample loop: residual samples of the echo canceller in, descrambled bits out.

::

    x ─ dsp.qam ─ point ─ trellis decoder ─ Q bits ─ descrambler ─ bits
           ↑                 │ newest label of the best path
           └───── learn ─────┘ (while training: the symbol that was sent, or the nearest of four)

Rate signals are recognised here and not by the owner, because the symbol after the end of E is already one
of the data: the receiver must change diagrams between two symbols.
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
from ansam.modulation.v32bis.trellis import DECODERS, DEPTH, DecoderRecord, decode, restart
from ansam.units import Audio

IDLE, WORDS, DATA = 0, 1, 2
"""Modes: no signal followed; four points, in which rate signals are looked for; data."""

HISTORY = 256
"""Points kept for the constellation."""
_FOUR_POINTS = int(Coding.UNCODED_4800)
_WILD = 9.0
"""An error so many times its mean is no noise; it moves the loops no more than one of this size."""
_LOST_E = 5 * WORD_SYMBOLS
"""Symbols without a rate sequence after an erasure, when E is taken to have been in it. B1 is longer."""
_GOOD = 1 / 512

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
        ("ones", "i8"),  # descrambled ones in a row
        ("clamp", "i8"),  # symbols after E whose bits are not delivered
        ("mse", "f8"),  # of the loops' decisions
        ("bad", "i8"),  # symbols for which the error has been that of guesses
        ("bad_error", "f8"),
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
    s.ones = 0


@njit(
    types.boolean(STATES, DETECTORS, types.int64, types.int64, types.int64, types.uint8[::1]),
    cache=True,
    nogil=True,
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
        s.ones = s.ones + 1 if bit else 0
        if s.mode == DATA:
            if s.deliver and s.clamp <= 0 and s.bits < bits.size:
                bits[s.bits] = bit
                s.bits += 1
        elif s.known == 0:
            found = detect_bit(detector, bit)
            if found == RATE_FOUND:
                s.rate_word = detector[0].word
            elif found == END_FOUND:
                ended = True
            if detector[0].since == 0:
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
    whole = front[0].hold == 0
    weight = s.mse / (s.mse + (1.0 - reliable)) if reliable < 1.0 else 1.0
    value = decode(decoder, point, 0.0 if reliable < 0.5 else weight)
    coding = decoder[0].coding
    decision = POINT_TABLE[coding, decoder[0].tentative]
    if s.known > 0:
        decision = training[training.size - s.known]
        s.known -= 1
    points[s.history] = point
    s.history = (s.history + 1) % HISTORY
    if whole:
        miss = decision - point
        square = miss.real * miss.real + miss.imag * miss.imag
        trust = 1.0 if square < _WILD * s.mse else _WILD * s.mse / square
        learn(front, point, decision, trust, taps_real, taps_imag, line_real, line_imag)
        s.mse += _GOOD * (min(square, 4.0) - s.mse)
        s.bad = s.bad + 1 if s.mse > s.bad_error else 0
    else:
        s.erased_symbol = front[0].symbols
    ended = False
    if value >= 0:
        ended = _descramble(state, detector, front[0].symbols, value, BITS_PER_SYMBOL[coding], bits)
    if s.mode == WORDS and s.data >= 0:
        lost = s.rate_symbol < s.erased_symbol <= front[0].symbols - _LOST_E
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


def level_ratio_db(mse: float) -> float:
    """Return the signal to noise ratio (Es/N0) that a mean square error stands for, in dB."""
    return -10 * math.log10(max(mse, 1e-6))
