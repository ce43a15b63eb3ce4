"""The linear part of a QAM receiver, for kernels to build on: one sample in, an equalised point out.

::

    x ─ mixer ─ low-pass (polyphase, ─┬─ gain ─ equaliser ─ rotate by θ ─► point      (decided by the owner)
        fc + f   at T/2 instants)     │            ↑             ↑              │
                                      └ timing ────┴── learn() ──┴──────────────┘ decision

A modulation's kernel calls `push` for each sample. When it returns `SYMBOL`, `equalise` gives the point, the
owner decides, and `learn` moves carrier phase, timing and taps. Everything lives in one record of `FRONT`
and a few arrays (`Front`), so that any number of samples gives the same result however they are cut.

- **Timing** follows the decisions: with e the error and y' the slope of the equaliser's output (from its
  values half a symbol before and after), e·conj(y') says how late we sample. Unlike the band edges it needs
  no excess bandwidth, which V.34 at 3429 Bd hardly has. The equaliser could follow a drifting clock as well,
  until its taps run out at one end; so the loop integrates whatever is left for it, and the centre of the
  taps is held in its place.
- **Erasures.** Zeros go through the filters and nothing is learnt from them. `equalise` also returns how
  reliable its point is: the share of the taps' energy that lies on real samples.
- **Gain** is fixed by training (the taps carry the rest), because a power measured over random points
  would itself be noise at the precision V.34 needs.

Source: G. Ungerboeck, "Fractional Tap-Spacing Equalizer and Consequences for Clock Recovery in Data Modems",
IEEE Trans. Commun. 24 (1976).
"""

import math
from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.dsp.pulse import matched_table
from ansam.dsp.records import new_record
from ansam.units import SAMPLE_RATE

FRACTIONS = 512
"""Instants between two samples at which the low-pass can be read: -62 dB of error at 1.7 kHz."""

RING = 128
"""Samples kept for the low-pass."""

NOTHING = 0
HALF_SYMBOL = 1
SYMBOL = 2

FRONT = np.dtype(
    [
        ("increment", "f8"),  # carrier, radians per sample, nominal
        ("mixer", "f8"),
        ("write", "i8"),
        ("half", "f8"),  # samples in T/2
        ("next", "f8"),  # samples from now to the next T/2 instant
        ("odd", "i8"),
        ("newest", "i8"),
        ("gain", "f8"),
        ("dirty", "i8"),  # samples until the low-pass holds no erased one
        ("hold", "i8"),  # samples until the equaliser holds none either
        ("phase", "f8"),  # radians
        ("frequency", "f8"),  # radians per symbol
        ("drift", "f8"),  # samples per symbol by which the symbol clock is slower than nominal
        ("carrier_gain", "f8"),
        ("carrier_integral", "f8"),
        ("timing_gain", "f8"),
        ("timing_integral", "f8"),
        ("step", "f8"),  # share of an error that the taps remove at once
        ("power", "f8"),  # mean square of the equaliser's input
        ("slope_power", "f8"),
        ("before", "c16"),  # equaliser's output half a symbol before the point
        ("at", "c16"),  # at the point
        ("miss", "c16"),  # its error, in the equaliser's own phase
        ("learnt", "i8"),  # 1: `miss` waits for the output half a symbol later
        ("centre", "f8"),  # of the taps' energy, held
        ("since_centred", "i8"),
        ("symbols", "i8"),  # since the acquisition
    ]
)
FRONTS = types.Array(from_dtype(FRONT), 1, "C")
Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"
F4 = types.float32[::1]
_FREQUENCY_LIMIT = 2 * math.pi * 12 / 2400
_DRIFT_LIMIT = 8e-4
_CENTRE_PERIOD = 64


