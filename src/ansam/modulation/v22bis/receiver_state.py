"""What the receiver's kernels share: the filters, the record of the state, the start of an acquisition."""

import math
from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.dsp.pulse import matched_table
from ansam.modulation.v22bis.constants import MEAN_ENERGY, ROLL_OFF, SAMPLES_PER_SYMBOL

HALF_TAPS = 60
"""Delay of the matched filter, 7.5 ms."""
KAISER_BETA = 3.0
FRACTIONS = 64
FILTER = matched_table(ROLL_OFF, HALF_TAPS, KAISER_BETA, FRACTIONS, SAMPLES_PER_SYMBOL)
FILTER_TAPS = FILTER.shape[1]
RING = 128
"""Samples kept for the matched filter (a power of two, at least its taps)."""
EQUALISER_TAPS = 21
EQUALISER_MAIN = 10
"""Main tap: 10 half symbols of delay, 8.3 ms."""
TONE_STEPS = 20
MATCHED_POWER_SHARE = 1 - ROLL_OFF / 4
"""Mean power of T/2 samples of a raised cosine signal, against its power at symbol instants."""
HALF = SAMPLES_PER_SYMBOL / 2
TARGET = MEAN_ENERGY * MATCHED_POWER_SHARE
HOLD = RING + math.ceil(EQUALISER_TAPS * HALF)
"""Samples after an erasure until none of it is left in the filters."""

MARK = 1
BELL_MARK = 2
S1 = 4
S1_END = 8
ONES_1200 = 16
ONES_2400 = 32
CARRIER_GONE = 64
BAD_SIGNAL = 128
FOUR_WAY = 256

FOUR_WAY_SCORE = 96
"""16-way decisions (160 ms), less four for each other point, which prove that a signal has four points."""
ACQUIRED = 24
"""Symbols over which level and timing are first measured."""
LOCKED = ACQUIRED + 40
"""Symbols after which the carrier loop is taken as locked, so that the equaliser may begin."""
WIDE = ACQUIRED + 200
"""Symbols after which the loops are narrowed."""

STATE = np.dtype(
    [
        # set by the owner
        ("watch", "i8"),
        ("sixteen", "i8"),  # 1: 16-way decisions and quadbits; 0: 4-way and dibits
        ("deliver", "i8"),  # 1: descrambled bits go to the user
        ("acquire", "i8"),  # 1: a new signal resets gain, timing, frequency and equaliser
        ("relative", "i8"),  # 1: a drop far below the usual level counts as no carrier
        ("power_on", "f8"),
        ("power_off", "f8"),
        ("gone_limit", "i8"),  # samples
        ("mark_limit", "i8"),  # T/2 samples
        ("bell_limit", "i8"),
        ("ones_limit", "i8"),  # bits
        ("signal_limit", "i8"),  # T/2 samples
        ("bad_limit", "i8"),  # symbols
        ("bad_error", "f8"),  # mean square error that is bad
        # front end
        ("mixer", "i8"),
        ("write", "i8"),
        ("next", "f8"),  # samples from now to the next T/2 instant
        ("odd", "i8"),
        ("hold", "i8"),  # samples until the loops may move again
        ("erased_run", "i8"),
        ("dirty", "i8"),  # samples until the matched filter holds no erased one
        ("clean", "i8"),  # T/2 samples since then
        # level
        ("power", "f8"),
        ("usual", "f8"),
        ("carrier", "i8"),
        ("gone", "i8"),
        ("clamp", "i8"),
        ("clamp_limit", "i8"),
        ("stepped", "i8"),  # T/2 samples for which the level has been far from the usual one
        ("small", "i8"),  # T/2 samples of them for which the step has not been a deep drop
        ("doubt", "i8"),  # 1: the level has stepped, and nothing there has proved to be a signal yet
        ("doubt_error", "f8"),
        ("gain", "f8"),
        # pattern detectors, on raw T/2 samples
        ("z1", "c16"),
        ("z2", "c16"),
        ("z3", "c16"),
        ("z4", "c16"),
        ("energy", "f8"),
        ("built", "f8"),  # how far lag2 has built up since it was cleared, 0 to 1
        ("lag1", "c16"),
        ("lag2", "c16"),
        ("centre", "f8"),
        ("above", "f8"),
        ("below", "f8"),
        ("tonal", "i8"),
        ("signal_run", "i8"),  # T/2 samples of carrier that is neither a tone nor S1
        ("mark_run", "i8"),
        ("bell_run", "i8"),
        ("s1_run", "i8"),
        ("s1", "i8"),
        # timing
        ("upper", "c16"),
        ("lower", "c16"),
        ("edge", "c16"),
        ("drift", "f8"),  # timing frequency, samples per symbol
        # carrier and equaliser
        ("rotation", "f8"),
        ("phase", "f8"),
        ("frequency", "f8"),  # radians per symbol
        ("newest", "i8"),
        ("acquired", "i8"),
        ("trained", "i8"),
        ("error", "f8"),
        ("bad_run", "i8"),
        # decoder
        ("quadrant", "i8"),
        ("register", "i8"),
        ("run", "i8"),
        ("ones_score", "i8"),
        ("zeros_score", "i8"),
        ("ones_run", "i8"),
        ("four_score", "i8"),  # 16-way decisions that are all among the four points of 1200 bit/s
        ("beside_quadrant", "i8"),  # a 16-way decoder beside the 4-way one
        ("beside_register", "i8"),
        ("beside_run", "i8"),
        ("history", "i8"),
        # results
        ("bits", "i8"),
        ("events", "i8"),
    ]
)
HISTORY = 256
"""Points kept for the constellation."""
STATES = types.Array(from_dtype(STATE), 1, "C")
COMPLEX = types.complex128[::1]
Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"


@njit(types.void(STATES, COMPLEX), cache=True, nogil=True)
def restart_acquisition(state: Record, taps: NDArray[np.complex128]) -> None:
    """Forget everything learnt from an earlier signal; gain and timing are measured afresh."""
    s = state[0]
    s.acquired = 0
    s.trained = 0
    s.frequency = 0.0
    s.phase = 0.0
    s.drift = 0.0
    s.edge = 0j
    s.upper = 0j
    s.lower = 0j
    s.ones_score = 0
    s.zeros_score = 0
    s.ones_run = 0
    s.error = MEAN_ENERGY / 4
    for j in range(taps.size):
        taps[j] = 0j
    taps[EQUALISER_MAIN] = 1.0 + 0j
