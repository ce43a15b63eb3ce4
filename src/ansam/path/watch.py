"""The watch on one call's received path.

::

    received codewords ─┐                                    ┌─► take_findings(): new ones
    what we send ───────┼─► frames of 160 ─► View ─► judges ─┤
    facts ──────────────┘                                    └─► findings: all, with their newest figures
"""

from typing import Protocol

import numpy as np

from ansam.codec import Law
from ansam.path import frame as fr
from ansam.path.codewords import CodewordJudge, LawJudge
from ansam.path.echo import EchoJudge
from ansam.path.facts import ModemFacts, NetworkFacts
from ansam.path.finding import Finding, Kind, Severity
from ansam.path.gaps import ChopJudge, FloorJudge, GapJudge, SuppressorJudge
from ansam.path.ledger import Ledger
from ansam.path.noise import LevelJudge, NoiseJudge
from ansam.path.timing import CopyJudge, SpliceJudge, TimingJudge, band_edges
from ansam.path.view import View
from ansam.units import FRAME, Codewords, Samples

LONG_SILENT: Samples = 80000
"""Before a call we sent nothing."""


class _Judge(Protocol):
    def frame(self, view: View) -> None: ...


class PathWatch:
    """Watches the received path of one call, in constant memory.

    Feed `receive` and `send` in lock step, in pieces of any size; the findings do not depend on how the
    stream was cut. Facts are optional and sharpen the judgement: call `note_modem` and `note_network`
    about once a second, and when data mode begins or ends.

    Args:
        law: What the received octets were negotiated to be; `Law.ALAW` or `Law.ULAW`.

    Attributes:
        now: Samples received so far.
    """

    def __init__(self, law: Law) -> None:
        self.law = law
        self.now: Samples = 0
        self._ledger = Ledger()
        self._view = View(tx_steady=LONG_SILENT)
        self._tables = fr.readings(law)
        self._lines = np.zeros((3, 2 * FRAME), np.float32)
        self._predictor, self._correlation = np.zeros(fr.ORDER), np.zeros(fr.ORDER + 1)
        self._edges, self._error, self._out = np.zeros(2), np.full(1, 1e-6), np.zeros(fr.SIZE)
        self._ring = np.full(fr.RING, law.silence, np.uint8)
        self._places, self._run = np.full(4096, -(1 << 40), np.int64), np.zeros(3, np.int64)
        self._copies = np.zeros((fr.MAX_COPIES, 3), np.int64)
        self._rx, self._tx = np.full(FRAME, law.silence, np.uint8), np.full(FRAME, law.silence, np.uint8)
        self._rx_fill = self._tx_fill = 0
        self._rx_erased = False
        self._tx_frame = self._tx.copy()
        self._tx_active = False
        self._level, self._odd = 0.0, 0
        self._network = NetworkFacts()
        self._codewords = CodewordJudge(law, self._ledger)
        self._gaps = GapJudge(self._ledger, self._lines[0])
        self._noise = NoiseJudge(self._ledger, self._lines[0])
        self._echo = EchoJudge(self._ledger, self._tables[0])
        self._judges: list[_Judge] = [
            self._codewords,
            LawJudge(law, self._ledger),
            self._gaps,
            FloorJudge(self._ledger),
            SuppressorJudge(self._ledger),
            ChopJudge(self._ledger),
            self._noise,
            LevelJudge(self._ledger),
            TimingJudge(self._ledger),
            SpliceJudge(self._ledger),
            CopyJudge(self._ledger),
        ]

    def receive(self, codewords: Codewords, erased: bool = False) -> None:
        """Take received octets.

        Args:
            codewords: Shape (n,).
            erased: They never arrived; their values mean nothing.
        """
        at = 0
        while at < len(codewords):
            part = codewords[at : at + FRAME - self._rx_fill]
            self._rx[self._rx_fill : self._rx_fill + len(part)] = part
            self._rx_erased |= erased
            self._rx_fill += len(part)
            self.now += len(part)
            at += len(part)
            if self._rx_fill == FRAME:
                self._frame()
                self._rx_fill, self._rx_erased = 0, False

    def send(self, codewords: Codewords) -> None:
        """Take the octets we send at the same time, shape (n,)."""
        at = 0
        while at < len(codewords):
            part = codewords[at : at + FRAME - self._tx_fill]
            self._tx[self._tx_fill : self._tx_fill + len(part)] = part
            self._tx_fill += len(part)
            at += len(part)
            if self._tx_fill == FRAME:
                self._sent()
                self._tx_fill = 0

    def note_modem(self, facts: ModemFacts) -> None:
        """Take what the modem knows now."""
        self._view.facts = facts
        self._noise.note(facts, self._view.end)
        self._edges[:] = band_edges(facts)

    def note_network(self, facts: NetworkFacts) -> None:
        """Take what came beside the audio so far."""
        self._gaps.events = facts.events
        before, self._network = self._network, facts
        if facts.comfort_noise > before.comfort_noise:
            text = (
                f"{facts.comfort_noise} comfort noise packet(s) came: a gateway took the signal for silence"
            )
            self._ledger.add(
                Kind.SILENCE_SUPPRESSION,
                Severity.FAULT,
                text,
                {"comfort_noise_packets": facts.comfort_noise},
                self.now,
                self.now,
            )
        if facts.events > before.events:
            text = f"{facts.events} telephone event(s) came: a gateway took the signal for dialled digits"
            self._ledger.add(
                Kind.DTMF_CLAMP, Severity.WARNING, text, {"events": facts.events}, self.now, self.now
            )

    @property
    def findings(self) -> list[Finding]:
        """All findings so far, each once per kind with its newest figures, the worst first."""
        return self._ledger.findings

    def take_findings(self) -> list[Finding]:
        """Return what is new since the last call: a kind seen for the first time, or grown worse."""
        return self._ledger.take()

    def _sent(self) -> None:
        view = self._view
        view.tx_power = fr.power_of(self._tx, self._tables[0])
        active = view.tx_power > fr.ACTIVE
        view.tx_steady = view.tx_steady + FRAME if active == self._tx_active else 0
        self._tx_active = active
        self._tx_frame[:] = self._tx

    def _frame(self) -> None:
        view, out = self._view, self._out
        view.end += FRAME
        view.erased = self._rx_erased
        found = fr.find_copies(self._rx, self._ring, self._places, self._run, view.end - FRAME, self._copies)
        view.copies = tuple(map(tuple, self._copies[:found].tolist())) if found else ()
        if view.erased:
            self._lines[:, FRAME:] = 0
            view.random, view.copies, self._run[1] = False, (), 0
        else:
            fr.measure(
                self._rx,
                self._tables,
                self._lines,
                self._predictor,
                self._correlation,
                self._edges,
                self._codewords.histogram,
                self._codewords.last_bits,
                self._error,
                view.end - FRAME,
                out,
            )
            self._read(view, out.tolist())
        for judge in self._judges:
            judge.frame(view)
        both = view.steady > 10 and self._tx_active
        self._echo.frame(self._rx, self._tx_frame, both, view.end)
        if view.steady and view.steady % 50 == 0:
            self._learn()

    def _read(self, view: View, out: list[float]) -> None:
        view.power, view.likeness, view.same = out[fr.POWER], out[fr.LIKENESS], int(out[fr.SAME])
        view.hush = int(out[fr.HUSH])
        view.purity_db, view.tone_hz = out[fr.PURITY], out[fr.TONE_HZ]
        view.alternative_db, view.mismatch_db = out[fr.ALTERNATIVE], out[fr.MISMATCH]
        view.error, view.spike = self._error[0], out[fr.SPIKE]
        view.random = bool(out[fr.RANDOM])
        view.blocks = tuple(out[fr.SUB : fr.SUB + fr.BLOCKS])
        edges = out[fr.UPPER : fr.UPPER + 3 * fr.BLOCKS]
        known = self._edges[1] > 0
        view.edges = complex(sum(edges[::3]), sum(edges[1::3])) if known else None
        view.edge_power = sum(edges[2::3])
        near = 0.4 < view.power / max(self._level, 1e-12) < 2.5
        # Twelve symbols of V.22bis may look like FSK by chance, but not often in a row.
        self._odd = 0 if view.random else self._odd + 1
        view.steady = view.steady + 1 if near and self._odd < 4 else 0
        if not view.steady:
            # Another signal begins: what was learnt of the last one is of no use.
            self._correlation[:] = self._predictor[:] = 0
        self._level += (view.power - self._level) * (0.05 if near else 1.0)

    def _learn(self) -> None:
        """Solve for the long-term predictor."""
        r = self._correlation
        if r[0] <= 0:
            return
        index = np.abs(np.subtract.outer(np.arange(fr.ORDER), np.arange(fr.ORDER)))
        matrix = r[index] + np.eye(fr.ORDER) * (r[0] * 1e-6)
        self._predictor[:] = np.linalg.solve(matrix, r[1:])
