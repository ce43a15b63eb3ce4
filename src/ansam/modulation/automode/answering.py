"""The answering modem's procedure: V.8, or the answer sequence, then one modulation after the other.

ANSam is an answer tone too, so a caller that does not speak V.8 loses nothing: after 4 s of it (V.8 (11/2000)
§8.2.2) everything goes on as after V.25's.

The order is that of V.32bis (02/91) Annex A: the modulations whose callers wait for the answering end's
signal are offered for T_a = 3 s each, the fastest first; those it does not name (V.21, Bell 103) follow.
All of them listen all the time, so a caller that speaks first is recognised whatever is being offered.

The times of the answer sequence are at the short end of what V.25 (10/96) permits, because a caller waits.
"""

from enum import Enum

from ansam.modulation.automode.candidates import Candidates, is_fsk
from ansam.modulation.automode.offer import name_of, our_menu, without_code
from ansam.modulation.base import ModulationOptions
from ansam.modulation.v8.answering import ANSAM_SILENCE, AnsweringExchange
from ansam.modulation.v8.exchange import Note, Outcome, Result
from ansam.tones.v25 import ANSWER_GAP, ANSWER_SILENCE, ANSWER_TONE_LENGTH, AnswerTone
from ansam.trace import Sink
from ansam.units import Audio, Samples, samples

TURN = samples(3.0)
"""How long one modulation is offered: T_a of V.32bis (02/91) §A.2.2."""

BELL_TURN = samples(6.0)
"""Bell 103 longer, since a caller must be sure that 2225 Hz is no answer tone (V.25: 4 s at most)."""


class Step(Enum):
    """Where the procedure stands."""

    SILENCE = "silence before the answer tone"
    V8 = "ANSam, and what follows from it"
    ANSWER_TONE = "answer tone"
    GAP = "silence after the answer tone"
    OFFER = "one modulation after the other"


class Answering:
    """Decides what to send; see the module.

    Args:
        candidates: Of this call.
        options: `v8`, `lapm`, `bell`, `answer_tone` and the level.
        note: Called at each step with (now, name, clause).
        trace: Takes V.8's octets.

    Attributes:
        failure: Why nothing can come of this call, or "".
    """

    def __init__(self, candidates: Candidates, options: ModulationOptions, note: Note, trace: Sink) -> None:
        self.failure = ""
        menu = None if options.bell or not options.answer_tone else our_menu(candidates.names, options)
        self._v8 = AnsweringExchange(menu, options, note, trace) if menu else None
        self._candidates, self._options, self._note = candidates, options, note
        self._step = Step.SILENCE
        self._until: Samples = 0
        self._turn = 0
        self._tone = AnswerTone(options.tx_level_dbm0, options.bell)
        self._work = {
            Step.SILENCE: self._silence,
            Step.V8: self._negotiate,
            Step.ANSWER_TONE: self._answer_tone,
            Step.GAP: self._gap,
            Step.OFFER: self._offer,
        }

    def start(self, now: Samples) -> None:
        """Begin: off hook, and a talking path."""
        if self._v8 is not None:
            self._enter(Step.SILENCE, now, ANSAM_SILENCE, "silence", "V.8 (11/2000) §8.2")
        else:
            self._enter(Step.SILENCE, now, ANSWER_SILENCE, "silence", "V.25 (10/96) §4.3")

    @property
    def v8(self) -> Result:
        """What V.8 brought about."""
        return Result() if self._v8 is None else self._v8.result

    def hear(self, rx: Audio, erased: bool) -> None:
        """Take received samples."""
        if self._v8 is not None and self._step is Step.V8:
            self._v8.hear(rx, erased)

    def tone(self, count: int) -> Audio | None:
        """Return what V.8 or the answer tone sends; None: the candidate on the line has the word."""
        if self._v8 is not None and self._step is Step.V8:
            return self._v8.send(count)
        return self._tone.generate(count) if self._step is Step.ANSWER_TONE else None

    def decide(self, now: Samples) -> str | None:
        """Take the decisions of one hop; return the name of the modulation to be, once known."""
        return self._work[self._step](now)

    def _silence(self, now: Samples) -> str | None:
        if now < self._until:
            return None
        if self._v8 is not None:
            for name in self._candidates.fsk:
                self._candidates.listen(name, now)
            self._step = Step.V8
            self._v8.start(now)
            return None
        for name in self._candidates.names:
            self._candidates.listen(name, now)
        if not self._options.answer_tone:
            return self._begin_offer(now)
        name = "2225 Hz" if self._options.bell else "ANS"
        self._enter(Step.ANSWER_TONE, now, ANSWER_TONE_LENGTH, name, "V.25 (10/96) §4.3")
        return None

    def _negotiate(self, now: Samples) -> str | None:
        """V.8 has the line.

        A caller of V.21 may be heard during ANSam (§8.2.2). Those that train do not listen yet: their callers
        wait for unscrambled ones, and CM over a bad line can look like S1.
        """
        exchange = self._v8
        if exchange is None:
            return None
        outcome = exchange.decide(now)
        called = self._candidates.seen()
        if called and (exchange.hearing or exchange.result.received is not None):
            self._candidates.listen(called, now)  # CM over a bad line looked like a mark
            called = None
        if (called and outcome is None) or outcome is Outcome.NOT_SPOKEN:
            self._enter(Step.GAP, now, ANSWER_GAP, "silence", "V.8 (11/2000) §8.2.2")
        elif outcome is not None:
            return self._follow(exchange.result, now)
        return None

    def _follow(self, result: Result, now: Samples) -> str | None:
        """V.8 is over: return the mode agreed on, or go on with what V.8 has no code for."""
        if result.mode is not None:
            name = name_of(result.mode, self._candidates.names)
            self._candidates.listen(name, now)
            return name
        remaining = without_code(self._candidates.names)
        if remaining:
            self._candidates.keep(remaining)
            return self._begin_offer(now)
        self.failure = f"V.8: no modulation in common: {result.describe()}"
        return None

    def _answer_tone(self, now: Samples) -> str | None:
        """A caller may be heard already.

        After 2100 Hz that is a *calling station response*: the tone ends, and the gap follows (V.25 (10/96)
        §4.3). 2225 Hz is itself a signal that callers of the Bell family answer, so no gap there.
        """
        seen = self._candidates.seen()
        if seen and (self._options.bell or not is_fsk(seen)):
            return seen
        if seen or now >= self._until:
            self._enter(Step.GAP, now, ANSWER_GAP, "silence", "V.25 (10/96) §4.4")
        return None

    def _gap(self, now: Samples) -> str | None:
        return self._begin_offer(now) if now >= self._until else None

    def _begin_offer(self, now: Samples) -> str | None:
        self._step, self._until = Step.OFFER, now
        if self._v8 is not None:
            for name in self._candidates.trained:
                self._candidates.listen(name, now)
        return self._offer(now)

    def _offer(self, now: Samples) -> str | None:
        seen = self._candidates.seen()
        if seen is None and now >= self._until:
            name = self._candidates.names[self._turn % len(self._candidates.names)]
            self._turn += 1
            self._until = now + (BELL_TURN if name == "Bell 103" else TURN)
            self._candidates.put_on_air(name, now)
            self._note(now, f"offers {name}", "V.32bis (02/91) §A.2.2")
        return seen

    def _enter(self, step: Step, now: Samples, lasts: Samples, name: str, clause: str) -> None:
        self._step, self._until = step, now + lasts
        self._note(now, name, clause)
