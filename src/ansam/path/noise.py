"""Noise that comes with the signal and goes with it: what a lossy codec adds. And levels.

G.711's own rounding is 35 to 38 dB below any signal. A line's noise is there in silences too. What is louder
than the first under a signal and than the second in a pause was made from the signal.
"""

import numpy as np
from numpy.typing import NDArray

from ansam.path.facts import ModemFacts
from ansam.path.finding import Kind, Severity
from ansam.path.frame import ACTIVE
from ansam.path.ledger import Ledger
from ansam.path.timing import band_edges
from ansam.path.view import View
from ansam.units import Samples, dbm0_from_power

POINTS = 256
_NOISY = (Kind.CLIPPING, Kind.CONCEALMENT, Kind.TIME_SLIP, Kind.LOST_UPSTREAM, Kind.ECHO_SUPPRESSOR)
"""What spreads over the band by itself."""

ENDS = (slice(1, 3), slice(126, 129))
"""Bins from 30 to 60 and from 3940 to 4000 Hz: no modem sends in both."""

LEAST_SNR_DB = 26.0
"""G.711 leaves 38 dB (33 at -34 dBm0), a second coding 35."""
WORST_SNR_DB = 18.0
RECEIVER_SNR_DB = 22.0
HIDDEN_DB = 15.0
"""What a receiver sees above the noise beside the signal that no line does."""
BAND_DROP_DB = 15.0
"""Of a band's edge; lines lose up to 10 dB there."""
ABOVE_LEAST_DB = 9.0
"""The least of many short looks at the same noise is 3 dB below its mean."""

TONES_HZ = (980.0, 1070.0, 1180.0, 1270.0, 1300.0, 1650.0, 1800.0, 1850.0, 2100.0, 2225.0, 2250.0)
"""What modems send as a pure tone."""


