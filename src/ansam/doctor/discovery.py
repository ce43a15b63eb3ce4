"""Who is there? An echo, a modem that answers, a voice, or nobody.

```
 t     0    0.3 s          1.8 s          3.3 s  …
 we    │    knock          knock          knock          and listen all the time
 echo  │      └─ comes back └─ comes back ─────────► ECHO (two of them, 1.9 s at least)
 modem │          2100 Hz (V.25 §5: 1.8 to 2.5 s after the answer) ─────► MODEM; nobody knocks any more
```

A hybrid on the far side returns a knock too, but weaker; so a weak return counts as an echo test only when no
modem has answered for `PATIENCE`. While somebody speaks (a prompt before the echo) we go on knocking.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from ansam.doctor.probe import KNOCK, KNOCK_LENGTH, analytic_knock
from ansam.dsp.goertzel import ToneMeter
from ansam.tones.v25 import ANSWER_TONE_HZ, AnswerToneDetector
from ansam.units import FRAME, Audio, Samples, dbm0_from_power, samples

FIRST_KNOCK: Samples = samples(0.3)
KNOCK_PERIOD: Samples = samples(1.5)
LONGEST: Samples = samples(30.0)
"""A prompt in front of an echo may be this long."""
QUIET_LONGEST: Samples = samples(12.0)
"""Without any sound there will be none: V.25 gives an answering modem 2.5 s."""
PATIENCE: Samples = samples(6.0)
DECIDE: Samples = samples(1.9)

ALIKE = 0.6
"""Likeness of a return to the knock; speech and modems stay below 0.4."""
STRONG_DB = -6.0
RETURNS = 2
TONE_HOPS = 40
"""400 ms of 2100 Hz: no knock, prompt or ringing tone."""
LOUD_DBM0 = -45.0
LOUD_FRAMES = 15
"""Frames of sound that are no noise on the line: 0.3 s."""


class Far(Enum):
    """What the far end is."""

    ECHO = "echo test"
    MODEM = "answering modem"
    VOICE = "voice, prompt or tone"
    SILENCE = "nothing"


@dataclass(frozen=True, slots=True)
class Return:
    """A knock that came back.

    Attributes:
        delay: Since it was sent, samples.
        gain: Factor.
    """

    delay: Samples
    gain: float


class KnockEar:
    """A matched filter for the knock.

    Attributes:
        found: The best return since `restart`, or None.
    """

    def __init__(self) -> None:
        wave = analytic_knock()
        self._energy = float(np.sum(np.abs(wave) ** 2)) / 2
        self._size = 2048
        self._spectrum = np.conj(np.fft.fft(wave, self._size))
        self._heard: Audio = np.zeros(KNOCK_LENGTH, np.float32)
        self._new: list[Audio] = []
        self._count = 0
        self._since: Samples = 0
        self._best = ALIKE
        self.found: Return | None = None

    def restart(self) -> None:
        """A knock begins with the next sample."""
        self._since, self._best, self.found = 0, ALIKE, None

    def hear(self, rx: Audio) -> None:
        """Take samples, shape (n,)."""
        self._new.append(rx)
        self._count += len(rx)
        self._since += len(rx)
        while self._count >= FRAME:
            joined = np.concatenate(self._new)
            self._new, self._count = [joined[FRAME:]], self._count - FRAME
            self._filter(joined[:FRAME], self._since - self._count)

    def _filter(self, frame: Audio, end: Samples) -> None:
        """Look at the places that the newest frame completes; `end` is its end, since the knock began."""
        self._heard = np.concatenate((self._heard, frame))[-(KNOCK_LENGTH + FRAME) :]
        spectrum = np.fft.fft(self._heard, self._size) * self._spectrum
        products = np.abs(np.fft.ifft(spectrum)[: len(self._heard) - KNOCK_LENGTH])
        square = np.concatenate(([0.0], np.cumsum(self._heard.astype(np.float64) ** 2)))
        energy = (square[KNOCK_LENGTH:] - square[:-KNOCK_LENGTH])[: products.size]
        # A knock 50 dB down is not worth finding: rounding must not look like one.
        alike = products / np.sqrt(np.maximum(energy, 1e-5 * self._energy) * self._energy)
        at = int(alike.argmax())
        delay = end - len(self._heard) + at
        if delay > 0 and alike[at] > self._best:
            self._best = float(alike[at])
            self.found = Return(delay, float(products[at]) / self._energy)


class Discovery:
    """Knocks and listens until it is clear who is there.

    Attributes:
        far: What the far end is, once that is known.
        returns: Knocks that came back, in order.
    """

    def __init__(self) -> None:
        self.far: Far | None = None
        self.returns: list[Return] = []
        self._ear = KnockEar()
        self._meter = ToneMeter((ANSWER_TONE_HZ,))
        self._tone = AnswerToneDetector(self._meter, 0)
        self._at: Samples = 0
        self._knocked: Samples | None = None
        self._loud = 0
        self._spoken = False

    @property
    def answer_tone(self) -> bool:
        """Whether an answer tone has been heard for long enough."""
        return self._tone.hops >= TONE_HOPS

    @property
    def gain(self) -> float:
        """Factor of the strongest return; 0 without one."""
        return max((one.gain for one in self.returns), default=0.0)

    def process(self, rx: Audio, erased: bool = False) -> Audio:
        """Take samples and return as many to send, shape (n,)."""
        rx = np.zeros(len(rx), np.float32) if erased else rx
        out = np.zeros(len(rx), np.float32)
        at = 0
        while at < len(rx):
            # Knocks begin between frames of our own count, so that a lost packet costs the least.
            count = min(len(rx) - at, FRAME - self._at % FRAME)
            self._frame(rx[at : at + count], out[at : at + count], erased)
            at += count
        return out

    def listen(self, rx: Audio, erased: bool = False) -> None:
        """Go on listening for an answer tone, without a knock."""
        self._listen(np.zeros(len(rx), np.float32) if erased else rx, erased)

    def _frame(self, rx: Audio, out: Audio, erased: bool) -> None:
        if self._at % FRAME == 0:
            self._knock()
        if self._knocked is not None:
            place = self._at - self._knocked
            piece = KNOCK[place : place + len(out)]
            out[: len(piece)] = piece
        self._ear.hear(rx)
        self._listen(rx, erased)
        self._at += len(rx)
        if self._at % FRAME == 0:
            self._judge(rx)

    def _knock(self) -> None:
        due = FIRST_KNOCK if self._knocked is None else self._knocked + KNOCK_PERIOD
        if self._at < due:
            return
        self._take_return()
        if self._tone.hops:
            return
        self._knocked = self._at
        self._ear.restart()

    def _take_return(self) -> None:
        if self._knocked is not None and self._ear.found is not None:
            self.returns.append(self._ear.found)
            self._ear.restart()

    def _listen(self, rx: Audio, erased: bool) -> None:
        at = 0
        while at < len(rx):
            count = min(self._meter.room(), len(rx) - at)
            if self._meter.feed(rx[at : at + count], erased):
                self._tone.update()
            at += count

    def _judge(self, rx: Audio) -> None:
        """Decide, where something is certain."""
        if self.far is not None:
            return
        returned = self._ear.found is not None
        loud = dbm0_from_power(float(np.mean(np.square(rx, dtype=np.float64)))) > LOUD_DBM0
        self._loud = self._loud + 1 if loud and not returned else 0
        self._spoken |= self._loud > LOUD_FRAMES
        if self.answer_tone:
            self.far = Far.MODEM
        elif self._echoes():
            self._take_return()
            self.far = Far.ECHO
        elif self._at >= (LONGEST if self._spoken else QUIET_LONGEST):
            self._take_return()
            self.far = Far.ECHO if self.returns else Far.VOICE if self._spoken else Far.SILENCE

    def _echoes(self) -> bool:
        """Whether knocks come back as from an echo test."""
        returns = [*self.returns, self._ear.found] if self._ear.found else self.returns
        if len(returns) < RETURNS or self._at < DECIDE or not self._ear.found:
            return False
        strong = 20 * np.log10(max(one.gain for one in returns[-RETURNS:])) >= STRONG_DB
        # The newest must have come wholly: its best place is known a frame later.
        whole = self._knocked is not None and self._at >= self._knocked + returns[-1].delay + 2 * KNOCK_LENGTH
        return whole and (strong or self._at >= PATIENCE)
