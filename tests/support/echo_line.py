"""A four-wire test line with echoes: modem-like signals, echo paths, A-law, and what a canceller leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ansam.codec import Law
from ansam.dsp.echo import EchoCanceller, EchoReport
from ansam.dsp.pulse import windowed_pulse
from ansam.units import FRAME, SAMPLE_RATE, Audio, rms_from_dbm0

Real = NDArray[np.float64]
Echo: TypeAlias = Callable[[Audio], Real]
"""Makes an echo of what is sent."""

V32BIS = (2400.0, 1800.0)
V34 = (8000 * 3 / 7, 1959.0)
"""Symbol rate and carrier."""


def qam(
    rng: np.random.Generator, count: int, signal: tuple[float, float] = V32BIS, dbm0: float = -13.0
) -> Audio:
    """Return `count` samples of QAM with 16 points and 12 % roll-off."""
    baud, carrier = signal
    # After `period` samples the pulses fall on the samples in the same way: 10 at 2400 Bd, 7 at 3429 Bd.
    period = next(
        n for n in range(1, 100) if abs(n * baud / SAMPLE_RATE - round(n * baud / SAMPLE_RATE)) < 1e-6
    )
    t = np.arange(count) * baud / SAMPLE_RATE + 1e-9
    newest = t.astype(int)
    symbols = rng.choice([-3, -1, 1, 3], (newest[-1] + 40, 2)) @ np.array([1, 1j])
    offsets = np.arange(-16, 16)
    table = windowed_pulse((t - newest)[:period, None] - offsets, 0.12, 16, 3.0)
    envelope = np.zeros(count, np.complex128)
    for row in range(period):
        places = newest[row::period, None] + 16 + offsets
        envelope[row::period] = symbols[places] @ table[row]
    wave = (envelope * np.exp(2j * np.pi * carrier * np.arange(count) / SAMPLE_RATE)).real
    out: Audio = (wave * rms_from_dbm0(dbm0) / np.sqrt(np.mean(wave**2))).astype(np.float32)
    return out


def shifted(x: Real, offset_hz: float | Real, phase: float = 0.0) -> Real:
    """Return a signal with all frequencies moved by `offset_hz` (one value, or one per sample)."""
    padded = np.concatenate([x, np.zeros(4096)])
    spectrum = np.fft.fft(padded)
    spectrum[len(padded) // 2 :] = 0
    angle = phase + 2 * np.pi * np.cumsum(np.full(len(x), offset_hz)) / SAMPLE_RATE
    out: Real = 2 * (np.fft.ifft(spectrum)[: len(x)] * np.exp(1j * angle)).real
    return out


HYBRID = np.array(
    [0.0, 0.15, 0.6, 1.0, -0.7, 0.25, 0.3, -0.35, 0.12, 0.1, -0.16, 0.08, 0.03, -0.06, 0.04, -0.02]
)
"""A hybrid's response: 2 ms."""


@dataclass(frozen=True)
class LinePath:
    """One echo: level against what is sent, delay of its beginning, offset, and its own response."""

    level_db: float
    delay: int
    offset_hz: float | Real = 0.0
    response: Real | None = None

    def __call__(self, tx: Audio) -> Real:
        response = np.ones(1) if self.response is None else self.response
        x = np.convolve(tx, response)[: len(tx)]
        if np.any(self.offset_hz):
            x = shifted(x, self.offset_hz, 0.7)
        x = x * (10 ** (self.level_db / 20) * np.sqrt(np.mean(tx**2) / np.mean(x**2)))
        return np.concatenate([np.zeros(self.delay), x])[: len(tx)]


