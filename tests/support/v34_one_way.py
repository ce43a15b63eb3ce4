"""V.34's transmitter and receiver with a line of one filter and white noise between them, one way."""

import numpy as np
from numpy.typing import NDArray

from ansam.modulation.base import Role
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import TRN_SYMBOLS, Trellis, symbol_rate
from ansam.modulation.v34.mp import Mp
from ansam.modulation.v34.parameters import Parameters
from ansam.modulation.v34.phase2_choice import Direction
from ansam.modulation.v34.receiver import Receiver
from ansam.modulation.v34.signals import WordSender, pp_signal
from ansam.modulation.v34.transmitter import Segment, Signal, Transmitter, ending, mp, pp, s_and_bar
from ansam.units import Audio, Bits, rms_from_dbm0

LEVEL = -15.0
SEQUENCE = Mp(33600, 33600, trellis=Trellis.STATES_64)


class Tape:
    def __init__(self) -> None:
        self.stream = np.random.default_rng(5).integers(0, 2, 4_000_000).astype(np.uint8)
        self.position = 0

    def pull(self, count: int) -> Bits:
        self.position += count
        return self.stream[self.position - count : self.position]


class Link:
    """A transmitter and a receiver with a line of one filter between them, from S on."""

    def __init__(
        self,
        baud: int = 3429,
        rate: int = 33600,
        snr_db: float = 40.0,
        taps: NDArray[np.float64] | None = None,
        nonlinear: bool = False,
        seed: int = 1,
    ) -> None:
        direction = Direction(symbol_rate(baud), False, 0, 0, 33600)
        self.tape = Tape()
        self.tx = Transmitter(Role.ANSWERING, direction, LEVEL, self.tape)
        self.rx = Receiver(Role.CALLING, direction)
        self.coding = Coding(
            Parameters(symbol_rate(baud), rate, False, True), Role.ANSWERING, Trellis.STATES_64, nonlinear
        )
        self._rng = np.random.default_rng(seed)
        self._noise = rms_from_dbm0(LEVEL - snr_db)
        self._taps = np.array([1.0]) if taps is None else taps
        self._past = np.zeros(self._taps.size - 1)
        self.lost: range = range(0)
        self.now = 0
        self.words: list[int] = []
        self.bits: list[Bits] = []
        self.tx.send(*s_and_bar(), pp(), Segment(Signal.TRN))

    def carry(self, x: Audio) -> Audio:
        padded = np.concatenate([self._past, x])
        self._past = padded[padded.size - self._past.size :]
        y = np.convolve(padded, self._taps, "valid")
        return (y + self._rng.normal(0, self._noise, y.size)).astype(np.float32)

    def set_noise(self, es_n0_db: float) -> None:
        """Change Es/N0: white noise fills 4 kHz."""
        baud = float(self.coding.parameters.symbol_rate.baud)
        self._noise = rms_from_dbm0(LEVEL - es_n0_db + 10 * np.log10(4000 / baud))

    def run(self, samples: int, piece: int = 10) -> None:
        for _ in range(samples // piece):
            out = np.zeros(piece, np.float32)
            self.tx.process(out)
            words = not self.rx.in_data
            bits = self.rx.process(self.carry(out), self.now in self.lost)
            if words:
                self.words += bits.tolist()
            else:
                self.bits.append(bits)
            self.now += piece

    def train(self, symbols: int = 1030) -> bool:
        while self.tx.symbols < symbols:
            self.run(10)
        first = float(self.tx.peak(128 + 16))
        trn = WordSender(Role.ANSWERING).trn(TRN_SYMBOLS)
        return self.rx.train(np.concatenate([pp_signal(), trn]), first - 40, first + 40)

    def settle(self, samples: int = 2400) -> "Link":
        """Train, hear MP, and expect E."""
        assert self.train()
        self.tx.send(mp(SEQUENCE, False))
        self.run(1600)
        self.rx.await_end(self.coding)
        self.tx.send(*ending(self.coding, False))
        self.run(samples)
        return self

    def received(self) -> Bits:
        return np.concatenate([np.zeros(0, np.uint8), *self.bits])

    def wrong(self, last: int) -> int:
        """Return how many of the `last` bits received are wrong, wherever they are in what was sent."""
        got = self.received()[-last:]
        sent = self.tape.stream[: self.tape.position]
        at = sent.tobytes().find(got[:64].tobytes())
        assert at >= 0, "found nowhere"
        return int(np.count_nonzero(sent[at : at + last] != got))
