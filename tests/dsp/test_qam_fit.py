import numpy as np
import pytest
from tests.support.qam_wave import BAUD, CARRIER, four_points, wave

from ansam.dsp.qam import Front
from ansam.dsp.qam_fit import PIECE, Trainer

TAPS, MAIN, COUNT = 64, 28, 640
FIRST = 300.25
SYMBOLS = four_points(1200)


def trainer() -> Trainer:
    return Trainer(Front(BAUD, CARRIER, TAPS, 0.2), SYMBOLS[:COUNT], MAIN)


def samples(**line: object) -> tuple[np.ndarray, np.ndarray]:
    x = wave(SYMBOLS, 3500, FIRST, **line)  # type: ignore[arg-type]
    return x, np.zeros(x.size, np.uint8)


@pytest.mark.parametrize("offset_hz", [0.0, 7.0, -7.0])
def test_where_the_sequence_begins(offset_hz: float):
    at, share = trainer().find(*samples(offset_hz=offset_hz, snr_db=20), FIRST - 100, FIRST + 100)
    assert at == pytest.approx(FIRST, abs=2)
    assert share > 0.4


def test_noise_does_not_look_like_the_sequence():
    x = np.random.default_rng(4).normal(0, 0.2, 3500).astype(np.float32)
    _, share = trainer().find(x, np.zeros(3500, np.uint8), 200, 400)
    assert share < 4 / PIECE


@pytest.mark.parametrize("error", [-2.0, 0.0, 2.0])
@pytest.mark.parametrize("snr_db", [15.0, 25.0, 35.0])
def test_the_error_left_is_that_of_the_noise(snr_db: float, error: float):
    """White noise over 4000 Hz, of which a matched filter takes 2400 Hz's worth."""
    fit = trainer().fit(*samples(snr_db=snr_db), FIRST + error)
    assert fit is not None
    assert -10 * np.log10(fit.mse) == pytest.approx(snr_db + 2.2, abs=0.6)
    assert fit.rows == COUNT


@pytest.mark.parametrize("ppm", [-300.0, 0.0, 300.0])
@pytest.mark.parametrize("offset_hz", [-7.0, 0.0, 7.0])
def test_carrier_and_clock(offset_hz: float, ppm: float):
    fit = trainer().fit(*samples(offset_hz=offset_hz, ppm=ppm, snr_db=35), FIRST)
    assert fit is not None
    turned = fit.frequency * BAUD / (2 * np.pi)
    assert turned == pytest.approx(offset_hz + CARRIER * ppm * 1e-6, abs=0.05)
    assert -fit.drift / (8000 / BAUD) * 1e6 == pytest.approx(ppm, abs=12)


def test_a_dispersive_line_is_equalised():
    line = {"channel": (0.2j, 1.0, -0.3, 0.15 + 0.1j), "snr_db": 40.0}
    x, erased = samples(**line)
    fit = trainer().fit(x, erased, FIRST + 10 / 3)
    assert fit is not None
    assert -10 * np.log10(fit.mse) > 37


def test_erased_samples_cost_only_their_own_symbols():
    x, erased = samples(snr_db=30)
    x[1000:1160] = 0.9
    erased[1000:1160] = 1
    fit = trainer().fit(x, erased, FIRST)
    assert fit is not None
    # 48 symbols, and as many as equaliser and low-pass reach over.
    assert COUNT - 48 - 60 < fit.rows < COUNT - 48
    assert -10 * np.log10(fit.mse) == pytest.approx(32.2, abs=0.6)


def test_too_few_symbols_are_no_fit():
    x, erased = samples()
    erased[400:2200] = 1
    assert trainer().fit(x, erased, FIRST) is None
