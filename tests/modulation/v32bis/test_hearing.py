import numpy as np
import pytest
from numpy.typing import NDArray

from ansam.modulation.base import Marks, Role
from ansam.modulation.v32bis.constants import Coding
from ansam.modulation.v32bis.hearing import Hearing, Pattern
from ansam.modulation.v32bis.signals import Segment, Signal
from ansam.modulation.v32bis.transmitter import Transmitter
from ansam.units import rms_from_dbm0

LEVEL = -13.0


def line(*segments: Segment, noise_dbm0: float = -60.0, seconds: float = 0.5) -> NDArray[np.float32]:
    """Return a line signal and what follows it, in noise."""
    tx = Transmitter(Role.ANSWERING, LEVEL, Marks())
    tx.send(*segments)
    out = np.zeros(int(8000 * seconds), np.float32)
    tx.process(out)
    noise = np.random.default_rng(2).normal(0, rms_from_dbm0(noise_dbm0), out.size)
    return (out + noise).astype(np.float32)


def heard(x: NDArray[np.float32], piece: int = 40, erased: range = range(0)) -> Hearing:
    hearing = Hearing()
    for i in range(0, x.size, piece):
        hearing.feed(x[i : i + piece], i in erased)
    return hearing


@pytest.mark.parametrize(
    ("signal", "pattern"),
    [
        (Signal.AA, Pattern.AA),
        (Signal.CC, Pattern.AA),
        (Signal.AC, Pattern.AC),
        (Signal.S, Pattern.S),
        (Signal.S_BAR, Pattern.S),
        (Signal.TRN, Pattern.OTHER),
        (Signal.SILENCE, Pattern.SILENCE),
    ],
)
@pytest.mark.parametrize("gain_db", [0.0, -28.0])
def test_what_is_on_the_line(signal: Signal, pattern: Pattern, gain_db: float):
    hearing = heard(line(Segment(signal)) * np.float32(10 ** (gain_db / 20)))
    assert hearing.now is pattern
    for other, run in hearing.runs.items():
        assert (run.windows > 300) is (other is pattern)
    assert (hearing.quiet.windows > 300) is (pattern is Pattern.SILENCE)


@pytest.mark.parametrize("coding", list(Coding), ids=lambda c: c.name)
def test_data_are_no_training_signal(coding: Coding):
    hearing = Hearing()
    x = line(Segment(Signal.B1, coding=coding), seconds=60)
    for i in range(0, x.size, 160):
        hearing.feed(x[i : i + 160], False)
        assert all(run.windows < 9 for run in hearing.runs.values())


@pytest.mark.parametrize(
    ("first", "second"), [(Signal.AA, Signal.CC), (Signal.AC, Signal.CA), (Signal.S, Signal.S_BAR)]
)
@pytest.mark.parametrize("symbol", [200, 201, 202, 203, 400])
def test_when_a_phase_turns(first: Signal, second: Signal, symbol: int):
    symbol += symbol % first.unit
    x = line(Segment(first, symbol), Segment(second), noise_dbm0=-38.0)
    (at,) = heard(x).reversals
    # The last symbol before it and the first after it pass 30 samples after they were sent.
    assert at == pytest.approx((symbol - 0.5) * 10 / 3 + 30, abs=4)


def test_a_lost_packet_is_no_reversal_and_no_end():
    x = line(Segment(Signal.AC))
    hearing = heard(x, erased=range(2000, 2160))
    assert hearing.reversals == []
    assert hearing.runs[Pattern.AC].windows > 340


def test_a_reversal_in_a_lost_packet_is_found_within_half_of_it():
    x = line(Segment(Signal.AC, 600), Segment(Signal.CA))
    (at,) = heard(x, erased=range(1960, 2120)).reversals
    assert at == pytest.approx(2030, abs=80)


def test_the_echo_of_our_tone_is_left_out():
    x = line(Segment(Signal.AC)) + 3 * line(Segment(Signal.AA))
    hearing = Hearing()
    hearing.sending = Pattern.AA
    for i in range(0, x.size, 40):
        hearing.feed(x[i : i + 40], False)
    assert hearing.now is Pattern.AC
    hearing = heard(3 * line(Segment(Signal.AA)))
    assert hearing.now is Pattern.AA


def test_level():
    hearing = heard(line(Segment(Signal.TRN), seconds=2))
    assert 10 * np.log10(hearing.level / rms_from_dbm0(LEVEL) ** 2) == pytest.approx(0, abs=1)


def test_nothing_depends_on_the_cut():
    x = line(Segment(Signal.AC, 600), Segment(Signal.CA, 200), Segment(Signal.TRN, 300), seconds=1)
    a, b = heard(x, 7), heard(x, 160)
    assert a.reversals == b.reversals
    assert a.runs == b.runs
    assert a.level == b.level
