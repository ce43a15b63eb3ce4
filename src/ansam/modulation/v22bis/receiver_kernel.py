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
from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.coding.scrambler import descramble_bit
from ansam.dsp.agc import adjust_gain
from ansam.dsp.carrier import phase_error, track
from ansam.dsp.equalizer import adapt, equalise
from ansam.dsp.pulse import matched_table
from ansam.dsp.timing import band_edges, lateness
from ansam.modulation.v22bis.constants import (
    BAUD,
    DIBIT,
    MAX_OFFSET_HZ,
    MEAN_ENERGY,
    ONES_TO_UNCLAMP,
    POINT_1200,
    POINTS,
    ROLL_OFF,
    SAMPLES_PER_SYMBOL,
    SCRAMBLER_GUARD,
    SCRAMBLER_TAPS,
)
from ansam.units import Audio

HALF_TAPS = 60
"""Delay of the matched filter, 7.5 ms."""
KAISER_BETA = 3.0
_FRACTIONS = 64
_FILTER = matched_table(ROLL_OFF, HALF_TAPS, KAISER_BETA, _FRACTIONS, SAMPLES_PER_SYMBOL)
_TAPS = _FILTER.shape[1]
RING = 128
"""Samples kept for the matched filter (a power of two, at least its taps)."""
EQUALISER_TAPS = 21
EQUALISER_MAIN = 10
"""Main tap: 10 half symbols of delay, 8.3 ms."""
TONE_STEPS = 20
MATCHED_POWER_SHARE = 1 - ROLL_OFF / 4
"""Mean power of T/2 samples of a raised cosine signal, against its power at symbol instants."""
_HALF = SAMPLES_PER_SYMBOL / 2
_TARGET = MEAN_ENERGY * MATCHED_POWER_SHARE
HOLD = RING + math.ceil(EQUALISER_TAPS * _HALF)
"""Samples after an erasure until none of it is left in the filters."""

MARK = 1
BELL_MARK = 2
S1 = 4
S1_END = 8
ONES_1200 = 16
ONES_2400 = 32
CARRIER_GONE = 64
BAD_SIGNAL = 128

_FAST = 1 / 24
"""Averaging of the correlations per T/2 sample: 12 symbols, 20 ms."""
_CARRIER_RATE = 1 / 12
_EDGE_POLE = 0.96
_EDGE_RATE = 1 / 16
_MARK_TOLERANCE = 0.14
"""Radians per symbol: ±13 Hz. V.22bis §2.6 asks for ±7 Hz; 2225 Hz is 25 Hz away."""
_BELL_ANGLE = 2 * math.pi * 25 / BAUD
_S1_RUN = 32
"""T/2 samples that must look like S1: 27 of its 100 ms."""
ACQUIRED = 24
"""Symbols over which level and timing are first measured."""
_LOCKED = ACQUIRED + 40
"""Symbols after which the carrier loop is taken as locked, so that the equaliser may begin."""
_WIDE = ACQUIRED + 200
"""Symbols after which the loops are narrowed."""
_GUESSING = 1.6
"""Mean square error of 4-way decisions that are mere guesses (2.0 for a signal, more for noise), less a
margin."""
_LOUDER = 4.0
"""A power this many times that at acquisition is a new signal: before, it was noise above -43 dBm0."""
_FREQUENCY_LIMIT = 2 * math.pi * (MAX_OFFSET_HZ + 3) / BAUD
_TAP_A, _TAP_B = SCRAMBLER_TAPS

