"""The calling modem's procedure: silent until the far end shows what it is (V.32bis (02/91) §A.2.1).

ANSam says that it speaks V.8: `v8.calling` has the line then. Meanwhile the modulations that train listen for
the far end's own signals from the end of its tone on, in case it does not answer CM after all.

V.32bis answers a plain answer tone with AA once that has lasted 1 s, and goes on with it until AC (V.32bis)
or unscrambled ones (V.22bis) are heard (V.32bis (02/91) §A.2.1.3). Where less than 800 ms of tone followed
AA, or none was heard at all, an answering end may not have heard it: unscrambled ones then count only if they
are still there after T_c, because AC may follow them.

2225 Hz is ambiguous. It is the answer tone of Bell 103 and Bell 212A modems, and it is the mark of Bell
103. So a caller that has anything else waits for its end: no answer tone is longer than 4 s (V.25 (10/96)
§5), so what goes on is a Bell 103 mark. When it ends it was an answer tone, unscrambled ones or another
mark come next, and V.22 begins anew. After an answer tone, 2225 Hz is a mark at once. Unscrambled ones have
a line at 2250 Hz; the tone meter tells the two apart. A caller without Bell 103 leaves a 2225 Hz tone that
goes on to V.22, since some of its modems send that in place of unscrambled ones (V.22bis (11/88)
§6.3.1.2.2, Note).

A caller that has frequency shift only sends its mark once the answer tone has ended, as V.25 (10/96) §5 has
any modem do: an answering modem of many modulations need not go through them all.
"""

from collections.abc import Callable
from enum import Enum
from functools import partial

from ansam.dsp.goertzel import HOP
from ansam.modulation.automode.candidates import Candidates, is_fsk
from ansam.modulation.automode.hearing import Hearing
from ansam.modulation.automode.offer import name_of, our_menu, without_code, without_v8
from ansam.modulation.base import ModulationOptions, StepMissed
from ansam.modulation.v8.calling import CallIndicator, CallingExchange
from ansam.modulation.v8.exchange import Note, Outcome, Result
from ansam.tones.v25 import ANSWER_GAP, ANSWER_TONE_HZ, ANSWER_TONE_LIMIT, BELL_ANSWER_TONE_HZ
from ansam.trace import Sink
from ansam.units import Audio, Samples, samples

CALL_SILENCE = samples(1.0)
"""Before CI (V.8 (11/2000) §8.1.1)."""

BELL_MARK_HOPS = (ANSWER_TONE_LIMIT + samples(0.2)) // HOP
"""Hops of 2225 Hz that can be no answer tone."""

AA_HOPS = samples(1.0) // HOP
"""Hops of answer tone before AA (V.32bis (02/91) §A.2.1.3)."""

AA_HEARD = samples(0.8)
"""So much answer tone after the beginning of AA: the answering end would have shown that it heard it."""

TC = samples(3.11)
"""T_c of §A.2.1.2, more than 3100 ms: longer than an answering modem sends unscrambled ones before AC."""

CYCLE = samples(15.0)
"""An answering modem that offers one modulation after the other has come back to unscrambled ones by then."""

BELL = "Bell 103"

NO_JM = "V.8, CM: ANSam was heard, but no JM came in answer to CM"


class Step(Enum):
    """Where the procedure stands."""

    LISTEN = "silent, listening"
    ANSWER_TONE = "hears 2100 Hz"
    V8 = "has heard ANSam"
    BELL_TONE = "hears 2225 Hz"


