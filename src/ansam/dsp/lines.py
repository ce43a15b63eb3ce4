"""A few spectral lines at once: which are there, how loud, with which phase, and what is left beside them.

Training signals that repeat after one or two symbols (S, AA, AC of V.32bis; S, A, B of V.34) are a few
lines at exactly known frequencies. A short window is fitted with a sine and a cosine of each::

    x[n-L+1 … n] ─► least squares on 2F columns ─► F complex amplitudes, referred to sample 0 of the call,
                                                    and the share of the energy they explain

The fit, unlike a DFT, keeps lines apart that are not orthogonal over the window. A steady line has a steady
amplitude; a reversal of its phase is a straight walk from +a to -a that crosses zero when the window is
half over it, which gives its instant to a fraction of a window.
"""

import math
from collections.abc import Sequence

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.units import SAMPLE_RATE, Audio, Samples

HOP: Samples = 10
"""Samples from one window to the next."""

_F8 = types.float64[::1]
_C16 = types.complex128[:, ::1]


@njit(
    types.int64(
        types.float32[::1],
        types.boolean,
        types.float32[::1],
        types.int64[::1],
        types.float32[:, ::1],
        types.float64[:, ::1],
        types.complex128[::1],
        types.complex128[::1],
        _C16,
        types.float64[:, ::1],
        types.uint8[::1],
    ),
    cache=True,
    nogil=True,
    fastmath=True,
)
def _measure(
    x: Audio,
    erased: bool,
    ring: NDArray[np.float32],
    counters: NDArray[np.int64],
    columns: NDArray[np.float32],
    inverse: NDArray[np.float64],
    turn: NDArray[np.complex128],
    turned: NDArray[np.complex128],
    amplitudes: NDArray[np.complex128],
    powers: NDArray[np.float64],
    clean: NDArray[np.uint8],
) -> int:
    """Take samples; return the number of windows measured.

    Counters: 0 write, 1 samples until the next window, 2 samples until the window holds no erased one.
    """
    length = columns.shape[1]
    lines = columns.shape[0] // 2
    products = np.empty(2 * lines)
    hops = 0
    for i in range(x.size):
        value = np.float32(0.0) if erased else x[i]
        counters[0] = (counters[0] + 1) % length
        ring[counters[0]] = ring[counters[0] + length] = value
        counters[2] = length if erased else max(0, counters[2] - 1)
        counters[1] -= 1
        if counters[1] > 0:
            continue
        counters[1] = HOP
        first = counters[0] + 1
        total = np.float32(0.0)
        for j in range(length):
            total += ring[first + j] * ring[first + j]
        for c in range(2 * lines):
            dot = np.float32(0.0)
            for j in range(length):
                dot += columns[c, j] * ring[first + j]
            products[c] = dot
        explained = 0.0
        for f in range(lines):
            a = 0.0
            b = 0.0
            for c in range(2 * lines):
                a += inverse[2 * f, c] * products[c]
                b += inverse[2 * f + 1, c] * products[c]
            explained += a * products[2 * f] + b * products[2 * f + 1]
            amplitudes[hops, f] = complex(a, -b) * turned[f]
            turned[f] *= turn[f]
        powers[hops, 0] = total / length
        powers[hops, 1] = explained / length
        clean[hops] = 1 if counters[2] == 0 else 0
        hops += 1
    return hops


class LineMeter:
    """Measures lines in a window of `length` samples every `HOP` samples.

    Args:
        frequencies_hz: Of the lines, 200 … 3800.
        length: Samples in a window; 40 makes multiples of 200 Hz orthogonal.

    After `feed`, for each window: `amplitudes` (hops, lines) complex, peak amplitude and phase of a cosine
    as at sample 0; `power` and `explained` (hops,), mean squares of everything and of the lines; `clean`
    (hops,), whether no erased sample was in it. The last window's newest sample is `ends[-1]`.
    """

    def __init__(self, frequencies_hz: Sequence[float], length: int = 40) -> None:
        self.length = length
        omega = 2 * np.pi * np.asarray(frequencies_hz, np.float64) / SAMPLE_RATE
        n = np.arange(length) - (length - 1)
        columns = np.empty((2 * omega.size, length))
        columns[0::2] = np.cos(omega[:, None] * n)
        columns[1::2] = np.sin(omega[:, None] * n)
        self._columns = np.ascontiguousarray(columns, np.float32)
        self._inverse = np.ascontiguousarray(np.linalg.inv(columns @ columns.T))
        # The newest sample of the first window is sample HOP - 1.
        self._turn = np.exp(-1j * omega * HOP)
        self._turned = np.exp(-1j * omega * (HOP - 1))
        self._ring = np.zeros(2 * length, np.float32)
        self._counters = np.array([0, HOP, length], np.int64)
        self._taken: Samples = 0
        self.amplitudes = np.zeros((0, omega.size), np.complex128)
        self.power = np.zeros(0)
        self.explained = np.zeros(0)
        self.clean = np.zeros(0, np.bool_)
        self.ends = np.zeros(0, np.int64)

    def feed(self, x: Audio, erased: bool) -> int:
        """Take samples, shape (n,) float32; return the number of windows that ended among them."""
        room = math.ceil(x.size / HOP) + 1
        amplitudes = np.empty((room, self._turn.size), np.complex128)
        powers = np.empty((room, 2))
        clean = np.empty(room, np.uint8)
        to_next = int(self._counters[1])
        hops = int(
            _measure(
                x,
                erased,
                self._ring,
                self._counters,
                self._columns,
                self._inverse,
                self._turn,
                self._turned,
                amplitudes,
                powers,
                clean,
            )
        )
        self.amplitudes = amplitudes[:hops]
        self.power = powers[:hops, 0]
        self.explained = powers[:hops, 1]
        self.clean = clean[:hops].astype(np.bool_)
        self.ends = self._taken + to_next - 1 + HOP * np.arange(hops)
        self._taken += x.size
        return hops
