"""Automatic gain control: a multiplicative loop that holds the mean power at a target."""

from numba import njit, types


@njit(types.float64(*[types.float64] * 4), cache=True, nogil=True)
def adjust_gain(gain: float, power: float, target: float, rate: float) -> float:
    """Return the gain after one more sample.

    Args:
        gain: Amplitude factor in use, > 0.
        power: |sample|² after that gain.
        target: Wanted mean of `power`.
        rate: Share of a small level error removed per sample; the time constant is 1 / rate samples.

    Returns:
        The new gain; one sample moves it by at most 4 · `rate`, so that a click can not blow it up.
    """
    error = 1.0 - power / target
    return gain * (1.0 + 0.5 * rate * max(error, -8.0))