class NoiseJudge:
    """Compares the noise under data with the least there has been in the call, in silence or under a tone.

    The noise is measured where no modem sends: at the ends of the band, or with 600 baud in its emptier half.

    Args:
        ledger: Where findings go.
        line: The last frame and this one, shape (320,); the kernel fills it.
    """

    LEAST_SPECTRA = 12

    def __init__(self, ledger: Ledger, line: NDArray[np.float32]) -> None:
        self._ledger, self._line = ledger, line
        self._frames = 0
        self._spectra = 0
        self._mean = np.zeros(POINTS // 2 + 1)
        self._total = 0.0
        self._recent: list[float] = []
        self.least_dbm0: float | None = None
        """Level of the least noise so far, as if it were white."""
        self._first = 0
        self._snr_low = 0
        self._window = np.hanning(POINTS).astype(np.float32)
        self._scale = 1 / (POINTS * float(np.mean(self._window**2)))

    def frame(self, view: View) -> None:
        """Take a frame."""
        if view.erased:
            self._frames = 0
            self._recent.clear()
            return
        self._frames += 1
        if view.data:
            self._recent.clear()
            if view.steady % 10 == 0 and self._frames >= 3:
                self._under_data(self._spectrum(), view)
        elif self._frames >= 2 and self._frames % 2 == 0 and not (view.steady and view.random):
            self._least(self._spectrum())

    def note(self, facts: ModemFacts, now: Samples) -> None:
        """Take what the modem knows; called about once a second.

        A codec for narrow signals hides its noise under them, where only the receiver sees it.
        """
        snr_db, level = facts.snr_db, dbm0_from_power(self._total)
        least = self.least_dbm0
        if snr_db is None or least is None or not facts.data_mode or self._spectra < self.LEAST_SPECTRA:
            return
        low = snr_db < RECEIVER_SNR_DB and level - snr_db > least + HIDDEN_DB
        self._snr_low = self._snr_low + 1 if low else 0
        if self._snr_low < 4 or any(kind in self._ledger for kind in (*_NOISY, Kind.ECHO)):
            return
        self._first = self._first or now
        text = (
            f"the receiver sees {snr_db:.0f} dB of signal to noise, but beside the signal there is only "
            f"{least:.0f} dBm0 of noise: the audio went through a speech codec"
        )
        evidence = {"snr_db": snr_db, "level_dbm0": level, "least_noise_dbm0": least}
        self._ledger.add(Kind.LOSSY_CODEC, Severity.WARNING, text, evidence, self._first, now)

    def _spectrum(self) -> NDArray[np.float64]:
        """Return the mean square that white noise of each bin's density would have, shape (129,)."""
        power = np.abs(np.fft.rfft(self._line[-POINTS:] * self._window)) ** 2
        return power.astype(np.float64) * self._scale

    def _least(self, spectrum: NDArray[np.float64]) -> None:
        self._recent.append(_ends(spectrum))
        if len(self._recent) < 5:
            return
        level = max(dbm0_from_power(sum(self._recent) / len(self._recent)), -80.0)
        self.least_dbm0 = level if self.least_dbm0 is None else min(level, self.least_dbm0)
        self._recent.clear()

    def _under_data(self, spectrum: NDArray[np.float64], view: View) -> None:
        self._spectra += 1
        weight = max(1 / self._spectra, 0.06)
        self._mean += (spectrum - self._mean) * weight
        self._total += (view.power - self._total) * weight
        if self._spectra < self.LEAST_SPECTRA or self._spectra % 6 or self.least_dbm0 is None:
            return
        # Without the modem's word it may be a PCM modem, which fills the band to its ends.
        if not view.facts.data_mode or view.facts.modulation.startswith("V.9"):
            return
        self._band(view)
        noise = _ends(self._mean)
        if (view.facts.symbol_rate or 2400) < 1200:
            noise = float(np.sort(self._mean)[: int(0.45 * len(self._mean))].mean())
        level = dbm0_from_power(self._total)
        noise_dbm0 = dbm0_from_power(noise)
        snr_db = level - noise_dbm0
        if snr_db > LEAST_SNR_DB or noise_dbm0 < self.least_dbm0 + ABOVE_LEAST_DB or level < -34:
            return
        noisy = snr_db > WORST_SNR_DB and any(kind in self._ledger for kind in _NOISY)
        if noisy or Kind.CLIPPING in self._ledger:
            return
        self._first = self._first or view.end
        text = (
            f"under data of {level:.0f} dBm0 there is noise {snr_db:.0f} dB below them, before there was "
            f"only {self.least_dbm0:.0f} dBm0 of it: the audio went through a speech codec"
        )
        evidence = {"snr_db": snr_db, "level_dbm0": level, "least_noise_dbm0": self.least_dbm0}
        severity = Severity.FAULT if snr_db < WORST_SNR_DB else Severity.WARNING
        self._ledger.add(Kind.LOSSY_CODEC, severity, text, evidence, self._first, view.end)

    def _band(self, view: View) -> None:
        """Compare both edges of the far signal's band with its middle."""
        low, high = (edge * POINTS / (2 * np.pi) for edge in band_edges(view.facts))
        if not high:
            return
        inner = (high - low) * 0.03
        bins = [round(low + inner), round(high - inner)]
        middle = float(np.median(self._mean[bins[0] : bins[1]]))
        drops = [10 * np.log10(middle / max(float(self._mean[b]), 1e-12)) for b in bins]
        if max(drops) < BAND_DROP_DB:
            return
        edge = bins[int(np.argmax(drops))] * 8000 / POINTS
        text = (
            f"the far signal is {max(drops):.0f} dB weaker at {edge:.0f} Hz than in the middle of its band: "
            "a filter cuts the band"
        )
        evidence = {"drop_db": max(drops), "edge_hz": edge}
        self._ledger.add(Kind.BAND_LIMIT, Severity.INFO, text, evidence, view.end, view.end)


def _ends(spectrum: NDArray[np.float64]) -> float:
    """Return the mean of the emptier end of the band."""
    return min(float(spectrum[bins].mean()) for bins in ENDS)


class LevelJudge:
    """Judges the level of steady data.

    Args:
        ledger: Where findings go.
    """

    LOW_DBM0 = -38.0
    HIGH_DBM0 = -6.0
    MOVED_DB = 3.0

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._tone_hz, self._tone_frames, self._tone_missed = 0.0, 0, 0
        self._tone_first = self._tone_mean = 0.0
        self._mean = 0.0
        self._reference: float | None = None

    def frame(self, view: View) -> None:
        """Take a frame."""
        self._tone(view)
        if view.steady < 50:
            self._reference = None
            self._mean = view.power
            return
        self._mean += (view.power - self._mean) * 0.03
        if view.steady % 50:
            return
        level = dbm0_from_power(self._mean)
        if view.steady == 150:
            self._reference = level
        if view.data:
            self._outside(level, view)
        if (
            self._reference is not None
            and view.facts.data_mode
            and abs(level - self._reference) > self.MOVED_DB
        ):
            text = f"steady data moved from {self._reference:.1f} to {level:.1f} dBm0: a gain that moves"
            evidence = {"from_dbm0": self._reference, "to_dbm0": level}
            self._ledger.add(
                Kind.MOVING_GAIN, Severity.WARNING, text, evidence, view.end - 160 * view.steady, view.end
            )

    def _tone(self, view: View) -> None:
        """A tone that grows or shrinks while nobody else speaks."""
        if view.random:
            self._tone_frames = 0
            return
        known = min(abs(view.tone_hz - f) for f in TONES_HZ) < 12
        same = known and view.purity_db > 10 and abs(view.tone_hz - self._tone_hz) < 15
        self._tone_hz = view.tone_hz
        silent = view.tx_power < ACTIVE and view.tx_steady > 4800
        if view.erased or not same or not silent or view.power < ACTIVE:
            # A phase reversal spoils a frame or two, not a tone.
            self._tone_missed += 1
            if self._tone_missed > 3:
                self._tone_frames = 0
            return
        self._tone_missed = 0
        self._tone_frames += 1
        if self._tone_frames <= 8:
            self._tone_first += (view.power - self._tone_first) / self._tone_frames
            self._tone_mean = self._tone_first
            return
        self._tone_mean += (view.power - self._tone_mean) * 0.1
        moved = dbm0_from_power(self._tone_mean) - dbm0_from_power(self._tone_first)
        if self._tone_frames % 25 == 0 and abs(moved) > self.MOVED_DB:
            text = f"a steady tone of {view.tone_hz:.0f} Hz moved by {moved:+.1f} dB: a gain that moves"
            evidence = {"moved_db": moved, "tone_hz": view.tone_hz}
            self._ledger.add(Kind.MOVING_GAIN, Severity.WARNING, text, evidence, view.end, view.end)

    def _outside(self, level: float, view: View) -> None:
        if level < self.LOW_DBM0:
            kind, text = Kind.LEVEL_LOW, f"data come in at {level:.1f} dBm0, where G.711 rounds coarsely"
        elif level > self.HIGH_DBM0:
            kind, text = Kind.LEVEL_HIGH, f"data come in at {level:.1f} dBm0: peaks will be cut off"
        else:
            return
        first = view.end - 160 * view.steady
        self._ledger.add(kind, Severity.WARNING, text, {"level_dbm0": level}, first, view.end)
