"""The front's kernels driven by a plain slicer: what any modulation's receiver builds on."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.qam_wave import BAUD, CARRIER, four_points, wave

from ansam.dsp import qam
from ansam.dsp.qam import Front
from ansam.dsp.qam_fit import Fit, Trainer

TAPS, MAIN, KNOWN = 64, 28, 640
FIRST = 300.25
SYMBOLS = four_points(6000)


def trained(x: NDArray[np.float32]) -> tuple[Front, int]:
    """Return a front fitted to the sequence, and the sample from which on it must be fed."""
    front = Front(BAUD, CARRIER, TAPS, 0.2)
    fit = Trainer(front, SYMBOLS[:KNOWN], MAIN).fit(x, np.zeros(x.size, np.uint8), FIRST)
    assert isinstance(fit, Fit)
    s = front.state[0]
    delay = (front.table.shape[1] - 2) / 2
    oldest = fit.first - MAIN * (s.half + fit.drift / 2) + delay
    start = max(0, math.floor(oldest) - qam.RING)
    s.mixer = math.remainder(-s.increment * (start - 1), 2 * math.pi)
    s.next = oldest - (start - 1)
    s.gain, s.drift, s.frequency = fit.gain, fit.drift, fit.frequency
    s.symbols = -TAPS // 2
    s.phase = math.remainder(-fit.frequency * TAPS / 2, 2 * math.pi)
    s.carrier_gain, s.carrier_integral, s.timing_gain, s.timing_integral, s.step = (
        0.02,
        5e-5,
        0.01,
        2e-5,
        0.01,
    )
    front.taps_real[:], front.taps_imag[:] = fit.taps.real, fit.taps.imag
    front.line_good[:] = 1
    s.centre = qam.centre_of(front.taps_real, front.taps_imag)
    return front, start


def points(
    front: Front, x: NDArray[np.float32], start: int, erased: range = range(0)
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Run a slicer of four points; return all points and how reliable each is."""
    lines = front.line_real, front.line_imag
    taps = front.taps_real, front.taps_imag
    state = front.state
    out, trust = [], []
    for n in range(start, x.size):
        what = qam.push(
            state, x[n], n in erased, front.real, front.imag, front.table, *lines, front.line_good
        )
        if what == qam.NOTHING:
            continue
        output = qam.filtered(state, *taps, *lines)
        if what == qam.HALF_SYMBOL:
            qam.follow_clock(state, output, *taps)
            continue
        point = qam.begin_symbol(state, output)
        if state[0].symbols < 0:
            continue
        out.append(point)
        trust.append(qam.reliability(state, *taps, front.line_good))
        if state[0].hold == 0:
            decision = np.exp(0.5j * np.pi * (math.floor(np.angle(point) / (np.pi / 2)) + 0.5))
            qam.learn(state, point, decision, 1.0, *taps, *lines)
    return np.array(out), np.array(trust)


def error_db(found: NDArray[np.complex128]) -> float:
    return float(10 * np.log10(np.mean(np.abs(found - SYMBOLS[: found.size]) ** 2)))


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"offset_hz": 7.0},
        {"ppm": 300.0},
        {"ppm": -300.0, "offset_hz": -7.0},
        {"channel": (0.2j, 1.0, -0.3)},
    ],
    ids=str,
)
def test_points_stay_where_they_belong(line: dict[str, object]):
    x = wave(SYMBOLS, 12000, FIRST, snr_db=30, **line)  # type: ignore[arg-type]
    front, start = trained(x)
    found, trust = points(front, x, start)
    assert found.size > 3300
    if "channel" not in line:
        assert error_db(found) < -30
    assert (trust == 1.0).all()
    # The last ones are as good as the first.
    assert np.mean(np.abs(found - SYMBOLS[: found.size])[-300:] ** 2) < 1.6e-3


def test_what_the_loops_found():
    x = wave(SYMBOLS, 16000, FIRST, snr_db=40, offset_hz=5.0, ppm=120.0)
    front, start = trained(x)
    points(front, x, start)
    assert front.carrier_offset_hz == pytest.approx(5.0 + CARRIER * 120e-6, abs=0.1)
    assert front.timing_offset_ppm == pytest.approx(120, abs=10)


def test_an_erasure_is_ridden_through_and_marked():
    x = wave(SYMBOLS, 14000, FIRST, snr_db=35, offset_hz=-6.0, ppm=200.0)
    front, start = trained(x)
    gap = range(6000, 8400)
    x[gap.start : gap.stop] = 0.7
    found, trust = points(front, x, start, gap)
    error = np.abs(found - SYMBOLS[: found.size])
    inside = slice(round((gap.start - FIRST) * 0.3) + 20, round((gap.stop - FIRST) * 0.3) - 20)
    assert (trust[inside] < 0.01).all()
    assert (error[trust > 0.98] < 0.3).all()
    assert np.mean(error[-500:] ** 2) < 1e-3


def test_the_low_pass_is_a_matched_filter_of_gain_one():
    table = qam.low_pass(BAUD, 0.2, 28, 3.0)
    assert table.shape == (qam.FRACTIONS + 1, 58)
    np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-5)
    # The first row delays by 28 samples, the last by 29.
    np.testing.assert_allclose(table[0, ::-1][:57], table[0][1:], atol=1e-6)
    np.testing.assert_allclose(table[-1, :57], table[0, 1:], atol=1e-6)


def test_compiled_and_interpreted_kernels_agree():
    results = []
    for interpreted in (False, True):
        x = wave(SYMBOLS, 3500, FIRST, snr_db=30)
        front, start = trained(x)
        state = front.state
        push = qam.push.py_func if interpreted else qam.push
        filtered = qam.filtered.py_func if interpreted else qam.filtered
        learn = qam.learn.py_func if interpreted else qam.learn
        lines = front.line_real, front.line_imag
        taps = front.taps_real, front.taps_imag
        outputs = []
        for n in range(start, start + 200):
            if push(state, x[n], False, front.real, front.imag, front.table, *lines, front.line_good):
                output = filtered(state, *taps, *lines)
                outputs.append(output)
                learn(state, output, output + 0.01, 1.0, *taps, *lines)
        results.append(np.array(outputs))
    np.testing.assert_allclose(*results, atol=1e-4)
