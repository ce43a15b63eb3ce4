"""The calling end of V.8 (11/2000) §8.1: silence for T_e, CM until JM came twice, CJ, silence.

::

    hears   ANSam ───────────────────────► JM JM ─► (JM)
    sends          T_e ─► CM CM CM CM CM ────────► CJ ─► 75 ms ─► the modulation's own

Whoever owns this has recognised ANSam, and says at every decision whether a 2100 Hz tone is still there. A
far end that only seemed to send ANSam, or that no longer listens for CM, answers with no JM once its tone is
over; it is left alone then, and what it does send is a modulation's business.
"""

from enum import Enum

import numpy as np

from ansam.modulation.base import ModulationOptions, Role
from ansam.modulation.v8.channel import RepeatingSender
from ansam.modulation.v8.exchange import GAP, Exchange, Note, Outcome, Result, Step
from ansam.modulation.v8.menu import CJ, SYNC_CI, CallFunction, Category, Menu, Mode, sequence
from ansam.trace import Sink, null_sink
from ansam.units import Audio, Samples, samples

TE = samples(0.5)
"""The least (§8.1.1): for modes that separate the directions by frequency."""

TE_ECHO = samples(1.0)
"""Long enough for the network's echo cancellers to be disabled, for modes that cancel the echo themselves."""

ECHO_CANCELLING = frozenset({Mode.V34, Mode.V34_HALF, Mode.V32BIS, Mode.V26TER})

TONE_MISSING = samples(0.3)
"""Without its tone for this long, the answering end has gone on."""

JM_MISSING = samples(1.5)
"""JM follows ANSam at once; without tone and without JM for this long, none will come."""


class Calling(Enum):
    """Where the procedure stands."""

    SILENCE = Step("silence T_e", TE, "V.8 (11/2000) §8.1.1")
    CM = Step("CM", samples(12), "V.8 (11/2000) §8.1.2")
    CJ = Step("CJ", samples(1), "V.8 (11/2000) §8.1.2")
    GAP = Step("silence", GAP, "V.8 (11/2000) §8.1.2")


class CallingExchange(Exchange):
    """Asks; arguments as `Exchange`."""

    def __init__(self, ours: Menu, options: ModulationOptions, note: Note, trace: Sink = null_sink) -> None:
        super().__init__(Role.CALLING, ours, options, note, trace)
        self._sender = RepeatingSender(Role.CALLING, self._level_dbm0, sequence(ours.encode()))
        self._te = TE_ECHO if ECHO_CANCELLING & (ours.modes or frozenset()) else TE
        self._step = Calling.SILENCE
        self._tone_at: Samples = 0

    def start(self, now: Samples) -> None:
        """Begin: ANSam has been recognised, and nothing is sent any more."""
        self._tone_at = now
        self._enter(Calling.SILENCE, now)

    def send(self, count: int) -> Audio:
        """Return the next `count` samples."""
        if self._step in (Calling.CM, Calling.CJ):
            return self._sender.send(count)
        return np.zeros(count, np.float32)

    def decide(self, now: Samples, tone: bool) -> Outcome | None:
        """Take the decisions of one hop.

        Args:
            now: Instant.
            tone: The answering end's 2100 Hz is still there.
        """
        self._listen(now)
        if tone:
            self._tone_at = now
        if self._step is Calling.SILENCE:
            return self._silence(now)
        if self._step is Calling.CM:
            return self._menu(now)
        if self._step is Calling.CJ and self._sender.finished:
            self._enter(Calling.GAP, now)
        return self._after_gap(now) if self._step is Calling.GAP else None

    def _silence(self, now: Samples) -> Outcome | None:
        if now - self._tone_at >= TONE_MISSING:
            return Outcome.NOT_SPOKEN
        if now - self._since >= self._te:
            self.result = Result(sent=self._ours)
            self._sends(now, self._ours.encode())
            self._enter(Calling.CM, now)
        return None

    def _menu(self, now: Samples) -> Outcome | None:
        if self._receiver.menu is not None:
            self.result = Result(self._ours, self._receiver.menu)
            self._sender.end_with(CJ)
            self._enter(Calling.CJ, now)
            return None
        quiet = now - self._tone_at
        if self._receiver.heard:
            quiet = min(quiet, self._receiver.since_sync)
        late = now - self._since >= self._step.value.at_most
        return Outcome.NOT_SPOKEN if quiet >= JM_MISSING or late else None

    def _enter(self, step: Calling, now: Samples) -> None:
        self._step, self._since = step, now
        self._note(now, step.value.name, step.value.clause)


class CallIndicator:
    """CI: tells an answering end what is calling before it has sent anything (§7.1, optional).

    Args:
        level_dbm0: Level sent.
        function: What is calling.
    """

    ON = samples(0.4)
    """Four sequences; three at least, 2 s at most."""

    PERIOD = ON + samples(1.6)
    """Off for 0.4 … 2 s."""

    def __init__(self, level_dbm0: float, function: CallFunction = CallFunction.DATA) -> None:
        self._level_dbm0 = level_dbm0
        self._sequence = sequence(bytes((Category.CALL_FUNCTION | function << 5,)), SYNC_CI)
        self._sender: RepeatingSender | None = None
        self._at: Samples = 0

    def send(self, count: int) -> Audio:
        """Return the next `count` samples."""
        out = np.zeros(count, np.float32)
        at = 0
        while at < count:
            if self._at == 0:
                self._sender = RepeatingSender(Role.CALLING, self._level_dbm0, self._sequence)
            speaks = self._at < self.ON
            size = min(count - at, (self.ON if speaks else self.PERIOD) - self._at)
            if speaks and self._sender is not None:
                out[at : at + size] = self._sender.send(size)
            at += size
            self._at = (self._at + size) % self.PERIOD
        return out
