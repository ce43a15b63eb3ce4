"""Line probing: what is sent, what is measured over known lines, and what is decided from it."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

from ansam.codec import Law
from ansam.modulation.v34.constants import SYMBOL_RATES
from ansam.modulation.v34.info import OFFSET_UNKNOWN
from ansam.modulation.v34.probing import (
    EMPTY_HZ,
    L1_LENGTH,
    SETTLE,
    TONES_HZ,
    Choice,
    LineProbe,
    ProbeSender,
    analyse,
    choose,
    effective_snr,
    needed_snr_db,
    pre_emphasis_db,
)
from ansam.units import SAMPLE_RATE, Audio, dbm0_from_power, rms_from_dbm0

Taps = NDArray[np.float64]
LEVEL = -13.0


def sent(seconds: float = 0.66) -> Audio:
    out = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    ProbeSender(LEVEL).add_to(out)
    return out


def through(
    fir: Taps | None = None,
    snr: float | None = None,
    gain_db: float = 0.0,
    offset_hz: float = 0.0,
    law: Law = Law.ALAW,
    crush: Callable[[Taps], Taps] | None = None,
) -> Audio:
    """Return L2 as received, without its beginning."""
    x = sent().astype(np.float64)
    if crush is not None:
        x = signal.resample(crush(signal.resample(x, 8 * x.size)), x.size)
    if fir is not None:
        x = signal.lfilter(fir, 1, x)
    if offset_hz:
        x = (signal.hilbert(x) * np.exp(2j * np.pi * offset_hz * np.arange(x.size) / SAMPLE_RATE)).real
    x = x * 10 ** (gain_db / 20)
    if snr is not None:
        rng = np.random.default_rng(1)
        x = x + rms_from_dbm0(LEVEL + gain_db - snr) * rng.standard_normal(x.size)
    return law.through(x.astype(np.float32))[L1_LENGTH + SETTLE : -80]


def probe(audio: Audio) -> LineProbe:
    found = analyse(audio, np.zeros(audio.size, np.bool_))
    assert found is not None
    return found


def anything(rate: int, high: bool) -> bool:
    return True


def decide(audio: Audio) -> Choice:
    return choose(probe(audio), anything, 33600)


def best(choice: Choice) -> tuple[int, int]:
    """Return (symbol rate, bit rate) of the best."""
    k = max(range(6), key=choice.rank)
    return SYMBOL_RATES[k].name, choice.rates[k].result.bit_rate


def slope(db_at_3400: float) -> Taps:
    gains = 10 ** (np.array([0, 0, db_at_3400, 1.2 * db_at_3400]) / 20)
    return np.asarray(signal.firwin2(101, [0, 1000, 3400, 4000], gains, fs=SAMPLE_RATE))


def test_levels_and_length() -> None:
    x = sent()
    l1, l2 = x[:L1_LENGTH], x[L1_LENGTH:]
    assert dbm0_from_power(float(np.mean(l1**2))) == pytest.approx(LEVEL + 6, abs=0.01)
    assert dbm0_from_power(float(np.mean(l2[:3200] ** 2))) == pytest.approx(LEVEL, abs=0.01)
    assert L1_LENGTH == 24 * SAMPLE_RATE / 150


def test_tones_and_phases_of_table_17() -> None:
    spectrum = np.fft.rfft(sent()[:800].astype(np.float64)) / 400
    bins = np.arange(401) * 10
    tones = np.isin(bins, TONES_HZ)
    size = np.abs(spectrum[tones])
    assert np.allclose(size, size[0], rtol=1e-4)
    assert np.all(np.abs(spectrum[~tones]) < 1e-6)
    degrees = np.rint(np.angle(spectrum[tones], deg=True)) % 360
    turned = (300, 1650, 2250, 2700, 3000, 3150, 3300, 3450)
    assert degrees.tolist() == [180 if f in turned else 0 for f in TONES_HZ]
    assert len(TONES_HZ) == 21


def test_sending_does_not_depend_on_the_cut() -> None:
    sender = ProbeSender(LEVEL)
    parts = [np.zeros(n, np.float32) for n in (1, 159, 1000, 121, 719)]
    for part in parts:
        sender.add_to(part)
    assert np.allclose(np.concatenate(parts), sent()[:2000], atol=1e-7)
    sender.restart(LEVEL)
    again = np.zeros(10, np.float32)
    sender.add_to(again)
    assert np.allclose(again, sent()[:10], atol=1e-7)


@pytest.mark.parametrize("snr", [20, 25, 30, 35, 45])
def test_noise_is_measured(snr: float) -> None:
    found = probe(through(snr=snr, law=Law.LINEAR))
    assert found.snr_db == pytest.approx(snr, abs=1.0)
    assert found.level_dbm0 == pytest.approx(LEVEL, abs=0.3)


def test_levels_of_the_tones() -> None:
    fir = slope(-6)
    found = probe(through(fir, snr=50, law=Law.LINEAR))
    _, response = signal.freqz(fir, 1, worN=TONES_HZ, fs=SAMPLE_RATE)
    expected = LEVEL - 10 * np.log10(21) + 20 * np.log10(np.abs(response))
    assert np.allclose(found.tones_dbm0, expected, atol=0.5)


@pytest.mark.parametrize("offset", [-7.0, -0.3, 0.0, 7.0])
def test_frequency_offset_to_a_quarter_hertz(offset: float) -> None:
    found = probe(through(offset_hz=offset, snr=25))
    assert found.offset_hz == pytest.approx(offset, abs=0.25)
    assert found.offset_field * 0.02 == pytest.approx(offset, abs=0.25)


def test_erased_samples_are_left_out() -> None:
    audio = through(snr=30)
    erased = np.zeros(audio.size, np.bool_)
    for at in (1500, 2900):
        erased[at : at + 160] = True
        audio[at : at + 160] = 0.7
    found = analyse(audio, erased)
    assert found is not None
    assert found.snr_db == pytest.approx(29.5, abs=1.5)
    erased[::470] = True
    assert analyse(audio, erased) is None
    erased[:] = False
    erased[::600] = True
    short = analyse(audio, erased)
    assert short is not None
    assert short.offset_field == OFFSET_UNKNOWN


def test_a_flat_alaw_path_gives_the_most() -> None:
    choice = decide(through())
    assert best(choice) == (3429, 33600)
    assert choice.power_reduction == 0
    assert all(r.pre_emphasis == 0 and not r.high_carrier for r in choice.results)
    assert [r.bit_rate for r in choice.results] == [k.top_rate for k in SYMBOL_RATES]


@pytest.mark.parametrize(
    ("fir", "expected"),
    [
        (slope(-6), (3429, 33600)),
        (signal.firwin(201, 3400, fs=SAMPLE_RATE), (3200, 31200)),
        (signal.firwin(201, 3200, fs=SAMPLE_RATE), (3200, 28800)),
        (signal.firwin(201, 3000, fs=SAMPLE_RATE), (3000, 26400)),
        (signal.firwin(201, 2800, fs=SAMPLE_RATE), (2800, 26400)),
    ],
    ids=["-6 dB at 3400", "cut 3400", "cut 3200", "cut 3000", "cut 2800"],
)
def test_filtered_lines(fir: Taps, expected: tuple[int, int]) -> None:
    assert best(decide(through(fir))) == expected


def test_a_high_pass_asks_for_the_high_carrier() -> None:
    fir = signal.firwin(301, [400, 3600], fs=SAMPLE_RATE, pass_zero=False)
    assert decide(through(fir)).results[4].high_carrier


def test_more_noise_less_rate() -> None:
    rates = [best(decide(through(snr=snr)))[1] for snr in (45, 40, 35, 30, 25, 20, 15)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == 33600
    assert rates[3] == pytest.approx(24000, abs=2400)
    assert rates[6] == pytest.approx(9600, abs=2400)


def test_pre_emphasis_instead_of_a_precoder() -> None:
    """With noise at the far end a slope costs a linear equaliser much; a precoder makes good for it."""
    found = probe(through(slope(-20), snr=30))
    without = choose(found, anything, 33600, taps=0)
    precoded = choose(found, anything, 33600)
    flat = choose(probe(through(snr=30)), anything, 33600, taps=0)
    assert min(r.pre_emphasis for r in without.results) > 0
    assert max(r.pre_emphasis for r in precoded.results) == 0
    assert max(r.pre_emphasis for r in flat.results) == 0
    assert best(precoded)[1] >= best(without)[1] > 0


def test_distortion_lowers_the_power() -> None:
    hard = decide(through(crush=lambda x: np.tanh(2 * x) / 2, snr=60, law=Law.LINEAR))
    assert hard.power_reduction > 0
    for gain in (0.0, -15.0, -30.0):
        assert decide(through(gain_db=gain)).power_reduction == 0
    found = probe(through(crush=lambda x: np.tanh(2 * x) / 2, snr=60, law=Law.LINEAR))
    assert len(found.distortion_dbm0) == len(EMPTY_HZ)
    assert not choose(found, anything, 33600, may_reduce=False).power_reduction


def test_what_the_far_end_can_not_do_is_not_asked_for() -> None:
    choice = choose(probe(through()), lambda rate, high: rate in (0, 3, 4) and not high, 28800)
    assert [r.bit_rate for r in choice.results] == [21600, 0, 0, 28800, 28800, 0]
    assert best(choice) == (3200, 28800)


def test_a_hopeless_line() -> None:
    choice = decide(through(snr=0))
    assert not any(r.max_rate for r in choice.results)


def test_effective_snr() -> None:
    flat = np.full((1, 64), 1000.0)
    assert effective_snr(flat)[0] == pytest.approx(1000, rel=0.01)
    notched = flat.copy()
    notched[0, :4] = 1.0
    deep = 10 * np.log10(effective_snr(notched)[0])
    linear = 10 * np.log10(1 / np.mean(1 / (1 + notched)) - 1)
    decision_feedback = 10 * np.log10(np.exp(np.mean(np.log(1 + notched))) - 1)
    assert linear + 1 < deep < decision_feedback
    assert 10 * np.log10(effective_snr(notched, 0)[0]) == pytest.approx(linear)


def test_needed_snr_rises_6_db_per_bit_and_symbol_pair() -> None:
    rate = SYMBOL_RATES[5]
    assert needed_snr_db(33600, rate) == pytest.approx(36.2, abs=0.1)
    assert needed_snr_db(33600, rate) - needed_snr_db(26400, rate) == pytest.approx(6.3, abs=0.1)


def test_pre_emphasis_of_figures_1_and_2() -> None:
    x = np.array([0.0, 0.4, 0.8, 1.0, 1.2])
    assert pre_emphasis_db(0, x).tolist() == [0] * 5
    assert np.allclose(pre_emphasis_db(5, x), [0, 4, 8, 10, 12])
    assert np.allclose(pre_emphasis_db(6, x), [0, 0, 0.5, 1.0, 1.5])
    assert np.allclose(pre_emphasis_db(10, x), [0, 0, 2.5, 5.0, 7.5])