def lose(rng: np.random.Generator, count: int, share: float) -> NDArray[np.bool_]:
    """Return which of `count` samples are lost, whole packets at a time."""
    packets = rng.random(-(-count // FRAME)) < share
    return np.repeat(packets, FRAME)[:count]


def alaw(x: Real) -> Audio:
    return Law.ALAW.through(x.astype(np.float32))


def level_db(x: Real | Audio) -> float:
    """Return a power in dB of full scale."""
    return float(10 * np.log10(np.mean(np.square(x, dtype=np.float64)) + 1e-20))


class EchoCall:
    """One end of a call: training while the far end is silent, then double talk.

    Args:
        paths: Its echoes.
        seconds: Of double talk.
        training: Seconds of training signal; the far end stays silent until it has come back.
        far_db: Level of the far signal against ours.
        signal: Symbol rate and carrier.
        lost: Share of received packets that are lost.
        holes: Share of our own packets that are lost in training.
        seed: Of everything.
        later: Echoes from 5 s of double talk on.
    """

    def __init__(
        self,
        paths: Sequence[Echo],
        seconds: float = 2.0,
        *,
        training: float = 2.0,
        far_db: float = 0.0,
        signal: tuple[float, float] = V32BIS,
        lost: float = 0.0,
        holes: float = 0.0,
        seed: int = 1,
        later: Sequence[Echo] | None = None,
    ) -> None:
        rng = np.random.default_rng(seed)
        delay = max([getattr(path, "delay", 0) for path in paths], default=0)
        trained = round(training * SAMPLE_RATE / FRAME) * FRAME
        self.begin = trained + (delay // FRAME + 1) * FRAME
        count = self.begin + round(seconds * SAMPLE_RATE / FRAME) * FRAME
        self.tx = qam(rng, count, signal)
        self.tx[trained : self.begin] = 0
        self.far_db = far_db
        self.far = qam(rng, count, signal, -13 + far_db)
        self.far[: self.begin] = 0
        sent = self.tx.copy()
        sent[: self.begin][lose(rng, self.begin, holes)] = 0
        self.echo = self._echo(paths, sent)
        if later is not None:
            change = self.begin + 5 * SAMPLE_RATE
            self.echo[change:] = self._echo(later, sent)[change:]
        self.rx = alaw(self.echo + self.far)
        self.erased = lose(rng, count, lost)
        self.out = np.zeros(count, np.float32)
        self.at = 0

    @staticmethod
    def _echo(paths: Sequence[Echo], sent: Audio) -> Real:
        return sum((path(sent) for path in paths), np.zeros(len(sent)))

    def train(self, canceller: EchoCanceller) -> EchoReport:
        canceller.begin_training()
        self.play(canceller, self.begin)
        return canceller.end_training()

    def play(
        self, canceller: EchoCanceller, until: int, guide: float | None = None, age: int = 400
    ) -> EchoCanceller:
        """Go on until a sample; `guide` is the RMS error of a receiver that tells the far signal."""
        rng = np.random.default_rng(7)
        while self.at < until:
            a, b = self.at, self.at + FRAME
            self.out[a:b] = canceller.cancel(self.rx[a:b], bool(self.erased[a]))
            canceller.sent(self.tx[a:b])
            self.at = b
            if guide is not None and b - age - FRAME >= self.begin:
                known = slice(b - age - FRAME, b - age)
                rest = self.out[known] - self.far[known]
                rest += guide * rng.standard_normal(FRAME, np.float32)
                canceller.learn(np.where(self.erased[known], np.float32(0), rest), age)
        return canceller

    def finish(self, canceller: EchoCanceller, guide: float | None = None) -> EchoCanceller:
        return self.play(canceller, len(self.tx), guide)

    def residual_db(self, first: float, last: float) -> float:
        """Return what is left of the echo against the far signal, from `first` to `last` s of double talk."""
        part = slice(self.begin + round(first * SAMPLE_RATE), self.begin + round(last * SAMPLE_RATE))
        left = self.out[part] - self.rx[part] + self.echo[part]
        return level_db(left[~self.erased[part]]) - level_db(self.tx[FRAME : 20 * FRAME]) - self.far_db
