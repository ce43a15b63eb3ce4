"""The answering modem's procedure: the answer sequence, then one modulation after the other.

The order is that of V.32bis (02/91) Annex A: the modulations whose callers wait for the answering end's
signal are offered for T_a = 3 s each, the fastest first; those it does not name (V.21, Bell 103) follow.
All of them listen all the time, so a caller that speaks first is recognised whatever is being offered.

The times of the answer sequence are at the short end of what V.25 (10/96) permits, because a caller waits.
"""

from collections.abc import Callable
from enum import Enum

from ansam.modulation.automode.candidates import Candidates, is_fsk
from ansam.modulation.base import ModulationOptions
from ansam.tones.v25 import ANSWER_GAP, ANSWER_SILENCE, ANSWER_TONE_LENGTH, AnswerTone
from ansam.units import Audio, Samples, samples

TURN = samples(3.0)
"""How long one modulation is offered: T_a of V.32bis (02/91) §A.2.2."""

BELL_TURN = samples(6.0)
"""Bell 103 longer, since a caller must be sure that 2225 Hz is no answer tone (V.25: 4 s at most)."""

Note = Callable[[Samples, str, str], None]


class Step(Enum):
    """Where the procedure stands."""

    SILENCE = "silence before the answer tone"
    ANSWER_TONE = "answer tone"
    GAP = "silence after the answer tone"
    OFFER = "one modulation after the other"


class Answering:
    """Decides what to send; see the module.

    Args:
        candidates: Of this call.
        options: `bell`, `answer_tone` and the level.
        note: Called at each step with (now, name, clause).
    """

    def __init__(self, candidates: Candidates, options: ModulationOptions, note: Note) -> None:
        self._candidates, self._options, self._note = candidates, options, note
        self._step = Step.SILENCE
        self._until: Samples = 0
        self._turn = 0
        self._tone = AnswerTone(options.tx_level_dbm0, options.bell)
        self._work = {
            Step.SILENCE: self._silence,
            Step.ANSWER_TONE: self._answer_tone,
            Step.GAP: self._gap,
            Step.OFFER: self._offer,
        }

    def start(self, now: Samples) -> None:
        """Begin: off hook, and a talking path."""
        self._enter(Step.SILENCE, now, ANSWER_SILENCE, "silence", "V.25 (10/96) §4.3")

    def tone(self, count: int) -> Audio | None:
        """Return the answer tone while it is sent; otherwise the candidate on the line has the word."""
        return self._tone.generate(count) if self._step is Step.ANSWER_TONE else None

    def decide(self, now: Samples) -> str | None:
        """Take the decisions of one hop; return the name of the modulation to be, once known."""
        return self._work[self._step](now)

    def _silence(self, now: Samples) -> str | None:
        if now < self._until:
            return None
        for name in self._candidates.names:
            self._candidates.listen(name, now)
        if not self._options.answer_tone:
            return self._begin_offer(now)
        name = "2225 Hz" if self._options.bell else "ANS"
        self._enter(Step.ANSWER_TONE, now, ANSWER_TONE_LENGTH, name, "V.25 (10/96) §4.3")
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