STATE = np.dtype(
    [
        # set by the owner
        ("watch", "i8"),
        ("sixteen", "i8"),  # 1: 16-way decisions and quadbits; 0: 4-way and dibits
        ("deliver", "i8"),  # 1: descrambled bits go to the user
        ("acquire", "i8"),  # 1: a new signal resets gain, timing, frequency and equaliser
        ("relative", "i8"),  # 1: a drop far below the usual level counts as no carrier
        ("power_on", "f8"),
        ("power_off", "f8"),
        ("gone_limit", "i8"),  # samples
        ("mark_limit", "i8"),  # T/2 samples
        ("bell_limit", "i8"),
        ("ones_limit", "i8"),  # bits
        ("signal_limit", "i8"),  # T/2 samples
        ("bad_limit", "i8"),  # symbols
        ("bad_error", "f8"),  # mean square error that is bad
        # front end
        ("mixer", "i8"),
        ("write", "i8"),
        ("next", "f8"),  # samples from now to the next T/2 instant
        ("odd", "i8"),
        ("hold", "i8"),  # samples until the loops may move again
        ("erased_run", "i8"),
        # level
        ("power", "f8"),
        ("usual", "f8"),
        ("carrier", "i8"),
        ("gone", "i8"),
        ("clamp", "i8"),
        ("clamp_limit", "i8"),
        ("gain", "f8"),
        # pattern detectors, on raw T/2 samples
        ("z1", "c16"),
        ("z2", "c16"),
        ("z3", "c16"),
        ("z4", "c16"),
        ("energy", "f8"),
        ("lag1", "c16"),
        ("lag2", "c16"),
        ("centre", "f8"),
        ("above", "f8"),
        ("below", "f8"),
        ("tonal", "i8"),
        ("signal_run", "i8"),  # T/2 samples of carrier that is neither a tone nor S1
        ("mark_run", "i8"),
        ("bell_run", "i8"),
        ("s1_run", "i8"),
        ("s1", "i8"),
        # timing
        ("upper", "c16"),
        ("lower", "c16"),
        ("edge", "c16"),
        ("drift", "f8"),  # timing frequency, samples per symbol
        # carrier and equaliser
        ("rotation", "f8"),
        ("phase", "f8"),
        ("frequency", "f8"),  # radians per symbol
        ("newest", "i8"),
        ("acquired", "i8"),
        ("trained", "i8"),
        ("error", "f8"),
        ("bad_run", "i8"),
        # decoder
        ("quadrant", "i8"),
        ("register", "i8"),
        ("run", "i8"),
        ("ones_score", "i8"),
        ("zeros_score", "i8"),
        ("ones_run", "i8"),
        ("history", "i8"),
        # results
        ("bits", "i8"),
        ("events", "i8"),
    ]
)
HISTORY = 256
"""Points kept for the constellation."""
_STATES = types.Array(from_dtype(STATE), 1, "C")
_COMPLEX = types.complex128[::1]
_Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"


@njit(types.void(_STATES, _COMPLEX), cache=True, nogil=True)
def restart_acquisition(state: _Record, taps: NDArray[np.complex128]) -> None:
    """Forget everything learnt from an earlier signal; gain and timing are measured afresh."""
    s = state[0]
    s.acquired = 0
    s.trained = 0
    s.frequency = 0.0
    s.phase = 0.0
    s.drift = 0.0
    s.edge = 0j
    s.upper = 0j
    s.lower = 0j
    s.ones_score = 0
    s.zeros_score = 0
    s.ones_run = 0
    s.error = MEAN_ENERGY / 4
    for j in range(taps.size):
        taps[j] = 0j
    taps[EQUALISER_MAIN] = 1.0 + 0j


@njit(types.void(_STATES, types.float64), cache=True, nogil=True)
def _jump(state: _Record, late: float) -> None:
    """Move the sampling instant on by `late` symbols; always forward, since the past is gone."""
    s = state[0]
    if late < 0:
        late += 1.0
    s.next += late * SAMPLES_PER_SYMBOL
    turn = complex(math.cos(math.pi * late), math.sin(math.pi * late))
    s.upper *= turn
    s.lower *= turn.conjugate()
    s.edge *= turn * turn


@njit(types.void(_STATES, types.complex128, _COMPLEX), cache=True, nogil=True)
def _watch_level(state: _Record, z: complex, taps: NDArray[np.complex128]) -> None:
    """Circuit 109: level with hysteresis (V.22bis (11/88) §3.3); a new carrier may restart acquisition."""
    s = state[0]
    power = z.real * z.real + z.imag * z.imag
    s.power += _CARRIER_RATE * (power - s.power)
    threshold = s.power_off if s.carrier else s.power_on
    if s.relative:
        threshold = max(threshold, s.usual * (0.03 if s.carrier else 0.06))
    if s.power > threshold:
        if not s.carrier:
            s.carrier = 1
            if s.acquire:
                restart_acquisition(state, taps)
        s.gone = 0
        if s.power > 0.3 * s.usual:
            s.usual += 0.001 * (s.power - s.usual)
        if s.clamp > 0:
            s.clamp -= 1
    else:
        s.carrier = 0
        s.gone += 1
        s.clamp = s.clamp_limit
        s.tonal = 0


@njit(types.void(_STATES, types.complex128), cache=True, nogil=True)
def _watch_patterns(state: _Record, z: complex) -> None:
    """Correlate raw T/2 samples over one and two symbols: USB1 turns by -90 degrees, S1 repeats after two."""
    s = state[0]
    s.energy += _FAST * (z.real * z.real + z.imag * z.imag - s.energy)
    s.lag1 += _FAST * (z * s.z2.conjugate() - s.lag1)
    s.lag2 += _FAST * (z * s.z4.conjugate() - s.lag2)
    # Four T/2 samples are one period of S1: three of its DFT lines, at the carrier and 300 Hz to either side.
    total = z + s.z1 + s.z2 + s.z3
    difference = z - s.z2
    quarter = s.z1 - s.z3
    turned = complex(-quarter.imag, quarter.real)
    up = difference + turned
    down = difference - turned
    s.centre += _FAST * (total.real * total.real + total.imag * total.imag - s.centre)
    s.above += _FAST * (up.real * up.real + up.imag * up.imag - s.above)
    s.below += _FAST * (down.real * down.real + down.imag * down.imag - s.below)
    s.z4 = s.z3
    s.z3 = s.z2
    s.z2 = s.z1
    s.z1 = z


