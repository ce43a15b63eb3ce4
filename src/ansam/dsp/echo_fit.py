"""Least squares over stretches of a record: which filter turns what was sent into what came back?

::

    minimise  Σ_t ( rx[t] - Σ_p Σ_i h_p[i] · u_p[t - start_p - i] )²  +  Σ_p ridge_p · |h_p|²     t valid

The sums run only over valid instants, in *runs*: lost packets leave gaps. The matrix of such a fit is almost
Toeplitz. From one diagonal element to the next each run loses one product at its end and gains one at its
beginning, so that after the first row the rest costs two products per run and element: a fit of 256 taps over
2 s takes milliseconds instead of a second.

The ridge is what an unknown tap is expected to be worth (noise power over the tap's variance). Without it,
the frequencies that the sender does not use would be filled with anything.

Source: J. Makhoul, "Linear Prediction: A Tutorial Review", Proc. IEEE 63 (1975), covariance method; the ridge
is the Bayesian prior of C. M. Bishop, Pattern Recognition and Machine Learning, §3.3.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

Real = NDArray[np.float64]
Runs = NDArray[np.int64]

_REAL = types.float64[::1]
_SQUARE = types.float64[:, ::1]
_RUNS = types.int64[:, ::1]


@dataclass(frozen=True, slots=True)
class Window:
    """Some taps in a row, and what they filter.

    Attributes:
        line: What was sent, as the path carries it (turned by its frequency offset); `lead` samples of it
            precede the record.
        start: Delay of the first tap, samples, 1 or more.
        count: Number of taps.
    """

    line: Real
    start: int
    count: int


@njit(types.float64(_REAL, _REAL), cache=True, nogil=True, fastmath=True)
def dot(a: Real, b: Real) -> float:
    """Return the inner product; numpy's would wake a thread per core for a long one."""
    total = 0.0
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


@njit(types.void(_REAL, types.int64, _REAL, types.int64, _RUNS, _SQUARE), cache=True, nogil=True)
def _products(u: Real, u_at: int, v: Real, v_at: int, runs: Runs, out: Real) -> None:
    """Set out[i, j] to the sum over the runs of u[u_at + t - i] · v[v_at + t - j]."""
    rows, columns = out.shape
    for j in range(columns):
        out[0, j] = 0.0
    for i in range(rows):
        out[i, 0] = 0.0
    first = np.empty((len(runs), columns))
    last = np.empty((len(runs), columns))
    for r in range(len(runs)):
        a, b = runs[r, 0], runs[r, 1]
        for j in range(columns):
            out[0, j] += dot(u[u_at + a : u_at + b], v[v_at + a - j : v_at + b - j])
            first[r, j] = v[v_at + a - j]
            last[r, j] = v[v_at + b - j]
        for i in range(1, rows):
            out[i, 0] += dot(u[u_at + a - i : u_at + b - i], v[v_at + a : v_at + b])
    for i in range(1, rows):
        for j in range(1, columns):
            out[i, j] = out[i - 1, j - 1]
        for r in range(len(runs)):
            gained = u[u_at + runs[r, 0] - i]
            lost = u[u_at + runs[r, 1] - i]
            for j in range(1, columns):
                out[i, j] += gained * first[r, j] - lost * last[r, j]


@njit(types.void(_REAL, types.int64, _REAL, _RUNS, _REAL), cache=True, nogil=True)
def _correlations(u: Real, u_at: int, rx: Real, runs: Runs, out: Real) -> None:
    """Set out[i] to the sum over the runs of rx[t] · u[u_at + t - i]."""
    for i in range(len(out)):
        out[i] = 0.0
        for r in range(len(runs)):
            a, b = runs[r, 0], runs[r, 1]
            out[i] += dot(rx[a:b], u[u_at + a - i : u_at + b - i])


@njit(types.boolean(_SQUARE), cache=True, nogil=True)
def factorise(matrix: Real) -> bool:
    """Replace the lower half of a symmetric positive definite matrix by its Cholesky factor.

    Args:
        matrix: Shape (n, n); only its lower half is read and written.

    Returns:
        Whether the matrix was positive definite.
    """
    for i in range(len(matrix)):
        for j in range(i):
            matrix[i, j] = (matrix[i, j] - dot(matrix[i, :j], matrix[j, :j])) / matrix[j, j]
        pivot = matrix[i, i] - dot(matrix[i, :i], matrix[i, :i])
        if pivot <= 0.0:
            return False
        matrix[i, i] = np.sqrt(pivot)
    return True


