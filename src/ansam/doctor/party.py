"""The doctor on a call: a `Party` that finds out who answered, examines it, and says when to hang up.

```
 DISCOVERY ──echo──► ECHO: programme, then its tail ──► DONE
     │  └──answer tone──► MODEM: CONNECT, hold, DISC ──► DONE
     └──voice, nothing──► DONE                 (an answer tone in the programme's silence: MODEM after all)
```
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from ansam.codec.g711 import Law
from ansam.doctor.discovery import Discovery, Far
from ansam.doctor.echo import Echoed, EchoFindings
from ansam.doctor.modem import ModemFindings, ModemTrial, Stage
from ansam.doctor.probe import Part, Programme
from ansam.doctor.recording import Recording
from ansam.errors import ConfigError
from ansam.path.watch import PathWatch
from ansam.trace import Sink, null_sink
from ansam.units import FRAME, SAMPLE_RATE, Audio, Samples, samples

SHORTEST, LONGEST = 2.0, 100.0
TAIL: Samples = samples(0.6)
"""After the programme, on top of the knock's delay: buffers may have grown."""


class Step(Enum):
    """Where the examination stands."""

    DISCOVERY = "who is there?"
    ECHO = "the programme is sent"
    MODEM = "our modem calls"
    DONE = "hang up"


@dataclass(frozen=True, slots=True)
class Findings:
    """What came of an examination.

    Attributes:
        far: What the far end is.
        echo: Figures of an echo test; None where there was none or nothing of it can be used.
        modem: Figures of a call to a modem; None where there was none.
        hybrid: (delay, factor) of knocks that came back weakly from a modem's line; None: none did.
        seconds: Of talking path.
        cut_short: The far end hung up before the examination was over.
    """

    far: Far
    echo: EchoFindings | None = None
    modem: ModemFindings | None = None
    hybrid: tuple[Samples, float] | None = None
    seconds: float = 0.0
    cut_short: bool = False


