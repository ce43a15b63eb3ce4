"""The line doctor that is called: it answers as a modem, looks at the path, and says what it found.

```
 caller ──► ANSWER ──CONNECT──► examined for `HOLD` ──► the report as text ──► hang up
               └─ no modem calls (S7) ──► hang up
```

A modem sees the report on its terminal. Whoever called, it goes into the call's record: see `summary`.
"""

import textwrap
from collections.abc import Callable

import numpy as np

from ansam.codec.g711 import Law
from ansam.doctor.diagnosis import Diagnosis
from ansam.doctor.discovery import Far
from ansam.doctor.grading import diagnose
from ansam.doctor.media import Media
from ansam.doctor.modem import ModemFindings, ModemTrial, Stage
from ansam.doctor.party import Findings
from ansam.path import ModemFacts
from ansam.path.watch import PathWatch
from ansam.units import SAMPLE_RATE, Audio, Samples, samples

HOLD: Samples = samples(8.0)
"""How long a connection is examined: shorter than `ansam doctor` stays."""

TALK: Samples = samples(60.0)
"""How long the report may take at most."""

LAST: Samples = samples(1.0)
"""After the report: the far end's terminal is slower than its link."""

WIDTH = 76
GREETING = b"\r\nansam line doctor. This takes 8 seconds; keep the line idle.\r\n"


class Consultation:
    """One call to the line doctor: a `Party`.

    Args:
        law: Of our side of the call.
        media: Returns what the packets have told so far.

    Attributes:
        over: End the call.
    """

    def __init__(self, law: Law, media: Callable[[], Media]) -> None:
        self.over = False
        self._law = law
        self._media = media
        self._trial = ModemTrial(HOLD + TALK, answering=True)
        self._watch = PathWatch(law)
        self._at: Samples = 0
        self._greeted = False
        self._report: bytes | None = None
        self._quiet_since: Samples | None = None
        self._found: ModemFindings | None = None
        self._diagnosis: Diagnosis | None = None

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Exchange audio; see `Party.process`."""
        if self.over:
            return np.zeros(len(rx), np.float32)
        tx = self._trial.process(rx, erased)
        self._watch.receive(self._law.encode(rx), erased)
        self._watch.send(self._law.encode(tx))
        if self._at % SAMPLE_RATE < len(rx):
            self._watch.note_modem(self._trial.facts())
        self._at += len(rx)
        if self._trial.stage is Stage.HOLDING:
            self._talk()
        self.over = self._trial.stage is Stage.OVER
        return tx

    def path_facts(self) -> ModemFacts:
        """See `call.party.Informed`."""
        return self._trial.facts()

    def _talk(self) -> None:
        if not self._greeted:
            self._greeted = True
            self._trial.say(GREETING)
        if self._trial.held < HOLD:
            return
        if self._report is None:
            self._report = report(self.diagnosis()).encode("ascii", "replace")
        self._report = self._report[self._trial.say(self._report) :]
        if self._report or self._trial.unsent:
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = self._at
        elif self._at >= self._quiet_since + LAST:
            self._trial.leave()

    def far_end_hung_up(self) -> None:
        """The caller ended the call."""
        if not self.over:
            self._trial.far_end_hung_up()
            self.over = True

    def diagnosis(self) -> Diagnosis:
        """Return what has been found; the first time it is asked for counts."""
        if self._diagnosis is None:
            found = self._trial.findings(tuple(self._watch.findings))
            seconds = self._at / SAMPLE_RATE
            self._diagnosis = diagnose(
                Findings(Far.MODEM, None, found, None, seconds), self._law, self._media()
            )
        return self._diagnosis

    def summary(self) -> str:
        """Return what was found, in a line for the call's record."""
        diagnosis = self.diagnosis()
        grade = diagnosis.summary.partition(": ")[2]
        return f"line doctor: {grade}" + (f"; {diagnosis.connect}" if diagnosis.connect else "; no modem")


def report(diagnosis: Diagnosis) -> str:
    """Return a diagnosis as lines of at most `WIDTH` characters."""
    lines = ["", f"This line is {diagnosis.summary.partition(': ')[2]}.", ""]
    for item in diagnosis.items:
        lines.append(f"{item.grade.value:<5} {item.name}: {item.shown}".rstrip())
        lines += textwrap.wrap(item.text, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    for remedy in diagnosis.remedies:
        lines.append(f"try   {remedy.system.value}: {remedy.setting} = {remedy.value}")
    return "\r\n".join([*lines, "", "Goodbye.", ""])
