"""Sweeps of which the default suite runs a few points and `make bench` the others."""

from collections.abc import Collection, Iterable

import pytest


def sweep(points: Iterable[object], quick: Collection[int]) -> list[object]:
    """Return the parameters of a test; those whose place is not in `quick` are left to `make bench`."""
    return [
        point if place in quick else pytest.param(*_arguments(point), marks=pytest.mark.bench)
        for place, point in enumerate(points)
    ]


def _arguments(point: object) -> tuple[object, ...]:
    return point if isinstance(point, tuple) else (point,)
