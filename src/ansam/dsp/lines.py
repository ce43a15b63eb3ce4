"""A few spectral lines at once: which are there, how loud, with which phase, and what is left beside them.

Training signals that repeat after one or two symbols (S, AA, AC of V.32bis; S, A, B of V.34) are a few
lines at exactly known frequencies. A short window is fitted with a sine and a cosine of each::

    x[n-L+1 … n] ─► least squares on 2F columns ─► F complex amplitudes, referred to sample 0 of the call,
                                                    and the share of the energy they explain

The fit, unlike a DFT, keeps lines apart that are not orthogonal over the window. A steady line has a steady
amplitude; a reversal of its phase is a straight walk from +a to -a that crosses zero when the window is
half over it, which gives its instant to a fraction of a window.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.dsp.qam import dot
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
        types.boolean[::1],
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
    clean: NDArray[np.bool_],
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
        window = ring[counters[0] + 1 : counters[0] + 1 + length]
        for c in range(2 * lines):
            products[c] = dot(columns[c], window)
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
        powers[hops, 0] = dot(window, window) / length
        powers[hops, 1] = explained / length
        clean[hops] = counters[2] == 0
        hops += 1
    return hops


@njit(
    "UniTuple(float64, 2)(float64[:, ::1], boolean[::1], int64, float64, float64, float64)",
    cache=True,
    nogil=True,
)
def _survey(
    powers: NDArray[np.float64],
    clean: NDArray[np.bool_],
    hops: int,
    least: float,
    level: float,
    smoothing: float,
) -> tuple[float, float]:
    """Return the largest share of a window's power that lines explain, and the smoothed power."""
    share = 0.0
    for k in range(hops):
        level += smoothing * (powers[k, 0] - level)
        doubtful = not clean[k] or powers[k, 0] < least
        share = 1.0 if doubtful else max(share, powers[k, 1] / powers[k, 0])
    return share, level


class LineMeter:
    """Measures lines in a window of `length` samples every `HOP` samples.

    Args:
        frequencies_hz: Of the lines, 200 … 3800.
        length: Samples in a window; 40 makes multiples of 200 Hz orthogonal.

    The properties tell of the windows that ended in the last `feed`.
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
        self._room(64)
        self.hops = 0
        self._first = 0

    def _room(self, windows: int) -> None:
        self._amplitudes = np.empty((windows, self._turn.size), np.complex128)
        self._powers = np.empty((windows, 2))
        self._clean = np.empty(windows, np.bool_)

    def feed(self, x: Audio, erased: bool) -> int:
        """Take samples, shape (n,) float32; return the number of windows that ended among them."""
        if x.size // HOP + 1 > self._clean.size:
            self._room(x.size // HOP + 1)
        self._first = self._taken + self._counters.item(1) - 1
        self.hops = int(
            _measure(
                x,
                erased,
                self._ring,
                self._counters,
                self._columns,
                self._inverse,
                self._turn,
                self._turned,
                self._amplitudes,
                self._powers,
                self._clean,
            )
        )
        self._taken += x.size
        return self.hops

    def survey(self, least: float, level: float, smoothing: float) -> tuple[float, float]:
        """Look at the windows of the last `feed` all at once.

        Args:
            least: A window with less power, or with an erased sample, counts as nothing but lines.
            level: Power smoothed over the windows before these.
            smoothing: Weight of each new window in it.

        Returns:
            (The largest share of a window's power that lies on the lines, the smoothed power).
        """
        share, level = _survey(self._powers, self._clean, self.hops, least, level, smoothing)
        return float(share), float(level)

    @property
    def amplitudes(self) -> NDArray[np.complex128]:
        """Shape (hops, lines): peak amplitude and phase of a cosine as at sample 0."""
        return self._amplitudes[: self.hops]

    @property
    def power(self) -> NDArray[np.float64]:
        """Shape (hops,): mean square of everything."""
        return self._powers[: self.hops, 0]

    @property
    def explained(self) -> NDArray[np.float64]:
        """Shape (hops,): mean square of the lines."""
        return self._powers[: self.hops, 1]

    @property
    def clean(self) -> NDArray[np.bool_]:
        """Shape (hops,): whether no erased sample was in the window."""
        return self._clean[: self.hops]

    @property
    def ends(self) -> NDArray[np.int64]:
        """Shape (hops,): instants of the windows' newest samples."""
        return self._first + HOP * np.arange(self.hops)
