"""An independent reading of V.32bis line signals: matched filter, slicer and descrambler in plain numpy.

Nothing here uses the package's tables: states and the 9600 bit/s points are written out from the figures, the
pulse from its formula.
"""

import numpy as np
from numpy.typing import NDArray

STATES = {"A": -3 - 1j, "B": 1 - 3j, "C": 3 + 1j, "D": -1 + 3j}
"""V.32bis (02/91) figure 2-5."""
_ROLL_OFF = 0.2
_REACH = 60


def root_raised_cosine(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pulse at instants in symbols, by integration over its spectrum."""
    band = (1 + _ROLL_OFF) / 2
    f = np.linspace(-band, band, 601)
    shape = np.cos(np.pi / 2 * np.clip((np.abs(f) - (1 - _ROLL_OFF) / 2) / _ROLL_OFF, 0, 1))
    return np.asarray((np.exp(2j * np.pi * t[..., None] * f) @ shape).real)


def points_of(x: NDArray[np.float32], first: int, count: int, delay: float = 30.0) -> NDArray[np.complex128]:
    """Return the points of symbols `first` … of a line signal, in the units of figure 2-5.

    Args:
        x: Samples from the first one sent, nominal RMS 1.
        first: Number of a symbol, at least 18.
        count: Of symbols.
        delay: Samples from a symbol's begin to the peak of its pulse.
    """
    at = np.arange(first, first + count) * 10 / 3 + delay
    n = np.floor(at).astype(int)[:, None] + np.arange(-_REACH, _REACH + 1)
    base = np.pad(x.astype(np.float64), (_REACH + 1, _REACH + 1))
    base = base * np.exp(-2j * np.pi * (np.arange(base.size) - _REACH - 1) * 1800 / 8000)
    # The three places a symbol can have between samples.
    pulses = {}
    rows = []
    for k in range(count):
        fraction = round((at[k] - np.floor(at[k])) * 3) % 3
        if fraction not in pulses:
            t = (np.arange(-_REACH, _REACH + 1) - fraction / 3) * 0.3
            p = root_raised_cosine(t)
            pulses[fraction] = p / np.sqrt(np.sum(p**2))
        rows.append(np.sum(base[n[k] + _REACH + 1] * pulses[fraction]))
    # Mixed down, a real signal of RMS 1 has an envelope of power 1/2; a symbol of power 1 has the energy of
    # 10/3 samples of power 1; figure 2-5 has power 10.
    return np.array(rows) * np.sqrt(2 * 10 * 3 / 10)


def letters(points: NDArray[np.complex128]) -> str:
    """Return the nearest training state of each point."""
    names = "ABCD"
    states = np.array([STATES[name] for name in names])
    return "".join(names[i] for i in np.argmin(np.abs(points[:, None] - states), axis=1))


def descrambled(bits: NDArray[np.int64], calling: bool, register: list[int] | None = None) -> list[int]:
    """Multiply by the sender's polynomial (§4): 1 + x^-18 + x^-23 or 1 + x^-5 + x^-23."""
    past = list(register or [0] * 23)
    tap = 18 if calling else 5
    out = []
    for bit in bits:
        out.append(int(bit) ^ past[tap - 1] ^ past[22])
        past = [int(bit), *past[:22]]
    return out


def dibits(states: str, before: str) -> list[int]:
    """Undo table 2: return the bits of the phase changes of a row of states, the one before it given."""
    turns = {1: (0, 0), 0: (0, 1), 2: (1, 0), 3: (1, 1)}
    angle = {"A": 0, "B": 1, "C": 2, "D": 3}
    out: list[int] = []
    for old, new in zip(before + states, states, strict=False):
        out += turns[(angle[new] - angle[old]) % 4]
    return out
