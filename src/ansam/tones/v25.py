"""V.25 (10/96 with Cor.1 of 07/2001): the answer tone, its detector, and the calling tone.

The answer tone tells the caller that a modem has answered, and the network to leave the line alone: 2100 Hz
for at least 400 ms disables echo suppressors, and its phase reversals every 450 ms disable echo cancellers
(§4.3). Cor.1 warns that calls through some networks fail without the reversals, so ours are always there.
Modems of the Bell family answer with 2225 Hz, without reversals.
"""

import cmath
import math

import numpy as np

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


class AnswerTone:
    """Generates an answer tone.

    Args:
        level_dbm0: Its level.
        bell: 2225 Hz without reversals in place of 2100 Hz with them.
    """

    def __init__(self, level_dbm0: float, bell: bool = False) -> None:
        frequency = BELL_ANSWER_TONE_HZ if bell else ANSWER_TONE_HZ
        self._tone = Oscillator(frequency, rms_from_dbm0(level_dbm0))
        self._period = 0 if bell else REVERSAL_PERIOD
        self._left = self._period

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

    AM_HZ = 15.0
    """Of ANSam (V.8 (11/2000) §3.2)."""

    AM_AVERAGE = 1 / 40
    """Weight of the newest hop: 400 ms, six periods."""

    def __init__(self, meter: ToneMeter, index: int) -> None:
        self.reversals = 0
        self._watch = ToneWatch(meter, index, self.TOLERANCE_HZ)
        self._meter = meter
        self._index = index
        self._phasors: list[complex] = []
        self._since_reversal = 0
        self._mean = 0.0
        self._side = 0j

    @property
    def hops(self) -> int:
        """Hops (10 ms) that the tone has been there; 0 when absent."""
        return self._watch.hops

    @property
    def am_depth(self) -> float:
        """Depth of 15 Hz amplitude modulation, 0 … 1, after 0.6 s of tone: 0.2 for ANSam, below 0.1 for ANS.

        A reversal dents the amplitude for 20 ms; the detector waits for its next hop that is whole.
        """
        return abs(self._side) / self._mean if self._mean > 0 else 0.0

    def update(self) -> None:
        """Judge the newest hop."""
        before = self._watch.hops
        self._watch.update()
        if not self._watch.hops:
            self._phasors.clear()
            return
        if not before:
            self.reversals, self._since_reversal = 0, 0
            self._mean, self._side = 0.0, 0j
        if self._meter.frozen:
            self._phasors.clear()
            self._since_reversal += 1
            return
        amplitude = complex(self._meter.amplitude[self._index])
        self._find_reversal(amplitude)
        self._measure_am(abs(amplitude))

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

    def _measure_am(self, magnitude: float) -> None:
        if self._since_reversal < self.SPAN and self.reversals:
            return
        if self._mean == 0.0:
            self._mean = magnitude
        turn = cmath.exp(-2j * math.pi * self.AM_HZ * self._watch.hops * HOP / SAMPLE_RATE)
        self._side += self.AM_AVERAGE * (2 * (magnitude - self._mean) * turn - self._side)
        self._mean += self.AM_AVERAGE * (magnitude - self._mean)