class Examination:
    """One examination of one call.

    Args:
        law: Of our side of the call: A-law or µ-law.
        seconds: Length of the long noise, or of the time a modem connection is held.
        seed: Of the noise.
        trace: Sink of the modem's events.

    Attributes:
        step: Where it stands; `Step.DONE`: hang up.

    Raises:
        ConfigError: The length is out of range, or the law has no octets.
    """

    def __init__(self, law: Law, seconds: float = 10.0, seed: int = 1, trace: Sink = null_sink) -> None:
        if not SHORTEST <= seconds <= LONGEST:
            raise ConfigError(f"--seconds {seconds:g}", f"choose {SHORTEST:g} to {LONGEST:g}")
        if seed < 0:
            raise ConfigError(f"--seed {seed}", "choose 0 or more")
        if law is Law.LINEAR:
            raise ConfigError("a linear circuit has no octets to examine", "choose alaw or ulaw")
        self.step = Step.DISCOVERY
        self._law = law
        self._recording = Recording()
        self._discovery = Discovery()
        self._trial: ModemTrial | None = ModemTrial(samples(seconds), trace)
        self._watch = PathWatch(law)
        self._programme = Programme.make(samples(seconds), np.random.default_rng(seed))
        self._start: Samples = 0
        self._at: Samples = 0
        self._cut_short = False

    @property
    def done(self) -> bool:
        """Whether there is nothing more to find out."""
        return self.step is Step.DONE

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Exchange audio; see `Party.process`."""
        out = np.zeros(len(rx), np.float32)
        at = 0
        while at < len(rx):
            # Steps change between frames of our own count: what is sent then fills whole packets.
            count = min(len(rx) - at, FRAME - self._at % FRAME)
            out[at : at + count] = self._piece(rx[at : at + count], erased)
            at += count
        return out

    def _piece(self, rx: Audio, erased: bool) -> Audio:
        if self.step is Step.DISCOVERY:
            tx = self._discover(rx, erased)
        elif self.step is Step.ECHO:
            tx = self._play(rx, erased)
        elif self.step is Step.MODEM:
            tx = self._call(rx, erased)
        else:
            return np.zeros(len(rx), np.float32)
        self._recording.add(tx, rx, erased)
        self._at += len(rx)
        if self._at % FRAME == 0:
            self._move_on()
        return tx

    def _discover(self, rx: Audio, erased: bool) -> Audio:
        tx = self._discovery.process(rx, erased)
        if self._trial is not None:
            tx = tx + self._trial.process(rx, erased)
        self._watch_over(tx, rx, erased)
        return tx

    def _play(self, rx: Audio, erased: bool) -> Audio:
        place = self._at - self._start
        tx = np.zeros(len(rx), np.float32)
        piece = self._programme.audio[place : place + len(rx)]
        tx[: len(piece)] = piece
        if place < self._programme.sections[Part.SILENCE].end and self._trial is not None:
            self._discovery.listen(rx, erased)
            tx = tx + self._trial.process(rx, erased)
        return tx

    def _call(self, rx: Audio, erased: bool) -> Audio:
        assert self._trial is not None
        tx = self._trial.process(rx, erased)
        self._watch_over(tx, rx, erased)
        return tx

    def _watch_over(self, tx: Audio, rx: Audio, erased: bool) -> None:
        self._watch.receive(self._law.encode(rx), erased)
        self._watch.send(self._law.encode(tx))
        if self._trial is not None and self._at % SAMPLE_RATE < len(rx):
            self._watch.note_modem(self._trial.facts())

    def _move_on(self) -> None:
        """Change the step where it is time to."""
        if self.step is Step.DISCOVERY:
            speaks = self._trial is not None and self._trial.speaks
            far = Far.MODEM if speaks else self._discovery.far
            if far is Far.MODEM:
                self.step = Step.MODEM
            elif far is Far.ECHO:
                self.step, self._start = Step.ECHO, self._at
            elif far is not None:
                self.step = Step.DONE
        elif self.step is Step.ECHO:
            place = self._at - self._start
            silent = place <= self._programme.sections[Part.SILENCE].end
            if silent and (self._discovery.answer_tone or (self._trial is not None and self._trial.speaks)):
                self.step = Step.MODEM
            elif not silent:
                self._trial = None
            if place >= len(self._programme.audio) + self._delay + TAIL:
                self.step = Step.DONE
        elif self._trial is not None and self._trial.stage is Stage.OVER:
            self.step = Step.DONE

    @property
    def _delay(self) -> Samples:
        return max((one.delay for one in self._discovery.returns), default=0)

    def far_end_hung_up(self) -> None:
        """The far end ended the call."""
        if self.step is Step.DONE:
            return
        # A modem that has been told goodbye hangs up first.
        leaving = self._trial is not None and self._trial.stage in (Stage.LEAVING, Stage.OVER)
        self._cut_short = not (self.step is Step.MODEM and leaving)
        if self.step is Step.MODEM and self._trial is not None:
            self._trial.far_end_hung_up()
        self.step = Step.DONE

    def findings(self) -> Findings:
        """Return what came of it; takes a second of CPU after an echo test."""
        seconds = self._at / SAMPLE_RATE
        returns = self._discovery.returns
        if self._trial is None:
            echoed = Echoed(self._law, self._recording, self._programme, self._start)
            return Findings(Far.ECHO, echo=echoed.evaluate(), seconds=seconds, cut_short=self._cut_short)
        hybrid = (returns[-1].delay, self._discovery.gain) if returns else None
        called = self._trial.speaks or self._trial.stage is Stage.OVER
        if called or self._discovery.far is Far.MODEM:
            trial = self._trial.findings(tuple(self._watch.findings))
            return Findings(Far.MODEM, None, trial, hybrid, seconds, self._cut_short)
        far = self._discovery.far or Far.SILENCE
        return Findings(far, hybrid=hybrid, seconds=seconds, cut_short=self._cut_short)
