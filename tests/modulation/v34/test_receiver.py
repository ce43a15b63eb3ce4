import numpy as np
import pytest
from numpy.typing import NDArray

from ansam.modulation.base import Role
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import TRN_SYMBOLS, Trellis, symbol_rate
from ansam.modulation.v34.mp import Mp, MpReader
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
        self.stream = np.random.default_rng(5).integers(0, 2, 1_000_000).astype(np.uint8)
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

    def run(self, samples: int) -> None:
        for _ in range(samples // 10):
            out = np.zeros(10, np.float32)
            self.tx.process(out)
            words = not self.rx.in_data
            bits = self.rx.process(self.carry(out), self.now in self.lost)
            if words:
                self.words += bits.tolist()
            else:
                self.bits.append(bits)
            self.now += 10

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


@pytest.mark.parametrize("baud", [2400, 2743, 2800, 3000, 3200, 3429])
def test_trains_and_reads_mp(baud: int) -> None:
    link = Link(baud, symbol_rate(baud).rates[-1])
    assert link.train()
    assert link.rx.fit is not None
    assert link.rx.snr_db is not None
    assert link.rx.snr_db > 34
    assert abs(link.rx.carrier_offset_hz) < 0.05
    assert abs(link.rx.timing_offset_ppm) < 5
    assert link.rx.on_a_ring
    link.tx.send(mp(SEQUENCE, False))
    link.run(2000)
    assert MpReader().take(link.words)[0] == SEQUENCE


@pytest.mark.parametrize(
    ("baud", "rate", "nonlinear"),
    [(3429, 33600, True), (3200, 24000, False), (2400, 21600, True), (2400, 2400, False)],
)
def test_b1_and_data_without_an_error(baud: int, rate: int, nonlinear: bool) -> None:
    link = Link(baud, rate, nonlinear=nonlinear).settle(6400)
    assert link.rx.in_data
    assert link.rx.b1_over
    bits, wrong = link.rx.b1_errors
    assert bits > 0
    assert wrong == 0
    got = link.received()
    assert got.size > 0.6 * rate
    np.testing.assert_array_equal(got, link.tape.stream[: got.size])
    assert link.rx.margin_db > 2
    assert not link.rx.superframe_lost
    assert link.rx.guesses == 0


def test_es_n0_in_data_is_that_of_the_line() -> None:
    """White noise over 4 kHz is 10 log10(4000 / 3429) = 0.7 dB less within the band."""
    link = Link(3429, 24000, snr_db=30.0).settle(8000)
    assert link.rx.data_es_n0_db == pytest.approx(30.7, abs=0.8)
    needed = link.coding.needed_es_n0_db()
    assert link.rx.margin_db == pytest.approx(link.rx.data_es_n0_db - needed, abs=0.05)


def test_e_lost() -> None:
    """E and all of B1 are lost: the superframe is found in what follows."""
    link = Link(3429, 28800)
    assert link.train()
    link.tx.send(mp(SEQUENCE, False))
    link.run(1600)
    link.rx.await_end(link.coding)
    assert not link.rx.find_data(), "still MP"
    link.lost = range(link.now, link.now + 500)
    link.tx.send(*ending(link.coding, False))
    link.run(4500)
    assert not link.rx.in_data
    assert not link.rx.on_a_ring
    assert link.rx.find_data()
    assert link.rx.b1_over
    link.run(3200)
    assert link.wrong(6000) == 0


def test_a_hole_in_the_data_costs_no_frame() -> None:
    link = Link().settle()
    link.lost = range(link.now, link.now + 4000)
    link.run(4000 + 1600)
    link.run(3200)
    assert link.wrong(8000) == 0
    assert link.received().size == pytest.approx(link.tape.position, abs=1500)


def test_four_points_in_data_mode_lie_on_a_ring() -> None:
    link = Link().settle()
    assert not link.rx.on_a_ring
    link.tx.send(*s_and_bar(), Segment(Signal.TRN))
    link.run(800)
    assert link.rx.on_a_ring
    assert not link.rx.has_ring


def test_data_are_not_learnt_as_words() -> None:
    link = Link().settle()
    before = link.rx.equaliser.copy()
    link.rx.seek_words()
    link.run(800)
    assert np.max(np.abs(link.rx.equaliser - before)) < 0.02 * np.max(np.abs(before))


def test_no_sequence_no_training() -> None:
    link = Link()
    link.run(3500)
    wrong = WordSender(Role.CALLING).trn(TRN_SYMBOLS)
    assert not link.rx.train(wrong, 400.0, 480.0)
    assert link.rx.fit is None
    assert link.rx.snr_db is None


def test_precoding_gains_on_a_line_with_a_slope() -> None:
    """A line that loses the top of the band colours the noise; white noise needs no precoder."""
    plain = Link(snr_db=35)
    assert plain.train(2000)
    assert plain.rx.whitening() is None
    taps = np.convolve([1.0, 0.85], [1.0, 0.5])
    sloped = Link(snr_db=35, taps=taps / np.linalg.norm(taps))
    assert sloped.train(2000)
    found = sloped.rx.whitening()
    assert found is not None
    assert found.gain_db > 1.0
