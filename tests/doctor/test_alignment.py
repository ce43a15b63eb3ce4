"""Finding in what came back what was sent."""

import numpy as np
import pytest

from ansam.doctor.alignment import follow, locate
from ansam.doctor.probe import band_noise
from ansam.units import FRAME

LENGTH = 100 * FRAME


def sent() -> np.ndarray:
    return band_noise(LENGTH, np.random.default_rng(3))


def returned(lag: int, *, gain: float = 1.0, noise: float = 0.0) -> np.ndarray:
    rx = np.zeros(LENGTH + 40000, np.float32)
    rx[lag : lag + LENGTH] = gain * sent()
    return rx + np.float32(noise) * np.random.default_rng(4).standard_normal(len(rx)).astype(np.float32)


def nothing(rx: np.ndarray) -> np.ndarray:
    return np.zeros(len(rx), bool)


@pytest.mark.parametrize(("gain", "noise"), [(1.0, 0.0), (-0.25, 0.0), (1.0, 0.05)])
def test_a_stretch_is_found_whatever_its_level_sign_and_noise(gain: float, noise: float) -> None:
    rx = returned(1234, gain=gain, noise=noise)
    assert locate(sent()[:4000], rx) == 1234
    track = follow(sent(), rx, nothing(rx), 0, LENGTH)
    assert track is not None
    assert track.heard.mean() > 0.98
    assert track.main_lag == 1234
    assert track.slips() == []
    assert np.median(track.gain[track.heard]) == pytest.approx(gain, rel=0.03)
    assert abs(track.drift_ppm()) < 20


def test_what_is_not_there_is_not_found() -> None:
    rng = np.random.default_rng(5)
    assert locate(sent()[:4000], band_noise(20000, rng)) is None
    assert locate(sent()[:4000], np.zeros(20000, np.float32)) is None
    assert follow(sent(), np.zeros(60000, np.float32), np.zeros(60000, bool), 0, LENGTH) is None


def test_slips_losses_and_erasures_are_told_apart() -> None:
    rx = returned(1000)
    rx[1000 + 50 * FRAME + 80 :] = rx[1000 + 50 * FRAME : -80].copy()
    rx[1000 + 20 * FRAME : 1000 + 22 * FRAME] = 0
    erased = nothing(rx)
    erased[1000 + 30 * FRAME : 1000 + 31 * FRAME] = True
    track = follow(sent(), rx, erased, 0, LENGTH)
    assert track is not None
    assert track.slips() == [80]
    assert track.erased.sum() == 1
    assert 2 <= np.sum(~track.heard & ~track.erased) <= 3


def test_a_jump_further_than_the_near_search_is_found_again() -> None:
    rx = returned(1000)
    rx[1000 + 50 * FRAME + 3000 :] = rx[1000 + 50 * FRAME : -3000].copy()
    track = follow(sent(), rx, nothing(rx), 0, LENGTH)
    assert track is not None
    assert track.slips() == [3000]
    assert track.heard.mean() > 0.85


def test_a_drift_of_the_delay_is_measured() -> None:
    tx = sent()
    at = np.arange(LENGTH) / (1 + 200e-6)
    spread = np.arange(-16, 17)
    taps = np.sinc(at[:, None] - (np.floor(at)[:, None] + spread)) * np.hanning(35)[1:-1]
    index = np.clip(np.floor(at).astype(int)[:, None] + spread, 0, LENGTH - 1)
    rx = np.zeros(LENGTH + 8000, np.float32)
    rx[800 : 800 + LENGTH] = np.sum(tx[index] * taps, axis=1)
    track = follow(tx, rx, nothing(rx), 0, LENGTH)
    assert track is not None
    assert track.drift_ppm() == pytest.approx(200, abs=25)
