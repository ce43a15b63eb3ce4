import numpy as np
import pytest

from ansam.dsp.pulse import matched_table, root_raised_cosine, shaping_table, windowed_pulse


@pytest.mark.parametrize("roll_off", [0.25, 0.5, 0.75])
def test_the_pulse_through_its_matched_filter_has_no_intersymbol_interference(roll_off: float) -> None:
    t = np.arange(-1600, 1601) / 40
    g = root_raised_cosine(t, roll_off)
    cascade = np.convolve(g, g) / 40
    at = cascade[cascade.size // 2 :: 40][:10]
    assert at[0] == pytest.approx(1, abs=1e-3)
    assert np.abs(at[1:]).max() < 2e-3


def test_the_window_ends_the_pulse() -> None:
    t = np.array([-4.6, 0.0, 4.6])
    assert windowed_pulse(t, 0.75, 4.5, 3.0).tolist() == [0.0, root_raised_cosine(t, 0.75)[1], 0.0]


def test_the_shaper_sends_unit_power() -> None:
    table = shaping_table(0.75, 4.5, 3.0, 40, per_symbol_energy=10.0)
    assert table.shape == (40, 9)
    rng = np.random.default_rng(1)
    symbols = rng.choice([-3, -1, 1, 3], (20000, 2)) @ np.array([1, 1j])
    windows = np.lib.stride_tricks.sliding_window_view(symbols, 9)[:, ::-1]
    assert np.mean(np.abs(windows @ table.T) ** 2) == pytest.approx(1, rel=0.03)


def test_each_row_of_the_receive_table_delays_a_little_more() -> None:
    table = matched_table(0.75, 60, 3.0, 64, 40 / 3)
    assert table.shape == (65, 122)
    assert table.dtype == np.float32
    assert np.allclose(table.sum(axis=1), 1, atol=1e-5)
    centre = (table * np.arange(122)).sum(axis=1)
    assert np.allclose(centre, 60 + np.arange(65) / 64, atol=0.02)
