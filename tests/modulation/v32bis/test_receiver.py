"""The receiver alone: training from TRN, rate signals, data; over lines and with packets lost."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.modem_line import Random, Way

from ansam.modulation.base import Role
from ansam.modulation.v32bis.constants import S_BAR_SYMBOLS, Coding
from ansam.modulation.v32bis.rate_signal import RateSignal
from ansam.modulation.v32bis.receiver import Receiver, training_symbols
from ansam.modulation.v32bis.signals import Segment, Signal, conditioning, ending, rate
from ansam.modulation.v32bis.transmitter import Transmitter
from ansam.units import FRAME

SILENCE = 300
TRN_AT = (SILENCE + 256 + S_BAR_SYMBOLS) * 10 / 3 + 30
"""When the first symbol of TRN passes the line, for the sender."""


@dataclass
class Run:
    """A receiver after a signal, with the bits sent and received."""

    receiver: Receiver
    sent: NDArray[np.uint8]
    got: NDArray[np.uint8]

    def wrong(self, skip: int = 0) -> int:
        """Return the wrong bits; those before `skip` are not counted."""
        count = self.got.size
        assert count > 1000
        return int(np.count_nonzero(self.got[skip:] != self.sent[skip:count]))


def run(
    coding: Coding = Coding.TRELLIS_14400,
    way: Way | None = None,
    lost: tuple[int, ...] = (),
    muted: tuple[int, ...] = (),
    rates: RateSignal | None = None,
    seconds: float = 2.5,
    piece: int = FRAME,
) -> Run:
    """Send S, TRN, a rate signal, E, B1 and data; train as soon as half of TRN is there."""
    bits = Random(7)
    tx = Transmitter(Role.ANSWERING, -13.0, bits)
    signal = rates or RateSignal.of(coding, coding is not Coding.UNCODED_9600)
    end, *data = ending(signal)
    end = replace(end, symbols=8)
    tx.send(Segment(Signal.SILENCE, SILENCE), *conditioning(1280), rate(signal, 80), end, *data)
    way = way or Way(noise_dbm0=-60, law=True)
    receiver = Receiver(Role.CALLING)
    got = []
    at = TRN_AT + way.delay
    trained = False
    for frame in range(round(seconds * 50)):
        out = np.zeros(FRAME, np.float32)
        tx.process(out)
        rx = way.carry(out) * np.float32(frame not in muted)
        got += [receiver.process(rx[i : i + piece], frame in lost) for i in range(0, FRAME, piece)]
        if not trained and frame * FRAME > at + 2400:
            trained = receiver.train(at - 60, at + 60)
        if receiver.rate_word is not None and not receiver.in_data:
            receiver.await_end(coding, 128)
    assert trained
    return Run(receiver, bits.bits(), np.concatenate(got))


@pytest.mark.parametrize("coding", list(Coding), ids=lambda c: c.name)
def test_every_coding(coding: Coding):
    done = run(coding)
    assert done.receiver.in_data
    assert done.wrong() == 0


@pytest.mark.parametrize(
    "way",
    [
        {"offset_hz": 7.0},
        {"offset_hz": -7.0},
        {"skew_ppm": 300.0},
        {"skew_ppm": -300.0},
        {"gain_db": -30.0, "noise_dbm0": -75},
        {"gain_db": 8.0},
        {"noise_dbm0": -38.0},
        {"offset_hz": 5.0, "skew_ppm": -200.0, "gain_db": -12.0, "noise_dbm0": -52.0},
    ],
    ids=str,
)
def test_over_lines(way: dict[str, float]):
    done = run(way=Way(law=True, **{"noise_dbm0": -60.0, **way}))  # type: ignore[arg-type]
    assert done.wrong() == 0


def test_what_it_learns_of_the_line():
    receiver = run(way=Way(noise_dbm0=-45.0, offset_hz=5.0, skew_ppm=100.0)).receiver
    assert receiver.carrier_offset_hz == pytest.approx(5.0, abs=0.4)
    assert receiver.timing_offset_ppm == pytest.approx(100, abs=40)
    # White noise over 4000 Hz, of which a receiver of 2400 Bd takes 2400.
    assert receiver.snr_db == pytest.approx(32 + 2.2, abs=0.7)
    assert receiver.level_dbm0 == pytest.approx(-13, abs=0.5)


@pytest.mark.parametrize("lost", [(15,), (16, 17), (18, 19, 20), (13, 19)])
def test_training_with_packets_lost(lost: tuple[int, ...]):
    done = run(lost=lost)
    assert done.receiver.fit is not None
    assert done.receiver.fit.rows < 640
    assert done.wrong() == 0


def test_two_words_make_a_rate_signal_and_e_ends_it():
    signal = RateSignal(frozenset({4800, 9600, 12000}))
    receiver = run(Coding.TRELLIS_12000, rates=signal).receiver
    assert receiver.rate_word == signal.word


@pytest.mark.parametrize("marked", [True, False], ids=["erased", "silent"])
@pytest.mark.parametrize("frame", [41, 42, 43, 44])
def test_e_in_a_lost_packet_is_taken_as_there(frame: int, marked: bool):
    """The rate signal ends in frame 42; B1 is longer than what tells that it is over."""
    done = run(lost=(frame,)) if marked else run(muted=(frame,))
    assert done.receiver.in_data
    tail = done.got[-5000:]
    assert tail.tobytes() in done.sent.tobytes()


def test_nothing_depends_on_the_cut():
    a, b = run(piece=160), run(piece=32)
    assert np.array_equal(a.got, b.got)
    assert a.receiver.snr_db == b.receiver.snr_db
    assert np.array_equal(a.receiver.equaliser, b.receiver.equaliser)


def test_no_training_in_noise():
    receiver = Receiver(Role.CALLING)
    x = np.random.default_rng(3).normal(0, 0.1, 8000).astype(np.float32)
    for i in range(0, x.size, FRAME):
        receiver.process(x[i : i + FRAME], False)
    assert not receiver.train(2000.0, 2100.0)
    assert receiver.fit is None
    assert receiver.rate_word is None


@pytest.mark.parametrize("role", list(Role))
def test_the_training_sequence_is_what_the_far_end_sends(role: Role):
    """V.32bis (02/91) §5.2.3: the first states of either role, as the text lists them."""
    listed = {Role.CALLING: "CCCCCCCCCAAACCC", Role.ANSWERING: "CCCAACCCAACCACC"}
    states = {"A": (-3 - 1j) / np.sqrt(10), "C": (3 + 1j) / np.sqrt(10)}
    expected = [states[letter] for letter in listed[role]]
    np.testing.assert_allclose(training_symbols(role, 15), expected, atol=1e-12)