@njit(types.void(_STATES), cache=True, nogil=True)
def _judge_patterns(state: _Record) -> None:
    """Turn the correlations into: pure tone, unscrambled ones, Bell mark, S1 and its end."""
    s = state[0]
    size1 = abs(s.lag1)
    was_tonal = s.tonal
    s.tonal = 1 if s.carrier and size1 > (0.7 if was_tonal else 0.85) * s.energy else 0
    if was_tonal and not s.tonal and s.acquire and s.carrier:
        s.acquired = 0
    s.signal_run = s.signal_run + 1 if s.carrier and not s.tonal and not s.s1 else 0
    # Angle from -90 degrees per symbol (dibit 11, §2.5.2).
    angle = math.atan2(s.lag1.real, -s.lag1.imag)
    pure = s.carrier == 1 and size1 > 0.85 * s.energy
    s.mark_run = s.mark_run + 1 if pure and abs(angle) < _MARK_TOLERANCE else 0
    s.bell_run = s.bell_run + 1 if pure and abs(angle + _BELL_ANGLE) < _MARK_TOLERANCE else 0
    repeats = s.lag2.real > (0.6 if s.s1 else 0.75) * s.energy and abs(s.lag2.imag) < 0.36 * s.lag2.real
    sides = s.above + s.below
    # Nominal: sides = 0.5 centre, both equal; a line may tilt them by 10 dB.
    balanced = min(s.above, s.below) > 0.02 * sides
    shaped = balanced and 0.08 * s.centre < sides < 6.0 * s.centre and not s.tonal
    if s.s1:
        if not (repeats and s.carrier):
            s.s1 = 0
            s.s1_run = 0
            s.trained = 0
            s.ones_score = 0
            s.zeros_score = 0
            s.ones_run = 0
            s.events |= S1_END
    elif repeats and shaped and s.carrier:
        s.s1_run += 1
    else:
        s.s1_run = 0


@njit(types.void(_STATES), cache=True, nogil=True)
def _enter_s1(state: _Record) -> None:
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


@njit(types.void(_STATES, types.int64, types.int64, types.uint8[::1]), cache=True, nogil=True)
def _decode(state: _Record, quadrant: int, label: int, bits: NDArray[np.uint8]) -> None:
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
        s.ones_run = s.ones_run + 1 if bit else 0
        s.ones_score = s.ones_score + 1 if bit else max(0, s.ones_score - 16)
        s.zeros_score = max(0, s.zeros_score - 16) if bit else s.zeros_score + 1
        if s.deliver:
            if s.clamp > 0:
                bit = 1
            if s.bits < bits.size:
                bits[s.bits] = bit
                s.bits += 1


@njit(types.void(_STATES, types.boolean), cache=True, nogil=True)
def _recover_timing(state: _Record, live: bool) -> None:
    """Move the sampling instant along the band-edge phase; frozen unless `live`."""
    s = state[0]
    s.next += s.drift
    if not live:
        return
    s.edge += _EDGE_RATE * (s.upper * s.lower.conjugate() - s.edge)
    if s.acquired < ACQUIRED:
        return
    late = lateness(s.edge) * SAMPLES_PER_SYMBOL
    wide = s.acquired < _WIDE
    s.next += (0.04 if wide else 0.006) * late
    limit = SAMPLES_PER_SYMBOL * 5e-4
    s.drift = min(limit, max(-limit, s.drift + (2e-4 if wide else 1.2e-5) * late))


