"""Equaliser, carrier, timing and gain loops, each compiled and interpreted."""

import math

import numpy as np
import pytest

from ansam.dsp.agc import adjust_gain
from ansam.dsp.carrier import phase_error, track
from ansam.dsp.equalizer import adapt, equalise
from ansam.dsp.timing import band_edges, lateness


@pytest.mark.parametrize("compiled", [True, False])
def test_the_equaliser_undoes_a_channel(compiled: bool) -> None:
    out = equalise if compiled else equalise.py_func
    move = adapt if compiled else adapt.py_func
    rng = np.random.default_rng(1)
    n = 11
    sent = rng.choice([-1, 1], 3000) + 1j * rng.choice([-1, 1], 3000)
    arrived = np.convolve(sent, [0.2j, 1.0, -0.3])[:3000]
    taps = np.zeros(n, np.complex128)
    taps[5] = 1
    line = np.zeros(2 * n, np.complex128)
    late = []
    for i, x in enumerate(arrived):
        at = i % n
        line[at] = line[at + n] = x
        y = out(taps, line, at + n)
        error = (sent[i - 6] if i >= 6 else 0) - y
        move(taps, line, at + n, 0.1 / (2 * n) * error)
        late.append(abs(error) ** 2)
    assert np.mean(late[-300:]) < 0.002


@pytest.mark.parametrize("compiled", [True, False])
def test_the_carrier_loop_finds_phase_and_frequency(compiled: bool) -> None:
    measure = phase_error if compiled else phase_error.py_func
    move = track if compiled else track.py_func
    phase, frequency, turned = 0.0, 0.0, 0.7
    for _ in range(2000):
        turned += 0.02 - frequency
        angle = math.remainder(turned - phase, 2 * math.pi)
        point = complex(math.cos(angle), math.sin(angle))
        phase, frequency = move(phase, frequency, measure(point, 1 + 0j), 0.1, 0.003, 0.1)
    assert frequency == pytest.approx(0.02, abs=1e-4)
    assert math.remainder(turned - phase, 2 * math.pi) == pytest.approx(0, abs=0.01)
    assert measure(1j, 0j) == 0.0
    assert move(3.1, 0.0, 1.0, 0.1, 1.0, 0.05) == (pytest.approx(3.2 - 2 * math.pi), 0.05)
    assert move(-3.1, 0.0, -1.0, 0.1, 1.0, 0.05) == (pytest.approx(2 * math.pi - 3.2), -0.05)


@pytest.mark.parametrize("shift", [-0.4, -0.1, 0.0, 0.25])
@pytest.mark.parametrize("compiled", [True, False])
def test_the_band_edges_tell_the_sampling_instant(shift: float, compiled: bool) -> None:
    edges = band_edges if compiled else band_edges.py_func
    late = lateness if compiled else lateness.py_func
    rng = np.random.default_rng(2)
    symbols = rng.choice([-1, 1], 400) + 1j * rng.choice([-1, 1], 400)
    pulse = np.arange(-16, 17) / 2
    up = lower = correlation = 0j
    for n in range(40, 720):
        t = n / 2 - shift
        k = round(t) + pulse[::2].astype(int)
        g = np.sinc(t - k) * np.cos(np.pi * 0.75 * (t - k)) / (1 - (1.5 * (t - k)) ** 2 + 1e-12)
        up, lower = edges(up, lower, complex((symbols[k] * g).sum()), 0.96)
        if n % 2 == 0:
            correlation += 0.03 * (up * lower.conjugate() - correlation)
    assert late(correlation) == pytest.approx(shift, abs=0.03)
    assert late(0j) == 0.0


@pytest.mark.parametrize("compiled", [True, False])
def test_the_gain_settles_and_a_click_moves_it_little(compiled: bool) -> None:
    move = adjust_gain if compiled else adjust_gain.py_func
    gain = 1.0
    for _ in range(2000):
        gain = move(gain, 0.01 * gain * gain, 1.0, 0.01)
    assert gain == pytest.approx(10, rel=0.01)
    assert move(1.0, 1e9, 1.0, 0.01) == pytest.approx(0.96)
