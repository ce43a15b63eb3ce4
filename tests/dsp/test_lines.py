import numpy as np
import pytest
from numpy.typing import NDArray

from ansam.dsp.lines import HOP, LineMeter

LINES = (600.0, 1800.0, 3000.0)


def tones(count: int, *amplitudes: complex) -> NDArray[np.float32]:
    n = np.arange(count)
    x = sum((a * np.exp(2j * np.pi * f * n / 8000)).real for f, a in zip(LINES, amplitudes, strict=True))
    return np.asarray(x, np.float32)


@pytest.mark.parametrize("length", [40, 53])
def test_amplitude_and_phase_of_each_line(length: int):
    """Phases are those at sample 0, whatever the window; 53 samples make the lines overlap."""
    amplitudes = (0.3, -0.2j, 0.1 + 0.1j)
    meter = LineMeter(LINES, length)
    meter.feed(tones(400, *amplitudes), False)
    np.testing.assert_allclose(meter.amplitudes[-10:], [amplitudes] * 10, atol=1e-5)
    power = np.mean(np.abs(amplitudes) ** 2) * 3 / 2
    np.testing.assert_allclose(meter.explained[-10:], meter.power[-10:], rtol=1e-4)
    assert meter.power[-40:].mean() == pytest.approx(power, rel=0.1)


def test_instants_of_the_windows():
    meter = LineMeter(LINES)
    assert meter.feed(np.zeros(25, np.float32), False) == 2
    assert meter.ends.tolist() == [HOP - 1, 2 * HOP - 1]
    assert meter.feed(np.zeros(25, np.float32), False) == 3
    assert meter.ends.tolist() == [29, 39, 49]


def test_noise_is_explained_by_its_share_of_the_dimensions():
    """Three sines and cosines are 6 of 40 dimensions."""
    meter = LineMeter(LINES)
    x = np.random.default_rng(1).normal(0, 0.1, 80000).astype(np.float32)
    meter.feed(x, False)
    assert meter.explained.sum() / meter.power.sum() == pytest.approx(6 / 40, rel=0.03)


def test_windows_with_an_erased_sample_are_not_clean():
    meter = LineMeter(LINES)
    meter.feed(np.ones(100, np.float32), False)
    meter.feed(np.ones(5, np.float32), True)
    meter.feed(np.ones(100, np.float32), False)
    # The window whose newest sample is 104 + 40 is the first without the erased ones.
    assert meter.clean.tolist() == [int(end) - 40 >= 104 for end in meter.ends]


def test_survey():
    meter = LineMeter(LINES)
    noise = np.random.default_rng(1).normal(0, 0.1, 4000).astype(np.float32)
    meter.feed(noise, False)  # the first windows are not filled
    meter.feed(noise, False)
    share, level = meter.survey(1e-4, 0.0, 0.01)
    assert share == pytest.approx((meter.explained / meter.power).max())
    smoothed = 0.0
    for power in meter.power:
        smoothed += 0.01 * (power - smoothed)
    assert level == pytest.approx(smoothed)
    assert meter.survey(1.0, 0.0, 0.01)[0] == 1.0


@pytest.mark.parametrize("piece", [1, 7, 160, 1000])
def test_nothing_depends_on_the_cut(piece: int):
    x = tones(2000, 0.3, 0.2j, 0.1) + np.random.default_rng(2).normal(0, 0.1, 2000).astype(np.float32)
    whole, cut = LineMeter(LINES), LineMeter(LINES)
    whole.feed(x, False)
    amplitudes, ends = [], []
    for i in range(0, x.size, piece):
        cut.feed(x[i : i + piece], False)
        amplitudes.append(cut.amplitudes.copy())
        ends.append(cut.ends)
    np.testing.assert_array_equal(np.concatenate(amplitudes), whole.amplitudes)
    np.testing.assert_array_equal(np.concatenate(ends), whole.ends)
