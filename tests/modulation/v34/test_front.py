import math

import numpy as np
import pytest
from tests.support.v34_link import H, Source, coding, grid

from ansam.modulation.v34.front import follow, front_record, to_grid
from ansam.modulation.v34.precoder import NO_PRECODING, precoder_state


@pytest.mark.parametrize("h", [NO_PRECODING, H])
@pytest.mark.parametrize("nonlinear", [False, True])
def test_points_come_to_the_grid_and_back(h: tuple[int, ...], nonlinear: bool) -> None:
    code = coding(3429, 28800, expanded=True, nonlinear=nonlinear, h=h)
    x = Source(code).symbols(40)
    y, weights = grid(code, x)
    odd = 2 * np.rint((y - 1 - 1j).real / 2) + 1 + 1j * (2 * np.rint((y - 1 - 1j).imag / 2) + 1)
    # The precoder rounds p(n) to 2^-7, so the filter's output misses the grid by half of that.
    assert np.abs(y - odd).max() < 0.01
    assert weights.all()
    record, precoder = front_record(code), precoder_state(code.precoding, code.parameters.w)
    assert [follow(record, precoder, complex(point)) for point in odd] == pytest.approx(x)


def test_the_filter_forgets_what_had_no_weight() -> None:
    record = front_record(coding(3200, 19200, h=H))
    given = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.5, 1.0]
    assert [to_grid(record, 0.5j, weight)[1] for weight in given] == [1, 1, 0, 0, 0, 0, 0.5, 1]
    plain = front_record(coding(3200, 19200))
    assert [to_grid(plain, 0.5j, weight)[1] for weight in given] == given


def test_what_is_not_a_number_has_no_weight() -> None:
    record = front_record(coding(3200, 19200, nonlinear=True, h=H))
    for point in (complex(math.nan, 1), complex(0, math.inf), 1e12 + 0j):
        y, weight = to_grid(record, point, 1.0)
        assert weight == 0.0
        assert np.isfinite(y)


def test_compiled_and_interpreted_kernels_agree() -> None:
    code = coding(3200, 19200, nonlinear=True, h=H)
    a, b = front_record(code), front_record(code)
    p, q = precoder_state(H, 1), precoder_state(H, 1)
    for point in np.random.default_rng(1).normal(size=(20, 2)):
        first = to_grid(a, complex(*point), 1.0)
        second = to_grid.py_func(b, complex(*point), 1.0)
        assert first[0] == pytest.approx(second[0])
        assert follow(a, p, first[0]) == pytest.approx(follow.py_func(b, q, first[0]))