@njit(types.float32(F4, F4), cache=True, nogil=True, forceinline=True, fastmath=True)
def dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> np.float32:
    """Return the sum of products. Of slices it is made of vector instructions, unlike one over indices."""
    total = np.float32(0.0)
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@njit(
    types.int64(FRONTS, types.float32, types.boolean, F4, F4, types.float32[:, ::1], F4, F4, F4),
    cache=True,
    nogil=True,
    forceinline=True,
    fastmath=True,
)
def push(
    state: Record,
    x: float,
    erased: bool,
    real: NDArray[np.float32],
    imag: NDArray[np.float32],
    table: NDArray[np.float32],
    line_real: NDArray[np.float32],
    line_imag: NDArray[np.float32],
    line_good: NDArray[np.float32],
) -> int:
    """Take one sample.

    Args:
        state: One record.
        x: The sample.
        erased: It never arrived.
        real: Shape (2 * RING,), mixed samples.
        imag: As `real`.
        table: From `low_pass`.
        line_real: Shape (2 * taps,), equaliser's delay line.
        line_imag: As `line_real`.
        line_good: As `line_real`: 1 where the sample is real, 0 where it was filtered from erased ones.

    Returns:
        `NOTHING`, or `HALF_SYMBOL` or `SYMBOL` when the delay line has moved on.
    """
    s = state[0]
    taps = line_real.size // 2
    count = table.shape[1]
    s.mixer -= s.increment
    if s.mixer < -math.pi:
        s.mixer += 2 * math.pi
    s.write = (s.write + 1) % RING
    if erased:
        x = 0.0
        s.dirty = count
        s.hold = count + math.ceil(taps * s.half)
    else:
        s.dirty = max(0, s.dirty - 1)
        s.hold = max(0, s.hold - 1)
    real[s.write] = real[s.write + RING] = np.float32(2 * x * math.cos(s.mixer))
    imag[s.write] = imag[s.write + RING] = np.float32(2 * x * math.sin(s.mixer))
    s.next -= 1.0
    if s.next > 0.0:
        return NOTHING
    row = int(-s.next * FRACTIONS + 0.5)
    first = s.write + RING - count + 1
    a = dot(table[row], real[first : first + count])
    b = dot(table[row], imag[first : first + count])
    s.next += s.half
    s.newest = (s.newest + 1) % taps
    gain = np.float32(s.gain)
    line_real[s.newest] = line_real[s.newest + taps] = gain * a
    line_imag[s.newest] = line_imag[s.newest + taps] = gain * b
    good = np.float32(0.0 if s.dirty > 0 else 1.0)
    line_good[s.newest] = line_good[s.newest + taps] = good
    s.odd ^= 1
    return SYMBOL if s.odd == 0 else HALF_SYMBOL


@njit(types.complex128(FRONTS, F4, F4, F4, F4), cache=True, nogil=True, forceinline=True, fastmath=True)
def filtered(
    state: Record,
    taps_real: NDArray[np.float32],
    taps_imag: NDArray[np.float32],
    line_real: NDArray[np.float32],
    line_imag: NDArray[np.float32],
) -> complex:
    """Return the equaliser's output for the delay line as it stands, before the rotation.

    The taps lie in the order of time: the last one weighs the newest sample.
    """
    count = taps_real.size
    first = state[0].newest + 1
    real = line_real[first : first + count]
    imag = line_imag[first : first + count]
    a = np.float32(0.0)
    b = np.float32(0.0)
    for j in range(count):
        a += taps_real[j] * real[j] - taps_imag[j] * imag[j]
        b += taps_real[j] * imag[j] + taps_imag[j] * real[j]
    return complex(a, b)


@njit(types.float64(FRONTS, F4, F4, F4), cache=True, nogil=True, forceinline=True, fastmath=True)
def reliability(
    state: Record,
    taps_real: NDArray[np.float32],
    taps_imag: NDArray[np.float32],
    line_good: NDArray[np.float32],
) -> float:
    """Return the share of the taps' energy that lies on samples that arrived, 0 to 1."""
    if state[0].hold == 0:
        return 1.0
    count = taps_real.size
    first = state[0].newest + 1
    whole = 1e-12
    good = 0.0
    for j in range(count):
        energy = taps_real[j] * taps_real[j] + taps_imag[j] * taps_imag[j]
        whole += energy
        good += energy * line_good[first + j]
    return good / whole


@njit(types.complex128(FRONTS, types.complex128), cache=True, nogil=True, forceinline=True)
def begin_symbol(state: Record, output: complex) -> complex:
    """Return the point of the output at a symbol's instant, turned by the carrier's phase."""
    s = state[0]
    s.phase += s.frequency
    if s.phase > math.pi:
        s.phase -= 2 * math.pi
    elif s.phase < -math.pi:
        s.phase += 2 * math.pi
    s.next += s.drift
    s.symbols += 1
    s.at = output
    s.learnt = 0
    return output * complex(math.cos(s.phase), -math.sin(s.phase))


