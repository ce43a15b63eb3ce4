"""Complex transversal equaliser with LMS adaptation.

::

    x[n] ──┬── z⁻¹ ──┬── z⁻¹ ── …         y = Σ w_j x[n-j]
          w_0       w_1                   w_j += step · e · conj(x[n-j])

With two samples per symbol (fractionally spaced) it can undo a wrong sampling phase and the slopes of the
line beyond the Nyquist edge, which one sample per symbol can not. Its delay is the place of the main tap.

Source: R. D. Gitlin and S. B. Weinstein, "Fractionally-Spaced Equalization", Bell Syst. Tech. J. 60 (1981);
S. Haykin, Adaptive Filter Theory, 3rd ed., ch. 9 (LMS).
"""

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_LINE = types.complex128[::1]


@njit(types.complex128(_LINE, _LINE, types.int64), cache=True, nogil=True)
def equalise(taps: NDArray[np.complex128], line: NDArray[np.complex128], newest: int) -> complex:
    """Return the output for the delay line as it stands.

    Args:
        taps: Shape (n,).
        line: Shape (2n,), every sample written twice, n apart.
        newest: Index of the newest sample, n to 2n - 1; older ones lie before it.
    """
    acc = 0j
    for j in range(taps.size):
        acc += taps[j] * line[newest - j]
    return acc


@njit(types.void(_LINE, _LINE, types.int64, types.complex128), cache=True, nogil=True)
def adapt(
    taps: NDArray[np.complex128], line: NDArray[np.complex128], newest: int, weighted_error: complex
) -> None:
    """Move the taps along the LMS gradient.

    Args:
        taps: Changed in place.
        line: As for `equalise`, unchanged since.
        newest: As for `equalise`.
        weighted_error: Step size times (wanted - got), rotated back to the equaliser's output. The step that
            removes the share `mu` of an error at once is mu / (n · mean power of the line).
    """
    for j in range(taps.size):
        taps[j] += weighted_error * line[newest - j].conjugate()
