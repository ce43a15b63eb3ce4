"""V.25 (10/96 with Cor.1 of 07/2001): the answer tone, its detector, and the calling tone; V.8's ANSam.

The answer tone tells the caller that a modem has answered, and the network to leave the line alone: 2100 Hz
for at least 400 ms disables echo suppressors, and its phase reversals every 450 ms disable echo cancellers
(§4.3). Cor.1 warns that calls through some networks fail without the reversals, so ours are always there.
Modems of the Bell family answer with 2225 Hz, without reversals. One that speaks V.8 modulates the amplitude
of its 2100 Hz with 15 Hz: to everybody else it is an answer tone, to a V.8 caller the invitation to speak.
"""

import cmath
import math

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.goertzel import HOP, ToneMeter, ToneWatch
from ansam.dsp.nco import Oscillator
from ansam.units import SAMPLE_RATE, Audio, Samples, rms_from_dbm0, samples

ANSWER_TONE_HZ = 2100.0
"""V.25 (10/96) §2.2; ±15 Hz."""

BELL_ANSWER_TONE_HZ = 2225.0
"""Bell 103 and 212A; V.150.1 (01/2003) lists it."""

CALLING_TONE_HZ = 1300.0
"""V.25 (10/96) §2.1."""

REVERSAL_PERIOD = samples(0.450)
"""Middle of the 425 … 475 ms of V.25 (10/96) §2.3."""

ANSWER_SILENCE = samples(1.8)
"""From off hook to the answer tone: the least of the 1.8 … 2.5 s of V.25 (10/96) §4.3."""

ANSWER_TONE_LENGTH = samples(2.6)
"""The least of the 3.3 ± 0.7 s of V.25 (10/96) §4.3."""

ANSWER_TONE_LIMIT = samples(4.0)
"""The longest answer tone (V.25 (10/96) §5); what lasts longer is none."""

ANSWER_GAP = samples(0.075)
"""Silence after the answer tone: 75 ± 20 ms (V.25 (10/96) §4.4)."""


AM_HZ = 15.0
"""Of ANSam (V.8 (11/2000) §7.2)."""

AM_DEPTH = 0.2
"""The envelope ranges from 0.8 to 1.2 times its average (V.8 (11/2000) §7.2)."""

AM_CYCLE = 1600
"""Samples of three whole periods."""


def _envelope(at: Samples, count: int) -> Audio:
    """Return ANSam's envelope from sample `at` on; its mean square is 1, as V.2 limits the power."""
    turns = (at % AM_CYCLE + np.arange(count)) * (AM_HZ / SAMPLE_RATE)
    wave = (1 + AM_DEPTH * np.sin(2 * np.pi * turns)) / math.sqrt(1 + AM_DEPTH**2 / 2)
    return np.asarray(wave, np.float32)


class AnswerTone:
    """Generates an answer tone.

    Args:
        level_dbm0: Its level, the mean where it is modulated.
        bell: 2225 Hz without reversals in place of 2100 Hz with them.
        modulated: ANSam (V.8 (11/2000) §7.2).
        reversals: False leaves them out, where no echo canceller needs disabling.
    """

    def __init__(
        self, level_dbm0: float, bell: bool = False, modulated: bool = False, reversals: bool = True
    ) -> None:
        frequency = BELL_ANSWER_TONE_HZ if bell else ANSWER_TONE_HZ
        self._tone = Oscillator(frequency, rms_from_dbm0(level_dbm0))
        self._period = 0 if bell or not reversals else REVERSAL_PERIOD
        self._left = self._period
        self._modulated = modulated
        self._at: Samples = 0

    def generate(self, count: int) -> Audio:
        """Return the next `count` samples, shape (count,)."""
        out = np.zeros(count, np.float32)
        at = 0
        while at < count:
            end = min(count, at + self._left) if self._period else count
            self._tone.add_to(out[at:end])
            self._left -= end - at
            at = end
            if self._period and self._left == 0:
                self._tone.reverse()
                self._left = self._period
        if self._modulated:
            out *= _envelope(self._at, count)
            self._at = (self._at + count) % AM_CYCLE
        return out


class CallingTone:
    """Generates the calling tone: 1300 Hz, 0.6 s on, 1.75 s off (the middles of V.25 (10/96) §2.1).

    Args:
        level_dbm0: Level of a burst.
    """

    ON = samples(0.6)
    PERIOD = samples(0.6 + 1.75)

    def __init__(self, level_dbm0: float) -> None:
        self._tone = Oscillator(CALLING_TONE_HZ, rms_from_dbm0(level_dbm0))
        self._at: Samples = 0

    def generate(self, count: int) -> Audio:
        """Return the next `count` samples, shape (count,)."""
        out = self._tone.generate(count)
        position = (self._at + np.arange(count)) % self.PERIOD
        out[position >= self.ON] = 0
        self._at += count
        return out