@njit(
    types.void(FRONTS, types.complex128, types.complex128, types.float64, F4, F4, F4, F4),
    cache=True,
    nogil=True,
    forceinline=True,
    fastmath=True,
)
def learn(
    state: Record,
    point: complex,
    decision: complex,
    trust: float,
    taps_real: NDArray[np.float32],
    taps_imag: NDArray[np.float32],
    line_real: NDArray[np.float32],
    line_imag: NDArray[np.float32],
) -> None:
    """Let the decision about the last point move the carrier's phase and the taps.

    Args:
        state: One record.
        point: From `begin_symbol`.
        decision: What was sent, mean power 1.
        trust: 0 to 1; scales every step.
        taps_real: Shape (taps,).
        taps_imag: As `taps_real`.
        line_real: The delay line as it was for the point.
        line_imag: As `line_real`.
    """
    s = state[0]
    turn = complex(math.cos(s.phase), math.sin(s.phase))
    energy = max(decision.real * decision.real + decision.imag * decision.imag, 0.05)
    angle = (point.imag * decision.real - point.real * decision.imag) / energy
    # A small point tells little of the phase: weigh by its energy.
    angle = trust * max(-0.5, min(0.5, angle)) * min(energy, 1.0)
    s.phase += s.carrier_gain * angle
    s.frequency = min(_FREQUENCY_LIMIT, max(-_FREQUENCY_LIMIT, s.frequency + s.carrier_integral * angle))
    s.miss = trust * (decision - point) * turn
    s.learnt = 1
    weight = s.step / (taps_real.size * s.power) * s.miss
    u = np.float32(weight.real)
    v = np.float32(weight.imag)
    count = taps_real.size
    first = s.newest + 1
    real = line_real[first : first + count]
    imag = line_imag[first : first + count]
    for j in range(count):
        taps_real[j] += u * real[j] + v * imag[j]
        taps_imag[j] += v * real[j] - u * imag[j]


@njit(types.float64(F4, F4), cache=True, nogil=True, forceinline=True)
def centre_of(taps_real: NDArray[np.float32], taps_imag: NDArray[np.float32]) -> float:
    """Return the centre of the taps' energy, in taps."""
    whole = 1e-12
    moment = 0.0
    for j in range(taps_real.size):
        energy = taps_real[j] * taps_real[j] + taps_imag[j] * taps_imag[j]
        whole += energy
        moment += j * energy
    return moment / whole


@njit(types.void(FRONTS, types.complex128, F4, F4), cache=True, nogil=True, forceinline=True)
def follow_clock(
    state: Record, output: complex, taps_real: NDArray[np.float32], taps_imag: NDArray[np.float32]
) -> None:
    """Take the output half a symbol after the last point: now its slope is known, and timing moves."""
    s = state[0]
    if s.learnt:
        slope = output - s.before
        size = slope.real * slope.real + slope.imag * slope.imag
        s.slope_power += 0.004 * (size - s.slope_power)
        # The point plus lateness times slope would have been the decision.
        late = (s.miss.real * slope.real + s.miss.imag * slope.imag) / max(s.slope_power, 1e-3)
        late = max(-0.1, min(0.1, late)) * 2 * s.half
        s.next += s.timing_gain * late
        limit = _DRIFT_LIMIT * 2 * s.half
        s.drift = min(limit, max(-limit, s.drift + s.timing_integral * late))
        s.learnt = 0
        s.since_centred += 1
        if s.since_centred >= _CENTRE_PERIOD:
            s.since_centred = 0
            off = centre_of(taps_real, taps_imag) - s.centre
            s.next += 2e-4 * _CENTRE_PERIOD * max(-1.0, min(1.0, off)) * s.half * s.timing_gain
    s.before = output


