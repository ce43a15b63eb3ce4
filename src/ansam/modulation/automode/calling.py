"""The calling modem's procedure: silent until the far end shows what it is (V.32bis (02/91) §A.2.1).

2225 Hz is ambiguous. It is the answer tone of Bell 103 and of Bell 212A modems, it is the mark of Bell 103, and some
V.22 modems send it instead of unscrambled ones (V.22bis (11/88) §6.3.1.2.2, Note). So a caller that has both
lets V.22 answer it first; when that stays without reply for `BELL_PATIENCE` and the tone goes on, the far end is a
Bell 103 modem. When the tone ends it was an answer tone: unscrambled ones come next, and V.22 begins anew. After an
answer tone, 2225 Hz is a mark. Unscrambled ones have a line at 2250 Hz; the tone meter tells the two apart.

A caller that has frequency shift only sends its mark once 2100 Hz has ended, as V.25 (10/96) §5 has any modem do:
an answering modem of many modulations need not go through them all.
"""

from collections.abc import Callable
from enum import Enum

from ansam.modulation.automode.answering import Note
from ansam.modulation.automode.candidates import Candidates
from ansam.modulation.automode.hearing import Hearing
from ansam.tones.v25 import ANSWER_GAP, ANSWER_TONE_HZ, BELL_ANSWER_TONE_HZ
from ansam.units import Samples, samples

BELL_PATIENCE = samples(3.0)
"""For V.22 to be answered over 2225 Hz: 155 + 456 ms until it sends S1 or scrambled ones, 270 ms for these to be
recognised at the far end, as much back here, and two round trips."""

BELL = "Bell 103"


class Step(Enum):
    """Where the procedure stands."""

    LISTEN = "silent, listening"
    ANSWER_TONE = "hears 2100 Hz"
    BELL_TONE = "hears 2225 Hz"


class Calling:
    """Decides when to speak; see the module.

    Args:
        candidates: Of this call.
        hearing: The tones of the far end.
        note: Called at each step with (now, name, clause).
    """

    def __init__(self, candidates: Candidates, hearing: Hearing, note: Note) -> None:
        self._candidates, self._hearing, self._note = candidates, hearing, note
        self._step = Step.LISTEN
        self._answered = False
        self._speak_at: Samples | None = None
        self._bell_until: Samples = 0
        self._work: dict[Step, Callable[[Samples], str | None]] = {
            Step.LISTEN: self._listen,
            Step.ANSWER_TONE: self._answer_tone,
            Step.BELL_TONE: self._bell_tone,
        }

    def start(self, now: Samples) -> None:
        """Begin: everything listens; only Bell 103 waits, where 2225 Hz may still mean something else."""
        for name in self._candidates.names:
            if name != BELL or not self._candidates.trained:
                self._candidates.listen(name, now)
        self._note(now, "silence", "V.32bis (02/91) §A.2.1")

    def tone(self, count: int) -> None:
        """A calling modem sends no tone of its own."""

    def decide(self, now: Samples) -> str | None:
        """Take the decisions of one hop; return the name of the modulation to be, once known."""
        return self._work[self._step](now)

    def _listen(self, now: Samples) -> str | None:
        seen = self._candidates.seen()
        if seen:
            return seen
        if self._hearing.hops(ANSWER_TONE_HZ):
            self._begin_answer_tone(now)
        elif self._hearing.hops(BELL_ANSWER_TONE_HZ) and not self._answered:
            self._begin_bell_tone(now)
        elif self._speak_at is not None and now >= self._speak_at:
            self._speak_first(now)
        return None

    def _begin_answer_tone(self, now: Samples) -> None:
        """2100 Hz must not be taken for unscrambled ones, so those who wait for these stop listening."""
        self._candidates.put_on_air(None, now)
        for name in self._candidates.trained:
            self._candidates.drop(name)
        self._step, self._speak_at = Step.ANSWER_TONE, None
        self._note(now, "ANS", "V.25 (10/96) §5")

    def _answer_tone(self, now: Samples) -> str | None:
        if not self._hearing.hops(ANSWER_TONE_HZ):
            self._end_tone(now)
        return None

    def _begin_bell_tone(self, now: Samples) -> None:
        self._step, self._bell_until = Step.BELL_TONE, now + BELL_PATIENCE
        if self._candidates.trained:
            self._candidates.put_on_air(self._candidates.trained[0], now)
        self._note(now, "2225 Hz", "V.22bis (11/88) §6.3.1.2.2 Note")

    def _bell_tone(self, now: Samples) -> str | None:
        seen = self._candidates.seen()
        if seen:
            return seen
        if not self._hearing.hops(BELL_ANSWER_TONE_HZ):
            self._end_tone(now)
        elif now >= self._bell_until and BELL in self._candidates.names:
            self._candidates.listen(BELL, now)
            return BELL
        return None

    def _end_tone(self, now: Samples) -> None:
        """The answer tone is over: after the gap comes the far end's own signal (V.25 (10/96) §5)."""
        self._candidates.put_on_air(None, now)
        for name in self._candidates.names:
            self._candidates.listen(name, now)
        if self._step is Step.ANSWER_TONE and not self._candidates.trained:
            self._speak_at = now + ANSWER_GAP
        self._step, self._answered = Step.LISTEN, True
        self._note(now, "silence", "V.25 (10/96) §5")

    def _speak_first(self, now: Samples) -> None:
        self._speak_at = None
        name = next((n for n in self._candidates.fsk if n != BELL), BELL)
        self._candidates.put_on_air(name, now)
        self._note(now, f"binary 1 of {name}", "V.25 (10/96) §5")


