"""What replaces or mutes sound: silence suppression, digit clamps, lost frames."""

import numpy as np

from ansam.line.meddle.base import BlockMeddler
from ansam.units import SAMPLE_RATE, Audio, dbm0_from_power, rms_from_dbm0

COMFORT_DBM0 = -62.0


class Vad(BlockMeddler):
    """Voice activity detection with comfort noise.

    Blocks of 10 ms louder than a threshold are speech; it takes two of them to open (the front is
    clipped), and the gate stays open for 150 ms after the last. Otherwise there is white noise.

    Args:
        threshold_dbm0: What counts as speech.
        rng: Source of the noise.
    """

    HANGOVER = 15

    def __init__(self, threshold_dbm0: float, rng: np.random.Generator) -> None:
        super().__init__(80)
        self._threshold = threshold_dbm0
        self._rng = rng
        self._loud = 0
        self._open = 0

    def change(self, x: Audio, other: Audio) -> Audio:
        """See `BlockMeddler.change`."""
        loud = dbm0_from_power(float(np.mean(x * x))) > self._threshold
        self._loud = self._loud + 1 if loud else 0
        if self._loud >= 2 or (loud and self._open):
            self._open = self.HANGOVER + 1
        self._open = max(self._open - 1, 0)
        noise = self._rng.standard_normal(len(x), np.float32) * np.float32(rms_from_dbm0(COMFORT_DBM0))
        return x if self._open else noise


_ROWS = (697.0, 770.0, 852.0, 941.0)
_COLUMNS = (1209.0, 1336.0, 1477.0, 1633.0)


class DtmfClamp(BlockMeddler):
    """Mutes the 60 ms after what it takes for a dialled digit: 20 ms that are mostly one row and one column.

    Args:
        share: Part of the power that the two must have, 0 … 1; detectors with less talk-off ask for more.
    """

    def __init__(self, share: float) -> None:
        super().__init__(160)
        self._share = share
        n = np.arange(160)
        self._table = np.exp(-2j * np.pi * np.outer(_ROWS + _COLUMNS, n) / SAMPLE_RATE) * np.sqrt(2) / 160
        self._mute = 0

    def change(self, x: Audio, other: Audio) -> Audio:
        """See `BlockMeddler.change`."""
        power = np.abs(self._table @ x) ** 2
        row, column = power[:4].max(), power[4:].max()
        total = float(np.mean(x * x))
        twist = max(row, column) / max(min(row, column), 1e-12)
        digit = total > 1e-5 and row + column > self._share * total and twist < 6.3
        out = np.zeros_like(x) if self._mute else x
        self._mute = 3 if digit else max(self._mute - 1, 0)
        return out


class LostFrames(BlockMeddler):
    """Loses frames of 20 ms behind the back of the packets' numbers, and hides it.

    Args:
        loss: Fraction, 0 … 1.
        replay: Plays the last frame again, each time 3 dB quieter from the second on; else silence.
        rng: Source of chance.
    """

    def __init__(self, loss: float, replay: bool, rng: np.random.Generator) -> None:
        super().__init__(160)
        self._loss, self._replay, self._rng = loss, replay, rng
        self._last: Audio = np.zeros(160, np.float32)
        self._lost = 0

    def change(self, x: Audio, other: Audio) -> Audio:
        """See `BlockMeddler.change`."""
        if self._rng.random() >= self._loss:
            self._lost, self._last = 0, x
            return x
        if not self._replay:
            return np.zeros_like(x)
        self._lost += 1
        if self._lost > 1:
            self._last = self._last * np.float32(0.7)
        return self._last
