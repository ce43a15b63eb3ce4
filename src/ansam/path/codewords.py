"""What the octets themselves say: second coding, gain, wrong law, robbed bits, clipping."""

import numpy as np

from ansam.codec import Law
from ansam.path.comb import combs_of
from ansam.path.finding import Kind, Severity
from ansam.path.frame import ACTIVE
from ansam.path.ledger import Ledger
from ansam.path.view import View

PERIOD = 100
"""Frames between two judgements of the histogram: 2 s."""

LEAST_OCTETS = 8000
"""Random octets that a judgement needs."""

DECAY = 0.7
"""Weight of what was counted before: a memory of about 6 s."""

ROBBED = 0.2
"""A robbed bit is this far from being 1 half of the time; others are within a third of it."""

NAMES = {Law.ALAW: "A-law", Law.ULAW: "µ-law"}


class CodewordJudge:
    """Judges histograms.

    Args:
        law: Of the received octets.
        ledger: Where findings go.

    Attributes:
        histogram: Counts of octets in random frames, shape (256,); the kernel counts.
        last_bits: Counts of last bits by phase of six, shape (6, 2); the kernel counts.
    """

    def __init__(self, law: Law, ledger: Ledger) -> None:
        self.histogram = np.zeros(256, np.int64)
        self.last_bits = np.zeros((6, 2), np.int64)
        self._law, self._ledger = law, ledger
        self._other = Law.ULAW if law is Law.ALAW else Law.ALAW
        self._combs = combs_of(law)
        self._kept = np.zeros(256)
        self._since: int | None = None
        self._frames = 0
        self._top = np.argsort(np.abs(law.linear_pcm.astype(np.int32)), kind="stable")

    def frame(self, view: View) -> None:
        """Take a frame."""
        self._frames += 1
        if view.random and self._since is None:
            self._since = view.end
        if self._frames % PERIOD == 0:
            self._judge(view)

    def _judge(self, view: View) -> None:
        counts = self.histogram.astype(np.float64)
        fresh = float(counts.sum())
        total = counts + DECAY * self._kept
        if fresh < LEAST_OCTETS / 2 or total.sum() < LEAST_OCTETS:
            # Data that paused: keep what there is for the next look.
            return
        first = self._since or 0
        self._comb(total, fresh, first, view.end)
        self._clipping(total, first, view.end)
        self._robbed(first, view.end)
        self._kept = total
        self.histogram[:] = 0
        self.last_bits[:] = 0

    def _comb(
        self, total: "np.ndarray[tuple[int], np.dtype[np.float64]]", fresh: float, first: int, now: int
    ) -> None:
        verdict = self._combs.judge(total)
        if not verdict.sure:
            # A gain that moves smears the comb of a long look, not that of a short one.
            verdict = self._combs.judge(self.histogram)
            if not verdict.sure:
                return
        change, own, other = verdict.change, NAMES[self._law], NAMES[self._other]
        evidence = {
            "missing_codewords": verdict.tested,
            "absent_codewords": verdict.absent,
            "nats": verdict.nats,
            "share": verdict.share,
        }
        shown = f"{verdict.absent} of {verdict.tested} {own} codewords that this leaves out never occur"
        if change.name == "gain":
            evidence["gain_db"] = change.gain_db
            text = f"a gain of {change.gain_db:+.1f} dB was applied to the coded audio: {shown}"
            self._ledger.add(Kind.GAIN, Severity.WARNING, text, evidence, first, now)
            return
        how = "through {} and back" if change.name == "round-trip" else "from {} on the way"
        text = f"the audio was transcoded {how.format(other)}: {shown}"
        self._ledger.add(Kind.TRANSCODED, Severity.WARNING, text, evidence, first, now)

    def _clipping(self, total: "np.ndarray[tuple[int], np.dtype[np.float64]]", first: int, now: int) -> None:
        """The loudest amplitude that occurs, against the two below it: smooth signals thin out there."""
        by_size = total[self._top].reshape(128, 2).sum(axis=1)
        loud = np.flatnonzero(by_size >= 1)
        if len(loud) < 8:
            return
        top = int(loud[-1])
        piled, below = by_size[top], by_size[top - 2 : top].mean()
        share = piled / total.sum()
        if share > 5e-4 and piled > 3 * max(below, 4.0):
            peak = abs(int(self._law.linear_pcm[self._top[2 * top]])) / 32768
            text = (
                f"peaks are cut off at {20 * np.log10(peak):.1f} dB of full scale: {100 * share:.2f} % of "
                f"the samples stand there, {piled / max(below, 1.0):.0f} times as many as next to it"
            )
            evidence = {
                "share_percent": 100 * share,
                "pile": piled / max(below, 1.0),
                "peak_db": 20 * np.log10(peak),
            }
            severity = Severity.FAULT if share > 0.01 else Severity.WARNING
            self._ledger.add(Kind.CLIPPING, severity, text, evidence, first, now)

    def _robbed(self, first: int, now: int) -> None:
        ones = self.last_bits[:, 1] / np.maximum(self.last_bits.sum(axis=1), 1)
        far = np.abs(ones - np.median(ones))
        robbed = far > ROBBED
        if 1 <= robbed.sum() <= 2 and (far[~robbed] < ROBBED / 3).all():
            text = (
                f"the last bit of {'every sixth' if robbed.sum() == 1 else 'two of every six'} sample(s) is "
                f"{100 * float(ones[np.argmax(far)]):.0f} % ones instead of 50: a trunk that signals in band"
            )
            evidence = {"ones_percent": 100 * float(ones[np.argmax(far)]), "phases": float(robbed.sum())}
            self._ledger.add(Kind.ROBBED_BITS, Severity.WARNING, text, evidence, first, now)


class LawJudge:
    """Which law's reading makes sense: only the right one can be predicted.

    Args:
        law: Of the received octets.
        ledger: Where findings go.
    """

    LEAST_FRAMES = 40
    LEAST_DB = 4.0

    def __init__(self, law: Law, ledger: Ledger) -> None:
        self._law, self._ledger = law, ledger
        self._other = Law.ULAW if law is Law.ALAW else Law.ALAW
        self._alternative = self._mismatch = 0.0
        self._frames = 0
        self._first = 0

    def frame(self, view: View) -> None:
        """Take a frame."""
        # The kernel measures every fourth frame of data only.
        measured = view.alternative_db != 0.0 or view.mismatch_db != 0.0
        if view.erased or not measured or view.power < ACTIVE or view.same > 120:
            return
        if not self._frames:
            self._first = view.end
        self._frames += 1
        weight = max(1 / self._frames, 1 / 200)
        self._alternative += (view.alternative_db - self._alternative) * weight
        self._mismatch += (view.mismatch_db - self._mismatch) * weight
        if self._frames % 20 or self._frames < self.LEAST_FRAMES:
            return
        own, other = NAMES[self._law], NAMES[self._other]
        best = max(self._alternative, self._mismatch)
        if best < self.LEAST_DB:
            return
        evidence = {"alternative_db": self._alternative, "mismatch_db": self._mismatch}
        if self._alternative >= self._mismatch:
            text = (
                f"the octets are {other} although {own} was agreed on: read as {other} they can be "
                f"predicted {best:.1f} dB better"
            )
        else:
            text = (
                f"a gateway read {own} as {other}: with that undone the audio can be predicted "
                f"{best:.1f} dB better"
            )
        self._ledger.add(Kind.WRONG_LAW, Severity.FAULT, text, evidence, self._first, view.end)
