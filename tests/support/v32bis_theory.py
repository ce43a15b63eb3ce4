"""The trellis code of V.32bis by other means: its wiring in plain Python, a Viterbi decoder over the whole
sequence in numpy, the free distance, and the union bound on its error events in white noise.

Points come as an array by label (their tables are checked in test_trellis against the figures' properties).
Es/N0 is the mean energy per symbol over the noise density; the noise per axis has the variance N0/2.
"""

import math

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.complex128]


def q(x: float) -> float:
    return 0.5 * math.erfc(x / math.sqrt(2))


def wiring(state: tuple[int, int, int], y1: int, y2: int) -> tuple[int, tuple[int, int, int]]:
    """Return Y0 and the next contents of the delay elements of figure 1, left to right."""
    left, middle, right = state
    return right, (right, left ^ y1 ^ y2 ^ (right & (middle ^ y2)), middle ^ y2 ^ (right & y1))


def branches() -> list[tuple[int, int, int]]:
    """Return all 32 (state, next state, subset), states numbered with the left delay element as 4."""
    found = []
    for number in range(8):
        for y in range(4):
            y0, after = wiring((number >> 2, (number >> 1) & 1, number & 1), y >> 1, y & 1)
            found.append((number, 4 * after[0] + 2 * after[1] + after[2], 4 * y0 + y))
    return found


def viterbi(points: Points, received: Points) -> NDArray[np.int64]:
    """Return the labels of the most likely sequence that starts in state 0, decided at its end."""
    size = points.size // 8
    distance = np.abs(received[:, None] - points) ** 2
    by_subset = distance.reshape(-1, 8, size)
    label = by_subset.argmin(axis=2) + np.arange(8) * size
    least = by_subset.min(axis=2)
    metric = np.array([0.0] + [np.inf] * 7)
    before = np.zeros((received.size, 8), np.int64)
    chosen = np.zeros((received.size, 8), np.int64)
    for n in range(received.size):
        new = np.full(8, np.inf)
        for state, after, subset in branches():
            m = metric[state] + least[n, subset]
            if m < new[after]:
                new[after], before[n, after], chosen[n, after] = m, state, label[n, subset]
        metric = new
    state = int(metric.argmin())
    out = np.zeros(received.size, np.int64)
    for n in range(received.size - 1, -1, -1):
        out[n] = chosen[n, state]
        state = int(before[n, state])
    return out


def free_distance(points: Points) -> float:
    """Return the least squared distance of two sequences that part and meet again."""
    size = points.size // 8
    sets = points.reshape(8, size)
    gap = np.min(np.abs(sets[:, None, :, None] - sets[None, :, None, :]) ** 2, axis=(2, 3))
    parallel = min(abs(sets[i, a] - sets[i, b]) ** 2 for i in range(8) for a in range(size) for b in range(a))
    least = np.full((8, 8), np.inf)
    edges = [(s, t, e, u, gap[i, j]) for s, t, i in branches() for e, u, j in branches()]
    best = float(parallel)
    for s, t, e, u, d in edges:
        if s == e and t != u:
            least[t, u] = min(least[t, u], d)
    for _ in range(8):
        for s, t, e, u, d in edges:
            if s == e:
                continue
            if t == u:
                best = min(best, least[s, e] + d)
            else:
                least[t, u] = min(least[t, u], least[s, e] + d)
    return best


def event_bound(points: Points, es_n0_db: float, free: float | None = None) -> float:
    """Return the union bound on error events per symbol.

    All pairs of sequences are summed by the transfer matrix over pairs of states, the transmitted one
    averaged (the code is not linear), each with Q(d/2σ) <= Q(d_free/2σ) · exp((d_free² - d²)/8σ²).
    Source: S. Benedetto and E. Biglieri, Principles of Digital Transmission, §12.
    """
    size = points.size // 8
    variance = float(np.mean(np.abs(points) ** 2)) / 10 ** (es_n0_db / 10) / 2
    sets = points.reshape(8, size)
    squared = np.abs(sets[:, None, :, None] - sets[None, :, None, :]) ** 2
    free = free_distance(points) if free is None else free
    terms = np.exp(-squared / (8 * variance))
    weight = terms.sum(axis=(2, 3)) / size / 4
    parallel = float(np.mean([(terms[i, i].sum() - size) / size for i in range(8)]))
    index = {(s, e): 8 * s + e for s in range(8) for e in range(8)}
    move, part, meet = np.zeros((64, 64)), np.zeros(64), np.zeros(64)
    for s, t, i in branches():
        for e, u, j in branches():
            if s == e and t != u:
                part[index[t, u]] += weight[i, j] / 8
            elif s != e and t == u:
                meet[index[s, e]] += weight[i, j]
            elif s != e:
                move[index[s, e], index[t, u]] += weight[i, j]
    if np.abs(np.linalg.eigvals(move)).max() >= 1:
        return math.inf
    total = part @ np.linalg.solve(np.eye(64) - move, meet) + parallel
    return float(total * q(math.sqrt(free / (4 * variance))) * math.exp(free / (8 * variance)))


def es_n0_for(points: Points, target: float) -> float:
    """Return the Es/N0 in dB at which the bound is `target`."""
    low, high = 5.0, 35.0
    free = free_distance(points)
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (middle, high) if event_bound(points, middle, free) > target else (low, middle)
    return low


def square_error_rate(size: int, es_n0_db: float) -> float:
    """Return the symbol error rate of an uncoded square diagram of `size` points."""
    side = math.isqrt(size)
    es_n0 = 10 ** (es_n0_db / 10)
    axis = 2 * (1 - 1 / side) * q(math.sqrt(3 * es_n0 / (size - 1)))
    return 1 - (1 - axis) ** 2


def events(wrong: NDArray[np.bool_], gap: int = 6) -> int:
    """Return the number of bursts of errors that at least `gap` right symbols separate."""
    at = np.flatnonzero(wrong)
    return int(at.size and 1 + np.count_nonzero(np.diff(at) > gap))
