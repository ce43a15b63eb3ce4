"""A two-wire line for modulations, 20 ms at a time: level, noise, echo, offset, skew, dropouts and A-law."""

from collections.abc import Callable, Container
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ansam.modulation.base import Modulation, ModulationEvent, Ready
from ansam.units import FRAME, SAMPLE_RATE, Audio, Bits, rms_from_dbm0

HILBERT = 63
SINC = 16


def alaw(x: Audio) -> Audio:
    """Round to the nearest A-law value (G.711 (11/88) §3.2: 13 segments), independently of `codec`."""
    magnitude = np.minimum(np.abs(x) * 4096, 4095.0)
    exponent = np.floor(np.log2(np.maximum(magnitude, 32.0))).astype(int)
    step = np.where(magnitude < 64, 2.0, 2.0 ** (exponent - 4))
    value = (np.floor(magnitude / step) + 0.5) * step
    return (np.sign(np.where(x == 0, 1, x)) * value / 4096).astype(np.float32)


@dataclass
class Way:
    """One direction of the line.

    Attributes:
        gain_db: Applied to what is sent.
        noise_dbm0: White noise over 0 … 4 kHz, or None.
        offset_hz: Frequency shift.
        skew_ppm: The receiver's clock is slower by this (it sees a higher rate).
        delay: Samples.
        erase: Frame numbers handed over as erased.
        mute: Frame numbers that arrive as silence.
        law: Round to A-law on the way.
    """

    gain_db: float = 0.0
    noise_dbm0: float | None = None
    offset_hz: float = 0.0
    skew_ppm: float = 0.0
    delay: int = 160
    erase: Container[int] = ()
    mute: Container[int] = ()
    law: bool = False
    seed: int = 0
    _rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._past: NDArray[np.float32] = np.zeros(self.delay + 2 * SINC + SAMPLE_RATE // 10, np.float32)
        self._at = float(len(self._past) - self.delay)
        self._hilbert_past = np.zeros(HILBERT - 1)
        n = np.arange(HILBERT) - HILBERT // 2
        with np.errstate(divide="ignore", invalid="ignore"):
            taps = np.where(n % 2 == 1, 2 / (np.pi * n), 0.0)
        self._hilbert = taps * np.hamming(HILBERT)
        self._turned = 0

    def carry(self, sent: Audio) -> Audio:
        """Return what arrives while `sent` is sent."""
        x = self._resample(sent)
        if self.offset_hz:
            x = self._shift(x)
        x = x * 10 ** (self.gain_db / 20)
        if self.noise_dbm0 is not None:
            x = x + self._rng.normal(0, rms_from_dbm0(self.noise_dbm0), len(x))
        return x.astype(np.float32)

    def _resample(self, sent: Audio) -> NDArray[np.float64]:
        self._past = np.concatenate((self._past, sent))
        step = 1 + self.skew_ppm * 1e-6
        times = self._at + step * np.arange(len(sent))
        self._at += step * len(sent) - len(sent)
        if self.skew_ppm:
            whole = np.floor(times).astype(int)
            k = np.arange(-SINC + 1, SINC + 1)
            distance = (times - whole)[:, None] - k
            kernel = np.sinc(distance) * np.cos(np.pi * distance / (2 * SINC + 2)) ** 2
            out = (self._past[whole[:, None] + k] * kernel).sum(axis=1)
        else:
            out = self._past[int(self._at) : int(self._at) + len(sent)].astype(float)
        self._past = self._past[len(sent) :]
        return np.asarray(out, float)

    def _shift(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.concatenate((self._hilbert_past, x))
        self._hilbert_past = padded[len(padded) - HILBERT + 1 :]
        turned = np.convolve(padded, self._hilbert, "valid")
        plain = padded[HILBERT // 2 : HILBERT // 2 + len(x)]
        angle = 2 * np.pi * self.offset_hz * (self._turned + np.arange(len(x))) / SAMPLE_RATE
        self._turned += len(x)
        return plain * np.cos(angle) - turned * np.sin(angle)


class Random:
    """A bit source of seeded random bits that remembers what it gave."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.given: list[Bits] = []

    def pull(self, count: int) -> Bits:
        bits = self._rng.integers(0, 2, count).astype(np.uint8)
        self.given.append(bits)
        return bits

    def bits(self) -> Bits:
        return np.concatenate([*self.given, np.zeros(0, np.uint8)])


class End:
    """A modulation at one end, with what it received and what happened."""

    def __init__(self, modem: Modulation) -> None:
        self.modem = modem
        self.received: list[Bits] = []
        self.events: list[tuple[int, ModulationEvent]] = []
        self.sent: list[Audio] = []

    def run(self, rx: Audio, now: int, erased: bool = False) -> Audio:
        tx = self.modem.process(rx, now, erased)
        self.sent.append(tx)
        self.received.append(self.modem.take_bits())
        self.events += [(now, e) for e in self.modem.take_events()]
        return tx

    def bits(self) -> Bits:
        return np.concatenate([*self.received, np.zeros(0, np.uint8)])

    def audio(self) -> Audio:
        return np.concatenate(self.sent)

    def event(self, kind: type) -> ModulationEvent | None:
        """Return the first event of a kind."""
        return next((e for _, e in self.events if isinstance(e, kind)), None)

    @property
    def ready(self) -> Ready | None:
        event = self.event(Ready)
        return event if isinstance(event, Ready) else None

    def ready_at(self) -> float:
        """Return when `Ready` came, in seconds."""
        return next(t for t, e in self.events if isinstance(e, Ready)) / SAMPLE_RATE


class Line:
    """Two ends and the line between them.

    Args:
        calling: One end.
        answering: The other.
        up: Calling to answering.
        down: Answering to calling.
        echo_db: Level of the echo of one's own signal against it, or None.
        echo_delay: Samples.
        stagger: Samples by which the calling end starts after (or before, negative) the answering one.
    """

    def __init__(
        self,
        calling: Modulation,
        answering: Modulation,
        up: Way | None = None,
        down: Way | None = None,
        echo_db: float | None = None,
        echo_delay: int = 20,
        start: bool = True,
    ) -> None:
        self.calling, self.answering = End(calling), End(answering)
        self.up, self.down = up or Way(), down or Way(seed=1)
        self._echoes = [
            Way(gain_db=echo_db, delay=echo_delay + FRAME) if echo_db is not None else None for _ in range(2)
        ]
        self._tx = [np.zeros(FRAME, np.float32), np.zeros(FRAME, np.float32)]
        self.frame = 0
        self.now = 0
        if start:
            calling.start(0)
            answering.start(0)

    def step(self) -> None:
        """Run 20 ms."""
        arriving = []
        for index, (way, echo) in enumerate(zip((self.up, self.down), self._echoes, strict=True)):
            rx = way.carry(self._tx[index])
            if echo is not None:
                rx = rx + echo.carry(self._tx[1 - index])
            if self.frame in way.mute:
                rx = np.zeros_like(rx)
            if way.law:
                rx = alaw(rx)
            if self.frame in way.erase:
                rx = np.full_like(rx, 0.3)  # must not matter
            arriving.append(rx)
        self._tx = [
            self.calling.run(arriving[1], self.now, self.frame in self.down.erase),
            self.answering.run(arriving[0], self.now, self.frame in self.up.erase),
        ]
        self.frame += 1
        self.now += FRAME

    def run(self, seconds: float, until: Callable[[], object] | None = None) -> bool:
        """Run for a time, or until something is true; return whether it was."""
        for _ in range(round(seconds * SAMPLE_RATE / FRAME)):
            self.step()
            if until is not None and until():
                return True
        return False

    def connect(self, limit: float = 20.0) -> bool:
        """Run until both ends are ready."""
        return self.run(limit, lambda: self.calling.ready and self.answering.ready)


def bit_errors(sent: Bits, received: Bits, search: int = 4000) -> tuple[int, int]:
    """Return (wrong bits, bits compared) of what was received against what was sent, at the best alignment.

    What came before the first sent bit and what is still on the line are left out.
    """
    probe = sent[:64]
    if len(probe) < 64:
        return 0, 0
    best, at = 65, 0
    for lag in range(max(1, min(search, len(received) - 64))):
        wrong = int(np.count_nonzero(received[lag : lag + 64] != probe))
        if wrong < best:
            best, at = wrong, lag
            if not wrong:
                break
    n = min(len(sent), len(received) - at)
    return int(np.count_nonzero(sent[:n] != received[at : at + n])), n
