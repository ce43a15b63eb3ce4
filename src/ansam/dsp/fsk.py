"""Binary frequency-shift keying: a phase-continuous sender and a receiver, for any two tones and bit rate.

Receiver, sample by sample::

    rx ─► band filter ─► two correlators, one bit long ─►  d = |mark| − |space| ─► sign at mid-bit ─► bit
          (complex,       Σ y[n-k]·e^(jωk)                     │
          ours out)                                            └► zero crossings ─► bit clock

- The band filter keeps our own transmission, which comes back as echo, out of the correlators: their
  sidelobes alone would let it through at -14 dB. It is flat over the wanted main lobe, so it adds no
  intersymbol interference to speak of, and it is analytic (no negative frequencies), so the correlators
  need no mixer.
- A correlator as long as a bit is the matched filter. Its magnitude needs no carrier phase
  (*non-coherent*), so a frequency offset of a few hertz does no harm. Error rate: see `error_rate`.
- `d` crosses zero half a bit after the edge on the line. The bit clock is pulled gently by every edge (a
  long stream keeps its timing in noise), but the further an edge from mark to space lies from where the
  clock expected it, the more it is believed: that is the start bit of a character which a terminal sent
  when it pleased, and its bits must be sampled in their middle at once. An edge only counts when the new
  state has held for a third of a bit, and one that the next edge contradicts is taken back.
- Where a packet was lost (`erased`) the filter is fed zeros: a correlator that still covers part of a bit
  decides on that part. The edges and the averages stand still, and the clock runs on: no bit is lost or
  gained.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.units import SAMPLE_RATE, Audio, Bits, dbm0_from_power


@dataclass(frozen=True, slots=True)
class FskChannel:
    """The two tones of one direction.

    Attributes:
        mark_hz: Sent for binary 1.
        space_hz: Sent for binary 0.
        bit_rate: Bit/s, a whole number.
    """

    mark_hz: float
    space_hz: float
    bit_rate: int

    @property
    def centre_hz(self) -> float:
        """Middle of the two tones."""
        return (self.mark_hz + self.space_hz) / 2


def error_rate(channel: FskChannel, eb_n0_db: float) -> float:
    """Return the bit error rate of ideal non-coherent detection, one bit at a time, in white noise.

    ``P = Q1(a, b) - ½·exp(-(a² + b²)/2)·I0(ab)`` with ``a², b² = Eb/2N0·(1 ∓ sqrt(1 - ρ²))`` and the
    correlation of the two tones over a bit ``ρ = |sin(πΔf·T)/(πΔf·T)|`` (0.41 for 200 Hz at 300 bit/s; for
    ρ = 0 it is ½·exp(-Eb/2N0)).

    Source: Proakis, Digital Communications, on non-coherent detection of correlated binary signals; Q1 by its
    series of Bessel functions. A test holds it to the noncentral chi-square distribution.
    """
    turns = abs(channel.mark_hz - channel.space_hz) / channel.bit_rate
    correlation = abs(float(np.sinc(turns)))
    snr = 10 ** (eb_n0_db / 10)
    root = math.sqrt(1 - correlation**2)
    a, b = math.sqrt(snr / 2 * (1 - root)), math.sqrt(snr / 2 * (1 + root))
    theta = np.linspace(0, np.pi, 2001)
    orders = np.arange(40)
    # I_k(ab)·e^(-ab), by the integral e^(ab·(cos θ - 1))·cos kθ / π, so that nothing overflows.
    kernel = np.exp(a * b * (np.cos(theta) - 1))
    bessel = np.trapezoid(kernel * np.cos(np.outer(orders, theta)), theta, axis=1) / np.pi
    scale = math.exp(-((b - a) ** 2) / 2)
    marcum = scale * float(np.sum((a / b) ** orders * bessel))
    return marcum - 0.5 * scale * float(bessel[0])


# ---------------------------------------------------------------------------------------------------- sender


@njit(
    "Tuple((float64, int64))(float32[::1], uint8[::1], float64, int64, int64, float64, float64, float64)",
    cache=True,
    nogil=True,
)
def _send(
    out: Audio,
    bits: Bits,
    phase: float,
    clock: int,
    bit_rate: int,
    mark_step: float,
    space_step: float,
    amplitude: float,
) -> tuple[float, int]:
    """Fill `out`; bits[0] is the bit on the line, each later one begins when the clock passes SAMPLE_RATE."""
    at = 0
    step = mark_step if bits[0] else space_step
    for n in range(len(out)):
        out[n] = amplitude * math.sin(phase)
        clock += bit_rate
        advance = step
        if clock >= SAMPLE_RATE:
            clock -= SAMPLE_RATE
            at += 1
            step = mark_step if bits[at] else space_step
            late = clock / bit_rate  # the part of this sample that already belongs to the new bit
            advance += late * (step - advance)
        phase += advance
        if phase >= 2 * math.pi:
            phase -= 2 * math.pi
    return phase, clock


class FskSender:
    """Turns bits into tones, phase-continuous, with edges placed to a fraction of a sample.

    Args:
        channel: Tones and bit rate.
        rms: RMS amplitude.
    """

    def __init__(self, channel: FskChannel, rms: float) -> None:
        self.channel = channel
        self._amplitude = rms * math.sqrt(2)
        self._phase = 0.0
        self._clock = 0
        self._bit = np.ones(1, np.uint8)

    def bits_wanted(self, count: int) -> int:
        """Return how many bits begin within the next `count` samples."""
        return (self._clock + self.channel.bit_rate * count) // SAMPLE_RATE

    def send(self, bits: Bits, count: int) -> Audio:
        """Return the next `count` samples.

        Args:
            bits: Exactly `bits_wanted(count)` bits.
            count: Any number of samples.
        """
        line = np.concatenate((self._bit, bits))
        out = np.empty(count, np.float32)
        to_step = 2 * math.pi / SAMPLE_RATE
        self._phase, self._clock = _send(
            out,
            line,
            self._phase,
            self._clock,
            self.channel.bit_rate,
            self.channel.mark_hz * to_step,
            self.channel.space_hz * to_step,
            self._amplitude,
        )
        self._bit = line[-1:]
        return out


# -------------------------------------------------------------------------------------------------- receiver

CONFIRM = 0.35
"""Bits that a new state must hold before its edge moves the clock."""

PULL = 0.12
"""Part of a small timing error that an edge corrects."""

BELIEVE = 0.30
"""Timing error, in bits, from which on an edge to space is taken at face value."""

LEVEL_AVERAGE = 1 / 30
"""Weight of the newest bit in the level."""

QUALITY_AVERAGE = 1 / 12
"""Weight of the newest bit in the quality: quick, so that little is lost when a signal comes back."""

SQUELCH = 10 ** (-12 / 10)
"""A bit this far below the average power is no signal: binary 1."""

STOP_DB = 60.0
"""Attenuation of the band filter outside its transition."""

_STATE = np.dtype(
    [
        ("write", np.int64),  # where the next sample goes in the filter's ring
        ("write_y", np.int64),  # and in the correlators'
        ("before", np.float64),  # d of the sample before
        ("until", np.float64),  # samples to the next decision
        ("decided", np.int64),  # the last decision
        ("since", np.float64),  # samples since the last decision
        ("age", np.float64),  # samples since a zero crossing that is not confirmed yet; negative: none
        ("lead", np.float64),  # how far the last edge moved the clock, until another edge agrees
        ("settled", np.int64),  # state after the last confirmed edge
        ("power", np.float64),  # average mean square of the signal in the band
        ("quality", np.float64),  # average share of that power that the decided tone explains
        ("hold", np.int64),  # samples for which an erasure still lies in the filters
    ]
)
_STATES = from_dtype(_STATE)[::1]
_COMPLEX = types.complex64[::1]


@njit(types.complex64(_COMPLEX, types.float32[::1], types.int64), cache=True, nogil=True, fastmath=True)
def _filter(taps: NDArray[np.complex64], ring: Audio, at: int) -> np.complex64:
    """Return Σ taps[k]·ring[at + k]."""
    total = np.complex64(0)
    for k in range(len(taps)):
        total += taps[k] * ring[at + k]
    return total


@njit(types.float64(_COMPLEX, _COMPLEX, types.int64), cache=True, nogil=True, fastmath=True)
def _magnitude(taps: NDArray[np.complex64], ring: NDArray[np.complex64], at: int) -> float:
    """Return |Σ taps[k]·ring[at + k]|."""
    total = np.complex64(0)
    for k in range(len(taps)):
        total += taps[k] * ring[at + k]
    return math.sqrt(float(total.real) ** 2 + float(total.imag) ** 2)


@njit(
    types.float64(types.float32[::1], _COMPLEX, types.int64),
    cache=True,
    nogil=True,
    fastmath=True,
)
def _mean_square(weights: Audio, ring: NDArray[np.complex64], at: int) -> float:
    """Return Σ weights[k]·|ring[at + k]|² / 2: the mean square of the real signal behind the analytic one."""
    total = np.float32(0)
    for k in range(len(weights)):
        y = ring[at + k]
        total += weights[k] * (y.real * y.real + y.imag * y.imag)
    return 0.5 * float(total)


@njit(types.void(_STATES, types.float64, types.float64), cache=True, nogil=True)
def _move_clock(s: NDArray[np.void], d: float, bit: float) -> None:
    """Follow the zero crossings of `d`: find edges, confirm them, pull the bit clock. One call per sample."""
    before = s[0].before
    if (d > 0) != (before > 0):
        state = 1 if d > 0 else 0
        s[0].age = d / (d - before) if state != s[0].settled else -1.0
    elif s[0].age >= 0:
        s[0].age += 1
    if s[0].age < CONFIRM * bit:
        return
    s[0].settled = 1 if d > 0 else 0
    error = bit / 2 - s[0].age - s[0].until
    if s[0].decided == s[0].settled and s[0].since < s[0].age + bit / 8:
        error += bit  # the first bit of the new state has been decided already, a little early
    lead = s[0].lead
    if abs(lead) > bit / 8 and abs(error + lead) < abs(error) / 2:
        s[0].until -= lead  # the edge before this one was noise: back
        s[0].lead = 0.0
    elif s[0].settled == 0:
        s[0].lead = error * min(1.0, max(PULL, (error / (BELIEVE * bit)) ** 2))
        s[0].until += s[0].lead
    else:
        s[0].until += PULL * error
        s[0].lead = 0.0
    s[0].age = -1.0


@njit(
    types.int64(
        _STATES,
        types.float32[::1],
        types.boolean,
        _COMPLEX,
        _COMPLEX,
        _COMPLEX,
        types.float32[::1],
        types.float32[::1],
        _COMPLEX,
        types.float64,
        types.uint8[::1],
    ),
    cache=True,
    nogil=True,
)
def _receive(
    s: NDArray[np.void],
    rx: Audio,
    erased: bool,
    band: NDArray[np.complex64],
    mark: NDArray[np.complex64],
    space: NDArray[np.complex64],
    weights: Audio,
    ring: Audio,
    ring_y: NDArray[np.complex64],
    bit: float,
    bits: Bits,
) -> int:
    """Run the receiver over `rx`; return how many bits were decided.

    Both rings hold everything twice, their length apart, so that the newest samples always lie in one piece.
    """
    count = 0
    size, size_y = len(band), len(mark)
    for n in range(len(rx)):
        value = np.float32(0) if erased else rx[n]
        ring[s[0].write] = ring[s[0].write + size] = value
        s[0].write = (s[0].write + 1) % size
        y = _filter(band, ring, s[0].write)
        ring_y[s[0].write_y] = ring_y[s[0].write_y + size_y] = y
        s[0].write_y = (s[0].write_y + 1) % size_y
        on_mark = _magnitude(mark, ring_y, s[0].write_y)
        on_space = _magnitude(space, ring_y, s[0].write_y)
        d = on_mark - on_space
        if s[0].hold > 0:
            s[0].hold -= 1
            s[0].age = -1.0
        else:
            _move_clock(s, d, bit)
        s[0].until -= 1
        s[0].since += 1
        if s[0].until <= 0 and count < len(bits):
            at = d + max(-1.0, s[0].until) * (d - s[0].before)  # d at the very instant, between two samples
            power = _mean_square(weights, ring_y, s[0].write_y)
            s[0].decided = 1 if at >= 0 or power < SQUELCH * s[0].power else 0
            bits[count] = s[0].decided
            count += 1
            s[0].since = max(0.0, -s[0].until)
            s[0].until += bit
            if s[0].hold == 0:
                explained = 0.5 * max(on_mark, on_space) ** 2 / power if power > 1e-9 else 0.0
                s[0].power += LEVEL_AVERAGE * (power - s[0].power)
                s[0].quality += QUALITY_AVERAGE * (explained - s[0].quality)
        s[0].before = d
    return count


def band_filter(channel: FskChannel) -> NDArray[np.complex64]:
    """Return the analytic band filter of a channel, shape (taps,): amplitude A comes out as magnitude A.

    Low-pass by a Kaiser window, moved to the channel's centre: flat to deviation + 2/3 of the bit rate,
    `STOP_DB` down from deviation + 4/3 of it. For V.21: ±300 Hz and ±500 Hz, the nearest tone of the other
    direction being 570 Hz from the centre.

    Source: Kaiser's design formulae; Oppenheim and Schafer, Discrete-Time Signal Processing, §7.5.3.
    """
    deviation = abs(channel.mark_hz - channel.space_hz) / 2
    cutoff = (deviation + channel.bit_rate) / SAMPLE_RATE
    transition = 2 / 3 * channel.bit_rate / SAMPLE_RATE
    order = math.ceil((STOP_DB - 7.95) / (2.285 * 2 * math.pi * transition))
    n = np.arange(order + 1) - order / 2
    taps = 2 * cutoff * np.sinc(2 * cutoff * n) * np.kaiser(order + 1, 0.1102 * (STOP_DB - 8.7))
    taps /= taps.sum()
    # Oldest sample first, as the ring gives them: the reverse of an impulse response, hence the minus sign.
    return np.asarray(2 * taps * np.exp(-2j * np.pi * channel.centre_hz * n / SAMPLE_RATE), np.complex64)


class FskReceiver:
    """Turns tones into bits; always running, whether a signal is there or not.

    Args:
        channel: Tones and bit rate. Input of any level from -50 dBm0 to full scale; delay `delay` samples.
    """

    def __init__(self, channel: FskChannel) -> None:
        self.channel = channel
        self._bit = SAMPLE_RATE / channel.bit_rate
        size = math.ceil(self._bit)
        self._weights = np.ones(size, np.float32)
        self._weights[-1] -= size - self._bit  # the window is exactly one bit long
        self._weights /= self._weights.sum()
        self._band = band_filter(channel)
        self._mark = self._correlator(channel.mark_hz)
        self._space = self._correlator(channel.space_hz)
        self._ring = np.zeros(2 * len(self._band), np.float32)
        self._ring_y = np.zeros(2 * size, np.complex64)
        self._state = np.zeros(1, _STATE)
        self._state["until"] = self._bit
        self._state["age"] = -1.0
        self._state["settled"] = self._state["decided"] = 1
        self.delay = len(self._band) // 2 + size

    def _correlator(self, tone_hz: float) -> NDArray[np.complex64]:
        n = np.arange(len(self._weights))
        taps = self._weights * np.exp(-2j * np.pi * tone_hz * n / SAMPLE_RATE)
        return np.asarray(taps, np.complex64)

    def receive(self, rx: Audio, erased: bool = False) -> Bits:
        """Take samples, shape (n,) float32; return the bits whose middle they contained."""
        bits = np.empty(4 * int(len(rx) / self._bit) + 4, np.uint8)  # the clock may be moved, so with room
        if erased:
            self._state["hold"] = self.delay + len(self._band) // 2 + len(rx)
        count = _receive(
            self._state,
            rx,
            erased,
            self._band,
            self._mark,
            self._space,
            self._weights,
            self._ring,
            self._ring_y,
            self._bit,
            bits,
        )
        return bits[:count]

    @property
    def level_dbm0(self) -> float:
        """Level in the band, averaged over some 30 bits."""
        return dbm0_from_power(float(self._state["power"][0]))

    @property
    def quality(self) -> float:
        """Share of the band's power that the decided tones explain: 1 for a clean signal, 0.5 for noise."""
        return float(self._state["quality"][0])
