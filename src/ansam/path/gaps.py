"""What is missing: silence, noise or a lower level where the far end's sound should be."""

import math

import numpy as np

from ansam.path.finding import Kind, Severity
from ansam.path.frame import ACTIVE, Floats
from ansam.path.ledger import Ledger
from ansam.path.view import View
from ansam.units import FRAME, SAMPLE_RATE, dbm0_from_power

_ROWS = (697.0, 770.0, 852.0, 941.0)
_COLUMNS = (1209.0, 1336.0, 1477.0, 1633.0)

DIGITAL = 1e-7
"""Mean square up to which a block is digital silence (A-law's smallest amplitude has 6e-8)."""


def digit_share(x: Floats) -> float:
    """Return which part of the power of 20 ms the strongest row and column of DTMF have; 0 if unequal."""
    n = np.arange(len(x))
    table = np.exp(-2j * np.pi * np.outer(_ROWS + _COLUMNS, n) / SAMPLE_RATE) * math.sqrt(2) / len(x)
    power = np.abs(table @ x) ** 2
    row, column = float(power[:4].max()), float(power[4:].max())
    if max(row, column) > 8 * min(row, column):
        return 0.0
    return (row + column) / max(float(np.mean(x * x)), 1e-12)


class GapJudge:
    """Finds holes in steady data, which a modem sends without a pause.

    Args:
        ledger: Where findings go.
        line: The last frame and this one, shape (320,); the kernel fills it.
    """

    LONGEST = 100
    """Blocks of 5 ms; a longer pause may be the far modem's."""
    RESUMED = 10
    """Frames of the same data that must follow."""

    def __init__(self, ledger: Ledger, line: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> None:
        self._ledger, self._line = ledger, line
        self._level = 0.0
        self._before = False
        self._blocks = 0
        self._digital = 0
        self._digit = 0.0
        self._begin = 0
        self._after = 0
        self._open = False
        self._counts: dict[Kind, int] = {}
        self._first: dict[Kind, int] = {}
        self._events = 0
        self.events = 0
        """Telephone events so far, as the network says."""

    def frame(self, view: View) -> None:
        """Take a frame."""
        if view.erased:
            self._before, self._blocks = False, 0
            self._open = False
            return
        if not self._blocks and not self._open:
            self._watch(view)
        else:
            self._follow(view)

    def _watch(self, view: View) -> None:
        quiet = [p < self._level / 63 for p in view.blocks]
        if self._before and any(quiet):
            self._begin = view.end - FRAME + FRAME // len(quiet) * quiet.index(True)
            self._blocks = self._digital = 0
            self._digit = digit_share(self._line[:FRAME].astype(np.float64))
            self._events = self.events
            self._open = True
            self._after = 0
            self._follow(view)
            return
        if view.data:
            self._level += (view.power - self._level) * (0.05 if self._before else 1.0)
        self._before = view.data

    def _follow(self, view: View) -> None:
        for power in view.blocks:
            if power < self._level / 63:
                self._blocks += 1
                self._digital += power < DIGITAL
                self._after = 0
        if self._blocks > self.LONGEST:
            self._end()
            return
        near = self._level / 2 < view.power < self._level * 2
        self._after = self._after + 1 if view.random and near else 0
        if view.end - self._begin > (self.LONGEST // 4 + 4 * self.RESUMED) * FRAME:
            self._end()
        elif self._after >= self.RESUMED:
            if self._blocks >= 3:
                self._classify(view)
            self._end()
            self._before = True

    def _end(self) -> None:
        self._open = False
        self._blocks, self._before = 0, False

    def _classify(self, view: View) -> None:
        ms = 5 * self._blocks
        digital = self._digital >= 0.8 * self._blocks
        # Narrow data look like a digit now and then; a clamp takes its time to let go.
        if (self._digit > 0.4 and ms >= 40) or self.events > self._events:
            kind, what = Kind.DTMF_CLAMP, "muted after a stretch that looks like a dialled digit"
        elif digital and ms <= 130:
            kind, what = Kind.LOST_UPSTREAM, "digital silence although no packet is missing"
        else:
            kind, what = (
                Kind.SILENCE_SUPPRESSION,
                "silence or comfort noise although the far modem was sending",
            )
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        first = self._first.setdefault(kind, self._begin)
        text = f"{count} hole(s) in the data, the last of {ms} ms: {what}"
        severity = Severity.FAULT if count >= 3 else Severity.WARNING
        evidence = {"holes": float(count), "last_ms": float(ms)}
        self._ledger.add(kind, severity, text, evidence, first, view.end)


class FloorJudge:
    """Compares what is heard while the far end is silent.

    Line noise is the same just after a signal and long after it, while we send and while we do not. Voice
    activity detection passes it for some 150 ms and then puts its own in place; a non-linear processor takes
    it away while we send.

    Args:
        ledger: Where findings go.
    """

    SETTLED = 2400
    """Samples since we began or stopped to send: the round trip is over then."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._since_signal: int | None = None
        self._modem = 0
        self._sums = np.zeros((2, 2))
        self._counts = np.zeros((2, 2))
        self._digital = np.zeros((2, 2))
        self._first = 0

    def frame(self, view: View) -> None:
        """Take a frame."""
        if view.erased or not self._begun(view):
            self._since_signal = None
            return
        if max(view.blocks) > ACTIVE:
            self._since_signal = 0
            return
        if self._since_signal is None:
            return
        self._since_signal += 1
        if self._since_signal < 2:
            return
        level = max(dbm0_from_power(view.power), -66.0)
        if view.tx_steady < self.SETTLED:
            return
        late = 0 if self._since_signal <= 5 else 1
        if late and self._since_signal < 13:
            return
        sending = int(view.tx_power > ACTIVE)
        self._first = self._first or view.end
        self._sums[sending, late] += level
        self._counts[sending, late] += 1
        self._digital[sending, late] += view.same >= 158
        if self._since_signal % 5 == 0:
            self._judge(view)

    def _begun(self, view: View) -> bool:
        """Whether modems talk: what is heard before the answer is the network's."""
        answer = abs(view.tone_hz - 2100) < 15 and view.purity_db > 20 and view.power > ACTIVE
        self._modem += 5 if answer else int(view.tx_power > ACTIVE)
        return self._modem >= 100

    def _judge(self, view: View) -> None:
        levels = self._sums / np.maximum(self._counts, 1)
        digital = self._digital / np.maximum(self._counts, 1)
        for sending in (0, 1):
            if self._counts[sending].min() < 4:
                continue
            early, late = levels[sending]
            apart = abs(digital[sending, 0] - digital[sending, 1]) > 0.8
            if abs(early - late) > (3 if apart else 8):
                text = (
                    f"the silence after a signal has {early:.0f} dBm0 at first and {late:.0f} dBm0 from a "
                    "quarter of a second on: silence suppression with comfort noise"
                )
                evidence = {"early_dbm0": float(early), "late_dbm0": float(late)}
                self._ledger.add(
                    Kind.SILENCE_SUPPRESSION, Severity.WARNING, text, evidence, self._first, view.end
                )
        counts = self._counts.sum(axis=1)
        if counts[0] < 15 or counts[1] < 10:
            return
        idle, busy = self._sums.sum(axis=1) / counts
        gone = self._digital.sum(axis=1) / counts
        if idle > -62 and (busy < idle - 10 or (gone[1] > 0.6 and gone[0] < 0.1)):
            text = (
                f"the far end's silence has {idle:.0f} dBm0 while we are silent and {busy:.0f} dBm0 while we "
                "send: an echo canceller's non-linear processor"
            )
            evidence = {"idle_dbm0": float(idle), "sending_dbm0": float(busy)}
            self._ledger.add(Kind.ECHO_SUPPRESSOR, Severity.WARNING, text, evidence, self._first, view.end)


class SuppressorJudge:
    """Finds a signal that goes on, but quieter, once we begin to send.

    Args:
        ledger: Where findings go.
    """

    DROP_DB = 5.0
    REACH = 35
    """Frames after we began in which it must happen: 0.7 s."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._tone_hz = 0.0
        self._frames = 0
        self._levels: list[float] = []
        self._before_db = self._before_hz = 0.0
        self._since: int | None = None
        self._low = 0
        self._sending = False
        self._first = 0

    def frame(self, view: View) -> None:
        """Take a frame."""
        sending = view.tx_power > ACTIVE
        if view.steady > 50 and sending == self._sending:
            self._since, self._frames, self._levels = None, 0, []
            return
        if sending and not self._sending:
            # We are told of our own frame one late, so the newest two may be low already.
            before = self._levels[:-2]
            steady = len(before) >= 8 and max(before) - min(before) < 4
            self._since = 0 if steady and self._frames >= 5 else None
            self._before_db = sum(before) / len(before) if steady else 0.0
            self._before_hz = self._tone_hz
            self._low = 0
        tone = not view.erased and view.purity_db > 12 and view.power > ACTIVE / 30
        same = tone and abs(view.tone_hz - self._tone_hz) < 12
        self._frames = self._frames + 1 if same else 0
        self._tone_hz = view.tone_hz if tone else 0.0
        level = dbm0_from_power(view.power)
        self._sending = sending
        self._levels = [*self._levels[-11:], level] if same else []
        if self._since is None:
            return
        self._since += 1
        low = same and abs(view.tone_hz - self._before_hz) < 15 and self._before_db - level > self.DROP_DB
        self._low = self._low + 1 if low else 0
        if self._low >= 5:
            self._found(view, self._before_db - level)
        elif not sending or self._since > self.REACH + 5:
            self._since = None

    def _found(self, view: View, drop_db: float) -> None:
        self._first = self._first or view.end
        text = (
            f"a tone of {view.tone_hz:.0f} Hz went on {drop_db:.0f} dB quieter when we began to send: an "
            "echo suppressor lets only one side speak"
        )
        evidence = {"drop_db": drop_db, "tone_hz": view.tone_hz}
        self._ledger.add(Kind.ECHO_SUPPRESSOR, Severity.FAULT, text, evidence, self._first, view.end)
        self._since = None


class ChopJudge:
    """Counts holes of digital silence too short to be anything but a non-linear processor at work.

    Args:
        ledger: Where findings go.
    """

    SHORTEST, LONGEST = 10, 100
    """Samples; modem data are near zero for 3 at most."""
    LEAST = 5

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._count = 0
        self._first = 0

    def frame(self, view: View) -> None:
        """Take a frame."""
        if view.erased or not view.data or not self.SHORTEST <= view.hush <= self.LONGEST:
            return
        self._count += 1
        self._first = self._first or view.end
        if self._count < self.LEAST:
            return
        text = (
            f"{self._count} holes of a few milliseconds of digital silence in the data, the last of "
            f"{view.hush / 8:.1f} ms: an echo canceller's non-linear processor cuts the far signal"
        )
        evidence = {"holes": float(self._count), "last_ms": view.hush / 8}
        severity = Severity.FAULT if self._count >= 4 * self.LEAST else Severity.WARNING
        self._ledger.add(Kind.ECHO_SUPPRESSOR, severity, text, evidence, self._first, view.end)