@njit(types.void(_SQUARE, _REAL), cache=True, nogil=True)
def substitute(factor: Real, vector: Real) -> None:
    """Replace a right side by the solution.

    Args:
        factor: From `factorise`, shape (n, n).
        vector: Shape (n,).
    """
    n = len(vector)
    for i in range(n):
        vector[i] = (vector[i] - dot(factor[i, :i], vector[:i])) / factor[i, i]
    for i in range(n - 1, -1, -1):
        vector[i] /= factor[i, i]
        for j in range(i):
            vector[j] -= factor[i, j] * vector[i]


@njit(types.void(_REAL, _REAL, types.int64, _REAL), cache=True, nogil=True)
def _convolve(backwards: Real, u: Real, u_at: int, out: Real) -> None:
    """Add to out[t] the sum of taps[i] · u[u_at + t - i], the taps given last first."""
    count = len(backwards)
    for t in range(len(out)):
        newest = u_at + t + 1
        out[t] += dot(backwards, u[newest - count : newest])


def echo(window: Window, taps: Real, lead: int, count: int) -> Real:
    """Return what the taps make of a record.

    Args:
        window: Where the taps stand.
        taps: Shape (window.count,).
        lead: Samples of `window.line` before the record.
        count: Samples of the record.
    """
    out = np.zeros(count)
    _convolve(np.ascontiguousarray(taps[::-1]), window.line, lead - window.start, out)
    return out


def runs_of(valid: NDArray[np.bool_]) -> Runs:
    """Return the beginnings and ends of the stretches that are True, shape (n, 2)."""
    edges = np.diff(np.concatenate([[0], valid.astype(np.int8), [0]]))
    ends = np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1)
    return np.ascontiguousarray(ends, np.int64)


def right_side(windows: list[Window], rx: Real, runs: Runs, lead: int) -> Real:
    """Return the right side of a fit: how `rx` correlates with what each tap sees; shape (n,)."""
    sides = []
    for w in windows:
        side = np.empty(w.count)
        _correlations(w.line, lead - w.start, rx, runs, side)
        sides.append(side)
    return np.concatenate(sides)


def normal_matrix(windows: list[Window], runs: Runs, lead: int) -> Real:
    """Return the matrix of a fit, without ridge.

    Args:
        windows: What is to be fitted, n taps in all.
        runs: Where what came back is valid.
        lead: Samples of each window's line before the record, at least `start + count` of any window.

    Returns:
        Shape (n, n); only the lower half and the blocks on the diagonal are set.
    """
    places = np.concatenate([[0], np.cumsum([w.count for w in windows])])
    matrix = np.zeros((places[-1], places[-1]))
    for p, w in enumerate(windows):
        for q, v in enumerate(windows[: p + 1]):
            block = np.empty((w.count, v.count))
            _products(w.line, lead - w.start, v.line, lead - v.start, runs, block)
            matrix[places[p] : places[p + 1], places[q] : places[q + 1]] = block
    return matrix


def fit(
    windows: list[Window], ridges: list[float], rx: Real, runs: Runs, lead: int
) -> tuple[list[Real], Real]:
    """Fit the taps of all windows together.

    Args:
        windows: What is to be fitted.
        ridges: What each window's taps are expected to be worth.
        rx: What came back.
        runs: Where it is valid.
        lead: See `normal_matrix`.

    Returns:
        The taps of each window that explain `rx` best, and the factor of the matrix.
    """
    matrix = normal_matrix(windows, runs, lead)
    counts = [w.count for w in windows]
    matrix[np.diag_indices_from(matrix)] += np.repeat(ridges, counts)
    taps = right_side(windows, rx, runs, lead)
    if not factorise(matrix):
        taps[:] = 0.0
        matrix = np.eye(len(taps))
    else:
        substitute(matrix, taps)
    return np.split(taps, np.cumsum(counts)[:-1]), matrix
