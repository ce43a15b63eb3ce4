"""At which delay does what was sent come back, and by how much has its frequency moved?

*Delay*: cross-correlation over all delays at once, in pieces of 256 ms, each divided by the spectrum of what
was sent, so that an echo is one sharp peak. A frequency offset would turn the phase within a piece; bins of
the transform lie 0.49 Hz apart, so a shift by some bins undoes it for nothing. The strongest peak counts
where it exceeds what noise can do.

*Offset*: correlations of 64 ms pieces turn from one to the next; products over ever longer distances give the
frequency ever more finely.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.dsp.echo_fit import Real, dot

MAX_DELAY = 12_400
"""Longest delay searched: a round trip of 1.5 s, and some for the hybrid's own."""
MAX_TAPS = 256
HALF = 63
"""Delay of the Hilbert transformer of a path with frequency offset."""
LEAD = MAX_DELAY + MAX_TAPS + HALF
"""Samples sent before a record that the search needs."""

_FFT = 16_384
_SEGMENT = 2_048
_SEGMENTS = 4
_TURNS = (-12, -6, 0, 6, 12)
"""Offsets searched, in bins of 0.49 Hz."""
_BINS = 4_096
"""Bins correlated, 2 kHz."""
_THRESHOLD = (20.7, 12.3, 9.2, 7.6)
"""Peak over mean of |correlation|² for 1 … 4 segments that noise exceeds once in 10⁹ delays (chi-square)."""
_MEDIAN = (0.69, 0.84, 0.89, 0.92)
"""Median over mean of the same."""
_HEARD = 0.05
"""Least share of the most that can be heard from a delay; below, an echo would not be told from noise."""
_SMOOTH = 129
"""Bins over which the spectrum of what was sent is smoothed, 63 Hz."""
_BLOCK = 512
_PAUSE = 80
"""Samples that are sound or pause together."""


def _hilbert() -> Real:
    """Return the transformer's taps at distances 1, 3, … from the centre (Kaiser, image below -60 dB)."""
    n = np.arange(1, HALF + 1, 2)
    taps: Real = 2 / (np.pi * n) * np.i0(5.65 * np.sqrt(1 - (n / (HALF + 1)) ** 2)) / np.i0(5.65)
    return taps


HILBERT = _hilbert()


@njit(
    types.void(types.float64[::1], types.float64[::1], types.float64[::1]),
    cache=True,
    nogil=True,
    fastmath=True,
)
def _quadrature(x: Real, taps: Real, out: Real) -> None:
    """Set `out` to the Hilbert transform of x where all of the transformer lies within x."""
    half = 2 * len(taps) - 1
    inner = out[half : len(x) - half]
    for k in range(len(taps)):
        distance = 2 * k + 1
        early = x[half - distance : len(x) - half - distance]
        late = x[half + distance : len(x) - half + distance]
        for n in range(len(inner)):
            inner[n] += taps[k] * (early[n] - late[n])


@njit(
    types.void(*[types.float64[::1]] * 2, *[types.float64] * 2, *[types.float64[::1]] * 2),
    cache=True,
    nogil=True,
)
def _turn(x: Real, quadrature: Real, angle: float, step: float, real: Real, imaginary: Real) -> None:
    """Turn an analytic signal by an angle that grows with every sample."""
    cos, sin = math.cos(step), math.sin(step)
    c, s = 0.0, 0.0
    for n in range(len(x)):
        if n % 256 == 0:
            c, s = math.cos(angle + n * step), math.sin(angle + n * step)
        real[n] = x[n] * c - quadrature[n] * s
        imaginary[n] = x[n] * s + quadrature[n] * c
        c, s = c * cos - s * sin, s * cos + c * sin


class Record:
    """What was sent and heard while the far end was silent.

    Args:
        tx: Shape (LEAD + n,) float32; the first LEAD samples were sent before the first one heard.
        rx: Shape (n,) float32.
        valid: Shape (n,) bool; False where a packet was lost.
        shortest: Least delay an echo can have.
    """

    def __init__(
        self, tx: NDArray[np.float32], rx: NDArray[np.float32], valid: NDArray[np.bool_], shortest: int
    ):
        self.tx = tx.astype(np.float64)
        self.rx = np.where(valid, rx, 0.0).astype(np.float64)
        self.valid = valid
        self.shortest = shortest
        self.quadrature = np.zeros(len(self.tx))
        _quadrature(self.tx, HILBERT, self.quadrature)
        self.power = float(np.mean(self.tx[LEAD:] ** 2))
        self._turned = (0.0, 0.0), (self.tx, self.quadrature)

    def power_from(self, delay: int) -> float:
        """Return the mean power of what was sent that many samples before the record was heard."""
        sent = self.tx[LEAD - delay : LEAD - delay + len(self.rx)]
        return dot(sent, sent) / len(sent) + 1e-30

    @property
    def loudness(self) -> float:
        """Mean power of what was sent, pauses left out."""
        count = len(self.rx) // _PAUSE
        power = np.mean(self.tx[LEAD : LEAD + count * _PAUSE].reshape(count, _PAUSE) ** 2, axis=1)
        return float(np.mean(power[power >= 0.1 * power.max()])) if count else self.power

    def lines(self, step: float, phase: float) -> tuple[Real, Real]:
        """Return what was sent, and 90 degrees later, turned by a frequency offset."""
        if step == 0.0 and phase == 0.0:
            return self.tx, self.quadrature
        if self._turned[0] != (step, phase):
            real, imaginary = np.empty_like(self.tx), np.empty_like(self.tx)
            _turn(self.tx, self.quadrature, phase - step * LEAD, step, real, imaginary)
            self._turned = (step, phase), (real, imaginary)
        return self._turned[1]


