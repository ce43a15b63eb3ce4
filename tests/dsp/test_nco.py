import numpy as np
import pytest

from ansam.dsp import nco
from ansam.dsp.nco import Oscillator


def test_tone_has_its_frequency_and_level() -> None:
    x = Oscillator(2100, 0.2).generate(8000).astype(float)
    power = np.abs(np.fft.rfft(x)) ** 2
    assert int(np.argmax(power)) == 2100
    assert np.sqrt(np.mean(x**2)) == pytest.approx(0.2, rel=1e-4)


def test_phase_goes_on_between_calls_and_through_a_change_of_frequency() -> None:
    tone = Oscillator(425, 0.2)
    whole = Oscillator(425, 0.2).generate(1000)
    parts = np.concatenate([tone.generate(n) for n in (1, 0, 333, 666)])
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    tone.frequency_hz = 600
    joined = np.concatenate((parts, tone.generate(100)))
    assert np.abs(np.diff(joined)).max() < 0.2 * np.sqrt(2) * 2 * np.pi * 600 / 8000 * 1.01


def test_reversal_turns_the_phase_by_half() -> None:
    straight, turned = Oscillator(2100, 0.2), Oscillator(2100, 0.2)
    straight.generate(37)
    turned.generate(37)
    turned.reverse()
    np.testing.assert_allclose(turned.generate(100), -straight.generate(100), atol=1e-6)


def test_tones_add(monkeypatch: pytest.MonkeyPatch) -> None:
    out = np.full(50, 0.1, np.float32)
    Oscillator(1000, 0.2).add_to(out)
    expected = 0.1 + Oscillator(1000, 0.2).generate(50)
    np.testing.assert_allclose(out, expected, atol=1e-6)
    monkeypatch.setattr(nco, "_add_tone", nco._add_tone.py_func)
    np.testing.assert_allclose(0.1 + Oscillator(1000, 0.2).generate(50), expected, atol=1e-6)