class Calling:
    """Decides when to speak; see the module.

    Args:
        candidates: Of this call.
        hearing: The tones of the far end.
        options: `v8`, `v8_ci`, `lapm` and the level.
        note: Called at each step with (now, name, clause).
        trace: Takes V.8's octets.

    Attributes:
        failure: Why nothing can come of this call, or "".
        missed: What did not come, though something else may; the owner takes it.
    """

    def __init__(
        self, candidates: Candidates, hearing: Hearing, options: ModulationOptions, note: Note, trace: Sink
    ) -> None:
        self._candidates, self._hearing, self._note = candidates, hearing, note
        self.failure = ""
        self.missed: list[StepMissed] = []
        menu = our_menu(candidates.names, options)
        self._new_exchange = partial(CallingExchange, menu, options, note, trace) if menu else None
        self._v8: CallingExchange | None = None
        self._indicator = CallIndicator(options.tx_level_dbm0) if menu and options.v8_ci else None
        self._indicates = False
        self._tone_was = True
        self._step = Step.LISTEN
        self._answered = False
        self._bell_first = False
        self._speak_at: Samples | None = None
        self._aa_at: Samples | None = None
        self._no_ac = False
        self._wait_until: Samples | None = None
        self._work: dict[Step, Callable[[Samples], str | None]] = {
            Step.LISTEN: self._listen,
            Step.ANSWER_TONE: self._answer_tone,
            Step.V8: self._negotiate,
            Step.BELL_TONE: self._bell_tone,
        }

    def start(self, now: Samples) -> None:
        """Begin: everything listens; only Bell 103 waits, unless 2225 Hz can mean nothing else."""
        for name in self._candidates.offers:
            if name != BELL or len(self._candidates.names) == 1:
                self._candidates.listen(name, now)
        if not self._candidates.offers and self._new_exchange is None:
            self.failure = without_v8(self._candidates.names)
        self._indicate_at = now + CALL_SILENCE
        self._note(now, "silence", "V.32bis (02/91) §A.2.1")

    @property
    def v8(self) -> Result:
        """What V.8 brought about."""
        return Result() if self._v8 is None else self._v8.result

    def hear(self, rx: Audio, erased: bool) -> None:
        """Take received samples."""
        if self._v8 is not None and self._step is Step.V8:
            self._v8.hear(rx, erased)

    def tone(self, count: int) -> Audio | None:
        """Return what V.8 sends; None: the candidate on the line, if any, has the word."""
        if self._v8 is not None and self._step is Step.V8:
            return self._v8.send(count)
        if self._indicator is not None and self._indicates:
            return self._indicator.send(count)
        return None

    def decide(self, now: Samples) -> str | None:
        """Take the decisions of one hop; return the name of the modulation to be, once known."""
        return self._work[self._step](now)

    def _far_end(self, now: Samples) -> str | None:
        """Return who the far end is, once that is certain; unscrambled ones alone may not suffice.

        Who has heard them does not fall for the mark that the far end offers next, and slow as it is.
        """
        seen = self._candidates.seen()
        if seen and is_fsk(seen) and self._wait_until is not None and now < self._wait_until + CYCLE:
            self._no_ac = True
            return None
        if seen not in self._candidates.trained or not self._candidates.openers or self._no_ac:
            return seen
        if self._wait_until is None:
            self._wait_until = now + TC
            self._note(now, "T_c", "V.32bis (02/91) §A.2.1.2")
        elif now >= self._wait_until:
            self._no_ac = True
            for name in self._candidates.trained:
                self._candidates.listen(name, now)
        return None

    def _listen(self, now: Samples) -> str | None:
        seen = self._far_end(now)
        if seen:
            return seen
        self._indicate(now)
        if self._hearing.hops(ANSWER_TONE_HZ):
            self._begin_answer_tone(now)
        elif self._hearing.hops(BELL_ANSWER_TONE_HZ) and not self._answered:
            self._begin_bell_tone(now)
        elif self._speak_at is not None and now >= self._speak_at:
            self._speak_first(now)
        return None

    def _indicate(self, now: Samples) -> None:
        """CI, from 1 s on and until an answer tone is heard (V.8 (11/2000) §8.1.1)."""
        wanted = self._indicator is not None and now >= self._indicate_at and not self._answered
        if wanted and not self._indicates:
            self._note(now, "CI", "V.8 (11/2000) §8.1.1")
        self._indicates = wanted

    def _begin_answer_tone(self, now: Samples) -> None:
        """2100 Hz must not be taken for unscrambled ones, so those who wait for these stop listening."""
        self._candidates.put_on_air(None, now)
        for name in self._candidates.trained:
            self._candidates.drop(name)
        self._step, self._speak_at, self._indicates = Step.ANSWER_TONE, None, False
        self._aa_at, self._wait_until, self._no_ac = None, None, False
        self._note(now, "ANS", "V.25 (10/96) §5")

    def _answer_tone(self, now: Samples) -> str | None:
        hops = self._hearing.hops(ANSWER_TONE_HZ)
        if not hops:
            self._end_tone(now)
        elif self._new_exchange is not None and self._hearing.modulated:
            self._candidates.put_on_air(None, now)
            self._aa_at = None
            self._v8 = self._new_exchange()
            self._step, self._tone_was = Step.V8, True
            self._note(now, "ANSam", "V.8 (11/2000) §8.1.1")
            self._v8.start(now)
        elif hops >= AA_HOPS and self._aa_at is None and self._candidates.openers:
            self._aa_at = now
            self._candidates.put_on_air(self._candidates.openers[0], now)
            self._note(now, "AA", "V.32bis (02/91) §A.2.1.3")
        return None

    def _negotiate(self, now: Samples) -> str | None:
        """V.8 has the line; the far end may show that it knows nothing of it."""
        exchange, tone = self._v8, self._hearing.hops(ANSWER_TONE_HZ) > 0
        if exchange is None:
            return None
        if tone is not self._tone_was:
            self._tone_was = tone
            for name in self._candidates.trained:
                self._candidates.drop(name) if tone else self._candidates.listen(name, now)
        outcome = exchange.decide(now, tone)
        mode = exchange.result.mode
        if exchange.result.received is None:
            seen = self._far_end(now)
            if seen and not is_fsk(seen):
                return seen
        if outcome is Outcome.AGREED and mode is not None:
            name = name_of(mode, self._candidates.names)
            self._candidates.listen(name, now)
            return name
        if outcome is Outcome.NOTHING_IN_COMMON:
            remaining = without_code(self._candidates.names)
            if not remaining:
                self.failure = f"V.8: no modulation in common: {exchange.result.describe()}"
                return None
            self._candidates.keep(remaining)
        if outcome is not None:
            if exchange.result.sent is not None:
                self._new_exchange = None  # once is enough
                if outcome is Outcome.NOT_SPOKEN:
                    self.missed.append(StepMissed(NO_JM, "V.8 (11/2000) §8.1.2"))
            self._end_tone(now)
        return None

    def _begin_bell_tone(self, now: Samples) -> None:
        self._step = Step.BELL_TONE
        if self._candidates.trained:
            self._candidates.put_on_air(self._candidates.trained[0], now)
        self._note(now, "2225 Hz", "V.22bis (11/88) §6.3.1.2.2 Note")

    def _bell_tone(self, now: Samples) -> str | None:
        seen = self._candidates.seen()
        if seen:
            return seen
        hops = self._hearing.hops(BELL_ANSWER_TONE_HZ)
        if not hops:
            self._end_tone(now)
        elif hops >= BELL_MARK_HOPS and BELL in self._candidates.names:
            self._candidates.listen(BELL, now)
            return BELL
        return None

    def _end_tone(self, now: Samples) -> None:
        """The answer tone is over: after the gap comes the far end's own signal (V.25 (10/96) §5)."""
        candidates = self._candidates
        if self._aa_at is None:
            candidates.put_on_air(None, now)
        else:
            self._no_ac = now - self._aa_at >= AA_HEARD
        for name in candidates.offers:
            if name != candidates.on_air:
                candidates.listen(name, now)
        if not candidates.offers:
            self.failure = without_v8(candidates.names)
        elif not candidates.trained and not candidates.openers:
            self._speak_at = now + ANSWER_GAP
        self._bell_first = self._step is Step.BELL_TONE
        self._step, self._answered = Step.LISTEN, True
        self._note(now, "silence", "V.25 (10/96) §5")

    def _speak_first(self, now: Samples) -> None:
        self._speak_at = None
        name = sorted(self._candidates.fsk, key=lambda n: (n == BELL) is not self._bell_first)[0]
        self._candidates.put_on_air(name, now)
        self._note(now, f"binary 1 of {name}", "V.25 (10/96) §5")