def low_pass(baud: float, roll_off: float, half_taps: int, beta: float) -> NDArray[np.float32]:
    """Return the table for `push`, a root raised cosine; its delay is `half_taps` samples.

    Args:
        baud: Symbol rate.
        roll_off: 0 < roll-off <= 1.
        half_taps: Half the length in samples, below RING / 2.
        beta: Kaiser's parameter.

    Returns:
        Shape (FRACTIONS + 1, 2 * half_taps + 2), in the order of time.
    """
    table = matched_table(roll_off, half_taps, beta, FRACTIONS, SAMPLE_RATE / baud)
    return np.ascontiguousarray(table[:, ::-1])


class Front:
    """The record and arrays that the kernels share.

    Args:
        baud: Symbol rate.
        carrier_hz: Nominal carrier.
        taps: Of the equaliser, T/2 apart.
        roll_off: Of the far end's pulses, about.
        half_taps: Delay of the low-pass in samples.
    """

    def __init__(
        self, baud: float, carrier_hz: float, taps: int, roll_off: float = 0.15, half_taps: int = 28
    ) -> None:
        self.baud = baud
        self.state = new_record(FRONT)
        s = self.state[0]
        s.increment = 2 * math.pi * carrier_hz / SAMPLE_RATE
        s.half = SAMPLE_RATE / baud / 2
        s.gain = 1.0
        s.power = 1.0
        s.slope_power = 1.0
        self.real = np.zeros(2 * RING, np.float32)
        self.imag = np.zeros(2 * RING, np.float32)
        self.table = low_pass(baud, roll_off, half_taps, 3.0)
        self.line_real = np.zeros(2 * taps, np.float32)
        self.line_imag = np.zeros(2 * taps, np.float32)
        self.line_good = np.zeros(2 * taps, np.float32)
        self.taps_real = np.zeros(taps, np.float32)
        self.taps_imag = np.zeros(taps, np.float32)

    def align(
        self,
        first: float,
        taps: NDArray[np.complex128],
        main: int,
        gain: float,
        frequency: float,
        drift: float,
    ) -> int:
        """Set everything so that a signal that has been fitted can be followed from its first symbol on.

        Args:
            first: Instant of symbol 0 on the line, counted in samples from the first of some piece.
            taps: Shape (taps,), an even number, in the order of time.
            main: Index of the main tap.
            gain: For the low-pass's output.
            frequency: Radians per symbol; the phase is 0 at symbol 0.
            drift: Samples per symbol by which the far clock is slower.

        Returns:
            Index in that piece of the sample to `push` first. The symbols that follow before symbol 0, with
            the equaliser still filling, are counted below zero in `symbols`.
        """
        s, count = self.state[0], self.taps_real.size
        delay = (self.table.shape[1] - 2) / 2
        oldest = first - main * (float(s.half) + drift / 2) + delay
        start: int = max(0, math.floor(oldest) - RING)
        self.real[:] = self.imag[:] = 0
        self.line_real[:] = self.line_imag[:] = 0
        self.line_good[:] = 1
        s.mixer = math.remainder(-float(s.increment) * (start - 1), 2 * math.pi)
        s.dirty = s.hold = s.odd = s.newest = s.learnt = 0
        s.gain, s.power, s.slope_power = gain, 1.0, 1.0
        s.before = 0j
        s.next = oldest - (start - 1)
        s.drift, s.frequency = drift, frequency
        # Two pushes a symbol; the one that completes symbol 0's window is number `count`.
        s.symbols = -(count // 2)
        s.phase = math.remainder(frequency * float(s.symbols), 2 * math.pi)
        self.taps_real[:], self.taps_imag[:] = taps.real, taps.imag
        energy = np.abs(taps) ** 2
        s.centre = float(np.sum(np.arange(count) * energy) / np.sum(energy))
        s.since_centred = 0
        return start

    @property
    def taps(self) -> NDArray[np.complex64]:
        """The equaliser's taps in the order of time, T/2 apart."""
        return (self.taps_real + 1j * self.taps_imag).astype(np.complex64)

    @property
    def carrier_offset_hz(self) -> float:
        """Received carrier less its nominal frequency."""
        return float(self.state[0].frequency) * self.baud / (2 * math.pi)

    @property
    def timing_offset_ppm(self) -> float:
        """How much faster than ours the far end's symbol clock is."""
        return -float(self.state[0].drift) / (2 * float(self.state[0].half)) * 1e6
