"""The precoder and the non-linear encoder, both ways: V.34 (10/96) §9.6.2 and §9.7.

The receiver asks the sender to let each symbol undo in advance what a three-tap filter 1 + h makes of the
symbols before it. What the receiver sees behind that filter is then y(n), a point of the odd grid: the
constellation's point u(n) moved by c(n), a multiple of 2^w. As c(n) follows from the symbols before,
the receiver computes it too.

::

    send:     u ──(+c)── y ──(-p)── x ── x Φ(|x|²) ── scale ── line          p = round(Σ h x), c = quantise(p)
    receive:  line ── 1/scale ── inverse of x Φ ── x + noise ── 1 + h ── y + noise ── decoder ── y ── u

x(n) is a whole number of 2^-7, h of 2^-14, so sender and receiver agree to the last bit in integers.
"""

from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types

from ansam.dsp.records import new_record

FRACTION = 7
"""x(n) and p(n) are multiples of 2^-7."""
COEFFICIENT_FRACTION = 14
"""§9.6.2: h has 14 bits behind the point."""
_X_LIMIT = 1 << 15
"""|x| of any sender is far less (47 and a quantising error); a receiver's may run away after an error."""

PRECODER = np.dtype(
    [
        ("h", "i8", (6,)),  # real and imaginary part of h(1), h(2), h(3), 2^-14
        ("x", "i8", (6,)),  # likewise of x(n-1), x(n-2), x(n-3), 2^-7
        ("w", "i8"),
    ]
)
PRECODERS = types.Array(from_dtype(PRECODER), 1, "C")
_TWO = types.UniTuple(types.int64, 2)  # type: ignore[no-untyped-call]
_FOUR = types.UniTuple(types.int64, 4)  # type: ignore[no-untyped-call]
Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"

Coefficients: TypeAlias = tuple[int, int, int, int, int, int]
"""Real and imaginary part of h(1), h(2), h(3) as MP carries them: 16 bits signed, 2^-14."""
NO_PRECODING: Coefficients = (0, 0, 0, 0, 0, 0)


def precoder_state(h: Coefficients, w: int) -> Record:
    """Return one record of `PRECODER` with an empty delay line (§10.1.3.1)."""
    precoder: Record = new_record(PRECODER)
    precoder[0].h[:] = h
    precoder[0].w = w
    return precoder


@njit("int64(int64, int64)", cache=True, nogil=True)
def _round(value: int, shift: int) -> int:
    """Divide by 2^shift to the nearest whole number, halves towards zero."""
    size = (abs(value) + (1 << (shift - 1)) - 1) >> shift
    return size if value >= 0 else -size


@njit(_FOUR(PRECODERS), cache=True, nogil=True)
def predict(precoder: Record) -> tuple[int, int, int, int]:
    """Return (p real, p imaginary, c real, c imaginary) of the next symbol: steps 1 to 3 of §9.6.2.

    p is in units of 2^-7, c in those of the grid.
    """
    s = precoder[0]
    real = 0
    imag = 0
    for i in range(0, 6, 2):
        real += s.x[i] * s.h[i] - s.x[i + 1] * s.h[i + 1]
        imag += s.x[i] * s.h[i + 1] + s.x[i + 1] * s.h[i]
    p_real = _round(real, COEFFICIENT_FRACTION)
    p_imag = _round(imag, COEFFICIENT_FRACTION)
    shift = FRACTION + s.w
    return p_real, p_imag, _round(p_real, shift) << s.w, _round(p_imag, shift) << s.w


@njit(_TWO(PRECODERS, *(types.int64,) * 4), cache=True, nogil=True)
def advance(precoder: Record, y_real: int, y_imag: int, p_real: int, p_imag: int) -> tuple[int, int]:
    """Take y(n), in units of the grid, and p(n) of `predict`; return x(n) in 2^-7 (9-31), and keep it."""
    s = precoder[0]
    x_real = min(_X_LIMIT, max(-_X_LIMIT, (y_real << FRACTION) - p_real))
    x_imag = min(_X_LIMIT, max(-_X_LIMIT, (y_imag << FRACTION) - p_imag))
    for i in range(5, 1, -1):
        s.x[i] = s.x[i - 2]
    s.x[0] = x_real
    s.x[1] = x_imag
    return x_real, x_imag


@njit("complex128(complex128, float64)", cache=True, nogil=True)
def project(x: complex, kappa: float) -> complex:
    """Encode non-linearly (9-33) to (9-35).

    Args:
        x: In units of the grid.
        kappa: Θ divided by the mean energy of x; 0 for none.
    """
    zeta = kappa * (x.real * x.real + x.imag * x.imag)
    return x * (1.0 + zeta / 6.0 + zeta * zeta / 120.0)


@njit("complex128(complex128, float64)", cache=True, nogil=True)
def unproject(x: complex, kappa: float) -> complex:
    """Undo `project`, with an error below 1e-6 for magnitudes up to twice those that occur.

    Φ is the start of the series of sinh(t)/t, t² = ζ, so asinh starts the inverse and Newton steps end it.
    """
    size = np.hypot(x.real, x.imag)
    root = np.sqrt(kappa)
    t = root * size
    if not 1e-6 < t < 1e3:
        return x
    s = np.arcsinh(t)
    for _ in range(2):
        z = s * s
        s -= (s * (1.0 + z / 6.0 + z * z / 120.0) - t) / (1.0 + z / 2.0 + z * z / 24.0)
    factor: float = s / t
    return x * factor
