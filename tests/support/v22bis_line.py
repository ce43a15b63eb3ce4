"""A four-wire test line in lock step for two V.22bis ends, and bit sources to check them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ansam.modulation.base import ModulationEvent, ModulationOptions, Ready, Role
from ansam.modulation.v22bis import V22bis
from ansam.units import Audio, Bits, rms_from_dbm0

FRAME = 160


class RandomBits:
    """A seeded bit source that remembers what it gave."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.sent: list[Bits] = []

    def pull(self, count: int) -> Bits:
        bits = self.rng.integers(0, 2, count).astype(np.uint8)
        self.sent.append(bits)
        return bits

    @property
    def all(self) -> Bits:
        return np.concatenate(self.sent) if self.sent else np.zeros(0, np.uint8)


class Path:
    """One direction: gain, frequency offset, clock skew, FIR, delay, noise, A-law."""

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        gain_db: float = 0.0,
        noise_dbm0: float | None = None,
        offset_hz: float = 0.0,
        skew_ppm: float = 0.0,
        delay: int = 0,
        fir: NDArray[np.float64] | None = None,
        alaw: bool = False,
    ) -> None:
        self.rng = rng
        self.gain = 10 ** (gain_db / 20)
        self.noise = 0.0 if noise_dbm0 is None else rms_from_dbm0(noise_dbm0)
        self.alaw = alaw
        taps = np.array([1.0]) if fir is None else np.asarray(fir, np.float64)
        self.offset_hz = offset_hz
        n = np.arange(-64, 65)
        hilbert = np.where(n % 2 != 0, 2 / (np.pi * np.where(n == 0, 1, n)), 0.0) * np.kaiser(129, 6)
        self.fir = taps
        self.hilbert = hilbert
        self.angle = rng.uniform(0, 2 * np.pi)
        self.history = np.zeros(400 + delay)
        self.delay = delay
        self.skew = skew_ppm * 1e-6
        self.count = 0
        self.buffer = np.zeros(64 + 4096)
        self.fill = 64.0
        self.position = 32.0
        self._stream = np.zeros(64)
        self._base = 0

    def __call__(self, x: Audio) -> Audio:
        y = np.asarray(x, np.float64) * self.gain
        if self.delay or self.fir.size > 1 or self.offset_hz:
            joined = np.concatenate([self.history, y])
            self.history = joined[-self.history.size :]
            n = y.size
            tail = joined[-(n + 128 + self.fir.size - 1 + self.delay) : joined.size - self.delay]
            z = np.convolve(tail, self.fir, "valid")
            if self.offset_hz:
                quadrature = np.convolve(z, self.hilbert, "valid")
                phase = self.angle + 2 * np.pi * self.offset_hz / 8000 * (self.count + np.arange(n))
                y = z[64 : 64 + n] * np.cos(phase) - quadrature * np.sin(phase)
            else:
                y = z[128:]
        self.count += y.size
        if self.skew:
            y = self._resample(y)
        if self.noise:
            y = y + self.noise * self.rng.standard_normal(y.size)
        return alaw(y) if self.alaw else y.astype(np.float32)

    def _resample(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Read at (1 + skew) by windowed sinc; the margin of 2000 samples is never used up in a test."""
        if self._base == 0 and self._stream.size == 64:
            self._stream = np.zeros(2064)
            self.position = 1032.0
        self._stream = np.concatenate([self._stream, y])
        t = self.position + (1 + self.skew) * np.arange(y.size)
        self.position += (1 + self.skew) * y.size
        whole = np.floor(t).astype(np.int64)
        k = np.arange(-11, 13)
        u = (t - whole)[:, None] - k[None, :]
        h = np.sinc(u) * np.cos(np.pi * u / 26) ** 2
        out = (self._stream[whole[:, None] + k[None, :]] * h).sum(axis=1)
        drop = max(0, int(self.position) - 1100)
        self._stream = self._stream[drop:]
        self.position -= drop
        return out


def alaw(y: NDArray[np.float64]) -> Audio:
    """Quantise as A-law does: 13 segments, 4 bits each, both signs (G.711 (11/88) table 1a)."""
    v = np.clip(np.abs(y) * 4096, 0, 4095.9)
    exponent = np.maximum(np.floor(np.log2(np.maximum(v, 1))) - 5, 0)
    exponent = np.where(v < 64, 0, exponent)
    step = 2.0 ** (exponent + 1)
    q = (np.floor(v / step) + 0.5) * step
    return (np.sign(y) * q / 4096).astype(np.float32)


class Pair:
    """Two ends joined; near echo is each end's own signal coming back."""

    def __init__(
        self,
        seed: int = 1,
        calling: ModulationOptions | None = None,
        answering: ModulationOptions | None = None,
        *,
        up: dict[str, object] | None = None,
        down: dict[str, object] | None = None,
        echo_db: float | None = None,
        echo_delay: int = 40,
        makers: tuple[type[V22bis], type[V22bis]] = (V22bis, V22bis),
        frame: int = FRAME,
        answer_after: int = 0,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.bits = (RandomBits(seed * 2 + 1), RandomBits(seed * 2 + 2))
        self.ends = (
            makers[0](Role.CALLING, calling or ModulationOptions(), self.bits[0]),
            makers[1](Role.ANSWERING, answering or ModulationOptions(), self.bits[1]),
        )
        spawned = rng.spawn(2)
        self.paths = (Path(spawned[0], **(up or {})), Path(spawned[1], **(down or {})))  # type: ignore[arg-type]
        self.echo = 0.0 if echo_db is None else 10 ** (echo_db / 20)
        self.echo_lines = [np.zeros(echo_delay, np.float32), np.zeros(echo_delay, np.float32)]
        self.frame = frame
        self.now = 0
        self.last = [np.zeros(frame, np.float32), np.zeros(frame, np.float32)]
        self.events: tuple[list[ModulationEvent], list[ModulationEvent]] = ([], [])
        self.times: tuple[list[int], list[int]] = ([], [])
        self.received: tuple[list[Bits], list[Bits]] = ([], [])
        self.wave: tuple[list[Audio], list[Audio]] = ([], [])
        self.keep_wave = False
        self.answer_after = answer_after
        self.erase = (lambda now: False, lambda now: False)
        self.ends[0].start(0)
        self.started = answer_after == 0
        if self.started:
            self.ends[1].start(0)

    def step(self) -> None:
        if not self.started and self.now >= self.answer_after:
            self.ends[1].start(self.now)
            self.started = True
        sent = self.last
        arrived = [self.paths[1](sent[1]), self.paths[0](sent[0])]
        for i in (0, 1):
            if self.echo:
                joined = np.concatenate([self.echo_lines[i], sent[i]])
                arrived[i] = (arrived[i] + self.echo * joined[: self.frame]).astype(np.float32)
                self.echo_lines[i] = joined[self.frame :]
        out = []
        for i, end in enumerate(self.ends):
            out.append(end.process(arrived[i], self.now, self.erase[i](self.now)))
            for event in end.take_events():
                self.events[i].append(event)
                self.times[i].append(self.now)
            self.received[i].append(end.take_bits())
            if self.keep_wave:
                self.wave[i].append(out[i])
        self.last = out
        self.now += self.frame

    def run(self, seconds: float) -> "Pair":
        for _ in range(round(seconds * 8000 / self.frame)):
            self.step()
        return self

    def connect(self, seconds: float = 6.0) -> bool:
        """Run until both ends are ready (True) or the time is over."""
        for _ in range(round(seconds * 8000 / self.frame)):
            self.step()
            if all(self.ready(i) for i in (0, 1)):
                return True
        return False

    def ready(self, end: int) -> Ready | None:
        found = [e for e in self.events[end] if isinstance(e, Ready)]
        return found[-1] if found else None

    def of(self, end: int, kind: type) -> Iterator[ModulationEvent]:
        return (e for e in self.events[end] if isinstance(e, kind))

    def got(self, end: int) -> Bits:
        return np.concatenate(self.received[end]) if self.received[end] else np.zeros(0, np.uint8)

    def errors(self, end: int) -> tuple[int, int]:
        """Return (bits wrong, bits compared) at an end, aligned on its source's first 64 bits."""
        return compare(self.bits[1 - end].all, self.got(end))


def compare(sent: Bits, got: Bits) -> tuple[int, int]:
    """Align `got` to `sent` (ones may come first) and count the differences."""
    key = 96
    if sent.size < key or got.size < key:
        return max(got.size, 1), max(got.size, 1)
    best = (key + 1, 0)
    for start in range(0, min(got.size - key, 6000)):
        wrong = int(np.count_nonzero(got[start : start + key] != sent[:key]))
        if wrong < best[0]:
            best = (wrong, start)
            if wrong == 0:
                break
    start = best[1]
    n = min(sent.size, got.size - start)
    return int(np.count_nonzero(got[start : start + n] != sent[:n])), n
