"""One frame of 160 received octets, measured once for all judges.

::

    octets ─► decode ─┬─► power of 4 blocks of 5 ms, kurtosis, likeness to the frame before
                      ├─► best predictor of 2 taps, read by the right and by the wrong law: purity of a tone
                      ├─► prediction error of 16 taps (learnt over seconds): loudest 8 samples
                      ├─► both edges of the far signal's band, per 5 ms: their product turns with its timing
                      ├─► runs of octets that were there before (`copies`)
                      └─► counts: octets, and last bits by phase of six, where the frame is random

"Random" is a frame of a modem's scrambled data: loud enough, no tone (purity), no FSK (kurtosis of a constant
envelope: 1.5). Only there do statistics of codewords mean anything: our own tones hit 80 amplitudes.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.codec import Law
from ansam.units import FRAME, FULL_SCALE_DBM0, Codewords

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ORDER = 16
"""Taps of the long-term predictor."""

BLOCKS = 4
BLOCK = FRAME // BLOCKS

# Places in the record of a frame's measurements.
POWER, KURTOSIS, LIKENESS, SAME, PURITY, TONE_HZ, ALTERNATIVE, MISMATCH, ERROR, SPIKE, RANDOM, HUSH = range(
    12
)
SUB = 12
UPPER = SUB + BLOCKS
"""Real and imaginary part per block of the upper band edge times the conjugate of the lower, then its
modulus."""
SIZE = UPPER + 3 * BLOCKS

ACTIVE = 10 ** ((-46.0 - FULL_SCALE_DBM0) / 10) / 2
"""Mean square of -46 dBm0: less is no signal."""

RING = 2048
"""Octets that are looked through for a copy; a power of two."""

NEAREST, FURTHEST = 20, 800
"""Distances at which a copy may stand, samples: less is a tone, more nobody keeps."""

MAX_COPIES = 8

_F64 = types.float64[::1]
_I64 = types.int64[::1]


@njit(types.float64(types.float32[::1], types.int64), cache=True, nogil=True, fastmath=True)
def _predictability(x: NDArray[np.float32], start: int) -> float:
    """Return the power of x by the error of its best 2-tap predictor (1 = none)."""
    r0 = r1 = r2 = s1 = s2 = c = 1e-12
    for n in range(start, len(x)):
        a, b, d = float(x[n]), float(x[n - 1]), float(x[n - 2])
        r0 += a * a
        r1 += a * b
        r2 += a * d
        s1 += b * b
        s2 += d * d
        c += b * d
    det = s1 * s2 - c * c
    if det < 1e-9 * s1 * s2:
        return 1e4
    p = (r1 * s2 - r2 * c) / det
    q = (r2 * s1 - r1 * c) / det
    return r0 / max(r0 - p * r1 - q * r2, 1e-6 * r0)


@njit(types.void(types.float32[::1], _F64), cache=True, nogil=True, fastmath=True)
def _tone(x: NDArray[np.float32], out: Floats) -> None:
    """Find the one tone that fits best, x[n] + x[n-2] = c·x[n-1], and how pure it is.

    White noise of power N leaves a remainder of N·(2 + c²).
    """
    top = low = 1e-15
    for n in range(162, 320):
        top += float(x[n - 1]) * (x[n] + x[n - 2])
        low += float(x[n - 1]) * x[n - 1]
    c = min(max(top / low, -2.0), 2.0)
    rest = 0.0
    for n in range(162, 320):
        e = float(x[n]) + x[n - 2] - c * x[n - 1]
        rest += e * e
    noise = rest / 158 / (2 + c * c)
    out[PURITY] = 10 * math.log10(max(out[POWER], 1e-12) / max(noise, 1e-12))
    out[TONE_HZ] = math.acos(c / 2) * 8000 / (2 * math.pi)


@njit(
    types.void(types.float32[::1], _F64, _F64, _F64, _F64),
    cache=True,
    nogil=True,
    fastmath=True,
)
def _predict(
    x: NDArray[np.float32], predictor: Floats, correlation: Floats, error: Floats, out: Floats
) -> None:
    """Run the predictor; the loudest 8 samples of its error against the mean are the spike."""
    total = window = loudest = 0.0
    squares = np.empty(160)
    for n in range(160):
        e = float(x[160 + n])
        for k in range(ORDER):
            e -= predictor[k] * x[159 + n - k]
        squares[n] = e * e
        total += squares[n]
        window += squares[n]
        if n >= 8:
            window -= squares[n - 8]
        loudest = max(loudest, window)
    out[ERROR] = total / 160
    out[SPIKE] = loudest / 8 / max(error[0], 1e-12)
    if out[RANDOM]:
        for k in range(ORDER + 1):
            s = 0.0
            for n in range(160, 320):
                s += float(x[n]) * x[n - k]
            correlation[k] = correlation[k] * 0.99 + s
        error[0] += (min(out[ERROR], 4 * error[0] + 1e-12) - error[0]) * 0.02


@njit(types.void(types.float32[::1], _F64, types.int64, _F64), cache=True, nogil=True, fastmath=True)
def _edges(x: NDArray[np.float32], edges: Floats, now: int, out: Floats) -> None:
    """Correlate the upper with the lower edge of the band, block by block."""
    if edges[1] == 0.0:
        for k in range(3 * BLOCKS):
            out[UPPER + k] = 0.0
        return
    for b in range(BLOCKS):
        low = 0j
        high = 0j
        first = (now + b * BLOCK) % 56000  # whole turns of every symbol rate: they are multiples of 1/7 Hz
        lw = complex(math.cos(edges[0] * first), -math.sin(edges[0] * first))
        hw = complex(math.cos(edges[1] * first), -math.sin(edges[1] * first))
        ls = complex(math.cos(edges[0]), -math.sin(edges[0]))
        hs = complex(math.cos(edges[1]), -math.sin(edges[1]))
        for n in range(160 + b * BLOCK, 160 + (b + 1) * BLOCK):
            low += lw * x[n]
            high += hw * x[n]
            lw *= ls
            hw *= hs
        product = high * low.conjugate()
        out[UPPER + 3 * b] = product.real
        out[UPPER + 3 * b + 1] = product.imag
        out[UPPER + 3 * b + 2] = abs(product)


@njit(
    types.void(
        types.uint8[::1],
        types.float32[:, ::1],
        types.float32[:, ::1],
        _F64,
        _F64,
        _F64,
        _I64,
        types.int64[:, ::1],
        _F64,
        types.int64,
        _F64,
    ),
    cache=True,
    nogil=True,
    fastmath=True,
)
def measure(
    octets: Codewords,
    tables: NDArray[np.float32],
    lines: NDArray[np.float32],
    predictor: Floats,
    correlation: Floats,
    edges: Floats,
    histogram: Ints,
    last_bits: Ints,
    error: Floats,
    now: int,
    out: Floats,
) -> None:
    """Measure one frame.

    Args:
        octets: Shape (160,).
        tables: Amplitude of each octet as read by the law, by the other law, and as it was before a gateway
            decoded it by the other law; shape (3, 256).
        lines: The last 160 samples of each reading and room for this frame, shape (3, 320).
        predictor: Taps, shape (ORDER,).
        correlation: Decaying autocorrelation, shape (ORDER + 1,).
        edges: Lower and upper edge of the far signal's band, radians per sample; zeros: not known.
        histogram: Counts of octets, shape (256,).
        last_bits: Counts of last bits by instant mod 6, shape (6, 2).
        error: Decaying mean square of the prediction error, shape (1,).
        now: Instant of the first sample.
        out: Shape (SIZE,).
    """
    for t in range(3):
        lines[t, :160] = lines[t, 160:]
        for n in range(160):
            lines[t, 160 + n] = tables[t, octets[n]]
    x = lines[0]
    p2 = p4 = cross = before = 0.0
    for b in range(BLOCKS):
        s = 0.0
        for n in range(160 + b * BLOCK, 160 + (b + 1) * BLOCK):
            v = float(x[n]) * x[n]
            s += v
            p4 += v * v
            cross += float(x[n]) * x[n - 160]
            before += float(x[n - 160]) * x[n - 160]
        out[SUB + b] = s / BLOCK
        p2 += s
    out[POWER] = p2 / 160
    out[KURTOSIS] = p4 * 160 / max(p2 * p2, 1e-30)
    out[LIKENESS] = cross / math.sqrt(max(p2 * before, 1e-30))
    same = 0
    for n in range(1, 160):
        same += octets[n] == octets[0]
    out[SAME] = same + 1
    hush = longest = 0
    for n in range(160, 320):
        hush = hush + 1 if abs(x[n]) < 3e-4 else 0
        longest = max(longest, hush)
    out[HUSH] = longest
    _tone(x, out)
    loud = out[POWER] > ACTIVE
    out[RANDOM] = 1.0 if loud and out[PURITY] < 25 and out[KURTOSIS] > 1.75 else 0.0
    # A wrong law shows at once; once data flow it is enough to look now and then.
    thin = out[RANDOM] > 0 and now % (4 * 160) != 0
    out[ALTERNATIVE] = out[MISMATCH] = 0.0
    if not thin:
        own = _predictability(x, 162)
        out[ALTERNATIVE] = 10 * math.log10(_predictability(lines[1], 162) / own)
        out[MISMATCH] = 10 * math.log10(_predictability(lines[2], 162) / own)
    _predict(x, predictor, correlation, error, out)
    _edges(x, edges, now, out)
    if out[RANDOM] and out[LIKENESS] < 0.9:
        for n in range(160):
            histogram[octets[n]] += 1
            last_bits[(now + n) % 6, octets[n] & 1] += 1


@njit(
    types.int64(types.uint8[::1], types.uint8[::1], _I64, _I64, types.int64, types.int64[:, ::1]),
    cache=True,
    nogil=True,
)
def find_copies(octets: Codewords, ring: Codewords, places: Ints, run: Ints, now: int, found: Ints) -> int:
    """Look for runs of octets that were there shortly before; return how many ended in this frame.

    Args:
        octets: Shape (160,).
        ring: The last octets, shape (RING,).
        places: Where each hash of 8 octets was seen last, shape (4096,).
        run: Distance and length of the run that goes on, and the hash; shape (3,).
        now: Instant of the first octet.
        found: Distance, length and end of each run, shape (MAX_COPIES, 3).
    """
    count = 0
    mask = RING - 1
    for i in range(160):
        n = now + i
        octet = octets[i]
        if run[1]:
            if ring[(n - run[0]) & mask] == octet:
                run[1] += 1
            else:
                if run[1] >= 40 and count < MAX_COPIES:
                    found[count, 0], found[count, 1], found[count, 2] = run[0], run[1], n
                    count += 1
                run[1] = 0
        ring[n & mask] = octet
        # The newest 8 octets: older ones have been shifted out of 32 bits, 4 at a time.
        run[2] = (run[2] << 4 ^ octet) & 0xFFFFFFFF
        h = (run[2] * 0x9E3779B1 >> 18) & 4095
        if not run[1]:
            lag = n - places[h]
            if NEAREST <= lag <= FURTHEST:
                same = 0
                while same < 8 and ring[(n - same) & mask] == ring[(n - same - lag) & mask]:
                    same += 1
                if same == 8:
                    run[0], run[1] = lag, 8
        places[h] = n
    return count


def readings(law: Law) -> NDArray[np.float32]:
    """Return the tables of `measure`, shape (3, 256)."""
    octets = np.arange(256, dtype=np.uint8)
    other = Law.ULAW if law is Law.ALAW else Law.ALAW
    undone = law.decode(other.encode(law.decode(octets)))
    return np.stack([law.decode(octets), other.decode(octets), undone]).astype(np.float32)


@njit(types.float64(types.uint8[::1], types.float32[::1]), cache=True, nogil=True, fastmath=True)
def power_of(octets: Codewords, table: NDArray[np.float32]) -> float:
    """Return the mean square of octets."""
    total = 0.0
    for n in range(len(octets)):
        total += float(table[octets[n]]) ** 2
    return total / len(octets)
