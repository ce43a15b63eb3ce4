"""The receiver's sample loop: one call turns samples into bits, up to the first watched happening.

::

    x ─ mixer ─ matched filter ─┬─ gain ─ rotate by f ─┬─ equaliser ─ rotate by θ ─ decide ─ decode ─ bits
        (fixed)  (polyphase,    │                      │                  ↑  │
                  T/2 instants) ├─ power: circuit 109  ├─ band edges      └──┴─ carrier loop, LMS
                                └─ correlations: USB1, S1   → timing

Everything runs in the order of the samples and nothing depends on where a call ends, so the bits are the same
however the stream is cut. Loops are frozen while a pure tone is heard (nothing to learn from it), while the
carrier is gone, and over an erasure plus the time its samples need to leave the filters.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.coding.scrambler import descramble_bit
from ansam.dsp.agc import adjust_gain
from ansam.dsp.carrier import phase_error, track
from ansam.dsp.equalizer import adapt, equalise
from ansam.dsp.timing import band_edges, lateness
from ansam.modulation.v22bis.constants import (
    BAUD,
    DIBIT,
    MAX_OFFSET_HZ,
    ONES_TO_UNCLAMP,
    POINT_1200,
    POINTS,
    SAMPLES_PER_SYMBOL,
    SCRAMBLER_GUARD,
    SCRAMBLER_TAPS,
)
from ansam.modulation.v22bis.receiver_hearing import judge_patterns, watch_level, watch_patterns
from ansam.modulation.v22bis.receiver_state import (
    ACQUIRED,
    BAD_SIGNAL,
    BELL_MARK,
    CARRIER_GONE,
    COMPLEX,
    EQUALISER_TAPS,
    FILTER,
    FILTER_TAPS,
    FOUR_WAY,
    FOUR_WAY_SCORE,
    FRACTIONS,
    HALF,
    HISTORY,
    HOLD,
    LOCKED,
    MARK,
    ONES_1200,
    ONES_2400,
    RING,
    S1,
    STATES,
    TARGET,
    TONE_STEPS,
    WIDE,
    Record,
    restart_acquisition,
)
from ansam.units import Audio

_EDGE_POLE = 0.96
_EDGE_RATE = 1 / 16
_S1_RUN = 32
"""T/2 samples that must look like S1: 27 of its 100 ms. In data a false one would be a retrain."""
_S1_RUN_TRAINING = 20
"""In training, where it is expected: 17 ms, so that what a lost packet leaves of it is enough."""
_LAGS = 4
"""T/2 samples between those that are correlated, over two symbols."""
_GUESSING = 1.6
"""Mean square error of 4-way decisions that are mere guesses (2.0 for a signal, more for noise), less a
margin."""
_LOUDER = 4.0
"""A power this many times that at acquisition is a new signal: before, it was noise above -43 dBm0."""
_FREQUENCY_LIMIT = 2 * math.pi * (MAX_OFFSET_HZ + 3) / BAUD
_TAP_A, _TAP_B = SCRAMBLER_TAPS


@njit(types.void(STATES, types.float64), cache=True, nogil=True)
def _jump(state: Record, late: float) -> None:
    """Move the sampling instant on by `late` symbols; always forward, since the past is gone."""
    s = state[0]
    if late < 0:
        late += 1.0
    s.next += late * SAMPLES_PER_SYMBOL
    turn = complex(math.cos(math.pi * late), math.sin(math.pi * late))
    s.upper *= turn
    s.lower *= turn.conjugate()
    s.edge *= turn * turn


@njit(types.void(STATES), cache=True, nogil=True)
def _enter_s1(state: Record) -> None:
    """S1 is certain: while acquiring, take timing and frequency from it (at a symbol instant)."""
    s = state[0]
    s.s1 = 1
    s.events |= S1
    if s.acquire:
        _jump(state, lateness(s.edge))
        s.drift = 0.0
        s.phase = 0.0
        s.frequency = math.atan2(s.lag2.imag, s.lag2.real) / 2
        s.acquired = ACQUIRED + 1


@njit("UniTuple(int64, 2)(complex128, int64)", cache=True, nogil=True)
def decide(point: complex, sixteen: int) -> tuple[int, int]:
    """Return (quadrant, label) of the nearest point, each 0 to 3 (V.22bis (11/88) figure 2)."""
    if sixteen:
        upper = point.imag >= 0
        quadrant = (0 if upper else 3) if point.real >= 0 else (1 if upper else 2)
    else:
        # The four points labelled 01 lie 18.4 degrees past the axes: turn them back onto the axes.
        turned = point * complex(3.0, -1.0)
        if abs(turned.real) >= abs(turned.imag):
            quadrant = 0 if turned.real >= 0 else 2
        else:
            quadrant = 1 if turned.imag >= 0 else 3
        return quadrant, POINT_1200
    for _ in range(quadrant):
        point = complex(point.imag, -point.real)
    return quadrant, (1 if point.real > 2 else 0) + (2 if point.imag > 2 else 0)


@njit(types.void(STATES, types.int64, types.int64, types.uint8[::1]), cache=True, nogil=True)
def _decode(state: Record, quadrant: int, label: int, bits: NDArray[np.uint8]) -> None:
    """Quadrant difference and label to line bits, descrambled, counted and delivered."""
    s = state[0]
    value = DIBIT[(quadrant - s.quadrant) & 3]
    s.quadrant = quadrant
    count = 2
    if s.sixteen:
        value = 4 * value + label
        count = 4
    for i in range(count):
        line_bit = (value >> (count - 1 - i)) & 1
        bit, s.register, s.run = descramble_bit(s.register, s.run, line_bit, _TAP_A, _TAP_B, SCRAMBLER_GUARD)
        if s.sixteen:
            s.ones_run = s.ones_run + 1 if bit else 0
        s.ones_score = s.ones_score + 1 if bit else max(0, s.ones_score - 16)
        s.zeros_score = max(0, s.zeros_score - 16) if bit else s.zeros_score + 1
        if s.deliver:
            if s.clamp > 0:
                bit = 1
            if s.bits < bits.size:
                bits[s.bits] = bit
                s.bits += 1


@njit(types.void(STATES, types.complex128), cache=True, nogil=True)
def _decode_beside(state: Record, point: complex) -> None:
    """With 4-way decisions, count ones all the same as if the signal were one of 2400 bit/s."""
    s = state[0]
    quadrant, label = decide(point, 1)
    value = 4 * DIBIT[(quadrant - s.beside_quadrant) & 3] + label
    s.beside_quadrant = quadrant
    for i in range(4):
        line_bit = (value >> (3 - i)) & 1
        bit, s.beside_register, s.beside_run = descramble_bit(
            s.beside_register, s.beside_run, line_bit, _TAP_A, _TAP_B, SCRAMBLER_GUARD
        )
        s.ones_run = s.ones_run + 1 if bit else 0


@njit(types.void(STATES, types.boolean), cache=True, nogil=True)
def _recover_timing(state: Record, live: bool) -> None:
    """Move the sampling instant along the band-edge phase; frozen unless `live`."""
    s = state[0]
    s.next += s.drift
    if not live:
        return
    s.edge += _EDGE_RATE * (s.upper * s.lower.conjugate() - s.edge)
    if s.acquired < ACQUIRED:
        return
    late = lateness(s.edge) * SAMPLES_PER_SYMBOL
    wide = s.acquired < WIDE
    s.next += (0.04 if wide else 0.006) * late
    limit = SAMPLES_PER_SYMBOL * 5e-4
    s.drift = min(limit, max(-limit, s.drift + (2e-4 if wide else 1.2e-5) * late))


@njit(
    types.void(STATES, COMPLEX, COMPLEX, COMPLEX, types.uint8[::1], types.boolean),
    cache=True,
    nogil=True,
)
def _symbol(
    state: Record,
    line: NDArray[np.complex128],
    taps: NDArray[np.complex128],
    points: NDArray[np.complex128],
    bits: NDArray[np.uint8],
    live: bool,
) -> None:
    """Equalise, decide, adapt and decode one symbol."""
    s = state[0]
    y = equalise(taps, line, s.newest + EQUALISER_TAPS)
    turn = complex(math.cos(s.phase), -math.sin(s.phase))
    point = y * turn
    quadrant, label = decide(point, s.sixteen)
    decision = POINTS[label]
    for _ in range(quadrant):
        decision = complex(-decision.imag, decision.real)
    points[s.history] = point
    s.history = (s.history + 1) % HISTORY
    if live and s.acquired > ACQUIRED + 6 and s.stepped == 0:
        wide = s.acquired < WIDE
        doubtful = s.doubt == 1 and s.acquire == 0
        s.phase, s.frequency = track(
            s.phase,
            s.frequency,
            phase_error(point, decision),
            0.15 if wide else 0.04,
            0.0 if doubtful else (0.006 if wide else 0.0003),
            _FREQUENCY_LIMIT,
        )
        miss = decision - point
        square = miss.real * miss.real + miss.imag * miss.imag
        s.error += (square - s.error) / 128
        if s.doubt:
            s.doubt_error += (square - s.doubt_error) / 32
            if s.doubt_error < 0.5 * s.bad_error:
                s.doubt = 0
        if s.acquired > LOCKED and not s.s1 and not doubtful:
            s.trained += 1
            share = 0.15 if s.trained < 240 else (0.05 if s.trained < 600 else 0.012)
            weight = share / (EQUALISER_TAPS * TARGET)
            adapt(taps, line, s.newest + EQUALISER_TAPS, weight * miss * turn.conjugate())
        s.bad_run = s.bad_run + 1 if s.error > s.bad_error else 0
    if live:
        s.acquired += 1
        if s.acquire:
            if s.acquired == ACQUIRED:
                _jump(state, lateness(s.edge))
            louder = s.energy * s.gain * s.gain > _LOUDER * TARGET and s.acquired > ACQUIRED
            if louder or (s.acquired > WIDE and s.error > _GUESSING and not s.s1):
                restart_acquisition(state, taps)
    counting = live and s.acquired > ACQUIRED + 6 and not s.s1
    _decode(state, quadrant, label, bits)
    if s.sixteen:
        s.four_score = s.four_score + 1 if label == POINT_1200 else max(0, s.four_score - 4)
    elif s.watch & ONES_2400:
        _decode_beside(state, point)
    if not counting:
        s.four_score = 0
        s.ones_run = 0
        if not s.hold:
            s.ones_score = 0
            s.zeros_score = 0


@njit(types.void(STATES), cache=True, nogil=True)
def _collect_events(state: Record) -> None:
    """Raise the level-triggered happenings that are due."""
    s = state[0]
    if s.mark_run >= s.mark_limit:
        s.events |= MARK
    if s.bell_run >= s.bell_limit:
        s.events |= BELL_MARK
    if max(s.ones_score, s.zeros_score) >= s.ones_limit and s.signal_run >= s.signal_limit:
        s.events |= ONES_1200
    if s.ones_run >= ONES_TO_UNCLAMP:
        s.events |= ONES_2400
    if s.four_score >= FOUR_WAY_SCORE:
        s.events |= FOUR_WAY
    if s.gone * HALF >= s.gone_limit:
        s.events |= CARRIER_GONE
    if s.bad_run >= s.bad_limit:
        s.events |= BAD_SIGNAL


@njit(
    types.complex128(STATES, types.float32[::1], types.float32[::1]),
    cache=True,
    nogil=True,
)
def _filter(state: Record, real: NDArray[np.float32], imag: NDArray[np.float32]) -> complex:
    """Return the matched filter's output at `next` (-1 < next <= 0) after the newest sample."""
    s = state[0]
    row = int(-s.next * FRACTIONS + 0.5)
    first = s.write + RING
    a = np.float32(0.0)
    b = np.float32(0.0)
    for j in range(FILTER_TAPS):
        h = FILTER[row, j]
        a += h * real[first - j]
        b += h * imag[first - j]
    return complex(a, b)


