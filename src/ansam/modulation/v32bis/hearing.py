"""What training signals are on the line: silence, AA, AC, S, or something else; and when their phase turned.

=======  ========================  =====================================
signal   states                    lines, hertz
=======  ========================  =====================================
AA, CC   one state repeated        1800
AC, CA   two opposite states       600, 3000
S, S-bar two states at 90 degrees  600, 1800, 3000
=======  ========================  =====================================

AA becomes CC, AC becomes CA and S becomes S-bar by turning all lines by 180 degrees. While we send lines
ourselves, an echo may put them into what we hear: they are left out then.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ansam.dsp.lines import HOP, LineMeter
from ansam.modulation.v32bis.constants import BAUD, CARRIER_HZ
from ansam.units import Audio, Samples, rms_from_dbm0

LINES_HZ = (CARRIER_HZ - BAUD / 2, CARRIER_HZ, CARRIER_HZ + BAUD / 2)
WINDOW = 40
"""12 symbols: S-bar is 16 long, and multiples of 200 Hz are orthogonal."""

AUDIBLE_DBM0 = -48.0
"""Below this there is silence (V.32bis (02/91) §2.5 has circuit 109 OFF at -48 dBm0)."""

_SHARE = 0.75
"""Of the power that must lie on a signal's lines; a data signal has 0.15, rarely 0.5, there."""
_BALANCE = 4.0
"""S has as much power in the middle as outside, give or take what the line does and a weak echo of AA."""
_PLAIN = 0.6
_OUTER, _CENTRE = np.array([True, False, True]), np.array([False, True, False])
_KEEP = 8
"""Windows without the signal after which its phase is forgotten: a reversal takes four."""
_TURNED = -0.4
_SMOOTHING = 0.15
_LEVEL = 1 / 40


class Pattern(Enum):
    """What a window holds."""

    SILENCE = "silence"
    AA = "AA"
    AC = "AC"
    S = "S"
    OTHER = "other"
    UNKNOWN = "erased"


_LINES_OF = {Pattern.AA: _CENTRE, Pattern.AC: _OUTER, Pattern.S: _OUTER | _CENTRE}


@dataclass(slots=True)
class Run:
    """How long a pattern has been there.

    Attributes:
        windows: Windows with it, erased ones in between not counted; 0 when it is gone.
        begin: Sample at which it began, about.
        end: Newest sample with it.
        missing: Clean windows since then.
    """

    windows: int = 0
    begin: Samples = 0
    end: Samples = 0
    missing: int = 0

    @property
    def length(self) -> Samples:
        """Samples from the first to the last window's end."""
        return self.windows * HOP


