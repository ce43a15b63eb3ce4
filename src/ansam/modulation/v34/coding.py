"""All choices of one direction's data mode, and the record of constants that its kernels read."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numba import from_dtype, types

from ansam.dsp.records import new_record
from ansam.modulation.base import Role
from ansam.modulation.v34.constants import INVERSIONS, SCRAMBLER_TAPS, THETA, Trellis
from ansam.modulation.v34.constellation import QUARTER, subset, turn
from ansam.modulation.v34.parameters import Parameters
from ansam.modulation.v34.precoder import NO_PRECODING, Coefficients
from ansam.modulation.v34.shell import ring_shares, shell_tables
from ansam.units import db

SEARCHED = 256
"""Constellations up to this size are searched point by point where there is no precoding."""

CODE = np.dtype(
    [
        ("b", "i8"),
        ("k", "i8"),
        ("q", "i8"),
        ("quarter", "i8"),  # L / 4
        ("frames", "i8"),  # P, mapping frames in a data frame
        ("superframe", "i8"),  # P J
        ("half", "i8"),  # 2 P, 4D symbols between bit inversions
        ("swp", "i8", (16,)),
        ("amp", "i8", (16,)),
        ("inversions", "i8", (16,)),
        ("trellis", "i8"),
        ("kappa", "f8"),  # Θ / mean energy of x(n)
        ("scale", "f8"),  # units of the grid to symbols of mean power 1
        ("tap_a", "i8"),
        ("tap_b", "i8"),
        ("searched", "i8"),  # points in the lists below; 0: slice the unbounded grid
        ("xs", "f4", (SEARCHED,)),
        ("ys", "f4", (SEARCHED,)),
        ("subset", "i8", (SEARCHED,)),
    ]
)
CODES = types.Array(from_dtype(CODE), 1, "C")
Record: TypeAlias = "np.recarray[tuple[int], np.dtype[np.void]]"

GRID_NOISE = {Trellis.STATES_16: 0.29, Trellis.STATES_32: 0.30, Trellis.STATES_64: 0.325}
"""Mean square noise, in units of the grid, at which 1 bit in 100,000 is wrong after the descrambler.

Measured from 4800 to 33600 bit/s (tests/bench/test_v34_coding.py); it does not depend on the rate, but with
four points, where it is a little more.
"""
_DITHER = (np.arange(8) + 0.5) / 8 - 0.5
"""c(n) - p(n) is spread evenly over one step of the quantiser: this grid stands for it."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How one direction codes user bits, as the MP sequences settled it.

    Attributes:
        parameters: Rates and constellation.
        sender: The role of the modem that sends: its scrambler (clause 7).
        trellis: The convolutional encoder.
        nonlinear: Whether Θ is 0.3125 (§9.7), or 0.
        precoding: h(1) to h(3).
    """

    parameters: Parameters
    sender: Role
    trellis: Trellis = Trellis.STATES_16
    nonlinear: bool = False
    precoding: Coefficients = NO_PRECODING

    @property
    def precoded(self) -> bool:
        """Whether any precoding coefficient is not zero."""
        return any(self.precoding)

    def mean_energy(self) -> float:
        """Return the mean of |x(n)|² in units of the grid, for random bits.

        Unclear: §9.7 does not say how the average is taken; it is computed here, not measured.
        """
        return _mean_energies(self.parameters, self.nonlinear, self.precoded)[0]

    def mean_power(self) -> float:
        """Return the mean of |x'(n)|² in units of the grid, for random bits."""
        return _mean_energies(self.parameters, self.nonlinear, self.precoded)[1]

    def needed_es_n0_db(self) -> float:
        """Return Es/N0 at which 1 bit in 100,000 is wrong: noise white behind the filter 1 + h, if any."""
        return db(self.mean_power() / GRID_NOISE[self.trellis])


@lru_cache(maxsize=32)
def _mean_energies(p: Parameters, nonlinear: bool, precoded: bool) -> tuple[float, float]:
    """Return the means of |x(n)|² and |x'(n)|² over all points, each as often as its ring occurs."""
    high = p.r / p.symbol_rate.mapping_frames
    rings = ring_shares(shell_tables(p.k, p.rings), high)
    shares = np.repeat(rings, 1 << p.q) / (1 << p.q)
    v = QUARTER[: p.points // 4] @ np.array([1, 1j])
    if precoded:
        dither = _DITHER * (1 << p.w)
        v = np.add.outer(v, np.add.outer(dither, 1j * dither)).ravel()
        shares = np.repeat(shares, _DITHER.size**2) / _DITHER.size**2
    energies = np.abs(v) ** 2
    mean = float(energies @ shares)
    zeta = energies * (THETA / mean if nonlinear else 0.0)
    return mean, float((energies * (1 + zeta / 6 + zeta**2 / 120) ** 2) @ shares)


def code_record(coding: Coding) -> Record:
    """Return the constants of a direction as one record of `CODE`."""
    p = coding.parameters
    rate = p.symbol_rate
    code: Record = new_record(CODE)
    s = code[0]
    s.b, s.k, s.q, s.quarter = p.b, p.k, p.q, p.points // 4
    s.frames, s.superframe, s.half = rate.mapping_frames, p.superframe, 2 * rate.mapping_frames
    s.swp[: rate.mapping_frames] = p.swp
    s.amp[: rate.mapping_frames] = p.amp
    pattern = INVERSIONS[rate.data_frames]
    s.inversions[: len(pattern)] = [int(bit) for bit in pattern]
    s.trellis = coding.trellis
    s.kappa = THETA / coding.mean_energy() if coding.nonlinear else 0.0
    s.scale = coding.mean_power() ** -0.5
    s.tap_a, s.tap_b = SCRAMBLER_TAPS[coding.sender]
    if p.points <= SEARCHED and not coding.precoded:
        s.searched = p.points
        points = [turn(x, y, turns) for x, y in QUARTER[: p.points // 4].tolist() for turns in range(4)]
        s.xs[: p.points] = [x for x, _ in points]
        s.ys[: p.points] = [y for _, y in points]
        s.subset[: p.points] = [subset(x, y) for x, y in points]
    return code
