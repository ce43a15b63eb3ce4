"""Least squares over a record with gaps."""

import numpy as np
import pytest

from ansam.dsp.echo_fit import Window, echo, factorise, fit, normal_matrix, right_side, runs_of, substitute

LEAD, COUNT = 100, 600


def record(seed: int = 1) -> tuple[list[Window], list[np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    windows = [
        Window(rng.standard_normal(LEAD + COUNT), 3, 20),
        Window(rng.standard_normal(LEAD + COUNT), 50, 12),
    ]
    taps = [rng.standard_normal(w.count) for w in windows]
    valid = np.ones(COUNT, np.bool_)
    valid[100:160] = valid[300:301] = valid[590:] = False
    rx = np.sum([echo(w, h, LEAD, COUNT) for w, h in zip(windows, taps, strict=True)], axis=0)
    return windows, taps, np.where(valid, rx, 99.0), valid


def test_runs_are_the_stretches_that_are_valid() -> None:
    *_, valid = record()
    np.testing.assert_array_equal(runs_of(valid), [[0, 100], [160, 300], [301, 590]])
    assert runs_of(np.zeros(5, np.bool_)).shape == (0, 2)


def test_an_echo_is_a_convolution() -> None:
    windows, taps, _, _ = record()
    w, h = windows[1], taps[1]
    full = np.convolve(w.line, h)
    np.testing.assert_allclose(echo(w, h, LEAD, COUNT), full[LEAD - 50 : LEAD - 50 + COUNT])


def test_the_equations_are_those_of_the_valid_instants() -> None:
    windows, _, rx, valid = record()
    columns = [w.line[LEAD - w.start - i :][:COUNT] for w in windows for i in range(w.count)]
    table = np.stack(columns, axis=1)[valid]
    matrix = normal_matrix(windows, runs_of(valid), LEAD)
    right = right_side(windows, rx, runs_of(valid), LEAD)
    np.testing.assert_allclose(np.tril(matrix), np.tril(table.T @ table), atol=1e-9)
    np.testing.assert_allclose(right, table.T @ rx[valid], atol=1e-9)


def test_the_fit_finds_the_taps() -> None:
    windows, taps, rx, valid = record()
    found, _ = fit(windows, [1e-9, 1e-9], rx, runs_of(valid), LEAD)
    for got, wanted in zip(found, taps, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-8)


def test_what_can_not_be_fitted_is_not() -> None:
    windows, _, rx, valid = record()
    found, _ = fit([windows[0], windows[0]], [0.0, -1.0], rx, runs_of(valid), LEAD)
    assert all(not taps.any() for taps in found)


@pytest.mark.parametrize("compiled", [True, False])
def test_systems_of_equations(compiled: bool) -> None:
    first, then = (f if compiled else f.py_func for f in (factorise, substitute))
    matrix, vector = np.array([[4.0, 0.0], [2.0, 3.0]]), np.array([8.0, 8.0])
    assert first(matrix)
    then(matrix, vector)
    np.testing.assert_allclose(vector, [1.0, 2.0])
    assert not first(np.array([[1.0, 0.0], [2.0, 1.0]]))
