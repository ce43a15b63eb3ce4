"""The answering modem's procedure: V.8, or the answer sequence, then one modulation after the other.

ANSam is an answer tone too, so a caller that does not speak V.8 loses nothing: after 4 s of it (V.8 (11/2000)
§8.2.2) everything goes on as after V.25's.

The order is that of V.32bis (02/91) Annex A: unscrambled ones of V.22bis for T_a = 3 s, then AC of V.32bis;
those it does not name (V.21, Bell 103) follow. All of them listen all the time, so a caller that speaks first
is recognised whatever is being offered: AA heard during the answer tone ends it. Only AA that begins to be
heard during unscrambled ones waits for AC's turn, because a caller that hears these may turn to V.22bis
(§A.2.1.3).

The times of the answer sequence are at the short end of what V.25 (10/96) permits, because a caller waits.
"""

from enum import Enum

from ansam.modulation.automode.candidates import Candidates, is_fsk
from ansam.modulation.automode.offer import name_of, our_menu, without_code, without_v8
from ansam.modulation.base import ModulationOptions, StepMissed
from ansam.modulation.v8.answering import ANSAM_SILENCE, AnsweringExchange
from ansam.modulation.v8.exchange import Note, Outcome, Result
from ansam.tones.v25 import ANSWER_GAP, ANSWER_SILENCE, ANSWER_TONE_LENGTH, AnswerTone
from ansam.trace import Sink
from ansam.units import Audio, Samples, samples

TURN = samples(3.0)
"""How long one modulation is offered: T_a of V.32bis (02/91) §A.2.2."""

LONG_ANSWER_TONE = samples(3.3)
"""The middle of what V.25 (10/96) §4.3 permits: AA comes after 1 s of it and a whole round trip, and must not
miss its end."""

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
        missed: What did not come, though something else may; the owner takes it.
    """

    def __init__(self, candidates: Candidates, options: ModulationOptions, note: Note, trace: Sink) -> None:
        self.failure = ""
        self.missed: list[StepMissed] = []
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
        if self._v8 is None and not self._candidates.offers:
            self.failure = without_v8(self._candidates.names)
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
            for name in (*self._candidates.openers, *self._candidates.fsk):
                self._candidates.listen(name, now)
            self._step = Step.V8
            self._v8.start(now)
            return None
        for name in self._candidates.offers:
            self._candidates.listen(name, now)
        if not self._options.answer_tone:
            return self._begin_offer(now)
        name = "2225 Hz" if self._options.bell else "ANS"
        length = LONG_ANSWER_TONE if self._candidates.openers else ANSWER_TONE_LENGTH
        self._enter(Step.ANSWER_TONE, now, length, name, "V.25 (10/96) §4.3")
        return None

    def _negotiate(self, now: Samples) -> str | None:
        """V.8 has the line.

        A caller of V.21 or V.32bis may be heard during ANSam (§8.2.2). V.22bis does not listen yet: its
        callers wait for unscrambled ones, and CM over a bad line can look like S1.
        """
        exchange = self._v8
        if exchange is None:
            return None
        outcome = exchange.decide(now)
        called = self._candidates.seen()
        if called and (exchange.hearing or exchange.result.received is not None):
            self._candidates.listen(called, now)  # CM over a bad line looked like it
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
        opens = seen in self._candidates.openers
        if seen and not opens and (self._options.bell or not is_fsk(seen)):
            return seen
        if seen or now >= self._until:
            self._enter(Step.GAP, now, ANSWER_GAP, "silence", "V.25 (10/96) §4.4")
        return None

    def _gap(self, now: Samples) -> str | None:
        return self._begin_offer(now) if now >= self._until else None

    def _begin_offer(self, now: Samples) -> str | None:
        self._step, self._until = Step.OFFER, now
        if not self._candidates.offers:
            self.failure = without_v8(self._candidates.names)
            return None
        if self._v8 is not None:
            for name in self._candidates.trained:
                self._candidates.listen(name, now)
        return self._offer(now)

    def _offer(self, now: Samples) -> str | None:
        """Offer one after the other, until a caller is heard.

        What is still sent of unscrambled ones has an echo: an 1800 Hz guard tone comes back as AA. So V.32bis
        hears anew when its turn comes.
        """
        candidates = self._candidates
        waits = candidates.on_air in candidates.trained
        seen = candidates.seen(candidates.openers if waits else ())
        if seen is None and now >= self._until:
            name = self._next_offer()
            self._until = now + self._turn_of(name)
            if name in candidates.openers:
                candidates.listen(name, now)
            candidates.put_on_air(name, now)
            self._note(now, f"offers {name}", "V.32bis (02/91) §A.2.2")
        return seen

    def _next_offer(self) -> str:
        """Return whose turn it is; V.32bis has none where S28 says so, unless there is nothing else."""
        candidates, without = self._candidates, not self._options.ac_time
        offers = [n for n in candidates.offers if not (without and n in candidates.openers)]
        offers = offers or list(candidates.offers)
        name = offers[self._turn % len(offers)]
        self._turn += 1
        return name

    def _turn_of(self, name: str) -> Samples:
        if name in self._candidates.openers:
            return max(TURN, self._options.ac_time)
        return BELL_TURN if name == "Bell 103" else TURN

    def _enter(self, step: Step, now: Samples, lasts: Samples, name: str, clause: str) -> None:
        self._step, self._until = step, now + lasts
        self._note(now, name, clause)
