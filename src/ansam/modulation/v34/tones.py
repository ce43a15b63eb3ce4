"""The sample loop that hears one direction of phase 2: INFO bits, a tone, its phase reversals.

::

    x ─ mixer ─ matched filter ─ y ─┬─ y·y*(T) ─ sign ─ 8 shift registers ─ CRC ──────── INFO sequence
        (fixed)  8 per symbol       │                   (one per timing)  ─ all ones ─── INFOMARKS
                                    ├─ (y·y*(T))² ─ smoothed ─ angle/2 ─ frequency offset
                                    └─ turn back ─ d ─┬─ Hann, 20 ms ─ coherence ─────── tone there
                                                      └─ against a reference ────────── reversal, instant

- INFO comes in bursts without any preamble. Instead of a timing loop, all eight timings are tried; the CRC
  says which was right.
- The Hann window of 20 ms has its zeros on every multiple of 50 Hz from the second on: our own L2, whose
  lines lie 150 Hz away from tone A and B, is not heard in it.
- A reversal takes the filtered tone through zero in 1.5 ms; where it passes, is known to a fraction of a
  sample. It counts only if 4 ms of steady tone with the opposite phase follow, and 15 ms of steady tone came
  before.
- Where samples were erased, nothing is learnt for as long as they are in the filter. A reversal that is
  hidden so shows in the phase afterwards; its instant is then taken as the middle of the gap.
"""

import math
from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.dsp.pulse import matched_table
from ansam.modulation.v34.info import REGISTER, fill_erased, find_frame
from ansam.units import SAMPLE_RATE, Audio

BAUD = 600
"""V.34 (10/96) §10.1.2.3.1."""
STEPS = 8
"""Steps per symbol: one is 5/3 samples."""
STEP_SAMPLES = 5 / 3
ROLL_OFF = 0.75
"""Of the square root of a raised cosine: it lies within figure 13."""
HALF_TAPS = 48
"""Delay of the matched filter, 6 ms."""
FILTER = matched_table(ROLL_OFF, HALF_TAPS, 3.0, 3, STEPS * STEP_SAMPLES)
TAPS = FILTER.shape[1]
RING = 128
TONE_STEPS = 40