class Hearing:
    """Classifies windows.

    Attributes:
        now: The newest window's pattern.
        quiet: The run of silence.
        runs: By pattern of lines.
        reversals: Instants at which the lines of the present signal turned, since `forget`.
        sending: The pattern we send ourselves, or None: its lines are left out.
        level: Mean square over about 50 ms of signal.
    """

    def __init__(self) -> None:
        self._meter = LineMeter(LINES_HZ, WINDOW)
        self._audible = rms_from_dbm0(AUDIBLE_DBM0) ** 2
        self.sending: Pattern | None = None
        self.level = 0.0
        self.now = Pattern.SILENCE
        self.quiet = Run()
        self.runs = {pattern: Run() for pattern in _LINES_OF}
        self.reversals: list[float] = []
        self._forget_phase()

    def feed(self, x: Audio, erased: bool) -> int:
        """Take samples, shape (n,) float32; return how many windows ended."""
        meter = self._meter
        hops = meter.feed(x, erased)
        if hops and self._nothing_but_data(hops):
            return hops
        for k in range(hops):
            self._window(meter.amplitudes[k], float(meter.power[k]), bool(meter.clean[k]), int(meter.ends[k]))
        return hops

    def _nothing_but_data(self, hops: int) -> bool:
        """Return whether the new windows hold a signal without lines, and take note of it.

        What `_window` would do with each of them, for data mode, where it is called a hundred times a second.
        """
        if self.sending is not None or self._of is not None:
            return False
        share, level = self._meter.survey(self._audible, self.level, _LEVEL)
        if share >= _PLAIN:
            return False
        self.now = Pattern.OTHER
        self.level = level
        self.quiet.windows = 0
        for run in self.runs.values():
            run.missing += hops
            if run.missing >= _KEEP:
                run.windows = 0
        return True

    def forget(self) -> None:
        """Begin to count runs and reversals anew."""
        self.quiet = Run()
        self.runs = {pattern: Run() for pattern in _LINES_OF}
        self.reversals = []
        self._forget_phase()

    def _forget_phase(self) -> None:
        self._of: Pattern | None = None
        self._reference = np.zeros(3, np.complex128)
        self._projection = 1.0
        self._seen: Samples = 0
        self._absent = 0
        self._sure = 0

    def _window(self, amplitude: NDArray[np.complex128], power: float, clean: bool, end: Samples) -> None:
        if not clean:
            self.now = Pattern.UNKNOWN
            return
        self.level += _LEVEL * (power - self.level)
        self.now = self._classify(amplitude, power)
        self._count(self.quiet, self.now is Pattern.SILENCE, end)
        for pattern, run in self.runs.items():
            # A reversal looks like something else for four windows, and a lost packet for any number.
            run.missing = 0 if self.now is pattern else run.missing + 1
            if run.missing == 0 or run.missing >= _KEEP:
                self._count(run, run.missing == 0, end)
        self._follow_phase(amplitude, end)

    @staticmethod
    def _count(run: Run, there: bool, end: Samples) -> None:
        if not there:
            run.windows = 0
            return
        if run.windows == 0:
            run.begin = end - WINDOW
        run.windows += 1
        run.end = end

    def _classify(self, amplitude: NDArray[np.complex128], power: float) -> Pattern:
        lines = np.abs(amplitude) ** 2 / 2
        if self.sending is not None:
            mine = _LINES_OF[self.sending]
            power = power - float(lines[mine].sum())
            lines = np.where(mine, 0.0, lines)
        if power < self._audible:
            return Pattern.SILENCE
        outer, centre = float(lines[0] + lines[2]), float(lines[1])
        if outer + centre < _SHARE * power:
            return Pattern.OTHER
        if self.sending is None and outer / _BALANCE < centre < outer * _BALANCE:
            return Pattern.S
        return Pattern.AA if centre > outer else Pattern.AC

    def _follow_phase(self, amplitude: NDArray[np.complex128], end: Samples) -> None:
        """Watch the phase of the lines of the present signal, through the windows that hold a reversal."""
        pattern = self.now
        if pattern in _LINES_OF and pattern is not self._of and (self._of is None or self._absent >= _KEEP):
            self._forget_phase()
            self._of = pattern
        if self._of is None:
            return
        self._absent = 0 if pattern is self._of else self._absent + 1
        if self._absent >= _KEEP:
            self._of = None
            return
        here = np.where(_LINES_OF[self._of], amplitude, 0.0)
        size = float(np.sum(np.abs(self._reference) ** 2))
        if size == 0.0 or self._sure < 4:
            if pattern is self._of:
                self._reference = here.copy()
                self._sure += 1
                self._projection, self._seen = 1.0, end
            return
        projection = float(np.sum((here * self._reference.conj()).real)) / size
        if projection < 0 <= self._projection:
            gap = end - self._seen
            share = self._projection / max(self._projection - projection, 1e-6)
            self._crossing = self._seen + share * gap - WINDOW / 2
        if projection < _TURNED and pattern is self._of:
            self.reversals.append(self._crossing)
            self._reference = -self._reference
            projection = -projection
        if pattern is self._of and projection > 0.5:
            self._reference += _SMOOTHING * (here - self._reference)
        self._projection, self._seen = projection, end

    _crossing = 0.0
