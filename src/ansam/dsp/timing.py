"""Symbol timing from the band edges (Godard).

A signal with excess bandwidth carries the same data twice, around -1/(2T) and +1/(2T); the phase between the
two copies is the sampling instant. Two one-pole resonators pick them out at two samples per symbol:

    y± [n] = ±j·a·y± [n-1] + x[n]         c = y+ · conj(y-)         tau = -arg(c) · T / 2 pi

The narrower the resonators, the less the data themselves disturb the estimate. It needs no decisions and no
carrier phase, works on alternating training patterns at once, and gives the whole angle, so that a receiver
can jump to the right instant instead of sliding to it.

Source: D. N. Godard, "Passband Timing Recovery in an All-Digital Modem Receiver", IEEE Trans. Commun. 26
(1978).
"""

import math

from numba import njit, types


@njit("UniTuple(complex128, 2)(complex128, complex128, complex128, float64)", cache=True, nogil=True)
def band_edges(upper: complex, lower: complex, x: complex, pole: float) -> tuple[complex, complex]:
    """Return the two resonators after one more half-symbol sample `x`; `pole` is a, 0 < a < 1."""
    turned_up = complex(-upper.imag * pole, upper.real * pole)
    turned_down = complex(lower.imag * pole, -lower.real * pole)
    return turned_up + x, turned_down + x


@njit(types.float64(types.complex128), cache=True, nogil=True)
def lateness(correlation: complex) -> float:
    """Return how long after our sampling instant the symbol's instant is, in symbols, -0.5 to 0.5.

    Args:
        correlation: Mean of y+ · conj(y-) at symbol instants.
    """
    if correlation == 0j:
        return 0.0
    return -math.atan2(correlation.imag, correlation.real) / (2 * math.pi)