@njit(
    types.void(_STATES, _COMPLEX, _COMPLEX, _COMPLEX, types.uint8[::1], types.boolean),
    cache=True,
    nogil=True,
)
def _symbol(
    state: _Record,
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
    if live and s.acquired > ACQUIRED + 6:
        wide = s.acquired < _WIDE
        s.phase, s.frequency = track(
            s.phase,
            s.frequency,
            phase_error(point, decision),
            0.15 if wide else 0.04,
            0.006 if wide else 0.0003,
            _FREQUENCY_LIMIT,
        )
        miss = decision - point
        square = miss.real * miss.real + miss.imag * miss.imag
        s.error += (square - s.error) / 128
        if s.acquired > _LOCKED and not s.s1:
            s.trained += 1
            share = 0.15 if s.trained < 240 else (0.05 if s.trained < 600 else 0.012)
            weight = share / (EQUALISER_TAPS * _TARGET)
            adapt(taps, line, s.newest + EQUALISER_TAPS, weight * miss * turn.conjugate())
        s.bad_run = s.bad_run + 1 if s.error > s.bad_error else 0
    if live:
        s.acquired += 1
        if s.acquire:
            if s.acquired == ACQUIRED:
                _jump(state, lateness(s.edge))
            louder = s.energy * s.gain * s.gain > _LOUDER * _TARGET and s.acquired > ACQUIRED
            if louder or (s.acquired > _WIDE and s.error > _GUESSING and not s.s1):
                restart_acquisition(state, taps)
    counting = live and s.acquired > ACQUIRED + 6 and not s.s1
    _decode(state, quadrant, label, bits)
    if not counting:
        s.ones_run = 0
        if not s.hold:
            s.ones_score = 0
            s.zeros_score = 0


@njit(types.void(_STATES), cache=True, nogil=True)
def _collect_events(state: _Record) -> None:
    """Raise the level-triggered happenings that are due."""
    s = state[0]
    if s.mark_run >= s.mark_limit:
        s.events |= MARK
    if s.bell_run >= s.bell_limit:
        s.events |= BELL_MARK
    if max(s.ones_score, s.zeros_score) >= s.ones_limit and s.signal_run >= s.signal_limit:
        s.events |= ONES_1200
    if s.sixteen and s.ones_run >= ONES_TO_UNCLAMP:
        s.events |= ONES_2400
    if s.gone * _HALF >= s.gone_limit:
        s.events |= CARRIER_GONE
    if s.bad_run >= s.bad_limit:
        s.events |= BAD_SIGNAL


@njit(
    types.complex128(_STATES, types.float32[::1], types.float32[::1]),
    cache=True,
    nogil=True,
)
def _filter(state: _Record, real: NDArray[np.float32], imag: NDArray[np.float32]) -> complex:
    """Return the matched filter's output at `next` (-1 < next <= 0) after the newest sample."""
    s = state[0]
    row = int(-s.next * _FRACTIONS + 0.5)
    first = s.write + RING
    a = np.float32(0.0)
    b = np.float32(0.0)
    for j in range(_TAPS):
        h = _FILTER[row, j]
        a += h * real[first - j]
        b += h * imag[first - j]
    return complex(a, b)


@njit(
    types.int64(
        _STATES,
        types.float32[::1],
        types.boolean,
        types.float32[::1],
        types.float32[::1],
        types.float64[::1],
        types.float64[::1],
        _COMPLEX,
        _COMPLEX,
        _COMPLEX,
        types.uint8[::1],
    ),
    cache=True,
    nogil=True,
)
def receive(
    state: _Record,
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
            s.erased_run += 1
        elif s.hold > 0:
            s.hold -= 1
            if s.hold == 0:
                # After a long gap the carrier phase has drifted: take it up again quickly.
                if s.erased_run > 400 and s.acquired > _WIDE:
                    s.acquired = _WIDE - 60
                s.erased_run = 0
        s.next -= 1.0
        if s.next > 0.0:
            continue
        z = _filter(state, real, imag)
        s.next += _HALF
        steady = s.hold == 0
        if steady:
            _watch_level(state, z, taps)
            _watch_patterns(state, z)
            _judge_patterns(state)
        s.rotation = (s.rotation + 0.5 * s.frequency) % (2 * math.pi)
        live = steady and s.carrier == 1 and s.tonal == 0
        v = s.gain * z * complex(math.cos(s.rotation), -math.sin(s.rotation))
        if steady and s.carrier:
            if s.acquired < ACQUIRED and s.acquire:
                s.gain = math.sqrt(_TARGET / max(s.energy, 1e-12))
            elif live:
                rate = 0.01 if s.acquired < _WIDE else 0.0008
                s.gain = adjust_gain(s.gain, v.real * v.real + v.imag * v.imag, _TARGET, rate)
        s.newest = (s.newest + 1) % EQUALISER_TAPS
        line[s.newest] = v
        line[s.newest + EQUALISER_TAPS] = v
        if live:
            s.upper, s.lower = band_edges(s.upper, s.lower, v, _EDGE_POLE)
        s.odd ^= 1
        if s.odd == 0:
            _recover_timing(state, live)
            _symbol(state, line, taps, points, bits, live)
            if s.s1_run >= _S1_RUN and not s.s1:
                _enter_s1(state)
        _collect_events(state)
        s.events &= s.watch
        if s.events:
            return i + 1
    return rx.size
