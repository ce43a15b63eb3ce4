"""What an echo test tells: the recording of a programme becomes figures; what they mean is `grading`'s."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ansam.codec.g711 import Law
from ansam.doctor.alignment import LIKE, STEP, Floats, Track, follow, match
from ansam.doctor.codewords import CodewordReport, compare
from ansam.doctor.probe import (
    BURST_LENGTH,
    BURST_PERIOD,
    BURSTS,
    TONE_HZ,
    TONE_LENGTH,
    TONES_DBM0,
    Part,
    Programme,
    Section,
)
from ansam.doctor.recording import Recording
from ansam.doctor.response import Response, measure
from ansam.modulation.v34.probing import L1_LENGTH, PERIOD, SETTLE, LineProbe, analyse
from ansam.units import FRAME, SAMPLE_RATE, Audio, Samples, dbm0_from_power, samples

EDGE: Samples = samples(0.05)
"""Left out at both ends of a tone: filters and gates settle there."""
EARLY, LATE = 5, 50
"""Blocks at the beginning and at the end of the noise whose gains are compared: 0.1 s and 1 s."""
WHOLE = 0.5
"""Share of the gain of a burst's end that its front must have."""
HARMONIC = 3
"""Clipping of both half-waves makes odd multiples."""


_WINDOW = np.hanning(FRAME + 1)[:FRAME] / np.hanning(FRAME + 1)[:FRAME].sum()


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of noise on its way out and back.

    Attributes:
        track: Block by block.
        octets: What became of its octets.
        response: The path as a filter; None where too little came back.
    """

    track: Track
    octets: CodewordReport
    response: Response | None


@dataclass(frozen=True, slots=True)
class EchoFindings:
    """The figures.

    Attributes:
        round_trip: Samples, all buffers included.
        noise: The long stretch of noise.
        after: The one behind the answer tone; None where it did not come back.
        lost_down: Share of the blocks that our own playout missed.
        lost_up: Share of the others that did not come back as sent though something arrived.
        replaced_dbm0: Level of what stood in their place; -120 for silence or none.
        slips: Jumps of the delay, samples.
        drift_ppm: Growth of the delay otherwise.
        own_noise_db: Signal to quantising noise of what we sent, before it left.
        gain_moved_db: Gain at the end of the noise against its beginning.
        gain_step_db: Deepest fall of the gain within 60 ms, in the first second of the noise; 0 or less.
        gain_spread_db: Between the 5th and 95th percentile of its blocks.
        front_lost_ms: What was missing of the bursts' fronts.
        alone_db: Gain of bursts, which come back while we are silent, against that of the noise's beginning.
        silence_dbm0: Level heard while nothing was sent.
        steps: (level sent, gain, third harmonic against the tone) per tone; dBm0, dB, dB.
        probe: L2 as it came back; None where losses left nothing of it.
    """

    round_trip: Samples
    noise: Stretch
    after: Stretch | None
    lost_down: float
    lost_up: float
    replaced_dbm0: float
    slips: tuple[Samples, ...]
    drift_ppm: float
    own_noise_db: float
    gain_moved_db: float
    gain_step_db: float
    gain_spread_db: float
    front_lost_ms: float
    alone_db: float
    silence_dbm0: float
    steps: tuple[tuple[float, float, float], ...]
    probe: LineProbe | None
    transparent: bool = field(default=False)


@dataclass(frozen=True, slots=True, eq=False)
class Echoed:
    """An examined echo test.

    Attributes:
        law: Of our side.
        recording: All of it.
        programme: What was sent.
        start: Where in the recording the programme begins.
    """

    law: Law
    recording: Recording
    programme: Programme
    start: Samples

    def evaluate(self) -> EchoFindings | None:
        """Return the figures; None where the noise did not come back at all."""
        tx, rx, erased = self.recording.tx, self.recording.rx, self.recording.erased
        noise = self._stretch(tx, rx, erased, Part.NOISE)
        if noise is None:
            return None
        after = self._stretch(tx, rx, erased, Part.AFTER)
        track = noise.track
        lag = track.main_lag
        gains = 20 * np.log10(np.maximum(np.abs(track.gain[track.heard]), 1e-6))
        early, late = gains[:EARLY], gains[-LATE:]
        front, alone = self._bursts(tx, rx, erased, lag)
        gone = track.erased
        lost_up = ~track.heard & ~gone
        if front:
            lost_up[:EARLY] = False  # cut off, not lost
        sent = tx[self._at(Part.NOISE)]
        own = self.law.through(sent) - sent
        return EchoFindings(
            round_trip=lag,
            noise=noise,
            after=after,
            lost_down=float(np.mean(gone)),
            lost_up=float(np.mean(lost_up[~gone])) if not gone.all() else 0.0,
            replaced_dbm0=_level_of_blocks(rx, track, lost_up),
            slips=_slips(track, after),
            drift_ppm=track.drift_ppm(),
            own_noise_db=10 * float(np.log10(np.mean(sent**2) / max(float(np.mean(own**2)), 1e-15))),
            gain_moved_db=float(np.median(late) - np.median(early)) if gains.size > EARLY + LATE else 0.0,
            gain_step_db=_deepest_step(gains[:LATE]),
            gain_spread_db=float(np.ptp(np.percentile(gains, (5, 95)))),
            front_lost_ms=front,
            alone_db=alone - float(np.median(early)) if alone is not None else 0.0,
            silence_dbm0=self._silence(rx, erased, lag),
            steps=tuple(self._step(rx, erased, lag, k) for k in range(len(TONES_DBM0))),
            probe=self._probe(rx, erased, (after or noise).track),
            transparent=noise.octets.transparent and (after is None or after.octets.transparent),
        )

    def _section(self, part: Part) -> Section:
        section = self.programme.sections[part]
        return Section(self.start + section.start, section.length)

    def _at(self, part: Part, lag: Samples = 0) -> slice:
        section = self._section(part)
        return slice(section.start + lag, section.end + lag)

    def _stretch(self, tx: Audio, rx: Audio, erased: NDArray[np.bool_], part: Part) -> Stretch | None:
        section = self._section(part)
        track = follow(tx, rx, erased, section.start, section.length)
        if track is None or not track.heard.any():
            return None
        sent, came, place = [], [], []
        for block in np.flatnonzero(track.heard).tolist():
            at = track.start + block * FRAME
            back = at + int(track.lag[block])
            sent.append(tx[at : at + FRAME])
            came.append(rx[back : back + FRAME])
            place.append(np.arange(back, back + FRAME))
        report = compare(
            self.law,
            self.law.encode(np.concatenate(sent)),
            self.law.encode(np.concatenate(came)),
            np.concatenate(place),
        )
        return Stretch(track, report, measure(tx, rx, track))

    def _bursts(
        self, tx: Audio, rx: Audio, erased: NDArray[np.bool_], lag: Samples
    ) -> tuple[float, float | None]:
        """Return what was missing of the bursts' fronts, ms, and the gain of their ends, dB."""
        gains = np.full((BURSTS, BURST_LENGTH // FRAME), np.nan)
        for burst, block in np.ndindex(*gains.shape):
            at = self._section(Part.BURSTS).start + burst * BURST_PERIOD + block * FRAME
            if at + lag + FRAME <= len(rx) and not erased[at + lag : at + lag + FRAME].any():
                found = match(tx[at : at + FRAME], rx, at + lag)
                gains[burst, block] = 0.0 if found is None else abs(found[2])
        ends = gains[:, -1][gains[:, -1] > 0]
        if not ends.size:
            return 0.0, None
        end = float(np.median(ends))
        weak = [int(np.argmax(row >= WHOLE * end)) for row in gains if np.nanmax(row) > 0]
        missing = int(np.median(weak)) if weak else 0
        return missing * FRAME * 1000 / SAMPLE_RATE, 20 * float(np.log10(end))

    def _silence(self, rx: Audio, erased: NDArray[np.bool_], lag: Samples) -> float:
        """Level of the second half of the silence, without its mean (a constant octet is no noise)."""
        section = self._at(Part.SILENCE, lag)
        half = slice((section.start + section.stop) // 2, section.stop - 2 * FRAME)
        heard = rx[half][~erased[half]].astype(np.float64)
        return dbm0_from_power(float(np.var(heard))) if heard.size else -120.0

    def _step(
        self, rx: Audio, erased: NDArray[np.bool_], lag: Samples, index: int
    ) -> tuple[float, float, float]:
        at = self._section(Part.TONES).start + index * TONE_LENGTH + lag
        # Frame by frame, and the median of them: one that was lost on the way there is not marked.
        powers = []
        for first in range(at + EDGE, at + TONE_LENGTH - EDGE - FRAME + 1, FRAME):
            heard = rx[first : first + FRAME].astype(np.float64)
            if len(heard) == FRAME and not erased[first : first + FRAME].any():
                turns = np.outer((1, HARMONIC), TONE_HZ * np.arange(first, first + FRAME) / SAMPLE_RATE)
                powers.append(2 * np.abs(np.exp(-2j * np.pi * turns) @ (heard * _WINDOW)) ** 2)
        tone, third = np.median(powers, axis=0) if powers else (0.0, 0.0)
        level = TONES_DBM0[index]
        harmonic = 10 * float(np.log10(max(third, 1e-12) / max(tone, 1e-12)))
        return level, dbm0_from_power(float(tone)) - level, harmonic

    def _probe(self, rx: Audio, erased: NDArray[np.bool_], track: Track) -> LineProbe | None:
        section = self._section(Part.MULTITONE)
        lag = int(track.lag[track.heard][-1])
        begin = section.start + lag + L1_LENGTH + SETTLE
        end = section.end + lag
        if end > len(rx):
            return None
        gone = erased[begin:end] | _strange(rx[begin:end])
        return analyse(rx[begin:end], gone)


def _strange(audio: Audio) -> NDArray[np.bool_]:
    """Mark what is not L2, in half periods: lost before it got to us, and replaced by whatever."""
    out = np.zeros(len(audio), bool)
    periods = len(audio) // PERIOD
    if periods < 3:
        return out
    usual = np.median(audio[: periods * PERIOD].reshape(periods, PERIOD), axis=0)
    half = PERIOD // 2
    for at in range(0, len(audio) - half + 1, half):
        wave, piece = usual[at % PERIOD :][:half], audio[at : at + half].astype(np.float64)
        alike = float(piece @ wave) / max(float(np.linalg.norm(piece) * np.linalg.norm(wave)), 1e-9)
        if alike < LIKE:
            out[max(0, at - half) : at + 2 * half] = True
    return out


def _deepest_step(gains: Floats) -> float:
    """Return the deepest fall of gains (dB) from one block to the third behind it that lasts; 0 or less."""
    if gains.size < 8:
        return 0.0
    before, behind = gains[:-7], np.median(np.lib.stride_tricks.sliding_window_view(gains[3:], 5), axis=1)
    return min(0.0, float(np.min(behind[: before.size] - before)))


def _slips(track: Track, after: Stretch | None) -> tuple[Samples, ...]:
    """Return the jumps within the noise, and the one between it and the noise behind the answer tone."""
    slips = track.slips()
    if after is not None:
        moved = int(after.track.lag[after.track.heard][0] - track.lag[track.heard][-1])
        if abs(moved) >= STEP:
            slips.append(moved)
        slips += after.track.slips()
    return tuple(slips)


def _level_of_blocks(rx: Audio, track: Track, blocks: NDArray[np.bool_]) -> float:
    """Return the median level of what stood in the place of blocks; -120 where there are none."""
    levels = []
    for block in np.flatnonzero(blocks).tolist():
        at = track.start + block * FRAME + track.main_lag
        part = rx[at : at + FRAME].astype(np.float64)
        if part.size:
            levels.append(dbm0_from_power(float(np.var(part))))
    return float(np.median(levels)) if levels else -120.0
