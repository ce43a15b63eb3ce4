from fractions import Fraction

import numpy as np
import pytest
from tests.support.v34_reference import nearest

from ansam.modulation.v34 import precoder
from ansam.modulation.v34.precoder import advance, precoder_state, predict, project, unproject


@pytest.mark.parametrize(
    ("value", "shift", "rounded"),
    [
        (8, 4, 0),
        (9, 4, 1),
        (-8, 4, 0),
        (-9, 4, -1),
        (24, 4, 1),
        (25, 4, 2),
        (-24, 4, -1),
        (0, 1, 0),
        (3, 1, 1),
    ],
)
def test_halves_go_towards_zero(value: int, shift: int, rounded: int) -> None:
    assert precoder._round(value, shift) == rounded
    assert precoder._round.py_func(value, shift) == rounded
    assert nearest(Fraction(value, 1 << shift), Fraction(1)) == rounded


@pytest.mark.parametrize("w", [1, 2])
def test_the_precoder_is_that_of_the_clause(w: int) -> None:
    rng = np.random.default_rng(w)
    h = tuple(rng.integers(-9000, 9000, 6).tolist())
    state, twin = precoder_state(h, w), precoder_state(h, w)
    taps = [complex(*h[i : i + 2]) / 2**14 for i in (0, 2, 4)]
    x = [0j, 0j, 0j]
    for _ in range(500):
        q = sum(a * b for a, b in zip(taps, x, strict=True))
        p_real, p_imag, c_real, c_imag = predict(state)
        assert abs(p_real / 128 - q.real) <= 1 / 256
        assert abs(p_imag / 128 - q.imag) <= 1 / 256
        assert c_real % 2**w == c_imag % 2**w == 0
        assert max(abs(p_real / 128 - c_real), abs(p_imag / 128 - c_imag)) <= 2**w / 2
        assert predict.py_func(twin) == (p_real, p_imag, c_real, c_imag)
        u = rng.integers(-10, 10, 2) * 2 + 1
        y = (int(u[0]) + c_real, int(u[1]) + c_imag)
        x_real, x_imag = advance(state, *y, p_real, p_imag)
        assert advance.py_func(twin, *y, p_real, p_imag) == (x_real, x_imag)
        assert (x_real, x_imag) == (128 * y[0] - p_real, 128 * y[1] - p_imag)
        x = [complex(x_real, x_imag) / 128, *x[:2]]


def test_a_filter_that_runs_away_does_not() -> None:
    """A receiver's x(n) follows 1/(1 + h), which need not be stable after a wrong decision."""
    state = precoder_state((-32000, 0, 0, 0, 0, 0), 1)
    for _ in range(200):
        p_real, p_imag, _, _ = predict(state)
        advance(state, 255, -255, p_real, p_imag)
    assert np.abs(state[0].x).max() == 1 << 15


@pytest.mark.parametrize("kappa", [0.3125 / 600, 0.3125 / 10, 0.0])
def test_the_non_linear_encoder_and_its_inverse(kappa: float) -> None:
    reach = 4 * np.sqrt(0.3125 / kappa) if kappa else 100.0
    for size in np.linspace(0, reach, 50):
        x = size * np.exp(1j * size)
        bent = project(x, kappa)
        zeta = kappa * size**2
        assert bent == pytest.approx(x * (1 + zeta / 6 + zeta**2 / 120))
        assert unproject(bent, kappa) == pytest.approx(x, rel=1e-4, abs=1e-4)
        if zeta < 2:
            assert unproject(bent, kappa) == pytest.approx(x, rel=1e-6, abs=1e-6)
        assert unproject.py_func(bent, kappa) == pytest.approx(unproject(bent, kappa))


def test_absurd_points_do_not_break_the_inverse() -> None:
    for point in (complex(np.inf, 0), complex(np.nan, 1), 1e300 + 0j):
        unproject(point, 0.01)
