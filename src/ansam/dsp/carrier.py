"""Decision-directed carrier recovery: a second-order loop on the angle between a point and its decision.

The proportional part turns the point at once; the integral part is a frequency that may be applied before the
equaliser, where it also stops a constant offset from smearing over the taps.

Source: F. M. Gardner, Phaselock Techniques, 3rd ed., ch. 2. One-sided noise bandwidth, for damping well
above 1: B_L ≈ proportional gain / 4 per symbol.
"""

import math

from numba import njit, types


@njit(types.float64(types.complex128, types.complex128), cache=True, nogil=True)
def phase_error(point: complex, decision: complex) -> float:
    """Return the angle from decision to point in radians, for small angles; 0 for a decision of 0."""
    energy = decision.real * decision.real + decision.imag * decision.imag
    if energy == 0.0:
        return 0.0
    return (point.imag * decision.real - point.real * decision.imag) / energy


@njit(
    "UniTuple(float64, 2)(float64, float64, float64, float64, float64, float64)",
    cache=True,
    nogil=True,
)
def track(
    phase: float, frequency: float, error: float, proportional: float, integral: float, limit: float
) -> tuple[float, float]:
    """Advance the loop by one symbol.

    Args:
        phase: Of the derotator, radians; kept within ±pi.
        frequency: Integral branch, radians per symbol.
        error: From `phase_error`.
        proportional: Loop gain per symbol.
        integral: Loop gain per symbol.
        limit: Largest |frequency| allowed.

    Returns:
        (phase, frequency). The frequency is *not* added to the phase: the caller turns its mixer by it.
    """
    phase += proportional * error
    if phase > math.pi:
        phase -= 2 * math.pi
    elif phase < -math.pi:
        phase += 2 * math.pi
    frequency = min(limit, max(-limit, frequency + integral * error))
    return phase, frequency
