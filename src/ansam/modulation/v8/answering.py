"""The answering end of V.8 (11/2000) §8.2: ANSam until CM came twice, JM until CJ, silence.

::

    hears                  CM CM ─► (CM) ───────► CJ
    sends   ANSam ───────────────► JM JM JM JM JM ──► 75 ms ─► the modulation's own

CJ is 100 ms long and comes once, so a lost packet can take it away. The caller is as good as gone on when its
CM is gone: no V.21 signal for `CM_SILENT`, or no synchronisation for five sequences (§8.2.3 leaves the
criteria open). Should it still be there, it hears the modulation's own signals now, and goes on as well.
"""

from enum import Enum

import numpy as np

from ansam.modulation.base import ModulationOptions, Role
from ansam.modulation.v8.channel import RepeatingSender, sequence_length
from ansam.modulation.v8.exchange import GAP, Exchange, Note, Outcome, Result, Step
from ansam.modulation.v8.menu import Menu, joint, sequence
from ansam.tones.v25 import AnswerTone
from ansam.trace import Sink, null_sink
from ansam.units import Audio, Samples, samples

ANSAM_SILENCE = samples(0.2)
"""From off hook to ANSam, at least (§8.2)."""

ANSAM_LEAST = samples(4.0)
"""ANSam ends here where no CM is heard: the least of 5 ± 1 s (§8.2.2), since a caller waits."""

CM_SILENT = samples(0.25)
"""Without any V.21 signal for this long, CM is over. CJ is followed by 75 ms of silence only."""

CM_SEQUENCES = 5
"""Without a synchronisation for as long as this many sequences last, CM is over."""


class Answering(Enum):
    """Where the procedure stands."""

    ANSAM = Step("ANSam", samples(6.0), "V.8 (11/2000) §8.2.2")
    JM = Step("JM", samples(15), "V.8 (11/2000) §8.2.3")
    GAP = Step("silence", GAP, "V.8 (11/2000) §8.2.3")


class AnsweringExchange(Exchange):
    """Answers; arguments as `Exchange`."""

    def __init__(self, ours: Menu, options: ModulationOptions, note: Note, trace: Sink = null_sink) -> None:
        super().__init__(Role.ANSWERING, ours, options, note, trace)
        self._tone = AnswerTone(self._level_dbm0, modulated=True)
        self._sender: RepeatingSender | None = None
        self._cm_lost: Samples = 0
        self._step = Answering.ANSAM

    def start(self, now: Samples) -> None:
        """Begin with ANSam."""
        self._enter(Answering.ANSAM, now)

    def send(self, count: int) -> Audio:
        """Return the next `count` samples."""
        if self._step is Answering.ANSAM:
            return self._tone.generate(count)
        if self._step is Answering.JM and self._sender is not None:
            return self._sender.send(count)
        return np.zeros(count, np.float32)

    def decide(self, now: Samples) -> Outcome | None:
        """Take the decisions of one hop."""
        self._listen(now)
        if self._step is Answering.ANSAM:
            return self._answer_tone(now)
        if self._step is Answering.JM and self._menu_is_over(now):
            self._enter(Answering.GAP, now)
        return self._after_gap(now) if self._step is Answering.GAP else None

    def _answer_tone(self, now: Samples) -> Outcome | None:
        offered = self._receiver.menu
        if offered is not None:
            answer = joint(offered, self._ours)
            bits = sequence(answer.encode())
            self.result = Result(answer, offered)
            self._sender = RepeatingSender(Role.ANSWERING, self._level_dbm0, bits)
            self._cm_lost = CM_SEQUENCES * sequence_length(sequence(offered.octets))
            self._sends(now, answer.encode())
            self._enter(Answering.JM, now)
            return None
        lasted = now - self._since
        over = lasted >= Answering.ANSAM.value.at_most or (lasted >= ANSAM_LEAST and not self.hearing)
        return Outcome.NOT_SPOKEN if over else None

    def _menu_is_over(self, now: Samples) -> bool:
        if self._receiver.terminated:
            self._trace(now, self._source, "received", kind="CJ")
            return True
        gone = self._receiver.silent_for >= CM_SILENT or self._receiver.since_sync >= self._cm_lost
        if gone:
            self._trace(now, self._source, "CM is gone", silent_for=self._receiver.silent_for)
        return gone or now - self._since >= Answering.JM.value.at_most

    def _enter(self, step: Answering, now: Samples) -> None:
        self._step, self._since = step, now
        self._note(now, step.value.name, step.value.clause)
