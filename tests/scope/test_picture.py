import numpy as np
import pytest
from PIL import Image

from ansam.errors import ResourceError
from ansam.scope.picture import SIZE, constellation_png


def bright(path):
    """Return the pixels that are points, as coordinates ±1 of the picture's half side."""
    image = np.asarray(Image.open(path)).astype(int)
    assert image.shape == (SIZE, SIZE, 3)
    row, column = np.nonzero(image[..., 2] > 100)
    return (column - SIZE / 2) / (SIZE / 2), (SIZE / 2 - row) / (SIZE / 2)


def test_points_are_where_they_belong(tmp_path):
    points = [3 + 1j, -1 + 3j, -3 - 1j, 1 - 3j] * 50
    constellation_png(points, tmp_path / "a.png")
    x, y = bright(tmp_path / "a.png")
    found = {(round(3.3 * a), round(3.3 * b)) for a, b in zip(x, y, strict=True)}
    assert found == {(3, 1), (-1, 3), (-3, -1), (1, -3)}


def test_scale_does_not_matter_and_wild_points_do_not_set_it(tmp_path):
    rng = np.random.default_rng(1)
    points = np.exp(2j * np.pi * rng.random(1000))
    constellation_png(points, tmp_path / "a.png")
    constellation_png(np.concatenate((1e-3 * points, [1.0, complex("nan")])), tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        x, y = bright(tmp_path / name)
        assert np.abs(np.hypot(x, y) - 0.9).max() < 0.03


def test_nothing_to_show_is_axes(tmp_path):
    constellation_png([], tmp_path / "a.png")
    constellation_png([0j], tmp_path / "b.png")
    assert bright(tmp_path / "a.png")[0].size == 0
    assert bright(tmp_path / "b.png")[0].size > 0


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(ResourceError, match="picture"):
        constellation_png([1j], tmp_path / "none" / "a.png")
