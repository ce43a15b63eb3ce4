"""Transmitter: bits -> scrambler -> quadbits -> 600 Bd -> pulse -> carrier, plus the guard tone.

One symbol lasts 40/3 samples, so the symbol clock is a counter modulo 40 that steps by 3: exact for ever,
and only 40 rows of pulse table are needed. Both carriers and both guard tones are multiples of 50 Hz, so one
cosine table of 160 entries serves all of them without rounding drift.
"""

from enum import Enum

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.coding.scrambler import scramble_bit
from ansam.dsp.pulse import shaping_table
from ansam.modulation.base import BitSource, Role
from ansam.modulation.v22bis.constants import (
    GUARD_TONE_BELOW_DATA_DB,
    MEAN_ENERGY,
    PHASES_PER_SAMPLE,
    POINT_1200,
    POINTS,
    QUADRANT_CHANGE,
    ROLL_OFF,
    SCRAMBLER_GUARD,
    SCRAMBLER_TAPS,
    SYMBOL_PHASES,
    TX_CARRIER_HZ,
)
from ansam.units import SAMPLE_RATE, Audio, Bits, rms_from_dbm0

HALF_SPAN = 4.5
"""Half the pulse in symbols: the transmitter's delay, 7.5 ms."""
KAISER_BETA = 3.0
"""With this span: 72 dB between the channels (pulse and matched filter together), interference -45 dB."""
_PULSE = shaping_table(ROLL_OFF, HALF_SPAN, KAISER_BETA, SYMBOL_PHASES, MEAN_ENERGY)
_TONE_STEPS = 160
_COSINE = np.cos(2 * np.pi * np.arange(_TONE_STEPS) / _TONE_STEPS)
_TAP_A, _TAP_B = SCRAMBLER_TAPS


class Signal(Enum):
    """What is on the line; the names are those of V.22bis (11/88) §6.3.

    Each value is (kind for the kernel, bits per symbol).
    """

    SILENCE = (0, 2)
    UNSCRAMBLED_ONES = (1, 2)
    S1 = (2, 2)
    SCRAMBLED_ONES_1200 = (3, 2)
    SCRAMBLED_ONES_2400 = (3, 4)
    DATA_1200 = (4, 2)
    DATA_2400 = (4, 4)


_STATE = np.dtype(
    [
        ("phase", "i8"),  # symbol clock, 0 to 39, in fortieths of a symbol
        ("carrier", "i8"),  # index into the cosine table
        ("carrier_step", "i8"),
        ("guard", "i8"),
        ("guard_step", "i8"),
        ("guard_level", "f8"),
        ("level", "f8"),
        ("kind", "i8"),
        ("bits_per_symbol", "i8"),
        ("toggle", "i8"),  # S1: which of the two dibits is next
        ("quadrant", "i8"),
        ("register", "i8"),
        ("run", "i8"),
        ("newest", "i8"),
    ]
)
_STATES = types.Array(from_dtype(_STATE), 1, "C")


@njit(types.int64(_STATES, types.uint8[::1], types.int64), cache=True, nogil=True)
def _next_quadbit(state: "np.recarray[tuple[int], np.dtype[np.void]]", bits: Bits, taken: int) -> int:
    """Return the next 2 or 4 line bits, first bit leftmost; `taken` user bits are used up."""
    s = state[0]
    if s.kind == 1:
        return 3
    if s.kind == 2:
        s.toggle ^= 1
        return 0 if s.toggle else 3
    value = 0
    for i in range(s.bits_per_symbol):
        bit = 1 if s.kind == 3 else int(bits[taken + i])
        out, s.register, s.run = scramble_bit(s.register, s.run, bit, _TAP_A, _TAP_B, SCRAMBLER_GUARD)
        value = 2 * value + out
    return value


@njit(types.complex128(_STATES, types.int64), cache=True, nogil=True)
def _map(state: "np.recarray[tuple[int], np.dtype[np.void]]", value: int) -> complex:
    """Return the point for a dibit or quadbit (§2.5.2), moving the quadrant on."""
    s = state[0]
    label = POINT_1200
    if s.bits_per_symbol == 4:
        label = value & 3
        value >>= 2
    s.quadrant = (s.quadrant + QUADRANT_CHANGE[value]) & 3
    point = complex(POINTS[label])
    for _ in range(s.quadrant):
        point = complex(-point.imag, point.real)
    return point