class Search:
    """Finds the strongest echo in what is left of a record."""

    def __init__(self, record: Record) -> None:
        self._record = record
        count = -(-len(record.rx) // _SEGMENT)
        starts = np.linspace(0, max(0, len(record.rx) - _SEGMENT), count).astype(int)
        energies = [float(np.sum(record.rx[a : a + _SEGMENT] ** 2)) for a in starts]
        self._starts = sorted(int(starts[k]) for k in np.argsort(energies)[-_SEGMENTS:])
        sent = np.stack([self._frame(a) for a in self._starts])
        spectra = np.fft.rfft(sent, axis=1)
        power = np.mean(np.abs(spectra) ** 2, axis=0)
        sums = np.cumsum(np.concatenate([[0.0], np.pad(power, _SMOOTH // 2)]))
        smooth = (sums[_SMOOTH:] - sums[:-_SMOOTH]) / _SMOOTH
        sums = np.concatenate([[0.0], np.cumsum(smooth)])
        edge = -min(_TURNS)
        self._first = edge + int(np.argmax(sums[edge + _BINS : -edge] - sums[edge : -edge - _BINS]))
        band = slice(self._first, self._first + _BINS)
        whitened = spectra[:, band] / (smooth[band] + 1e-3 * smooth.max() + 1e-30)
        self._sent = np.conj(whitened).astype(np.complex64)
        self._weigh()

    def _weigh(self) -> None:
        """Set the delays that can be searched, and what noise makes of the correlation at each.

        From a long delay little or nothing may have come back yet.
        """
        sums = np.concatenate([[0.0], np.cumsum(self._record.tx**2)])
        lags = np.arange(-(-self._record.shortest // 4), MAX_DELAY // 4)
        ends = np.minimum(np.array(self._starts)[:, None] + LEAD + _SEGMENT - 4 * lags, len(sums) - 1)
        energies = sums[ends] - sums[np.maximum(ends - _SEGMENT, 0)]
        total = energies.sum(axis=0)
        usable = total > _HEARD * total.max()
        self._lags, self._energy = lags[usable], total[usable]
        pieces = self._energy**2 / np.sum(energies[:, usable] ** 2, axis=0)
        # Segments of a short record overlap, and those that do are no new evidence.
        pieces = np.minimum(pieces, len(self._record.rx) / _SEGMENT)
        counts = np.arange(1, _SEGMENTS + 1)
        self._limit = np.interp(pieces, counts, _THRESHOLD)
        self._median = np.interp(pieces, counts, _MEDIAN)

    def _frame(self, start: int) -> NDArray[np.float32]:
        frame = np.zeros(_FFT, np.float32)
        sent = self._record.tx[start : start + LEAD + _SEGMENT]
        frame[: len(sent)] = sent
        return frame

    def strongest(self, rest: Real) -> tuple[int, float] | None:
        """Return delay and rough offset (radians per sample) of the strongest echo, if there is one."""
        if not len(self._lags):
            return None
        heard = np.zeros((len(self._starts), _FFT), np.float32)
        for row, a in zip(heard, self._starts, strict=True):
            piece = rest[a : a + _SEGMENT]
            row[LEAD : LEAD + len(piece)] = piece
        spectra = np.fft.rfft(heard, axis=1)
        best = 0.0
        found: tuple[int, float] | None = None
        for turn in _TURNS:
            product = spectra[:, self._first + turn : self._first + turn + _BINS] * self._sent
            correlation = np.fft.ifft(product, axis=1)[:, self._lags]
            power = np.sum(correlation.real**2 + correlation.imag**2, axis=0) / self._energy
            middle = len(power) // 2
            noise = float(np.partition(power / self._median, middle)[middle])
            peak = int(np.argmax(power))
            if power[peak] > max(best, self._limit[peak] * noise):
                best = float(power[peak])
                found = 4 * int(self._lags[peak]), 2 * math.pi * turn / _FFT
        return found


@njit(
    types.void(types.float64[::1], types.complex128[::1], types.int64, types.int64, types.complex128[:, ::1]),
    cache=True,
    nogil=True,
)
def _pieces(
    rest: Real, sent: NDArray[np.complex128], at: int, block: int, out: NDArray[np.complex128]
) -> None:
    """Correlate each block of `rest` with what was sent, at as many delays as `out` has columns."""
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            total = 0j
            for t in range(k * block, (k + 1) * block):
                total += rest[t] * sent[at + t - j].conjugate()
            out[k, j] = total


def offset_of(record: Record, rest: Real, delay: int, step: float) -> tuple[float, float]:
    """Return the frequency offset (radians per sample) and its phase at the record's start."""
    first = max(record.shortest, delay - 8)
    low = LEAD - first - 16
    real, imaginary = record.lines(step, 0.0)
    sent = (real + 1j * imaginary)[low : low + len(rest) + 16]
    block = max(64, min(_BLOCK, len(rest) // 8))
    pieces = np.zeros((len(rest) // block, 17), np.complex128)
    _pieces(rest, sent, 16, block, pieces)
    instants = (np.arange(len(pieces)) + 0.5) * block
    fine, distance = 0.0, 1
    while distance <= max(1, len(pieces) // 2):
        turned = pieces * np.exp(-1j * fine * instants)[:, None]
        product = np.sum(turned[distance:] * np.conj(turned[:-distance]))
        fine += float(np.angle(product)) / (distance * block)
        distance *= 2
    total = np.sum(pieces * np.exp(-1j * fine * instants)[:, None], axis=0)
    peak = int(np.argmax(np.abs(total)))
    # The line turns at the instant of sending, the pieces were turned by `fine` at that of hearing.
    return step + fine, float(np.angle(total[peak])) + fine * (first + peak)
