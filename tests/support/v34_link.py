"""One direction of V.34's data mode without a line: encoder, noise, front and decoder."""

import itertools

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.modulation.base import Role
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import Trellis, symbol_rate
from ansam.modulation.v34.encoder import Encoder
from ansam.modulation.v34.front import FRONTS, Record, front_record, to_grid
from ansam.modulation.v34.parameters import Parameters
from ansam.modulation.v34.precoder import NO_PRECODING, Coefficients
from ansam.units import Bits

H: Coefficients = (9011, -3277, 3277, 1638, -819, 410)
"""h of 0.55 - 0.2j, 0.2 + 0.1j, -0.05 + 0.025j: the order of what a receiver asks for."""


@njit(types.void(FRONTS, types.complex128[::1], types.float64[::1]), cache=True, nogil=True)
def _to_grid(front: object, points: NDArray[np.complex128], weights: NDArray[np.float64]) -> None:
    for n in range(points.size):
        points[n], weights[n] = to_grid(front, points[n], weights[n])


def coding(
    symbols: int,
    rate: int,
    trellis: Trellis = Trellis.STATES_16,
    *,
    auxiliary: bool = False,
    expanded: bool = False,
    nonlinear: bool = False,
    h: Coefficients = NO_PRECODING,
    sender: Role = Role.CALLING,
) -> Coding:
    return Coding(Parameters(symbol_rate(symbols), rate, auxiliary, expanded), sender, trellis, nonlinear, h)


class Source:
    """An encoder with seeded random user bits; `bits` and `aux` are what was sent after B1."""

    def __init__(self, code: Coding, seed: int = 1) -> None:
        self.encoder = Encoder(code)
        self.rng = np.random.default_rng(seed)
        self.bits = np.zeros(0, np.uint8)
        self.aux = np.zeros(0, np.uint8)

    def symbols(self, frames: int) -> NDArray[np.complex128]:
        primary, auxiliary = self.encoder.bits_wanted(frames)
        bits = self.rng.integers(0, 2, primary).astype(np.uint8)
        aux = self.rng.integers(0, 2, auxiliary).astype(np.uint8)
        self.bits = np.concatenate([self.bits, bits])
        self.aux = np.concatenate([self.aux, aux])
        return self.encoder.encode(frames, bits, aux)


def noise(size: int, es_n0_db: float, seed: int) -> NDArray[np.complex128]:
    """Return complex noise under symbols of mean power 1."""
    rng = np.random.default_rng(seed)
    scale = 10 ** (-es_n0_db / 20) / np.sqrt(2)
    return np.asarray(scale * (rng.normal(size=size) + 1j * rng.normal(size=size)))


def grid(
    code: Coding,
    symbols: NDArray[np.complex128],
    weights: NDArray[np.float64] | None = None,
    front: "Record | None" = None,
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Return (points, weights) for the decoder; a stream that comes in pieces needs a front that stays."""
    points = symbols.copy()
    given = np.ones(points.size) if weights is None else weights.copy()
    _to_grid(front_record(code) if front is None else front, points, given)
    return points, given


def errors(sent: Bits, got: Bits) -> int:
    """Return how many of the bits that came differ; a decoder may hold the last ones back."""
    size = min(sent.size, got.size)
    return int((sent[:size] != got[:size]).sum())


def every_rate() -> list[tuple[int, int]]:
    """Return all (symbol rate, data rate)."""
    names = (2400, 2743, 2800, 3000, 3200, 3429)
    return [(name, rate) for name in names for rate in symbol_rate(name).rates]


def all_choices() -> list[tuple[Trellis, bool, bool, bool, Coefficients]]:
    """Return all (trellis, auxiliary, expanded, nonlinear, h)."""
    flags = (False, True)
    return list(itertools.product(Trellis, flags, flags, flags, (NO_PRECODING, H)))