@njit(
    types.void(_STATES, types.complex128[::1], types.uint8[::1], types.float32[::1]),
    cache=True,
    nogil=True,
)
def _transmit(
    state: "np.recarray[tuple[int], np.dtype[np.void]]",
    line: NDArray[np.complex128],
    bits: Bits,
    out: Audio,
) -> None:
    s = state[0]
    size = line.size // 2
    taken = 0
    for i in range(out.size):
        if s.phase < PHASES_PER_SAMPLE:
            point = 0j
            if s.kind != 0:
                point = _map(state, _next_quadbit(state, bits, taken))
                if s.kind == 4:
                    taken += s.bits_per_symbol
            s.newest = (s.newest + 1) % size
            line[s.newest] = point
            line[s.newest + size] = point
        acc = 0j
        for j in range(size):
            acc += _PULSE[s.phase, j] * line[s.newest + size - j]
        c = _COSINE[s.carrier]
        q = _COSINE[(s.carrier + 3 * _TONE_STEPS // 4) % _TONE_STEPS]
        x = s.level * (acc.real * c - acc.imag * q)
        if s.kind != 0:
            x += s.guard_level * _COSINE[s.guard]
        out[i] = x
        s.carrier = (s.carrier + s.carrier_step) % _TONE_STEPS
        s.guard = (s.guard + s.guard_step) % _TONE_STEPS
        s.phase = (s.phase + PHASES_PER_SAMPLE) % SYMBOL_PHASES


class Transmitter:
    """One end's transmitter.

    Args:
        role: Calling: low channel; answering: high channel (§6.1.1).
        level_dbm0: Total mean power sent, guard tone included (V.22 (11/88) §2.2: the total is the same in
        either
            channel).
        guard_tone_hz: 0, 550 or 1800; only an answering modem sends one (§2.1).
        bits: Where user bits come from.
    """

    def __init__(self, role: Role, level_dbm0: float, guard_tone_hz: int, bits: BitSource) -> None:
        self._bits = bits
        self._line = np.zeros(2 * round(2 * HALF_SPAN), np.complex128)
        self._state = np.zeros(1, _STATE).view(np.recarray)
        self._none = np.zeros(0, np.uint8)
        self.signal = Signal.SILENCE
        s = self._state[0]
        s.carrier_step = round(TX_CARRIER_HZ[role] * _TONE_STEPS / SAMPLE_RATE)
        s.bits_per_symbol = 2
        rms = rms_from_dbm0(level_dbm0)
        share = 1.0
        if guard_tone_hz and role is Role.ANSWERING:
            below = 10 ** (-GUARD_TONE_BELOW_DATA_DB[guard_tone_hz] / 10)
            share = 1 / (1 + below)
            s.guard_step = round(guard_tone_hz * _TONE_STEPS / SAMPLE_RATE)
            s.guard_level = rms * np.sqrt(2 * share * below)
        s.level = rms * np.sqrt(2 * share)

    def send(self, signal: Signal) -> None:
        """Change to another signal from the next symbol on; scrambler and quadrant carry over (§5.1)."""
        self.signal = signal
        s = self._state[0]
        s.kind, s.bits_per_symbol = signal.value
        s.toggle = 0

    def process(self, out: Audio) -> None:
        """Fill `out` with the next samples, pulling exactly the user bits they need."""
        if out.size == 0:
            return
        s = self._state[0]
        bits = self._none
        if s.kind == 4:
            last = int(s.phase) + PHASES_PER_SAMPLE * (out.size - 1)
            symbols = last // SYMBOL_PHASES - (int(s.phase) - PHASES_PER_SAMPLE) // SYMBOL_PHASES
            if symbols:
                bits = np.ascontiguousarray(self._bits.pull(symbols * int(s.bits_per_symbol)), np.uint8)
        _transmit(self._state, self._line, bits, out)
