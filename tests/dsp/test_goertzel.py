import numpy as np
import pytest

from ansam.dsp import goertzel
from ansam.dsp.goertzel import HOP, ToneMeter, ToneWatch
from ansam.dsp.nco import Oscillator
from ansam.units import rms_from_dbm0


def feed(meter: ToneMeter, x: np.ndarray, *watches: ToneWatch, erased: bool = False) -> list[int]:
    """Return the first watch's hops after each hop."""
    out, at = [], 0
    while at < len(x):
        piece = x[at : at + meter.room()].astype(np.float32)
        at += len(piece)
        if meter.feed(piece, erased):
            for watch in watches:
                watch.update()
            out.append(watches[0].hops if watches else 0)
    return out


@pytest.mark.parametrize("offset", [-30.0, -7.0, 0.0, 7.0, 30.0])
@pytest.mark.parametrize("level", [-10.0, -43.0])
def test_measures_level_and_offset(offset: float, level: float) -> None:
    meter = ToneMeter([1650.0, 2225.0])
    feed(meter, Oscillator(1650 + offset, rms_from_dbm0(level)).generate(8000))
    assert meter.coherence[0] > 0.99
    assert meter.offset_hz[0] == pytest.approx(offset, abs=0.1)
    assert meter.coherence[1] < 0.99 or meter.power[1] < meter.power[0] * 1e-5


def test_noise_never_holds_a_tone_for_150_ms() -> None:
    meter = ToneMeter([980.0, 2100.0])
    watches = [ToneWatch(meter, i, 25, min_dbm0=-80) for i in range(2)]
    hops = feed(meter, np.random.default_rng(1).normal(0, 0.05, 8000 * 120), *watches)
    assert max(hops) < 15


def test_a_loud_neighbour_does_not_hide_a_weak_tone() -> None:
    meter = ToneMeter([980.0])
    watch = ToneWatch(meter, 0, 20)
    x = Oscillator(980, rms_from_dbm0(-43)).generate(8000)
    Oscillator(1650, rms_from_dbm0(-19)).add_to(x)
    assert feed(meter, x, watch)[-1] > 90


@pytest.mark.parametrize(("heard", "there"), [(2225, True), (2232, True), (2243, False), (2250, False)])
def test_bell_mark_is_not_unscrambled_ones(heard: float, there: bool) -> None:
    meter = ToneMeter([2225.0])
    watch = ToneWatch(meter, 0, 12)
    hops = feed(meter, Oscillator(heard, 0.1).generate(4000), watch)
    assert (hops[-1] >= 15) is there


def test_watch_sees_the_tone_come_and_go() -> None:
    meter = ToneMeter([2100.0])
    watch = ToneWatch(meter, 0, 20)
    tone = Oscillator(2100, 0.1).generate(4000)
    hops = feed(meter, np.concatenate((np.zeros(4000), tone, np.zeros(800))), watch)
    first, last = hops.index(1), max(k for k, h in enumerate(hops) if h)
    assert 50 <= first <= 53
    assert 100 <= last <= 103
    assert watch.level_dbm0 == pytest.approx(-20 + 3.01 + 3.14, abs=1.5)


def test_another_signal_in_its_place_ends_it() -> None:
    meter = ToneMeter([1650.0])
    watch = ToneWatch(meter, 0, 20)
    tone = Oscillator(1650, 0.1).generate(4000)
    noise = np.random.default_rng(2).normal(0, 0.5, 4000)
    assert feed(meter, np.concatenate((tone, noise)), watch)[-1] < 15


def test_erased_samples_freeze_everything_but_time() -> None:
    meter = ToneMeter([2100.0])
    watch = ToneWatch(meter, 0, 20)
    tone = Oscillator(2100, 0.1).generate(8000)
    before = feed(meter, tone[:4000], watch)[-1]
    coherence = float(meter.coherence[0])
    feed(meter, np.ones(160), watch, erased=True)
    assert (watch.hops, float(meter.coherence[0])) == (before + 2, coherence)
    assert feed(meter, tone[4160:], watch)[-1] == before + 50
    silent = ToneMeter([2100.0])
    absent = ToneWatch(silent, 0, 20)
    feed(silent, np.ones(800), absent, erased=True)
    assert absent.hops == 0


def test_kernel_agrees_with_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(3).normal(0, 0.1, 4 * HOP)
    compiled, plain = ToneMeter([980.0, 1650.0]), ToneMeter([980.0, 1650.0])
    feed(compiled, x)
    monkeypatch.setattr(goertzel, "_bins", goertzel._bins.py_func)
    feed(plain, x)
    np.testing.assert_allclose(plain.amplitude, compiled.amplitude, atol=1e-7)
