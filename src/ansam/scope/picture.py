"""Pictures as PNG files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ansam.errors import ResourceError

SIZE = 640
"""Pixels each way."""

MARGIN = 1.1
"""Of what is shown beyond the outermost points."""

OUTERMOST = 99.5
"""Percentile that counts as such: a few wild points do not shrink all others."""

DOT = 2
"""Half the side of a point, less half a pixel."""

_BACKGROUND = (16, 20, 28)
_AXIS = (60, 70, 84)
_POINT = (120, 220, 255)
_MEETING = 0.45
"""How much of the way to full brightness one point takes; many on one spot come closer to it."""


def constellation_png(points: Sequence[complex] | NDArray[np.complexfloating], path: Path) -> None:
    """Draw received points on the complex plane: real part to the right, imaginary part upwards.

    Args:
        points: At least one; the scale fits itself to them.
        path: Where the PNG goes.

    Raises:
        ResourceError: The file cannot be written.
    """
    z = np.asarray(points, np.complex128)
    z = z[np.isfinite(z)]
    span = np.percentile(np.maximum(np.abs(z.real), np.abs(z.imag)), OUTERMOST) if z.size else 0.0
    scale = (SIZE / 2 - DOT - 1) / (MARGIN * (span or 1.0))
    column = np.rint(SIZE / 2 + scale * z.real).astype(int)
    row = np.rint(SIZE / 2 - scale * z.imag).astype(int)
    inside = (np.minimum(column, row) >= DOT) & (np.maximum(column, row) < SIZE - DOT)
    hits = np.zeros((SIZE, SIZE))
    for down in range(-DOT, DOT + 1):
        for right in range(-DOT, DOT + 1):
            np.add.at(hits, (row[inside] + down, column[inside] + right), 1.0)
    brightness = (1 - (1 - _MEETING) ** hits)[..., None]
    image = np.full((SIZE, SIZE, 3), _BACKGROUND, float)
    image[SIZE // 2, :] = image[:, SIZE // 2] = _AXIS
    image += (np.array(_POINT) - image) * brightness
    try:
        Image.fromarray(np.rint(image).astype(np.uint8)).save(path, "PNG")
    except OSError as error:
        raise ResourceError(
            f"picture {str(path)!r}: {error.strerror}", "choose a place to write to"
        ) from error
