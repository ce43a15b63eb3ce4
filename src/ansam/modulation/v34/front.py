"""From the equaliser's output to the decoder's grid, and from its decisions back (V.34 (10/96) §9.6.2, §9.7).

The equaliser's output approaches x'(n), the symbols as sent. `to_grid` undoes level and non-linear encoding
and applies the filter 1 + h that the sender's precoder reckons with, which whitens the noise where h was
chosen so. `follow` makes of decided y(n) the x'(n) that an equaliser can be adapted to.
"""

from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types

from ansam.dsp.records import new_record
from ansam.modulation.v34.coding import Coding, code_record
from ansam.modulation.v34.encoder import to_line
from ansam.modulation.v34.precoder import (
    COEFFICIENT_FRACTION,
    PRECODERS,
    advance,
    predict,
    unproject,
)

Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"

FRONT = np.dtype(
    [
        ("kappa", "f8"),
        ("scale", "f8"),
        ("taps", "i8"),  # 3, or 0 where nothing is precoded
        ("h", "c16", (3,)),
        ("x", "c16", (3,)),  # the last three, newest first
        ("dirty", "i8"),  # symbols until the filter holds nothing of one without weight
    ]
)
FRONTS = types.Array(from_dtype(FRONT), 1, "C")
_POINT = types.Tuple((types.complex128, types.float64))  # type: ignore[no-untyped-call]


def front_record(coding: Coding) -> Record:
    """Return one record of `FRONT`."""
    front: Record = new_record(FRONT)
    s = front[0]
    code = code_record(coding)[0]
    s.kappa, s.scale = code.kappa, code.scale
    s.taps = 3 if coding.precoded else 0
    h = np.array(coding.precoding) / (1 << COEFFICIENT_FRACTION)
    s.h[:] = h[::2] + 1j * h[1::2]
    return front


@njit(_POINT(FRONTS, types.complex128, types.float64), cache=True, nogil=True)
def to_grid(front: Record, point: complex, weight: float) -> tuple[complex, float]:
    """Bring a symbol to the grid.

    Args:
        front: One record of `FRONT`.
        point: x'(n) with mean power 1, as the equaliser gives it.
        weight: As the decoder takes it; 0 for a symbol that never arrived.

    Returns:
        (y(n) in units of the grid, its weight: 0 also while the filter holds a symbol without weight).
    """
    s = front[0]
    if not abs(point.real) + abs(point.imag) < 1e3:
        point, weight = 0j, 0.0
    x = unproject(point / s.scale, s.kappa)
    y = x
    for i in range(s.taps):
        y += s.h[i] * s.x[i]
    s.x[2] = s.x[1]
    s.x[1] = s.x[0]
    s.x[0] = x
    if weight <= 0.0:
        s.dirty = s.taps + 1
    if s.dirty > 0:
        s.dirty -= 1
        weight = 0.0
    return y, weight


@njit(types.complex128(FRONTS, PRECODERS, types.complex128), cache=True, nogil=True)
def follow(front: Record, precoder: Record, y: complex) -> complex:
    """Return x'(n), mean power 1, of a decided y(n).

    Args:
        front: One record of `FRONT`.
        precoder: A record of its own, of `precoder.precoder_state`: decisions to come may differ from those
            the decoder settles on.
        y: Decided point, odd coordinates.
    """
    p_real, p_imag, _, _ = predict(precoder)
    x_real, x_imag = advance(precoder, int(np.rint(y.real)), int(np.rint(y.imag)), p_real, p_imag)
    return to_line(x_real, x_imag, front[0].kappa, front[0].scale)
