import numpy as np
import pytest
from tests.support.modem_line import alaw

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


def test_ansam_envelope() -> None:
    """V.8 (11/2000) §7.2: 0.8 … 1.2 times the average, ±0.01; the mean power is the level asked for."""
    tone = AnswerTone(-13, modulated=True, reversals=False)
    x = np.concatenate([tone.generate(n) for n in (1, 799, 0, 15200)]).astype(float)
    spectrum = np.fft.fft(x)
    spectrum[8000:] = 0
    envelope = np.abs(np.fft.ifft(2 * spectrum))[800:-800]
    assert envelope.max() / envelope.mean() == pytest.approx(1.2, abs=0.01)
    assert envelope.min() / envelope.mean() == pytest.approx(0.8, abs=0.01)
    assert dbm0_from_power(float(np.mean(x**2))) == pytest.approx(-13, abs=0.02)
    lines = np.abs(np.fft.rfft(x))
    assert set(np.argsort(lines)[-3:] / 2) == {2085.0, 2100.0, 2115.0}


def test_ansam_does_not_depend_on_the_cut() -> None:
    whole = AnswerTone(-13, modulated=True).generate(9000)
    tone = AnswerTone(-13, modulated=True)
    parts = np.concatenate([tone.generate(n) for n in (0, 1, 3599, 3, 5397)])
    np.testing.assert_allclose(parts, whole, atol=1e-6)


@pytest.mark.parametrize(("level", "snr"), [(-13, 30), (-13, 3), (-40, 20), (-43, 15)])
@pytest.mark.parametrize("loss", [0.0, 0.01, 0.05])
def test_ansam_is_told_from_ans(level: float, snr: float, loss: float) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        for modulated in (True, False):
            x = AnswerTone(level, modulated=modulated, reversals=seed % 3 > 0).generate(16000)
            x = alaw(x + rng.normal(0, rms_from_dbm0(level - snr), len(x)))
            detector, first = modulation(x, loss, rng)
            assert (first is not None) is modulated
            assert detector.modulated is modulated
            assert first is None or first < 0.42


def modulation(
    x: np.ndarray, loss: float, rng: np.random.Generator
) -> tuple[AnswerToneDetector, float | None]:
    """Return the detector after `x`, and when it took the tone for ANSam, in seconds."""
    meter = ToneMeter([v25.ANSWER_TONE_HZ])
    detector, first, erased = AnswerToneDetector(meter, 0), None, False
    for hop in range(len(x) // 80):
        erased = rng.random() < loss if hop % 2 == 0 else erased
        meter.feed(x[80 * hop : 80 * hop + 80].astype(np.float32), erased)
        detector.update()
        if detector.modulated and first is None:
            first = hop / 100
    return detector, first


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.4, 2.0])
def test_a_step_of_the_level_is_no_modulation(factor: float) -> None:
    for at in range(4000, 6400, 200):
        x = AnswerTone(-16).generate(16000)
        x[at:] *= factor
        assert modulation(x, 0, np.random.default_rng(1))[1] is None


def test_a_phase_jump_or_a_click_does_not_hide_ansam() -> None:
    x = AnswerTone(-13, modulated=True).generate(16000)
    x[1500:] *= -1
    x[2200:2240] = 0
    assert modulation(x, 0, np.random.default_rng(1))[1] is not None
