import pytest
from tests.support import v34_reference, v34_tables

from ansam.modulation.v34.constellation import QUARTER, locate, subset, turn, turns_of


def test_figure_5() -> None:
    rows = {
        y: [label for _, label in sorted((int(p[0]), n) for n, p in enumerate(QUARTER) if p[1] == y)]
        for y in v34_tables.FIGURE_5
    }
    assert rows == v34_tables.FIGURE_5
    assert {n: tuple(p) for n, p in enumerate(QUARTER.tolist())} == v34_reference.QUARTER


def test_figure_9() -> None:
    for y, labels in v34_tables.FIGURE_9.items():
        for x, label in zip((-3, -1, 1, 3), labels, strict=True):
            assert subset(x, y) == int(label, 2)


def test_labels_far_out() -> None:
    for x in range(-41, 43, 2):
        for y in range(-41, 43, 2):
            assert subset(x, y) == v34_reference.subset_label(x, y)
            assert subset(x, y) & 3 == turns_of(x, y)


def test_every_point_is_found_again() -> None:
    seen = set()
    for label, (x, y) in enumerate(QUARTER.tolist()):
        for turns in range(4):
            point = turn(x, y, turns)
            assert point == v34_reference.clockwise((x, y), turns)
            assert locate(*point) == (turns, label)
            seen.add(point)
    assert len(seen) == 1664


@pytest.mark.parametrize("point", [(45, 45), (49, 1), (-255, 255), (101, -3)])
def test_what_is_outside_has_no_label(point: tuple[int, int]) -> None:
    assert locate(*point)[1] == -1


def test_compiled_and_interpreted_kernels_agree() -> None:
    for x in range(-9, 11, 2):
        for y in range(-49, 11, 6):
            y |= 1
            assert locate.py_func(x, y) == locate(x, y)
            assert subset.py_func(x, y) == subset(x, y)
            assert turns_of.py_func(x, y) == turns_of(x, y)
            assert turn.py_func(x, y, 3) == turn(x, y, 3)
