"""Time that jumps: inserted, dropped and replayed samples.

Two witnesses. A modem's signal repeats its spectrum one symbol rate further up, so the product of both edges
of its band keeps a phase that turns only with its symbol clock: L samples more or less turn it at once by
L · symbol rate / 8000. And whoever makes audio up from what was there before leaves runs of equal octets
that chance does not make.
"""

import cmath
import math
from collections import deque

from ansam.path.facts import ModemFacts
from ansam.path.finding import Kind, Severity
from ansam.path.ledger import Ledger
from ansam.path.view import View
from ansam.units import FRAME, SAMPLE_RATE, Samples

WINDOW = 20
"""Frames in a look at the band's edges: 0.4 s."""

COHERENCE = 0.4
"""Least |sum| by sum of moduli of a look that counts; noise of 80 blocks has 0.1."""

JUMP, SLOW_JUMP = 0.085, 0.15
"""Turns that are a jump, and with 600 baud, where the edges are few symbols' mean: 0.2 samples at 3429 baud,
2 at 600."""

_SYMBOL_RATES = (600.0, 2400.0, 19200 / 7, 2800.0, 3000.0, 3200.0, 24000 / 7)


def band_edges(facts: ModemFacts) -> tuple[float, float]:
    """Return lower and upper edge of the far signal's band in radians per sample; zeros where not known."""
    if not (facts.data_mode and facts.symbol_rate and facts.carrier_hz):
        return 0.0, 0.0
    rate = min(_SYMBOL_RATES, key=lambda r: abs(r - (facts.symbol_rate or 0)))
    if abs(rate - facts.symbol_rate) > 2:
        return 0.0, 0.0
    turn = 2 * math.pi / SAMPLE_RATE
    return (facts.carrier_hz - rate / 2) * turn, (facts.carrier_hz + rate / 2) * turn


class TimingJudge:
    """Counts jumps of the far end's symbol clock.

    Args:
        ledger: Where findings go.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._sum, self._moduli, self._frames = 0j, 0.0, 0
        self._looks: deque[complex] = deque(maxlen=3)
        self._drifts: deque[float] = deque(maxlen=9)
        self._candidate: tuple[complex, float] | None = None
        self._jumps = 0
        self._first = 0
        self._rate: float | None = None

    def frame(self, view: View) -> None:
        """Take a frame."""
        if view.facts.symbol_rate != self._rate or not view.facts.data_mode or view.edges is None:
            self._restart()
            self._rate = view.facts.symbol_rate
            return
        if not view.erased:
            self._sum += view.edges
            self._moduli += view.edge_power
        self._frames += 1
        if self._frames < WINDOW:
            return
        coherence = abs(self._sum) / max(self._moduli, 1e-15)
        look = self._sum / max(abs(self._sum), 1e-15)
        self._sum, self._moduli, self._frames = 0j, 0.0, 0
        if coherence < COHERENCE:
            # A jump in the middle of it is one reason; the next look is compared with the last good one.
            self._looks.append(0j)
            self._candidate = None
            return
        self._look(look, view)
        self._looks.append(look)

    def _restart(self) -> None:
        self._looks.clear()
        self._drifts.clear()
        self._candidate = None
        self._sum, self._moduli, self._frames = 0j, 0.0, 0

    def _look(self, look: complex, view: View) -> None:
        """Compare with the look before last: the one between may hold the jump."""
        drift = sorted(self._drifts)[len(self._drifts) // 2] if self._drifts else 0.0
        if self._candidate is not None:
            (before, moved), self._candidate = self._candidate, None
            again = _turns(look * before.conjugate()) - 1.5 * drift
            if abs((again - moved + 0.5) % 1 - 0.5) < 0.06:
                self._jumped(moved, view)
            return
        if len(self._looks) < 3 or not self._looks[1]:
            return
        step = _turns(look * self._looks[1].conjugate())
        moved = (step - drift + 0.5) % 1 - 0.5
        enough = len(self._drifts) >= 4
        if not enough or abs(moved) < (JUMP if (self._rate or 0) > 1200 else SLOW_JUMP):
            self._drifts.append(step)
            return
        # Noise may look like a jump once; the next look shows whether it stays.
        self._candidate = self._looks[1], moved

    def _jumped(self, moved: float, view: View) -> None:
        self._looks.clear()
        if Kind.LOSSY_CODEC in self._ledger:
            # A speech codec shakes the clock by itself.
            return
        self._jumps += 1
        self._first = self._first or view.end
        samples = moved * SAMPLE_RATE / (view.facts.symbol_rate or 1.0)
        period = SAMPLE_RATE / (view.facts.symbol_rate or 1.0)
        text = (
            f"the far end's symbol clock jumped {self._jumps} time(s), last by {samples:+.1f} samples (or "
            f"{period:.2f} more or less any number of times): a jitter buffer inserts and drops samples"
        )
        evidence = {"jumps": self._jumps, "samples": samples}
        severity = Severity.FAULT if self._jumps >= 3 else Severity.WARNING
        self._ledger.add(Kind.TIME_SLIP, severity, text, evidence, self._first, view.end)


def _turns(value: complex) -> float:
    """Return the phase in turns."""
    return cmath.phase(value) / (2 * math.pi)


class SpliceJudge:
    """Finds places where a steady signal breaks and another part of it begins.

    Args:
        ledger: Where findings go.
    """

    GAIN = 16.0
    """Least gain of the predictor, a power ratio: below, a break does not stand out."""
    LEARNT = 150
    """Steady frames after which the predictor and its mean error are settled."""
    SPIKE = 12.0
    """Least mean of 8 squared errors by that of all."""
    SHARE = 0.5
    """The same by the power of the signal: what goes on is another signal, not a distorted one."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._count = 0
        self._first = 0
        self._quiet_until = 0
        self._pending: int | None = None

    def frame(self, view: View) -> None:
        """Take a frame."""
        if view.erased or view.copies:
            # Lost or made-up audio has breaks of its own.
            self._quiet_until = view.end + 4 * FRAME
            self._pending = None
        if self._pending is not None and view.end >= self._pending + 480:
            if view.data and self._quiet_until < view.end:
                self._spliced(self._pending)
            self._pending = None
        sharp = view.spike > self.SPIKE and view.power > self.GAIN * view.error
        sharp = sharp and view.spike * view.error > self.SHARE * view.power
        if sharp and self._pending is not None and view.end > self._pending + FRAME:
            # One break stands alone; many are a predictor that learnt another signal.
            self._quiet_until, self._pending = view.end + 10 * FRAME, None
        if not view.data or view.steady < self.LEARNT or view.end < self._quiet_until:
            return
        if sharp and self._pending is None:
            self._pending = view.end

    def _spliced(self, at: int) -> None:
        self._count += 1
        self._first = self._first or at
        if self._count < 2:
            return
        text = (
            f"the waveform broke {self._count} times within steady data although no packet was lost: "
            "audio was cut out or put in on the way"
        )
        severity = Severity.FAULT if self._count >= 4 else Severity.WARNING
        self._ledger.add(Kind.TIME_SLIP, severity, text, {"breaks": self._count}, self._first, at)


