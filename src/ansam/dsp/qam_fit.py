"""Train a QAM receiver at once: from a known sequence to taps, carrier and clock by least squares.

A training sequence (TRN of V.32bis and V.34, PP) is known to the last symbol, so nothing has to converge::

    T/2 samples ─ correlate with the sequence, ─► where, offset ─ least squares ─► taps ─► residual phase and
                  in short pieces                                                          timing per piece
                                                 ▲                                         │
                                                 └──── sampled again with the clock's ─────┘
                                                       drift and carrier's offset

Rows with erased samples are left out, so a lost packet costs only its own symbols. An LMS equaliser would
have to forget what it taught.

Source: S. Haykin, Adaptive Filter Theory, 3rd ed., ch. 11 (least squares with diagonal loading).
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.dsp.qam import Front
from ansam.units import SAMPLE_RATE, Audio

PIECE = 32
"""Symbols correlated coherently: 12 Hz of offset turn them by 1 radian at 2400 Bd."""

LOADING = 1e-4
"""Diagonal loading, relative to the power of the samples."""

_C8 = types.complex64[::1]
_F8 = types.float64[:, ::1]


@dataclass(frozen=True, slots=True)
class Fit:
    """What was found.

    Attributes:
        first: Sample instant (from the first of the samples) at which the main tap meets symbol 0, with the
            delay of the low-pass taken off: the symbol's own instant on the line.
        taps: Shape (taps,), in the order of time.
        frequency: Radians per symbol.
        phase: Radians, at symbol 0.
        drift: Samples per symbol by which the far clock is slower.
        gain: For the low-pass's output.
        mse: Mean square error for symbols of mean power 1.
        rows: Symbols it rests on.
    """

    first: float
    taps: NDArray[np.complex128]
    frequency: float
    phase: float
    drift: float
    gain: float
    mse: float
    rows: int


@njit(
    types.void(types.float32[::1], types.float64, types.float64, types.float64, types.float32[:, ::1], _C8),
    cache=True,
    nogil=True,
    fastmath=True,
)
def _sample(
    x: Audio,
    increment: float,
    first: float,
    half: float,
    table: NDArray[np.float32],
    out: NDArray[np.complex64],
) -> None:
    """Mix and low-pass `x` at first + k·half for each k; beyond its ends there is silence."""
    count = table.shape[1]
    fractions = table.shape[0] - 1
    mixed_real = np.empty(x.size, np.float32)
    mixed_imag = np.empty(x.size, np.float32)
    for n in range(x.size):
        angle = (increment * n) % (2 * math.pi)
        mixed_real[n] = 2 * x[n] * math.cos(angle)
        mixed_imag[n] = -2 * x[n] * math.sin(angle)
    for k in range(out.size):
        at = first + k * half
        newest = math.ceil(at)
        row = int((newest - at) * fractions + 0.5)
        base = newest - count + 1
        a = np.float32(0.0)
        b = np.float32(0.0)
        for j in range(max(0, -base), min(count, x.size - base)):
            a += table[row, j] * mixed_real[base + j]
            b += table[row, j] * mixed_imag[base + j]
        out[k] = complex(a, b)


@njit(
    types.void(_C8, types.uint8[::1], _C8, types.int64, types.float64[::1], types.float64[::1]),
    cache=True,
    nogil=True,
    fastmath=True,
)
def _correlate(
    z: NDArray[np.complex64],
    good: NDArray[np.uint8],
    symbols: NDArray[np.complex64],
    piece: int,
    out: NDArray[np.float64],
    energy: NDArray[np.float64],
) -> None:
    """For each lag (in T/2): sum over the pieces of |correlation|², and the energy it would have at most."""
    for lag in range(out.size):
        total = 0.0
        most = 0.0
        for p in range(symbols.size // piece):
            c = 0j
            e = 0.0
            for n in range(p * piece, (p + 1) * piece):
                k = lag + 2 * n
                if k < z.size and good[k]:
                    c += z[k] * np.conj(symbols[n])
                    e += z[k].real * z[k].real + z[k].imag * z[k].imag
            total += c.real * c.real + c.imag * c.imag
            most += e * piece
        out[lag] = total
        energy[lag] = most


@njit(
    types.void(_C8, types.int64[::1], types.complex128[::1], _F8, _F8, types.complex128[::1]),
    cache=True,
    nogil=True,
    fastmath=True,
)
def _normal_equations(
    z: NDArray[np.complex64],
    rows: NDArray[np.int64],
    wanted: NDArray[np.complex128],
    gram_real: NDArray[np.float64],
    gram_imag: NDArray[np.float64],
    vector: NDArray[np.complex128],
) -> None:
    """Add up the lower half of Xᴴ·X, and Xᴴ·wanted, where row r of X is z[2r] … z[2r + taps - 1]."""
    taps = vector.size
    real = np.empty(taps)
    imag = np.empty(taps)
    for r in range(rows.size):
        first = 2 * rows[r]
        for j in range(taps):
            real[j] = z[first + j].real
            imag[j] = z[first + j].imag
        for i in range(taps):
            a, b = real[i], imag[i]
            vector[i] += complex(a, -b) * wanted[r]
            for j in range(i + 1):
                gram_real[i, j] += a * real[j] + b * imag[j]
                gram_imag[i, j] += a * imag[j] - b * real[j]


@njit(types.boolean(types.complex128[:, ::1], types.complex128[::1]), cache=True, nogil=True)
def _solve_hermitian(matrix: NDArray[np.complex128], vector: NDArray[np.complex128]) -> bool:
    """Solve by Cholesky in place of `vector`; only the lower half counts and is lost. False: singular.

    Not NumPy's, whose library would start threads of its own in the middle of a call.
    """
    n = vector.size
    for j in range(n):
        pivot = matrix[j, j].real
        for k in range(j):
            pivot -= matrix[j, k].real ** 2 + matrix[j, k].imag ** 2
        if not pivot > 0.0:
            return False
        root = math.sqrt(pivot)
        matrix[j, j] = root
        for i in range(j + 1, n):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * np.conj(matrix[j, k])
            matrix[i, j] = total / root
        total = vector[j]
        for k in range(j):
            total -= matrix[j, k] * vector[k]
        vector[j] = total / root
    for i in range(n - 1, -1, -1):
        total = vector[i]
        for k in range(i + 1, n):
            total -= np.conj(matrix[k, i]) * vector[k]
        vector[i] = total / matrix[i, i].real
    return True


@njit(
    types.void(_C8, types.int64[::1], types.int64, types.complex128[::1], types.complex128[::1]),
    cache=True,
    nogil=True,
)
def _outputs(
    z: NDArray[np.complex64],
    rows: NDArray[np.int64],
    shift: int,
    taps: NDArray[np.complex128],
    out: NDArray[np.complex128],
) -> None:
    """Filter at each row, `shift` half symbols later."""
    for r in range(rows.size):
        first = 2 * rows[r] + shift
        total = 0j
        for j in range(taps.size):
            total += taps[j] * z[first + j]
        out[r] = total


def _pieces(
    z: NDArray[np.complex64], good: NDArray[np.uint8], symbols: NDArray[np.complex64], lag: int
) -> NDArray[np.complex128]:
    """Return the correlation of each piece at a lag."""
    count = symbols.size // PIECE
    at = lag + 2 * np.arange(count * PIECE)
    inside = at < z.size
    at = np.where(inside, at, 0)
    product = np.where(inside & (good[at] > 0), z[at] * np.conj(symbols[: count * PIECE]), 0)
    out: NDArray[np.complex128] = product.reshape(count, PIECE).sum(axis=1).astype(np.complex128)
    return out


class Trainer:
    """Fits one known sequence.

    Args:
        front: Of the receiver; its carrier, low-pass, number of taps.
        symbols: The sequence as sent, mean power 1.
        main: Index of the main tap, in taps from the oldest.
    """

    def __init__(self, front: Front, symbols: NDArray[np.complex128], main: int) -> None:
        self._front = front
        self._symbols = symbols.astype(np.complex64)
        self._main = main
        self._taps = front.taps_real.size
        self._half = SAMPLE_RATE / front.baud / 2
        self._delay = (front.table.shape[1] - 2) / 2

    def find(self, x: Audio, erased: NDArray[np.uint8], begin: float, end: float) -> tuple[float, float]:
        """Return (instant of symbol 0, how sure) within [begin, end), both in samples of `x`.

        Args:
            x: Shape (n,), the line's samples.
            erased: Shape (n,), 1 where a sample never arrived.
            begin: Earliest instant to try.
            end: Latest.

        Returns:
            The instant, and the share of the energy that follows the sequence: 1 / PIECE for noise, near 1
            on a line without dispersion.
        """
        lags = max(1, round((end - begin) / self._half))
        z, good = self._grid(x, erased, begin, lags + 2 * self._symbols.size)
        score, energy = np.zeros(lags), np.zeros(lags)
        _correlate(z, good, self._symbols, PIECE, score, energy)
        floor = 0.25 * float(energy.max()) + 1e-12
        share = score / np.maximum(energy, floor)
        best = int(np.argmax(share))
        return begin + best * self._half, float(share[best])

    def fit(
        self, x: Audio, erased: NDArray[np.uint8], first: float, frequency: float | None = None
    ) -> Fit | None:
        """Return the fit for symbol 0 near `first`, or None where too few symbols arrived.

        Args:
            x: Shape (n,), the line's samples.
            erased: Shape (n,), 1 where a sample never arrived.
            first: From `find`.
            frequency: Radians per symbol, where it is known better than the sequence can tell.
        """
        drift = 0.0
        result: Fit | None = None
        for last in (False, False, True):
            step = self._half + drift / 2
            z, good = self._grid(
                x, erased, first - self._main * step, 2 * self._symbols.size + self._taps, step
            )
            if frequency is None:
                frequency = self._offset(z, good)
            rows = self._rows(good)
            if rows.size < 2 * self._taps:
                return None
            solved = self._solve(z, rows, first, drift, frequency, last)
            if solved is None:
                return None
            result, drift, frequency = solved
        return result

    def _grid(
        self, x: Audio, erased: NDArray[np.uint8], first: float, count: int, step: float | None = None
    ) -> tuple[NDArray[np.complex64], NDArray[np.uint8]]:
        step = self._half if step is None else step
        out = np.zeros(count, np.complex64)
        increment = float(self._front.state[0].increment)
        _sample(x, increment, first + self._delay, step, self._front.table, out)
        reach = self._delay + 1
        bad = np.concatenate([[0], np.cumsum(erased, dtype=np.int64)])
        at = first + step * np.arange(count)
        low = np.clip(np.floor(at - reach), 0, x.size).astype(np.int64)
        high = np.clip(np.ceil(at + reach) + 1, 0, x.size).astype(np.int64)
        whole = (at >= 0) & (at + reach < x.size) & (bad[high] == bad[low])
        return out, whole.astype(np.uint8)

    def _offset(self, z: NDArray[np.complex64], good: NDArray[np.uint8]) -> float:
        """Return the carrier's offset, from how the pieces' correlations turn."""
        lag = self._main
        c = _pieces(z, good, self._symbols, lag)
        turn = complex(np.sum(c[1:] * np.conj(c[:-1])))
        if turn == 0:
            return 0.0
        coarse = math.atan2(turn.imag, turn.real) / PIECE
        # Now that they can be aligned, over a longer distance.
        far = max(1, c.size // 2)
        turned = c * np.exp(-1j * coarse * PIECE * np.arange(c.size))
        rest = complex(np.sum(turned[far:] * np.conj(turned[:-far])))
        return coarse + (math.atan2(rest.imag, rest.real) / (PIECE * far) if rest else 0.0)

    def _rows(self, good: NDArray[np.uint8]) -> NDArray[np.int64]:
        bad = np.concatenate([[0], np.cumsum(1 - good, dtype=np.int64)])
        n = np.arange(self._symbols.size)
        rows: NDArray[np.int64] = n[bad[2 * n + self._taps] == bad[2 * n]]
        return rows

    def _solve(
        self,
        z: NDArray[np.complex64],
        rows: NDArray[np.int64],
        first: float,
        drift: float,
        frequency: float,
        last: bool,
    ) -> tuple[Fit, float, float] | None:
        wanted = self._symbols[rows] * np.exp(1j * frequency * rows)
        gram_real, gram_imag = np.zeros((2, self._taps, self._taps))
        taps = np.zeros(self._taps, np.complex128)
        _normal_equations(z, rows, wanted, gram_real, gram_imag, taps)
        power = float(np.trace(gram_real)) / self._taps
        gram_real += LOADING * power * np.eye(self._taps)
        if not _solve_hermitian(gram_real + 1j * gram_imag, taps):
            return None
        got = self._filter(z, rows, taps)
        miss = wanted - got
        if not last:
            drift, frequency = self._refine(z, rows, taps, got, miss, wanted, drift, frequency)
        gain = 1 / math.sqrt(max(power / rows.size, 1e-20))
        mse = float(np.mean(np.abs(miss) ** 2)) * rows.size / max(1, rows.size - self._taps)
        return Fit(first, taps / gain, frequency, 0.0, drift, gain, mse, int(rows.size)), drift, frequency

    @staticmethod
    def _filter(
        z: NDArray[np.complex64], rows: NDArray[np.int64], taps: NDArray[np.complex128], shift: int = 0
    ) -> NDArray[np.complex128]:
        out = np.empty(rows.size, np.complex128)
        _outputs(z, rows, shift, taps, out)
        return out

    def _refine(
        self,
        z: NDArray[np.complex64],
        rows: NDArray[np.int64],
        taps: NDArray[np.complex128],
        got: NDArray[np.complex128],
        miss: NDArray[np.complex128],
        wanted: NDArray[np.complex128],
        drift: float,
        frequency: float,
    ) -> tuple[float, float]:
        """Return drift and frequency, corrected by how errors of time and phase change along the sequence."""
        inner = (rows > 0) & (rows < self._symbols.size - 1)
        slope = self._filter(z, rows[inner], taps, 1) - self._filter(z, rows[inner], taps, -1)
        n = rows[inner] - rows[inner].mean()
        late = np.real(miss[inner] * np.conj(slope))
        late_rate = float(np.sum(n * late) / max(np.sum(n * n * np.abs(slope) ** 2), 1e-12))
        turned = np.imag(got[inner] * np.conj(wanted[inner]))
        turn_rate = float(np.sum(n * turned) / max(np.sum(n * n * np.abs(wanted[inner]) ** 2), 1e-12))
        return drift + late_rate * 2 * self._half, frequency + turn_rate
