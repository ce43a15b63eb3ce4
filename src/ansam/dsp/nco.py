"""A tone whose phase never jumps unless asked to: the oscillator behind every tone generator.

Each sample advances the phase by a frequency; changing the frequency between two calls leaves the phase
continuous, which keeps the spectrum narrow (a phase step is a click heard over the whole band).
"""

import math

import numpy as np
from numba import njit, types

from ansam.units import SAMPLE_RATE, Audio


@njit(
    types.float64(types.float32[::1], types.float64, types.float64, types.float64),
    cache=True,
    nogil=True,
)
def _add_tone(out: Audio, phase: float, step: float, amplitude: float) -> float:
    """Add a sine to `out`; return the phase of the sample after it, 0 … 2π."""
    for n in range(len(out)):
        out[n] += amplitude * math.sin(phase)
        phase += step
        if phase >= 2 * math.pi:
            phase -= 2 * math.pi
    return phase


class Oscillator:
    """One sine tone.

    Args:
        frequency_hz: 0 … 4000.
        rms: RMS amplitude (1.0 = full scale); see `ansam.units.rms_from_dbm0`.
    """

    def __init__(self, frequency_hz: float, rms: float) -> None:
        self.frequency_hz = frequency_hz
        self.rms = rms
        self._phase = 0.0

    def reverse(self) -> None:
        """Turn the phase by 180 degrees, at once."""
        self._phase = (self._phase + math.pi) % (2 * math.pi)

    def add_to(self, out: Audio) -> None:
        """Add the next len(out) samples to `out`, shape (n,) float32, C-contiguous."""
        step = 2 * math.pi * self.frequency_hz / SAMPLE_RATE
        self._phase = _add_tone(out, self._phase, step, self.rms * math.sqrt(2))

    def generate(self, count: int) -> Audio:
        """Return the next `count` samples."""
        out = np.zeros(count, np.float32)
        self.add_to(out)
        return out
