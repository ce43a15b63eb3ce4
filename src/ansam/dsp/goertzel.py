"""Is there a steady tone near this frequency, how loud, how far off, and since when?

::

    rx ─► 20 ms Hann window every 10 ms ─► one DFT bin per tone ─► a[k]
    a[k]·conj(a[k-1]), turned back by the nominal advance ─► smoothed R
                         angle(R)/10 ms = frequency offset;  |R| / smoothed |a|² = coherence

Why not energy in a bin alone: speech, noise, another modem's scrambled carrier and our own echo all put
energy there. What only a tone does is to advance its phase by the same angle from window to window: its
coherence is near 1, that of noise near 0.35 and hardly ever 0.8 (the correlation of two Hann windows that
overlap by half is 1/6). The angle also tells 2225 Hz (Bell) from 2250 Hz (unscrambled ones of V.22), which
lie within one bin of each other. The Hann window keeps a loud tone 300 Hz away 60 dB down, so an echo on
the other channel does no harm.

Windows lie on a fixed grid from the first sample, so the result does not depend on how the stream is cut.
"""

import math
from collections.abc import Sequence

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.units import SAMPLE_RATE, Audio, dbm0_from_power

HOP = 80
"""Samples from one window to the next: 10 ms."""

WINDOW = 2 * HOP
"""Samples in a window."""

SMOOTHING = 0.3
"""Weight of the newest window in the averages: a memory of about 3 windows."""


def _table(frequencies_hz: Sequence[float]) -> NDArray[np.complex64]:
    """Return one row of windowed e^(-jωn) per tone, scaled so that |a|² is the mean square of the tone."""
    n = np.arange(WINDOW)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (n + 0.5) / WINDOW)
    rows = [
        hann * np.exp(-2j * np.pi * f * n / SAMPLE_RATE) * math.sqrt(2) / hann.sum() for f in frequencies_hz
    ]
    return np.array(rows, np.complex64)


@njit(
    types.void(types.complex64[:, ::1], types.float32[::1], types.complex128[::1]),
    cache=True,
    nogil=True,
)
def _bins(table: NDArray[np.complex64], window: Audio, out: NDArray[np.complex128]) -> None:
    """Correlate one window with each row of the table."""
    for row in range(table.shape[0]):
        total = 0j
        for n in range(len(window)):
            total += table[row, n] * window[n]
        out[row] = total


class ToneMeter:
    """Measures several tones at once.

    Args:
        frequencies_hz: Nominal frequencies, 200 … 3700.

    Attributes:
        frozen: Hops whose window (or the one before) still holds erased samples: nothing was measured.

    After each hop, per tone: `amplitude` (complex; |a|² is the tone's mean square), `power` (smoothed mean
    square), `coherence` (0 … 1) and `offset_hz` (±50, from nominal). An absent tone has a coherence below
    0.6 nine times out of ten.
    """

    def __init__(self, frequencies_hz: Sequence[float]) -> None:
        count = len(frequencies_hz)
        self.frequencies_hz = tuple(frequencies_hz)
        self.amplitude = np.zeros(count, np.complex128)
        self.power = np.zeros(count)
        self.coherence = np.zeros(count)
        self.offset_hz = np.zeros(count)
        self._table = _table(frequencies_hz)
        advance = 2 * np.pi * np.array(frequencies_hz) * HOP / SAMPLE_RATE
        self._turn_back = np.exp(-1j * advance)
        self._window = np.zeros(WINDOW, np.float32)
        self._filled = 0
        self.frozen = 0
        self._erased = False
        self._products = np.zeros(count, np.complex128)

    def room(self) -> int:
        """Return how many samples are missing until the next hop, 1 … HOP."""
        return HOP - self._filled

    def feed(self, rx: Audio, erased: bool = False) -> bool:
        """Take at most `room()` samples; return True where they completed a hop.

        Args:
            rx: Shape (n,), n <= room().
            erased: The samples mean nothing.
        """
        self._erased |= erased
        at = HOP + self._filled
        self._window[at : at + len(rx)] = rx
        self._filled += len(rx)
        if self._filled < HOP:
            return False
        # A hop lies in two windows, and each window in two products.
        self.frozen = 3 if self._erased else max(0, self.frozen - 1)
        self._erased = False
        self._measure()
        self._window[:HOP] = self._window[HOP:]
        self._filled = 0
        return True

    def _measure(self) -> None:
        before = self.amplitude.copy()
        _bins(self._table, self._window, self.amplitude)
        if self.frozen:
            return
        product = self.amplitude * before.conj() * self._turn_back
        energy = (np.abs(self.amplitude) ** 2 + np.abs(before) ** 2) / 2
        self._products += SMOOTHING * (product - self._products)
        self.power += SMOOTHING * (energy - self.power)
        self.coherence = np.abs(self._products) / np.maximum(self.power, 1e-14)
        self.offset_hz = np.angle(self._products) * SAMPLE_RATE / (2 * np.pi * HOP)


class ToneWatch:
    """Says since how many hops one tone of a `ToneMeter` has been there.

    A tone that falls silent ends within 30 ms; one that turns incoherent (a phase reversal, another signal
    at the same frequency) is given `HOLD_HOPS`.

    Args:
        meter: The meter; call `update` once after each of its hops.
        index: Which of its tones.
        tolerance_hz: Largest offset from nominal.
        min_dbm0: Lowest level.

    Attributes:
        hops: Hops (10 ms each) that the tone has been present; 0 when absent.
        level_dbm0: Its level, as last seen while present.
    """

    MIN_COHERENCE = 0.8
    QUIET_DB = 10.0
    QUIET_HOPS = 3
    HOLD_HOPS = 9

    def __init__(self, meter: ToneMeter, index: int, tolerance_hz: float, min_dbm0: float = -46.0) -> None:
        self.hops = 0
        self.level_dbm0 = -120.0
        self._meter = meter
        self._index = index
        self._tolerance_hz = tolerance_hz
        self._min_dbm0 = min_dbm0
        self._quiet = 0
        self._incoherent = 0

    def update(self) -> None:
        """Judge the newest hop; over an erasure time goes on, and nothing else changes."""
        meter, i = self._meter, self._index
        if meter.frozen:
            self.hops += 1 if self.hops else 0
            return
        newest = dbm0_from_power(abs(complex(meter.amplitude[i])) ** 2)
        loud = newest >= max(self._min_dbm0, self.level_dbm0 - self.QUIET_DB if self.hops else -120.0)
        pure = meter.coherence[i] >= self.MIN_COHERENCE and abs(meter.offset_hz[i]) <= self._tolerance_hz
        self._quiet = 0 if loud else self._quiet + 1
        self._incoherent = 0 if pure else self._incoherent + 1
        if loud and pure:
            self.level_dbm0 = dbm0_from_power(float(meter.power[i]))
            self.hops += 1
        elif self._quiet >= self.QUIET_HOPS or self._incoherent >= self.HOLD_HOPS:
            self.hops = 0
        elif self.hops:
            self.hops += 1