WINDOW = 96
"""Steps of the Hann window: 20 ms."""
HOP = 24
"""Steps from one judgement of the tone to the next: 5 ms."""
_HANN = np.hanning(WINDOW + 1)[:WINDOW] / (WINDOW / 2)
HISTORY = 128
FIRST_RUN = WINDOW + 2 * HOP
"""Steps of tone that the first good judgement has seen."""
PURITY = 0.3
"""Least share of the band's power in the window's 75 Hz; noise has 0.125."""
_BESIDE = 2j * _HANN * np.sin(2 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
"""The window's value 50 Hz above less that 50 Hz below: 0 for the tone itself and for every line of L2."""
BESIDE = 4.0
"""Beside the echo of L2, least ratio of a tone's power to that; noise has 0.6."""
SURE = 5
"""Judgements in a row that must be good: 50 ms of tone."""
PATIENCE = 6
"""Judgements in a row that may then be bad (a reversal spoils five) before the tone is over."""

LOCK = 72
"""Steps of steady tone, 15 ms, without which nothing is a reversal."""
RISE = 12
"""Steps from the passage through zero until the tone is steady again."""
CONFIRM = 19
"""Steps that must have the opposite phase: 4 ms."""
LOST = 24

SHADOW = 9.0
"""Samples beyond a gap within which a symbol's centre makes it unreliable."""
MARK_BITS = 32
"""Ones in a row that are INFOMARKS."""

FRAME = 1
MARKS = 2
TONE = 4
TONE_GONE = 8
REVERSAL = 16
QUIET = 32

QUIET_BELOW = 10.0
"""Below the loudest in the band: silence."""

STATE = np.dtype(
    [
        # set by the owner
        ("watch", "i8"),
        ("tone_limit", "i8"),  # steps of tone without a flaw until TONE
        ("power_min", "f8"),  # |y|² of the weakest tone
        ("beside_probe", "i8"),  # 1: our own L2 may come back louder than the tone
        ("quiet_limit", "i8"),  # steps of quiet until QUIET
        ("fill", "i8"),  # span of sequences whose erased bits are to be worked out
        # front end
        ("mixer", "i8"),
        ("write", "i8"),
        ("count", "i8"),  # samples taken
        ("step", "i8"),  # steps made
        ("dirty", "i8"),  # samples until the filter holds no erased one
        ("erased_from", "i8"),
        ("erased_to", "i8"),
        # frequency
        ("newest", "i8"),
        ("square", "c16"),
        ("square_power", "f8"),
        ("turn", "f8"),  # radians per step
        ("phase", "f8"),
        # tone
        ("power", "f8"),  # of the band
        ("peak", "f8"),  # the most of it since the owner last asked for something
        ("quiet", "i8"),  # steps for which the band has been silent against that
        ("real", "c16"),  # smoothed d²: whether the signal lies on one axis
        ("clean", "i8"),  # steps since the last dirty one
        ("wait", "i8"),
        ("w1", "c16"),
        ("w2", "c16"),
        ("judged", "i8"),  # judgements since the last dirty step
        ("run", "i8"),  # steps for which the tone has been there
        ("pure", "i8"),  # the same without a reversal or any other flaw
        ("good", "i8"),  # judgements that found it
        ("bad", "i8"),
        ("tone_power", "f8"),
        # reversal
        ("reference", "c16"),
        ("lock", "i8"),
        ("off", "i8"),
        ("before", "f8"),
        ("candidate", "i8"),  # 1: passed through zero; 2: a gap is over
        ("age", "i8"),
        ("sum_real", "f8"),
        ("sum_imag", "f8"),
        ("confirmed", "i8"),
        ("passed", "f8"),
        # results
        ("events", "i8"),
        ("instant", "f8"),  # of the reversal, in samples of the stream
        ("certain", "i8"),  # 0: hidden by a gap
        ("steady", "i8"),  # steps of steady tone before it
        ("span", "i8"),  # of the INFO sequence
        ("filled", "i8"),  # 1: with bits that were erased
        ("frame_end", "f8"),  # when its last CRC bit ended
    ]
)
STATES = types.Array(from_dtype(STATE), 1, "C")
Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"
_COMPLEX = types.complex128[::1]


@njit(types.float64(STATES), cache=True, nogil=True)
def _now(state: Record) -> float:
    """Return the instant on the line that the newest step stands for."""
    return float(state[0].step * STEP_SAMPLES - HALF_TAPS)


@njit(types.complex128(STATES, _COMPLEX, types.int64), cache=True, nogil=True)
def _past(state: Record, history: NDArray[np.complex128], ago: int) -> complex:
    return complex(history[(state[0].newest - ago) % HISTORY])


@njit(types.void(STATES, types.complex128, types.complex128), cache=True, nogil=True)
def _follow_frequency(state: Record, y: complex, earlier: complex) -> None:
    """Learn the frequency offset from anything that has been modulated with signs only."""
    s = state[0]
    product = y * earlier.conjugate()
    square = product * product
    s.square += (square - s.square) / 128
    s.square_power += (abs(square) - s.square_power) / 128
    if abs(s.square) > 0.9 * s.square_power and s.square_power > 0:
        limit = 2 * math.pi * 12 / (BAUD * STEPS)
        measured = math.atan2(s.square.imag, s.square.real) / (2 * STEPS)
        s.turn += (min(limit, max(-limit, measured)) - s.turn) / 32


@njit(types.void(STATES, types.complex128, types.boolean), cache=True, nogil=True)
def _end_candidate(state: Record, d: complex, reversed_: bool) -> None:
    """A candidate has been judged: a reversal, or the tone is lost."""
    s = state[0]
    if reversed_:
        s.events |= REVERSAL
        s.instant = s.passed
        s.certain = 1 if s.candidate == 1 else 0
        s.steady = s.lock
        s.reference = -s.reference
    else:
        s.lock = 0
        s.reference = d
    s.candidate = 0
    s.off = 0


@njit(types.void(STATES, types.complex128, types.float64, types.float64), cache=True, nogil=True)
def _judge_candidate(state: Record, d: complex, real: float, imag: float) -> None:
    s = state[0]
    s.age += 1
    if s.candidate == 2 and s.before > 0.5 and real <= 0.5:
        # The tone came out of the gap unchanged and passes through zero only now.
        s.candidate = 1
        s.passed = _now(state)
        s.age = 0
        s.confirmed = 0
        s.sum_real = 0.0
        s.sum_imag = 0.0
    if s.age <= RISE:
        if real > 0 and s.candidate == 1:
            s.passed = _now(state)
        return
    s.sum_real += real
    s.sum_imag += imag
    s.confirmed += 1
    if s.confirmed < CONFIRM:
        return
    real, imag = s.sum_real / CONFIRM, s.sum_imag / CONFIRM
    if real > 0.6 and abs(imag) < 0.6:
        s.candidate = 0
        s.off = 0
    else:
        _end_candidate(state, d, real < -0.6 and abs(imag) < 0.6)


@njit(types.void(STATES, types.int64, types.float64), cache=True, nogil=True)
def _begin_candidate(state: Record, kind: int, passed: float) -> None:
    s = state[0]
    s.candidate = kind
    s.before = 0.0
    s.passed = passed
    s.age = 0 if kind == 1 else RISE
    s.confirmed = 0
    s.sum_real = 0.0
    s.sum_imag = 0.0


@njit(types.void(STATES, types.complex128), cache=True, nogil=True)
def _follow_phase(state: Record, d: complex) -> None:
    """Compare the newest step with the tone so far."""
    s = state[0]
    energy = s.reference.real * s.reference.real + s.reference.imag * s.reference.imag
    if energy < s.power_min / 4:
        s.reference = d
        s.lock = 0
        s.candidate = 0
        return
    relative = d * s.reference.conjugate() / energy
    real, imag = relative.real, relative.imag
    steady = abs(imag) < 0.6 and 0.6 < real < 1.6
    if s.candidate:
        _judge_candidate(state, d, real, imag)
    elif s.lock >= LOCK:
        if real <= 0 and s.before > 0:
            share = s.before / (s.before - real)
            _begin_candidate(state, 1, _now(state) - STEP_SAMPLES * (1 - share))
        elif steady:
            s.reference += (d - s.reference) / 64
            s.lock += 1
            s.off = 0
        else:
            s.off += 1
            if s.off > LOST:
                _end_candidate(state, d, False)
    elif steady:
        s.lock += 1
        s.reference += (d - s.reference) / min(64, s.lock + 1)
    else:
        s.lock = 0
        s.reference = d
    s.before = real


@njit(types.void(STATES, _COMPLEX), cache=True, nogil=True)
def _judge_tone(state: Record, turned: NDArray[np.complex128]) -> None:
    """Every 5 ms: is there a tone in the last 20 ms, of the phase and level of that 10 ms ago?"""
    s = state[0]
    w = 0j
    beside = 0j
    power = 0.0
    for i in range(WINDOW):
        d = _past(state, turned, i)
        w += _HANN[i] * d
        beside += _BESIDE[i] * d
        power += (d.real * d.real + d.imag * d.imag) / WINDOW
    energy = abs(w) ** 2
    before = abs(s.w2) ** 2
    pure = energy > BESIDE * abs(beside) ** 2 if s.beside_probe else energy > PURITY * power
    level = energy > s.power_min and energy < 4 * before and before < 4 * energy
    good = s.judged >= 2 and pure and level and (w * s.w2.conjugate()).real > 0.8 * abs(w) * abs(s.w2)
    if good:
        s.tone_power = energy if s.run == 0 else s.tone_power + (energy - s.tone_power) / 4
        s.run = s.run + HOP if s.run else FIRST_RUN
        s.pure = s.pure + HOP if s.pure else FIRST_RUN
        s.good += 1
        s.bad = 0
    elif s.run and s.judged >= 2:
        s.bad += 1
        s.pure = 0
        s.run += HOP
        over = s.bad > PATIENCE or (s.bad > 1 and power < 0.1 * s.tone_power)
        if over or s.good < SURE:
            s.events |= TONE_GONE if s.good >= SURE else 0
            s.run = 0
            s.bad = 0
            s.good = 0
    s.w2 = s.w1
    s.w1 = w
    s.judged += 1


@njit(types.boolean(STATES, types.float64), cache=True, nogil=True)
def _erased(state: Record, at: float) -> bool:
    """Return whether a symbol is lost whose centre was on the line at an instant."""
    s = state[0]
    return bool(s.erased_from - SHADOW < at < s.erased_to + SHADOW)


@njit(
    types.int64(STATES, types.uint8[::1], types.uint8[::1], types.int64),
    cache=True,
    nogil=True,
)
def _find(state: Record, register: NDArray[np.uint8], doubt: NDArray[np.uint8], valid: int) -> int:
    """Return the span of a sequence that is complete, or whose gap could be filled; 0 where there is none."""
    s = state[0]
    s.filled = 0
    span = find_frame(register, valid)
    if span or not s.fill or s.fill > valid or not fill_erased(register, doubt, s.fill):
        return int(span)
    s.filled = 1
    return int(s.fill)


@njit(
    types.void(
        STATES, types.complex128, types.uint8[:, ::1], types.uint8[:, ::1], types.int64[::1], types.int64[::1]
    ),
    cache=True,
    nogil=True,
)
def _take_bit(
    state: Record,
    product: complex,
    registers: NDArray[np.uint8],
    doubts: NDArray[np.uint8],
    valid: NDArray[np.int64],
    ones: NDArray[np.int64],
) -> None:
    """One bit for one of the eight timings."""
    s = state[0]
    k = s.step % STEPS
    bit = 1 if product.real < 0 else 0
    register = registers[k]
    doubt = doubts[k]
    for i in range(register.size - 1):
        register[i] = register[i + 1]
        doubt[i] = doubt[i + 1]
    register[register.size - 1] = bit
    at = _now(state)
    doubt[register.size - 1] = 1 if _erased(state, at) or _erased(state, at - STEPS * STEP_SAMPLES) else 0
    valid[k] += 1
    ones[k] = ones[k] + 1 if bit else 0
    span = _find(state, register, doubt, valid[k])
    if span:
        s.span = span
        s.frame_end = _now(state) + STEPS * STEP_SAMPLES / 2
        s.events |= FRAME
        registers[STEPS] = register
        if not s.filled:
            for j in range(STEPS):
                valid[j] = 0
    if ones[k] >= MARK_BITS and abs(s.real) > 0.85 * s.power > 0.425 * s.power_min:
        s.events |= MARKS


@njit(
    types.int64(
        STATES,
        types.float32[::1],
        types.boolean,
        types.complex64[::1],
        types.complex64[::1],
        _COMPLEX,
        _COMPLEX,
        types.uint8[:, ::1],
        types.uint8[:, ::1],
        types.int64[::1],
        types.int64[::1],
    ),
    cache=True,
    nogil=True,
)
def listen(
    state: Record,
    rx: Audio,
    erased: bool,
    mix: NDArray[np.complex64],
    ring: NDArray[np.complex64],
    history: NDArray[np.complex128],
    turned: NDArray[np.complex128],
    registers: NDArray[np.uint8],
    doubts: NDArray[np.uint8],
    valid: NDArray[np.int64],
    ones: NDArray[np.int64],
) -> int:
    """Take samples until the end or until a watched event.

    Args:
        state: One record of `STATE`; `events` is a result, to be cleared by the owner.
        rx: Shape (n,), full scale ±1.
        erased: These samples never arrived; zeros are filtered in their place.
        mix: `mixing_table` of the carrier.
        ring: Shape (2 * RING,), the mixed samples.
        history: Shape (HISTORY,), filtered.
        turned: Shape (HISTORY,), the same without the frequency offset.
        registers: Shape (STEPS + 1, REGISTER); the last row is the sequence found.
        doubts: Shape (STEPS, REGISTER), which bits were erased.
        valid: Shape (STEPS,).
        ones: Shape (STEPS,).

    Returns:
        Samples taken; fewer than n only where a watched event stopped it.
    """
    s = state[0]
    for n in range(rx.size):
        x = np.float32(0.0) if erased else rx[n]
        s.mixer = (s.mixer + 1) % TONE_STEPS
        s.write = (s.write + 1) % RING
        ring[s.write] = ring[s.write + RING] = np.complex64(x * mix[s.mixer])
        if erased:
            if s.dirty == 0:
                s.erased_from = s.count
            s.erased_to = s.count
            s.dirty = TAPS
        elif s.dirty > 0:
            s.dirty -= 1
        late = 3 * s.count - 5 * s.step
        s.count += 1
        if late < 0:
            continue
        y = 0j
        for j in range(TAPS):
            y += FILTER[late, j] * ring[s.write + RING - j]
        s.newest = (s.newest + 1) % HISTORY
        history[s.newest] = y
        s.phase = (s.phase + s.turn) % (2 * math.pi)
        d = y * complex(math.cos(s.phase), -math.sin(s.phase))
        turned[s.newest] = d
        earlier = _past(state, history, STEPS)
        s.power += (abs(y) ** 2 - s.power) / 48
        s.peak = max(s.peak, s.power)
        s.real += (d * d - s.real) / 48
        if s.dirty == 0:
            if s.clean == 0 and s.lock >= LOCK:
                if s.candidate != 1:
                    _begin_candidate(state, 2, (s.erased_from + s.erased_to) / 2)
                else:
                    s.age = RISE
            s.clean += 1
            if s.clean > STEPS:
                _follow_frequency(state, y, earlier)
            _follow_phase(state, d)
            s.quiet = s.quiet + 1 if s.power < s.peak / QUIET_BELOW else 0
            if s.quiet >= s.quiet_limit:
                s.events |= QUIET
        else:
            s.clean = 0
            s.judged = 0
        s.wait += 1
        if s.wait >= HOP:
            s.wait = 0
            if s.clean >= WINDOW:
                _judge_tone(state, turned)
            elif s.run:
                s.run += HOP
                s.pure += HOP if s.pure else 0
        _take_bit(state, y * earlier.conjugate(), registers, doubts, valid, ones)
        s.step += 1
        if s.pure >= s.tone_limit and s.good >= SURE:
            s.events |= TONE
        s.events &= s.watch
        if s.events:
            return n + 1
    return rx.size


def registers() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return empty registers, and the doubts that go with them."""
    return np.zeros((STEPS + 1, REGISTER), np.uint8), np.zeros((STEPS, REGISTER), np.uint8)


def mixing_table(carrier_hz: float) -> NDArray[np.complex64]:
    """Return 2 e^(-jωn) over `TONE_STEPS` samples, for a carrier that is a multiple of 200 Hz."""
    angle = 2 * np.pi * carrier_hz * np.arange(TONE_STEPS) / SAMPLE_RATE
    return np.asarray(2 * np.exp(-1j * angle), np.complex64)
