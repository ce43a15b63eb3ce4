"""Hears V.34's L1 and L2 and measures the line with them, as it is where the recording was made."""

import numpy as np
from numpy.typing import NDArray

from ansam.listen.ear import Place
from ansam.listen.timeline import Entry
from ansam.modulation.v34.probing import EMPTY_HZ, PERIOD, SETTLE, TONES_HZ, analyse
from ansam.units import SAMPLE_RATE, Audio, Samples, dbm0_from_power

HOP: Samples = 40
LEAST: Samples = 480
"""Shorter stretches are chance."""
_SHARE = 0.8
"""Of a block's power in the 21 tones."""
_PRESENT = 15
"""Tones that must be no weaker than -20 dB against an even share."""
_STEP_DB = 3.0
"""L1 is 6 dB above L2."""
_WIDE_DB = 10.0
_FLOOR = 1e-7
_CHUNK = 4000


def _comb(blocks: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which blocks of one period hold the tones and little else, and their power.

    Args:
        blocks: Shape (n, PERIOD).
    """
    power = np.abs(np.fft.rfft(blocks, axis=1)) ** 2
    step = SAMPLE_RATE // PERIOD
    tones = power[:, [f // step for f in TONES_HZ]]
    total = power[:, 2:].sum(axis=1)
    empty = power[:, [f // step for f in EMPTY_HZ]].max(axis=1)
    share = tones.sum(axis=1) / np.maximum(total, 1e-20)
    mean = tones.mean(axis=1)
    present = (tones > mean[:, None] / 100).sum(axis=1)
    level = np.mean(blocks.astype(np.float64) ** 2, axis=1)
    return (share > _SHARE) & (present >= _PRESENT) & (empty < mean / 4) & (level > _FLOOR), level


class ProbeEar:
    """Hears one end's probing signals.

    Args:
        place: Where.
    """

    def __init__(self, place: Place) -> None:
        self._role = place.role
        self._audio: list[Audio] = []

    def feed(self, audio: Audio) -> None:
        """Take the next samples; all are kept until `close`."""
        self._audio.append(audio)

    def close(self) -> list[Entry]:
        """Return every L1 and L2."""
        audio = np.concatenate([np.zeros(0, np.float32), *self._audio])
        if len(audio) < PERIOD:
            return []
        blocks = np.lib.stride_tricks.sliding_window_view(audio, PERIOD)[::HOP]
        flags, levels = [], []
        for begin in range(0, len(blocks), _CHUNK):
            comb, level = _comb(np.ascontiguousarray(blocks[begin : begin + _CHUNK]))
            flags.append(comb)
            levels.append(level)
        found = []
        for first, last in _runs(np.concatenate(flags)):
            if (last - first) * HOP + PERIOD >= LEAST:
                found += self._split(audio, first, last, np.concatenate(levels))
        return found

    def _split(self, audio: Audio, first: int, last: int, levels: NDArray[np.float64]) -> list[Entry]:
        """Tell L1 from L2 by the step of the level."""
        level = 10 * np.log10(levels[first : last + 1])
        start, end = first * HOP, last * HOP + PERIOD
        after = float(np.median(level[-4:]))
        loud = np.flatnonzero(level > after + _STEP_DB)
        found = []
        if loud.size:
            change = start + int(loud[-1]) * HOP + PERIOD // 2 + HOP
            found.append(self._entry("L1", audio, start, change))
            start = change
        found.append(self._entry("L2", audio, start, end))
        return found

    def _entry(self, name: str, audio: Audio, start: Samples, end: Samples) -> Entry:
        part = audio[start:end]
        level = dbm0_from_power(float(np.mean(part**2)))
        text = f"{level:.1f} dBm0"
        details: dict[str, object] = {"level_dbm0": round(level, 1)}
        settled = part[SETTLE:]
        probe = analyse(settled, np.zeros(len(settled), np.bool_)) if len(settled) else None
        if probe is not None:
            best = max(probe.tones_dbm0)
            wide = [f for f, v in zip(TONES_HZ, probe.tones_dbm0, strict=True) if v > best - _WIDE_DB]
            text += f", SNR {probe.snr_db:.0f} dB, {wide[0]} to {wide[-1]} Hz within {_WIDE_DB:.0f} dB"
            details |= {
                "snr_db": round(probe.snr_db, 1),
                "offset_hz": None if probe.offset_hz is None else round(probe.offset_hz, 2),
                "tones": {str(f): round(v, 1) for f, v in zip(TONES_HZ, probe.tones_dbm0, strict=True)},
                "noise": {str(f): round(v, 1) for f, v in zip(TONES_HZ, probe.noise_dbm0, strict=True)},
                "distortion": {
                    str(f): round(v, 1) for f, v in zip(EMPTY_HZ, probe.distortion_dbm0, strict=True)
                },
            }
        return Entry(start, end, self._role, name, text, details)


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, last) of the runs of True; a hole of two blocks is none."""
    at = np.flatnonzero(flags)
    if not at.size:
        return []
    cuts = np.flatnonzero(np.diff(at) > 3)
    return list(zip(at[np.r_[0, cuts + 1]].tolist(), at[np.r_[cuts, at.size - 1]].tolist(), strict=True))
