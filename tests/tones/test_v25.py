import numpy as np
import pytest

from ansam.dsp.goertzel import ToneMeter
from ansam.tones import v25
from ansam.tones.v25 import AnswerTone, AnswerToneDetector, CallingTone
from ansam.units import dbm0_from_power, rms_from_dbm0


def detect(x: np.ndarray, erase: range = range(0)) -> tuple[AnswerToneDetector, list[tuple[int, int, float]]]:
    meter = ToneMeter([v25.ANSWER_TONE_HZ])
    detector = AnswerToneDetector(meter, 0)
    log = []
    for hop in range(len(x) // 80):
        meter.feed(x[80 * hop : 80 * hop + 80].astype(np.float32), hop in erase)
        detector.update()
        log.append((detector.hops, detector.reversals, detector.am_depth))
    return detector, log


def test_times_are_within_the_recommendation() -> None:
    assert 1.8 * 8000 <= v25.ANSWER_SILENCE <= 2.5 * 8000
    assert 2.6 * 8000 <= v25.ANSWER_TONE_LENGTH <= 4.0 * 8000
    assert 0.055 * 8000 <= v25.ANSWER_GAP <= 0.095 * 8000
    assert 0.425 * 8000 <= v25.REVERSAL_PERIOD <= 0.475 * 8000


def test_reversals_every_450_ms_turn_the_phase_within_a_millisecond() -> None:
    """V.25 (10/96) §2.3: 180 ± 10 degrees in 1 ms, and no dent in the amplitude longer than 400 µs."""
    x = AnswerTone(-13).generate(8000).astype(complex)
    n = np.arange(8000)
    straight = np.exp(-2j * np.pi * 2100 * n / 8000)
    for at in (3600, 7200):
        before = np.sum((x * straight)[at - 80 : at])
        after = np.sum((x * straight)[at : at + 80])
        assert abs(abs(np.angle(after / before, deg=True)) - 180) < 1
    assert dbm0_from_power(float(np.mean(np.abs(x) ** 2))) == pytest.approx(-13, abs=0.1)


def test_bell_tone_is_2225_without_reversals() -> None:
    x = AnswerTone(-13, bell=True).generate(8000)
    power = np.abs(np.fft.rfft(x)) ** 2
    assert power[2225] / power.sum() > 0.999


def test_tone_does_not_depend_on_the_cut() -> None:
    whole = AnswerTone(-13).generate(9000)
    tone = AnswerTone(-13)
    parts = np.concatenate([tone.generate(n) for n in (0, 1, 3599, 3, 5397)])
    np.testing.assert_allclose(parts, whole, atol=1e-6)


@pytest.mark.parametrize(("level", "noise"), [(-13, -80), (-43, -60), (-30, -45)])
@pytest.mark.parametrize("offset", [-7.0, 0.0, 7.0])
def test_detects_reversals(level: float, noise: float, offset: float) -> None:
    x = AnswerTone(level).generate(20800).astype(complex)
    x = np.real(np.fft.ifft(np.where(np.fft.fftfreq(20800) > 0, 2, 0) * np.fft.fft(x)) * shift(offset))
    x = np.concatenate((np.zeros(800), x, np.zeros(800)))
    x = x + np.random.default_rng(1).normal(0, rms_from_dbm0(noise), len(x))
    _, log = detect(x)
    hops = [h for h, _, _ in log]
    assert 10 <= hops.index(1) <= 14
    assert 270 <= max(k for k, h in enumerate(hops) if h) <= 274, "and the reversals did not end it"
    assert all(hops[20:268])
    assert log[265][1] == 5


def shift(offset: float) -> np.ndarray:
    return np.exp(2j * np.pi * offset * np.arange(20800) / 8000)


def test_plain_tone_has_no_reversals_and_another_cadence_is_not_counted() -> None:
    n = np.arange(20800)
    plain = 0.1 * np.sin(2 * np.pi * 2100 * n / 8000)
    assert detect(plain)[0].reversals == 0
    wrong = plain * np.where((n // 2400) % 2, -1, 1)
    assert detect(wrong)[0].reversals <= 1


def test_a_lost_packet_does_not_end_the_tone() -> None:
    x = AnswerTone(-13).generate(20800)
    _, log = detect(x, erase=range(60, 64))
    assert all(h for h, _, _ in log[10:])
    assert log[-1][1] >= 4


def test_amplitude_modulation_is_measured() -> None:
    n = np.arange(20800)
    ansam = AnswerTone(-13).generate(20800) * (1 + 0.2 * np.sin(2 * np.pi * 15 * n / 8000))
    assert 0.14 < detect(ansam)[1][200][2] < 0.26
    assert detect(AnswerTone(-13).generate(20800))[1][200][2] < 0.1
    assert detect(np.zeros(8000))[0].am_depth == 0


@pytest.mark.parametrize("frequency", [1650, 2025, 2225, 2250])
def test_other_tones_are_not_taken_for_it(frequency: float) -> None:
    x = 0.1 * np.sin(2 * np.pi * frequency * np.arange(16000) / 8000)
    assert not any(h for h, _, _ in detect(x)[1][5:])


def test_calling_tone() -> None:
    tone = CallingTone(-13)
    x = np.concatenate((tone.generate(10000), tone.generate(30000)))
    on = np.abs(x).reshape(-1, 100).max(axis=1) > 0
    edges = np.flatnonzero(np.diff(on.astype(int))) + 1
    seconds = edges / 80
    assert seconds[0] == pytest.approx(0.6, abs=0.02)
    assert seconds[1] - seconds[0] == pytest.approx(1.75, abs=0.03)
    power = np.abs(np.fft.rfft(x[:4800])) ** 2
    assert np.argmax(power) * 8000 / 4800 == pytest.approx(1300, abs=2)
