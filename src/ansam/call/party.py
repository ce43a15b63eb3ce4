"""Who speaks and listens on a call: a modem, or one of these simple parties."""

from typing import Protocol, runtime_checkable

import numpy as np

from ansam.path import ModemFacts
from ansam.units import SAMPLE_RATE, Audio, Samples, rms_from_dbm0

MILLIWATT_HZ = 1020.0
"""Frequency of a reference tone: O.6 (10/92) §1 recommends 1020 Hz, which no codec divides evenly."""


class Party(Protocol):
    """Anything that takes part in a call, in lock step; a `Dce` is one."""

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Take samples and return as many to send.

        Args:
            rx: Shape (n,) float32, full scale ±1.
            now: Instant of the first sample.
            erased: The samples never arrived.

        Returns:
            Shape (n,) float32.
        """


@runtime_checkable
class Tolerant(Protocol):
    """A party that knows moments at which the delay to it may change."""

    @property
    def delay_may_change(self) -> bool:
        """Whether a jump of what it hears does no harm now: no modem signal is up, or it trains anew."""


@runtime_checkable
class Informed(Protocol):
    """A party that knows what helps to judge the audio path: a modem."""

    def path_facts(self) -> ModemFacts:
        """Return what it knows now; asked once a second."""


class Silence:
    """Says nothing."""

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Return zeros; see `Party.process`."""
        return np.zeros(len(rx), np.float32)


class Echo:
    """Repeats what it hears; what did not arrive is repeated as silence."""

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Return `rx`; see `Party.process`."""
        return np.zeros(len(rx), np.float32) if erased else rx


class Tone:
    """Plays a steady tone; its phase follows the sample clock, so a gap does not shift it.

    Args:
        frequency_hz: 0 to 4000 Hz.
        level_dbm0: Level; 0 dBm0 at `MILLIWATT_HZ` is the reference of a telephone network.
    """

    def __init__(self, frequency_hz: float = MILLIWATT_HZ, level_dbm0: float = 0.0) -> None:
        self._step = 2 * np.pi * frequency_hz / SAMPLE_RATE
        self._peak = rms_from_dbm0(level_dbm0) * np.sqrt(2)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Return the tone; see `Party.process`."""
        phase = self._step * (now + np.arange(len(rx), dtype=np.float64))
        tone: Audio = (self._peak * np.sin(phase)).astype(np.float32)
        return tone
