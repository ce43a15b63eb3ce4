"""What has lines in phases 3 and 4: S and its reversal into S-bar, and the tone that begins a retrain.

S alternates between two points at 90 degrees, which gives lines at the carrier and half a symbol rate beside
it; S-bar turns them all by 180 degrees (V.34 (10/96) §10.1.3.7). The lines half a symbol rate away are weak,
since the pulse and the channel end there.
"""

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.lines import HOP, LineMeter
from ansam.modulation.base import Role
from ansam.modulation.v34.phase2_choice import Direction
from ansam.units import Audio, Samples, rms_from_dbm0

WINDOW = 32
"""S-bar is 37 to 53 samples long."""
TONE_WINDOW = 80
TONE_HZ = {Role.CALLING: 1200.0, Role.ANSWERING: 2400.0}
"""B and A, by the role that sends them (§10.1.2.1, §10.1.2.2)."""
AUDIBLE_DBM0 = -48.0

_SHARE = 0.75
"""Of the power that must lie on the lines; a data signal has 0.2 there."""
_PLAIN = 0.6
_BESIDE = 0.02
"""Of the middle line's power that lies beside it, at least: what tells S from a tone."""
_KEEP = 8
_LEVEL = 1 / 40
"""Of each window in the level."""
_LOUD_SURE = 16
_LOUD_MOST = 80
"""Windows with a signal, two less for each without, that make an onset certain, and that count."""
_TURNED = -0.4
_SURELY_TURNED = -0.65
_SMOOTHING = 0.15


class Hearing:
    """Listens for S and for the far end's tone.

    Args:
        role: Of this end.
        direction: How the far end sends.

    Attributes:
        s_windows: Windows with S so far; 0 when it is gone.
        s_missing: Clean windows since the last one with S.
        s_end: Newest sample with S.
        reversals: Instants at which S became S-bar, since `forget`.
        tone: For how long the far end's tone has been there, samples.
        quiet: For how long there has been silence, samples.
        level: Mean square of the last 50 ms.
    """

    def __init__(self, role: Role, direction: Direction) -> None:
        half = float(direction.symbol_rate.baud) / 2
        carrier = direction.carrier_hz
        self._lines = LineMeter([carrier - half, carrier, carrier + half], WINDOW)
        self._tone = LineMeter([TONE_HZ[role.other]], TONE_WINDOW)
        self._audible = rms_from_dbm0(AUDIBLE_DBM0) ** 2
        self.level = 0.0
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.s_windows = 0
        self.s_missing = 0
        self.s_end: Samples = 0
        self.reversals: list[float] = []
        self.tone: Samples = 0
        self.quiet: Samples = 0
        self._onset: tuple[Samples, Samples] | None = None
        self._loud = 0
        self._silent_at: Samples | None = None
        self._reference = np.zeros(3, np.complex128)
        self._sure = 0
        self._projection = 1.0
        self._seen: Samples = 0
        self._crossing = 0.0

    def feed(self, x: Audio, erased: bool) -> None:
        """Take samples, shape (n,) float32."""
        lines, tone = self._lines, self._tone
        hops = lines.feed(x, erased)
        tone.feed(x, erased)
        if not hops:
            return
        if self.s_windows == 0:
            share, level = lines.survey(self._audible, self.level, _LEVEL)
            if share < _PLAIN and tone.survey(0.0, 0.0, 0.0)[0] < _PLAIN:
                self.level = level
                self._note_plain(hops)
                return
        for k in range(hops):
            if lines.clean[k]:
                self._note_onset(float(lines.power[k]) >= self._audible, int(lines.ends[k]))
                self._window(
                    lines.amplitudes[k], float(lines.power[k]), float(lines.explained[k]), int(lines.ends[k])
                )
            if tone.clean[k]:
                there = tone.explained[k] > _SHARE * tone.power[k] and tone.power[k] > self._audible
                self.tone = self.tone + HOP if there else 0

    @property
    def onset(self) -> tuple[Samples, Samples] | None:
        """Between which instants a signal came out of silence and has stayed; None where there is none."""
        return self._onset if self._loud >= _LOUD_SURE else None

    def _note_onset(self, loud: bool, end: Samples) -> None:
        if not loud:
            self._silent_at = end
            self._loud = max(0, self._loud - 2)
        elif self._silent_at is not None:
            if self._loud == 0:
                self._onset = self._silent_at - WINDOW, end
            self._loud = min(_LOUD_MOST, self._loud + 1)

    def _note_plain(self, hops: int) -> None:
        """Take windows with a signal without lines: data mode, where speed counts."""
        if self._silent_at is not None and self._loud < _LOUD_MOST:
            self._note_onset(True, int(self._lines.ends[0]))
        self.tone = self.quiet = 0
        self.s_missing += hops

    def _window(
        self, amplitude: NDArray[np.complex128], power: float, explained: float, end: Samples
    ) -> None:
        self.level += _LEVEL * (power - self.level)
        self.quiet = self.quiet + HOP if power < self._audible else 0
        squares = np.abs(amplitude) ** 2 / 2
        beside = float(squares[0] + squares[2])
        there = (
            power > self._audible
            and explained > _SHARE * power
            and beside > _BESIDE * float(squares[1])
            and float(squares[1]) > 0.1 * power
        )
        self.s_missing = 0 if there else self.s_missing + 1
        if there:
            self.s_windows += 1
            self.s_end = end
        elif self.s_missing >= _KEEP:
            self.s_windows = 0
            self._sure = 0
        self._follow_phase(amplitude, there, end)

    def _follow_phase(self, amplitude: NDArray[np.complex128], there: bool, end: Samples) -> None:
        if self._sure < 4:
            if there:
                self._reference = amplitude.copy()
                self._sure += 1
                self._projection, self._seen = 1.0, end
            return
        size = float(np.sum(np.abs(self._reference) ** 2))
        projection = float(np.sum((amplitude * self._reference.conj()).real)) / size
        if projection < 0 <= self._projection:
            share = self._projection / (self._projection - projection)
            self._crossing = self._seen + share * (end - self._seen) - WINDOW / 2
        # S-bar is hardly longer than the window: what the line smears of it may leave no window pure.
        if projection < (_TURNED if there else _SURELY_TURNED):
            self.reversals.append(self._crossing)
            self._reference = -self._reference
            projection = -projection
        if there and projection > 0.5:
            self._reference += _SMOOTHING * (amplitude - self._reference)
        self._projection, self._seen = projection, end
