"""What the receiver hears without deciding on symbols: the carrier, unscrambled ones, S1.

All of it works on the matched filter's T/2 samples as they come, before gain, timing and equaliser: so it
works at once, and again 18 ms after a lost packet, which is what lets S1 (100 ms) survive one.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.modulation.v22bis.constants import BAUD
from ansam.modulation.v22bis.receiver_state import (
    COMPLEX,
    S1_END,
    STATES,
    WIDE,
    Record,
    restart_acquisition,
)

_FAST = 1 / 24
"""Averaging of the correlations per T/2 sample: 12 symbols, 20 ms."""
_CARRIER_RATE = 1 / 12
_STEP = 5.0
"""7 dB from the usual level, either way: the gain must jump, since the AGC is slow."""
_STEP_RUN = 48
"""T/2 samples, 40 ms, that a step must last."""
_DEEP = 0.03
"""A drop of 15 dB, which may be a quieter signal or the line's noise after the signal is gone."""
_DEEP_RUN = 180
"""150 ms: shorter fades leave the gain as it is."""
_DOUBTING = WIDE - 60
"""After a step the loops are wide for 60 symbols."""
_MARK_TOLERANCE = 0.14
"""Radians per symbol: ±13 Hz. V.22bis §2.6 asks for ±7 Hz; 2225 Hz is 25 Hz away."""
_BELL_ANGLE = 2 * math.pi * 25 / BAUD


@njit(types.void(STATES), cache=True, nogil=True)
def _follow_step(state: Record) -> None:
    """In data mode, take a lasting step of the level into the gain.

    What is left after a deep drop may be mere noise. It is decided upon, but circuit 109 is in doubt (its
    time runs, circuit 104 stays clamped) until the decisions show that it is a signal.
    """
    s = state[0]
    louder = s.power > s.usual * _STEP
    quieter = s.power_off < s.power < s.usual / _STEP
    deep = s.power < 2 * _DEEP * s.usual
    s.stepped = s.stepped + 1 if louder or quieter else 0
    # A fade passes through the small steps on its way back; only what stays there is one.
    s.small = s.small + 1 if louder or (quieter and not deep) else 0
    if s.small < _STEP_RUN and s.stepped < _DEEP_RUN:
        return
    if deep:
        s.doubt = 1
        s.doubt_error = 2 * s.bad_error
    s.gain *= math.sqrt(s.usual / s.power)
    s.usual = s.power
    s.stepped = 0
    s.small = 0
    s.acquired = min(s.acquired, _DOUBTING)


@njit(types.void(STATES, types.complex128, COMPLEX), cache=True, nogil=True)
def watch_level(state: Record, z: complex, taps: NDArray[np.complex128]) -> None:
    """Circuit 109: level with hysteresis (V.22bis (11/88) §3.3); a new carrier may restart acquisition."""
    s = state[0]
    power = z.real * z.real + z.imag * z.imag
    s.power += _CARRIER_RATE * (power - s.power)
    threshold = s.power_off if s.carrier else s.power_on
    if s.relative:
        _follow_step(state)
        threshold = max(threshold, s.usual * (_DEEP if s.carrier else 2 * _DEEP))
        if s.doubt:
            threshold = s.power_off
    if s.power > threshold:
        if not s.carrier:
            s.carrier = 1
            if s.acquire:
                restart_acquisition(state, taps)
        s.gone = s.gone + 1 if s.doubt else 0
        if s.power > 0.3 * s.usual:
            s.usual += 0.001 * (s.power - s.usual)
        if s.doubt:
            s.clamp = s.clamp_limit
        elif s.clamp > 0:
            s.clamp -= 1
    else:
        s.carrier = 0
        s.gone += 1
        s.clamp = s.clamp_limit
        s.tonal = 0


@njit(types.void(STATES, types.complex128), cache=True, nogil=True)
def _correlate(state: Record, z: complex) -> None:
    s = state[0]
    s.energy += _FAST * (z.real * z.real + z.imag * z.imag - s.energy)
    s.lag1 += _FAST * (z * s.z2.conjugate() - s.lag1)
    s.lag2 += _FAST * (z * s.z4.conjugate() - s.lag2)
    s.built += _FAST * (1.0 - s.built)
    # Four T/2 samples are one period of S1: three of its DFT lines, at the carrier and 300 Hz to either side.
    total = z + s.z1 + s.z2 + s.z3
    difference = z - s.z2
    quarter = s.z1 - s.z3
    turned = complex(-quarter.imag, quarter.real)
    up = difference + turned
    down = difference - turned
    s.centre += _FAST * (total.real * total.real + total.imag * total.imag - s.centre)
    s.above += _FAST * (up.real * up.real + up.imag * up.imag - s.above)
    s.below += _FAST * (down.real * down.real + down.imag * down.imag - s.below)


@njit(types.void(STATES, types.complex128, types.boolean), cache=True, nogil=True)
def watch_patterns(state: Record, z: complex, correlate: bool) -> None:
    """Correlate raw T/2 samples over one and two symbols: USB1 turns by -90 degrees, S1 repeats after two.

    Args:
        state: The record.
        z: The newest sample.
        correlate: False while one of those before `z` holds erased ones.
    """
    s = state[0]
    if correlate:
        _correlate(state, z)
    s.z4 = s.z3
    s.z3 = s.z2
    s.z2 = s.z1
    s.z1 = z


@njit(types.void(STATES), cache=True, nogil=True)
def judge_patterns(state: Record) -> None:
    """Turn the correlations into: pure tone, unscrambled ones, Bell mark, S1 and its end."""
    s = state[0]
    size1 = abs(s.lag1)
    was_tonal = s.tonal
    s.tonal = 1 if s.carrier and size1 > (0.7 if was_tonal else 0.85) * s.energy else 0
    if was_tonal and not s.tonal and s.carrier:
        # Over two symbols USB1 turns by 180 degrees: forget it, or the start of S1 would have to outweigh it.
        s.lag2 = 0j
        s.built = 0.0
        if s.acquire:
            s.acquired = 0
    s.signal_run = s.signal_run + 1 if s.carrier and not s.tonal and not s.s1 else 0
    # Angle from -90 degrees per symbol (dibit 11, §2.5.2).
    angle = math.atan2(s.lag1.real, -s.lag1.imag)
    pure = s.carrier == 1 and size1 > 0.85 * s.energy
    s.mark_run = s.mark_run + 1 if pure and abs(angle) < _MARK_TOLERANCE else 0
    s.bell_run = s.bell_run + 1 if pure and abs(angle + _BELL_ANGLE) < _MARK_TOLERANCE else 0
    floor = (0.6 if s.s1 else 0.75) * s.built * s.energy
    repeats = s.lag2.real > floor and abs(s.lag2.imag) < 0.36 * s.lag2.real
    sides = s.above + s.below
    # Nominal: sides = 0.5 centre, both equal; a line may tilt them by 10 dB.
    balanced = min(s.above, s.below) > 0.02 * sides
    shaped = balanced and 0.08 * s.centre < sides < 6.0 * s.centre and not s.tonal
    if s.s1:
        if not (repeats and s.carrier):
            s.s1 = 0
            s.s1_run = 0
            s.trained = 0
            s.ones_score = 0
            s.zeros_score = 0
            s.ones_run = 0
            s.events |= S1_END
    elif repeats and shaped and s.carrier:
        s.s1_run += 1
    else:
        s.s1_run = 0
