"""The interpolator against exact sines."""

import numpy as np
import pytest

from ansam.errors import LocalProtocolError
from ansam.line.resampler import TAPS, Resampler


def resample(x, step, delay=100.0, cut=160):
    tail = Resampler(step, delay)
    out = []
    for start in range(0, len(x), cut):
        tail.push(x[start : start + cut])
        while tail.ready(40):
            out.append(tail.pull(40)[0])
    return np.concatenate(out)


@pytest.mark.parametrize("ppm", [-300, -37, 0.5, 120, 1000])
@pytest.mark.parametrize("frequency", [200, 300, 1004, 1800, 2400, 3400, 3500])
def test_distortion_is_below_minus_70_db(ppm, frequency):
    step = 1 + ppm * 1e-6
    x = np.sin(2 * np.pi * frequency / 8000 * np.arange(8000)).astype(np.float32)
    y = resample(x, step)
    at = np.arange(len(y)) * step - 100.0
    want = np.sin(2 * np.pi * frequency / 8000 * at)
    steady = slice(400, len(y))
    error = np.mean((y[steady] - want[steady]) ** 2) / np.mean(want[steady] ** 2)
    assert 10 * np.log10(error) < -70


def test_results_do_not_depend_on_how_the_input_was_cut():
    x = np.random.default_rng(1).standard_normal(4000).astype(np.float32)
    whole, pieces = resample(x, 1.0001, cut=160), resample(x, 1.0001, cut=7)
    np.testing.assert_array_equal(whole[: len(pieces)], pieces[: len(whole)])


def test_marks_travel_with_their_samples():
    tail = Resampler(1.0, 60.0)
    for n in range(5):
        tail.push(np.full(160, float(n), np.float32), marked=n == 2)
    audio, marks = tail.pull(600)
    assert np.flatnonzero(marks).tolist() == list(range(60 + 320, 60 + 480))
    np.testing.assert_allclose(audio[60 + 320 + TAPS : 60 + 480 - TAPS], 2.0, rtol=1e-5)


def test_reading_ahead_and_writing_without_end_are_our_own_errors():
    tail = Resampler(1.0, 60.0)
    with pytest.raises(LocalProtocolError):
        tail.pull(160)
    for _ in range(12):
        tail.push(np.zeros(160, np.float32))
    with pytest.raises(LocalProtocolError):
        tail.push(np.zeros(160, np.float32))
    with pytest.raises(LocalProtocolError):
        Resampler(1.5, 60.0)
