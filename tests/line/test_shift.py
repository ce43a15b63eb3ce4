"""The frequency shift against exact sines."""

import numpy as np
import pytest

from ansam.line.shift import HALF, FrequencyShift


@pytest.mark.parametrize("offset", [-7.0, 0.3, 10.0])
@pytest.mark.parametrize("frequency", [300, 1200, 2400, 3400])
def test_a_sine_becomes_the_shifted_sine(offset, frequency):
    n = np.arange(6000)
    x = np.sin(2 * np.pi * frequency / 8000 * n).astype(np.float32)
    shift = FrequencyShift(offset)
    y = np.concatenate([shift.process(part) for part in np.array_split(x, 37)])
    want = np.sin(2 * np.pi * (frequency * (n - HALF) + offset * n) / 8000)
    error = np.mean((y[600:] - want[600:]) ** 2) / 0.5
    assert 10 * np.log10(error) < -65