@njit(
    types.int64(
        STATES,
        types.float32[::1],
        types.boolean,
        types.float32[::1],
        types.float32[::1],
        types.float64[::1],
        types.float64[::1],
        COMPLEX,
        COMPLEX,
        COMPLEX,
        types.uint8[::1],
    ),
    cache=True,
    nogil=True,
)
def receive(
    state: Record,
    rx: Audio,
    erased: bool,
    real: NDArray[np.float32],
    imag: NDArray[np.float32],
    mix_real: NDArray[np.float64],
    mix_imag: NDArray[np.float64],
    line: NDArray[np.complex128],
    taps: NDArray[np.complex128],
    points: NDArray[np.complex128],
    bits: NDArray[np.uint8],
) -> int:
    """Take samples until the end or until a watched event.

    Args:
        state: One record of `STATE`; `bits` and `events` are results, to be cleared by the owner.
        rx: Shape (n,), full scale ±1.
        erased: These samples never arrived; zeros are filtered in their place.
        real: Shape (2 * RING,), the mixed samples.
        imag: As `real`.
        mix_real: Shape (TONE_STEPS,), one period of 2 cos at the receive carrier.
        mix_imag: As `mix_real`, -2 sin.
        line: Shape (2 * EQUALISER_TAPS,).
        taps: Shape (EQUALISER_TAPS,).
        points: Shape (HISTORY,), ring of equalised points.
        bits: Room for the bits delivered.

    Returns:
        Samples taken; fewer than n only where a watched event stopped it.
    """
    s = state[0]
    for i in range(rx.size):
        x = np.float32(0.0) if erased else rx[i]
        s.mixer = (s.mixer + 1) % TONE_STEPS
        s.write = (s.write + 1) % RING
        real[s.write] = real[s.write + RING] = np.float32(x * mix_real[s.mixer])
        imag[s.write] = imag[s.write + RING] = np.float32(x * mix_imag[s.mixer])
        if erased:
            s.hold = HOLD
            s.dirty = FILTER_TAPS
            s.clean = 0
            s.erased_run += 1
        elif s.hold > 0:
            s.dirty -= 1
            s.hold -= 1
            if s.hold == 0:
                # After a long gap the carrier phase has drifted: take it up again quickly.
                if s.erased_run > 400 and s.acquired > WIDE:
                    s.acquired = WIDE - 60
                s.erased_run = 0
        s.next -= 1.0
        if s.next > 0.0:
            continue
        z = _filter(state, real, imag)
        s.next += HALF
        steady = s.hold == 0
        if s.dirty <= 0:
            s.clean += 1
            watch_level(state, z, taps)
            watch_patterns(state, z, s.clean > _LAGS)
            if s.clean > _LAGS:
                judge_patterns(state)
        s.rotation = (s.rotation + 0.5 * s.frequency) % (2 * math.pi)
        live = steady and s.carrier == 1 and s.tonal == 0
        v = s.gain * z * complex(math.cos(s.rotation), -math.sin(s.rotation))
        if steady and s.carrier:
            if s.acquired < ACQUIRED and s.acquire:
                s.gain = math.sqrt(TARGET / max(s.energy, 1e-12))
            elif live:
                rate = 0.01 if s.acquired < WIDE else 0.0008
                s.gain = adjust_gain(s.gain, v.real * v.real + v.imag * v.imag, TARGET, rate)
        s.newest = (s.newest + 1) % EQUALISER_TAPS
        line[s.newest] = v
        line[s.newest + EQUALISER_TAPS] = v
        edges = s.dirty <= 0 and s.carrier == 1 and s.tonal == 0
        if edges:
            s.upper, s.lower = band_edges(s.upper, s.lower, v, _EDGE_POLE)
        else:
            s.upper, s.lower = band_edges(s.upper, s.lower, 0j, 1.0)
        s.odd ^= 1
        if s.odd == 0:
            _recover_timing(state, edges)
            _symbol(state, line, taps, points, bits, live)
            if s.s1_run >= (_S1_RUN_TRAINING if s.acquire else _S1_RUN) and not s.s1:
                _enter_s1(state)
        _collect_events(state)
        s.events &= s.watch
        if s.events:
            return i + 1
    return rx.size