class AmplitudeWatch:
    """Finds 15 Hz in the amplitude of a tone measured every hop, whatever else happens to the amplitude.

    Over the last 240 ms, mean and 15 Hz are fitted by least squares to the hops that are whole: those around
    a phase reversal (the amplitude passes through zero), a click or a lost packet are left out. A step or a
    fade fits badly, so it is not taken for modulation (V.8 (11/2000) §7.2, Note 1).
    """

    SPAN = 24
    ENOUGH = 16
    """Hops that must be whole: 160 ms, more than two periods."""

    DENT = 0.62
    """A hop below this times the median is no modulation (0.8 of the mean at least) but a dent."""

    DEPTHS = (0.10, 0.40)
    """Depths that are ANSam's: 0.2, as telephone lines and noise leave it."""

    CERTAIN = 4
    """Hops in a row that must say so."""

    def __init__(self) -> None:
        phase = 2 * np.pi * AM_HZ * np.arange(self.SPAN) * HOP / SAMPLE_RATE
        self._basis = np.stack((np.ones(self.SPAN), np.cos(phase), np.sin(phase)), axis=1)
        self._magnitudes = np.full(self.SPAN, np.nan)
        self._agreed = 0
        self.depth = 0.0
        self.certain = False

    def reset(self) -> None:
        """Begin anew: another tone."""
        self._magnitudes[:] = np.nan
        self._agreed, self.depth, self.certain = 0, 0.0, False

    def update(self, magnitude: float) -> None:
        """Take the amplitude of the newest hop; NaN where it is not known."""
        self._magnitudes[:-1] = self._magnitudes[1:]
        self._magnitudes[-1] = magnitude
        known = np.isfinite(self._magnitudes)
        if known.sum() < self.ENOUGH:
            return
        values = np.where(known, self._magnitudes, 0.0)
        dent = known & (values < self.DENT * np.median(values[known]))
        dent[1:] |= dent[:-1].copy()
        dent[:-1] |= dent[1:].copy()
        use = known & ~dent
        if use.sum() >= self.ENOUGH:
            self._fit(self._basis[use], values[use])

    def _fit(self, basis: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        mean, cosine, sine = np.linalg.solve(basis.T @ basis, basis.T @ values)
        self.depth = math.hypot(cosine, sine) / mean
        rest = float(np.mean((values - basis @ (mean, cosine, sine)) ** 2)) / mean**2
        low, high = self.DEPTHS
        self._agreed = self._agreed + 1 if low <= self.depth <= high and rest < self.depth**2 / 2 else 0
        self.certain |= self._agreed >= self.CERTAIN


class AnswerToneDetector:
    """Recognises 2100 Hz, and whether its phase is reversed and its amplitude modulated.

    Args:
        meter: Measures the tone; call `update` once after each of its hops.
        index: Which of the meter's tones is 2100 Hz.

    Attributes:
        reversals: Phase reversals seen in the tone that is (or was last) there, each 450 ms after the one
        before
            it, give or take 45 ms (the hops' and the noise's part included).
    """

    TOLERANCE_HZ = 22.0
    """±15 Hz of the generator (§2.2) and ±7 Hz of the line."""

    SPAN = 4
    """Hops between the two phases compared: no window that contains the reversal is one of them."""

    def __init__(self, meter: ToneMeter, index: int) -> None:
        self.reversals = 0
        self._watch = ToneWatch(meter, index, self.TOLERANCE_HZ)
        self._meter = meter
        self._index = index
        self._phasors: list[complex] = []
        self._since_reversal = 0
        self._am = AmplitudeWatch()

    @property
    def hops(self) -> int:
        """Hops (10 ms) that the tone has been there; 0 when absent."""
        return self._watch.hops

    @property
    def level_dbm0(self) -> float:
        """Level of the tone, as last seen while it was there."""
        return self._watch.level_dbm0

    @property
    def am_depth(self) -> float:
        """Depth of 15 Hz amplitude modulation, 0 … 1: 0.2 for ANSam, below 0.1 for ANS."""
        return self._am.depth

    @property
    def modulated(self) -> bool:
        """Whether the tone that is there is ANSam, known 0.3 s after its beginning at the earliest."""
        return self.hops > 0 and self._am.certain

    def update(self) -> None:
        """Judge the newest hop."""
        before = self._watch.hops
        self._watch.update()
        if not self._watch.hops:
            self._phasors.clear()
            return
        if not before:
            self.reversals, self._since_reversal = 0, 0
            self._am.reset()
        if self._meter.frozen:
            self._phasors.clear()
            self._since_reversal += 1
            self._am.update(math.nan)
            return
        amplitude = complex(self._meter.amplitude[self._index])
        self._find_reversal(amplitude)
        self._am.update(abs(amplitude))

    def _find_reversal(self, amplitude: complex) -> None:
        nominal = self._meter.frequencies_hz[self._index]
        self._since_reversal += 1
        turns = nominal * HOP / SAMPLE_RATE * self._watch.hops
        self._phasors.append(amplitude * cmath.exp(-2j * math.pi * (turns % 1)))
        if len(self._phasors) <= self.SPAN:
            return
        then = self._phasors.pop(0)
        if min(abs(then), abs(amplitude)) < 0.7 * max(abs(then), abs(amplitude)):
            return
        drift = 2 * math.pi * self._offset_hz() * self.SPAN * HOP / SAMPLE_RATE
        turned = cmath.phase(self._phasors[-1] * then.conjugate() * cmath.exp(-1j * drift))
        if abs(turned) > 2 * math.pi / 3 and self._since_reversal > 2 * self.SPAN:
            regular = abs(self._since_reversal * HOP - REVERSAL_PERIOD) <= samples(0.045)
            self.reversals = self.reversals + 1 if regular or not self.reversals else 1
            self._since_reversal = 0

    def _offset_hz(self) -> float:
        return float(self._meter.offset_hz[self._index])
