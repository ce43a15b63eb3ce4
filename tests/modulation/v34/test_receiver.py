import numpy as np
import pytest
from tests.support.v34_one_way import SEQUENCE, Link

from ansam.modulation.base import Role
from ansam.modulation.v34.constants import TRN_SYMBOLS, symbol_rate
from ansam.modulation.v34.mp import MpReader
from ansam.modulation.v34.signals import WordSender
from ansam.modulation.v34.transmitter import Segment, Signal, ending, mp, s_and_bar


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
