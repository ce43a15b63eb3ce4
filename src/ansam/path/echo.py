"""Our own signal in what we hear: level and delay.

::

    received, 2 s ────────────────► FFT ─► / |·| ─┐
                                                  × conj ─► mean of looks ─► IFFT ─► peak against the rest
    sent, the same and 1 s before ► FFT ─► / |·| ─┘

Both spectra are whitened, so a modem's carrier does not smear the peak.
"""

import numpy as np
from numpy.typing import NDArray

from ansam.path.finding import Kind, Severity
from ansam.path.ledger import Ledger
from ansam.units import FRAME, SAMPLE_RATE, Samples

SPAN = 16384
REACH = 8000
"""Longest delay, samples."""
SIZE = 32768
KEPT = -(-(SPAN + REACH) // FRAME)
"""Frames of octets."""
PERIOD, OFTEN = 40000, 6
"""Samples from look to look, 5 s, and how many such looks there are; later ones are six times as rare."""
PEAK = 7.0
"""Standard deviations of the correlation that are an echo: by chance once in 10^8 looks."""


class EchoJudge:
    """Looks for our own signal.

    Args:
        ledger: Where findings go.
        table: Amplitude of each octet, shape (256,).
    """

    def __init__(self, ledger: Ledger, table: NDArray[np.float32]) -> None:
        self._ledger, self._table = ledger, table
        self._rx = np.zeros((KEPT, FRAME), np.uint8)
        self._tx = np.zeros((KEPT, FRAME), np.uint8)
        self._good = 0
        self._next: Samples = PERIOD
        self._mean = np.zeros(SIZE // 2 + 1, np.complex128)
        self._looks = 0
        self._first = 0

    def frame(self, rx: NDArray[np.uint8], tx: NDArray[np.uint8], good: bool, end: Samples) -> None:
        """Take a frame of both directions.

        Args:
            rx: Received octets, shape (160,).
            tx: Octets sent in the 20 ms before.
            good: Both directions carry data or noise of their own (no tone) that arrived.
            end: Instant after it.
        """
        at = end // FRAME % KEPT
        self._rx[at], self._tx[at] = rx, tx
        self._good = self._good + len(rx) if good else 0
        if self._good >= SPAN + REACH and end >= self._next:
            self._next = end + (PERIOD if self._looks < OFTEN else 6 * PERIOD)
            self._look(end)

    def _look(self, end: Samples) -> None:
        order = (end // FRAME + 1 + np.arange(KEPT)) % KEPT
        x = self._table[self._rx[order].ravel()[-SPAN:]]
        y = self._table[self._tx[order].ravel()[-SPAN - REACH :]]
        # y begins REACH before x; the correlation at SIZE - REACH + d stands for an echo after d samples.
        fx, fy = np.fft.rfft(x, SIZE), np.fft.rfft(y, SIZE)
        power = np.convolve(np.abs(fy) ** 2, np.ones(64) / 64, "same")
        band = power > power.max() * 1e-3
        cross = np.where(band, fx * fy.conj() / np.maximum(np.abs(fx) * np.abs(fy), 1e-12), 0)
        self._looks += 1
        self._mean += (cross - self._mean) / min(self._looks, 12)
        lags = np.fft.irfft(self._mean, SIZE)
        # x[n] = y[n + REACH - d]: the peak stands at -(REACH - d).
        near = lags[(np.arange(REACH) - REACH) % SIZE]
        spread = float(np.median(np.abs(near))) / 0.6745
        delay = int(np.argmax(np.abs(near)))
        if abs(near[delay]) < PEAK * max(spread, 1e-12):
            return
        self._found(x, y, delay, abs(float(near[delay])) / spread, end)

    def _found(
        self, x: NDArray[np.float32], y: NDArray[np.float32], delay: int, sigma: float, end: Samples
    ) -> None:
        best = 0.0
        for d in range(max(delay - 4, 0), min(delay + 5, REACH)):
            part = y[REACH - d : REACH - d + SPAN]
            best = max(best, abs(float(np.dot(x, part))) / max(float(np.dot(part, part)), 1e-12))
        delay_ms = (delay + FRAME) * 1000 / SAMPLE_RATE
        level_db = 20 * np.log10(max(best, 1e-6))
        self._first = self._first or end
        text = f"what we send comes back {-level_db:.0f} dB quieter after {delay_ms:.0f} ms"
        evidence = {"level_db": level_db, "delay_ms": delay_ms, "sigma": sigma}
        severity = Severity.WARNING if level_db > -12 else Severity.INFO
        self._ledger.add(Kind.ECHO, severity, text, evidence, self._first, end)
