"""Echo canceller for modems that hear themselves over a packet network.

::

    tx ──┬──► line ──► echoes: delay, response, frequency offset ──► + ◄── far signal
         ▼                                                          │ rx
    copies of the echoes ─────────────────────────────────► - ◄─────┘

Delays of packets put an echo anywhere between 20 ms and 1.5 s, so there is no filter over all of that time.
In a stretch where the far end is silent (`begin_training` … `end_training`) the paths are searched and their
filters fitted at once by least squares (`ansam.dsp.echo_solve`); from then on they are followed slowly
(`ansam.dsp.echo_kernel`). Where nothing comes back nothing is found, and what is heard passes untouched.

An echo that jumps (a jitter buffer slipped) is noticed by its missing at the old place, and looked for among
what was heard since then (`moves`, `lost`).

Limits: what comes back sooner than `shortest` is not found. Samples sent must be recorded before their echo
is due, so no stretch may be longer than that.
"""

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import cast

import numpy as np

from ansam.dsp import echo_kernel as kernel
from ansam.dsp import echo_loops as loops
from ansam.dsp.echo_move import find_again
from ansam.dsp.echo_search import LEAD, MAX_TAPS, Record
from ansam.dsp.echo_solve import Findings, Path, find_echoes
from ansam.errors import LocalProtocolError
from ansam.units import FRAME, SAMPLE_RATE, Audio, Samples

MAX_TRAINING = 4 * SAMPLE_RATE
"""Samples of a training that count, the last ones."""

NEAR = 320
"""Delay from which on an echo is a far one, 40 ms."""

_KEEP = 8 * SAMPLE_RATE + LEAD
"""Samples kept of what was sent and heard."""

_CAPACITY = 1 << 17

_LOOK = 4_000
"""Samples between two chances to look for an echo that jumped."""

_LOOKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Chances taken after it was lost."""

_LEAST = 1_600
"""Samples that must have been heard since then."""

_FLOOR = 0.1
"""How readily the smallest tap moves, against the largest."""


class Adapt(IntEnum):
    """How the paths are followed."""

    FROZEN = loops.FROZEN
    """Not at all."""
    SLOW = loops.SLOW
    """In double talk: the far signal counts as noise."""
    FAST = loops.FAST
    """While the far end is silent."""
    GUIDED = loops.GUIDED
    """By what `learn` is given."""


@dataclass(frozen=True, slots=True)
class EchoPath:
    """One echo.

    Attributes:
        delay: From sending to hearing its strongest part, samples.
        level_db: Against what is sent.
        offset_hz: Shift of its frequencies.
        lost: It is not where it was, and not taken out any more.
        start: Delay of the first tap, samples.
        taps: The filter that copies it, shape (n,), in order of delay.
    """

    delay: Samples
    level_db: float
    offset_hz: float
    lost: bool
    start: Samples
    taps: Audio = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class EchoReport:
    """What is known about the echoes.

    Attributes:
        paths: The strongest of training first.
        erle_db: Echo return loss enhancement in training: level before against after. It ends where the noise
            of the line begins.
        moves: Jumps of echoes that were followed.
    """

    paths: tuple[EchoPath, ...] = ()
    erle_db: float = 0.0
    moves: int = 0

    @property
    def near_db(self) -> float | None:
        """Level of the near echo against what is sent; None for none."""
        return self._level([path for path in self.paths if path.delay < NEAR])

    @property
    def far_db(self) -> float | None:
        """Level of the far echo."""
        return self._level([path for path in self.paths if path.delay >= NEAR])

    @staticmethod
    def _level(paths: list[EchoPath]) -> float | None:
        power = sum(10 ** (path.level_db / 10) for path in paths)
        return 10 * math.log10(power) if power else None


class EchoCanceller:
    """Takes the echoes of what is sent out of what is heard.

    Per stretch of the call: `cancel` what was heard, then tell what is `sent` at the same instants. Results
    do not depend on how the call is cut into stretches.

    Args:
        shortest: Least delay of an echo, and longest stretch where there is one. In lock step nothing that is
            sent in a frame can be heard before the next one.
    """

    def __init__(self, shortest: Samples = FRAME) -> None:
        self._shortest = shortest
        self._tx: Audio = np.zeros(_CAPACITY, np.float32)
        self._heard: Audio = np.zeros(_CAPACITY, np.float32)
        self._good = np.zeros(_CAPACITY, np.bool_)
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new call."""
        self._tx[:] = 0
        self._good[:] = False
        self._at = _KEEP  # index of the next sample in the buffers
        self._count = 0  # samples since the start
        self._ahead = 0  # samples cancelled and not sent yet
        self._begun: int | None = None
        self._mode = Adapt.FROZEN
        self._moves = 0
        self._install(Findings(), 0, 0)

    def cancel(self, rx: Audio, erased: bool = False) -> Audio:
        """Return the next received samples without echo.

        Args:
            rx: Shape (n,) float32.
            erased: These samples never arrived: the result is zeros, and nothing is learnt.
        """
        if self._ahead:
            raise LocalProtocolError("cancel() twice without sent()")
        self._ahead = len(rx)
        if not self._findings.paths and self._begun is None:
            return np.zeros(len(rx), np.float32) if erased else rx
        self._room(len(rx))
        out = np.empty(len(rx), np.float32)
        done = 0
        while done < len(rx):
            piece = slice(done, min(len(rx), done + _LOOK - (self._count + done) % _LOOK))
            self._cancel(np.ascontiguousarray(rx[piece], np.float32), erased, out[piece], self._at + done)
            done = piece.stop
            if (self._count + done) % _LOOK == 0:
                self._look(self._at + done)
        return out

    def sent(self, tx: Audio) -> None:
        """Record what was sent at the instants of the last `cancel`, shape (n,)."""
        if len(tx) != self._ahead:
            raise LocalProtocolError(f"{len(tx)} samples sent while {self._ahead} were heard")
        self._room(len(tx))
        self._tx[self._at : self._at + len(tx)] = tx
        self._at += len(tx)
        self._count += len(tx)
        self._ahead = 0

    def learn(self, rest: Audio, age: Samples = 0) -> None:
        """Follow the paths by a better rest (mode `GUIDED`): rx without echo *and* without the far signal.

        A receiver that knows the far signal, because it decided right, can say what is left of `cancel`'s
        result once that signal is taken out too. The loops then see an error that is 30 dB smaller, and may
        be as much faster.

        Args:
            rest: Shape (n,) float32; zeros where samples were erased or decisions doubtful.
            age: The stretch ended this many samples before the newest one sent. n + age may be 4000 at most.
        """
        if self._mode is not Adapt.GUIDED or not self._findings.paths:
            return
        if len(rest) + age > kernel.OLDEST:
            raise LocalProtocolError("too old to learn from")
        age += len(rest)
        first = self._at - age
        rest = np.ascontiguousarray(rest, np.float32)
        kernel.guide(*self._records, self._taps, self._tx, self._turned, first, rest, age)

    def begin_training(self) -> None:
        """From the next `cancel` on the far end is silent, and what we send has a wide band."""
        self._begun = self._count + self._ahead

    def end_training(self) -> EchoReport:
        """Find the echoes in what was sent and heard since `begin_training`; it takes some milliseconds.

        At least 0.3 s of echo should have been heard, so the round trip has to be waited for.
        """
        if self._begun is None:
            raise LocalProtocolError("no training to end")
        count = min(self._count - self._begun, MAX_TRAINING)
        self._begun = None
        if count <= 0:
            self._install(Findings(), 0, 0.0)
            return self.report
        heard = slice(self._at - count, self._at)
        tx = self._tx[heard.start - LEAD : heard.stop]
        record = Record(tx, self._heard[heard], self._good[heard], self._shortest)
        self._install(find_echoes(record), count, record.loudness)
        return self.report

    def adapt(self, mode: Adapt) -> None:
        """Choose how the paths are followed from now on."""
        self._mode = mode
        self._state[0].mode = mode

    @property
    def report(self) -> EchoReport:
        """What is known about the echoes now."""
        paths = []
        for found, now, taps in zip(self._findings.paths, self._paths, self._taps[0], strict=True):
            response = taps[: now.count][::-1].copy()
            start, offset = int(now.start), float(now.step) * SAMPLE_RATE / (2 * math.pi)
            delay = start + int(np.argmax(np.abs(response)))
            paths.append(EchoPath(delay, found.level_db, offset, bool(now.muted), start, response))
        return EchoReport(tuple(paths), self._findings.erle_db, self._moves)

    @property
    def moves(self) -> int:
        """Jumps of echoes that were noticed and followed."""
        return self._moves

    @property
    def lost(self) -> bool:
        """Whether some echo is not where it was, and was not found again either (yet)."""
        return bool(np.any(self._paths.muted))

    def _room(self, count: int) -> None:
        """Move the buffers' contents to their beginning where `count` more samples do not fit."""
        if self._at + count <= _CAPACITY:
            return
        for buffer in (
            self._tx,
            self._heard,
            self._good,
            *(line for lines in self._turned for line in lines),
        ):
            buffer[:_KEEP] = buffer[self._at - _KEEP : self._at].copy()
            buffer[_KEEP:] = 0
        self._at = _KEEP

    def _cancel(self, rx: Audio, erased: bool, out: Audio, at: int) -> None:
        kernel.cancel(
            *self._records,
            self._taps,
            self._tx,
            self._turned,
            self._spread,
            self._memory,
            at,
            rx,
            erased,
            out,
        )
        self._heard[at : at + len(rx)] = out if self._begun is None else rx
        self._good[at : at + len(rx)] = not erased

    def _install(self, findings: Findings, count: int, power: float) -> None:
        """Take out the paths found in the last `count` samples, in which `power` was sent."""
        n = len(findings.paths)
        self._findings = findings
        # The kernels take the plain arrays: numba needs 4 µs more per call to see what a recarray is.
        records = np.zeros(n, loops.PATH), np.zeros(1, loops.STATE)
        self._paths, self._state = (record.view(np.recarray) for record in records)
        self._records = cast(tuple[loops.Record, loops.Record], records)
        self._state[0].mode = self._mode
        self._taps = np.zeros((3, n, MAX_TAPS), np.float32)
        shifted = any(path.step for path in findings.paths)
        self._turned = np.zeros((n, 2, _CAPACITY if shifted else 0), np.float32)
        self._spread = np.zeros((n, 3, 3))
        self._memory = np.zeros((n, len(loops.MEMORIES), 5))
        self._looks = np.zeros(n, np.int64)
        self._trained = self._count + self._ahead
        for p, path in enumerate(findings.paths):
            self._install_path(p, path, count, power)

    def _install_path(self, p: int, path: Path, count: int, power: float) -> None:
        now = self._paths[p]
        now.start, now.count, now.power = path.start, len(path.taps), power
        now.shifted = path.step != 0.0
        size = np.abs(path.taps[::-1])
        self._taps[0, p, : now.count] = path.taps[::-1]
        self._taps[1, p, : now.count] = size + _FLOOR * size.max()
        now.weight = float(self._taps[1, p].sum())
        if not now.shifted:
            return
        now.step = path.step
        # The path's phase belongs to what was sent at the first instant of the record.
        self._turn_line(p, path.phase, self._at - count, self._at + self._ahead)
        step, half = path.step_deviation * SAMPLE_RATE, count / 2 / SAMPLE_RATE
        self._spread[p] = [
            [path.phase_deviation**2 + (step * half) ** 2, step**2 * half, 0],
            [step**2 * half, step**2, 0],
            [0, 0, loops.RATE_DEVIATION**2],
        ]

    def _look(self, at: int) -> None:
        """Look for lost echoes in what was heard before `at`."""
        for p, path in enumerate(self._paths):
            self._looks[p] = self._looks[p] + 1 if path.muted else 0
            if self._looks[p] not in _LOOKS or self._begun is not None:
                continue
            # The echo was missing for about half of what the watch remembers before that was certain.
            missed = 0.4 * loops.MEMORIES[path.muted - 1] * SAMPLE_RATE
            count = int(min(missed + (self._looks[p] - 1) * _LOOK, 8 * SAMPLE_RATE))
            count = min(count, self._count - self._trained + at - self._at)
            if count >= _LEAST:
                self._find_again(p, at - count, at)

    def _find_again(self, p: int, first: int, end: int) -> None:
        """Look for a lost echo in what was heard from index `first` to before `end`; follow it."""
        now, heard = self._paths[p], slice(first, end)
        tx = self._tx[heard.start - LEAD : heard.stop]
        record = Record(tx, self._heard[heard], self._good[heard], self._shortest)
        phase = now.angle + now.step * (first - (end - 1 - now.start)) if now.shifted else 0.0
        taps = self._taps[0, p, : now.count][::-1].astype(np.float64)
        known = Path(
            int(now.start), taps, float(now.step), float(phase), level_db=self._findings.paths[p].level_db
        )
        found = find_again(record, known)
        if found is None:
            return
        self._moves += 1
        now.start, now.muted = found[0], 0
        self._memory[p] = 0.0
        self._turn_line(p, phase + found[1], first, end)
        self._spread[p, 0, 0] += found[2]

    def _turn_line(self, p: int, phase: float, instant: int, end: int) -> None:
        """Turn what a path has taken in before index `end`.

        `phase` is the angle of what was sent at index `instant`.
        """
        now = self._paths[p]
        if now.shifted:
            first = end - int(now.start) - MAX_TAPS - kernel.OLDEST
            now.angle = phase + now.step * (first - 1 - instant)
            kernel.fill(self._records[0], p, self._tx, self._turned, first, end - int(now.start))