class CopyJudge:
    """Counts stretches that repeat(s) what came shortly before.

    Args:
        ledger: Where findings go.
    """

    LONGEST = 480
    FRAME_COPY = 150
    """Samples that no signal of a start-up repeats once."""
    CERTAIN = 100
    """Samples of random data that no chance repeats."""
    STEADY = 40
    """Frames; start-up signals repeat bits, and do not last so long."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._count = 0
        self._first = 0
        self._inserts, self._first_insert = 0, 0
        self._lengths: deque[int] = deque(maxlen=32)
        self._distances: deque[int] = deque(maxlen=32)

    def frame(self, view: View) -> None:
        """Take a frame."""
        if not view.copies or view.steady < self.STEADY:
            return
        for distance, length, end in view.copies:
            frame = view.steady >= 100 and length >= self.FRAME_COPY and distance >= 80
            if length > self.LONGEST or not (view.facts.data_mode or frame):
                continue
            if abs(length % 80 - 40) < 35:
                # Frames are whole multiples of 10 ms; a stretcher puts in what fits the waveform.
                self._inserted(length, distance, end)
                continue
            self._count += 1
            self._first = self._first or end
            self._lengths.append(length)
            self._distances.append(distance)
        if not self._lengths or (self._count < 2 and max(self._lengths, default=0) < self.CERTAIN):
            return
        length = sorted(self._lengths)[len(self._lengths) // 2]
        distance = sorted(self._distances)[len(self._distances) // 2]
        text = (
            f"{self._count} stretch(es) of about {length / 8:.0f} ms repeat(s) what came "
            f"{distance / 8:.0f} ms before: lost audio was made up on the way"
        )
        evidence = {"copies": self._count, "length_ms": length / 8, "distance_ms": distance / 8}
        severity = Severity.FAULT if self._count >= 10 else Severity.WARNING
        self._ledger.add(Kind.CONCEALMENT, severity, text, evidence, self._first, view.end)

    def _inserted(self, length: int, distance: int, end: Samples) -> None:
        self._inserts += 1
        self._first_insert = self._first_insert or end
        if self._inserts < 2 and length < self.CERTAIN // 2:
            return
        text = (
            f"{self._inserts} stretch(es) of about {length / 8:.0f} ms repeat what came "
            f"{distance / 8:.0f} ms before: a jitter buffer stretches time"
        )
        evidence = {"inserts": self._inserts, "length_ms": length / 8, "distance_ms": distance / 8}
        severity = Severity.FAULT if self._inserts >= 3 else Severity.WARNING
        self._ledger.add(Kind.TIME_SLIP, severity, text, evidence, self._first_insert, end)
