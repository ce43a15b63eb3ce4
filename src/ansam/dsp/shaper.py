"""Pulse shaper and modulator for any symbol rate: symbols in, real samples of the line signal out.

::

    symbols ─ polyphase pulse (a row per place of a sample within the symbol) ─ turn by the carrier ─ Re ─ out

The rates of telephone modems are rational: a symbol lasts num/den samples, so the place of a sample within
its symbol is a counter modulo num that steps by den, and the carrier is a counter in a table of one period.
Both are exact for ever, and the pulse needs only num rows. The pulse may be pre-emphasised: its spectrum is
then multiplied by a gain in the passband, without any effect on its linear phase.
"""

import functools
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numba import from_dtype, njit, types
from numpy.typing import NDArray

from ansam.dsp.records import new_record
from ansam.units import SAMPLE_RATE, Audio, rms_from_dbm0

Emphasis: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Gain in dB at frequencies in Hz, of the same shape."""

Floats: TypeAlias = NDArray[np.float64]

SHAPER = np.dtype(
    [
        ("phase", "i8"),  # place of the next sample within its symbol, in 1/phases of a symbol
        ("phases", "i8"),
        ("step", "i8"),  # phases per sample
        ("carrier", "i8"),  # index into the carrier table
        ("carrier_step", "i8"),
        ("newest", "i8"),  # place of the newest symbol in the line; older ones follow
        ("level", "f8"),
    ]
)
_SHAPERS = types.Array(from_dtype(SHAPER), 1, "C")
_STEPS_PER_BAND = 512
"""Of the integral over the pulse's spectrum; its error is below -100 dB."""


def _spectrum(f: NDArray[np.float64], roll_off: float) -> NDArray[np.float64]:
    """Return the square root of a raised cosine spectrum; `f` in symbol rates."""
    edge = np.clip((np.abs(f) - (1 - roll_off) / 2) / roll_off, 0.0, 1.0)
    return np.cos(np.pi / 2 * edge)


@functools.lru_cache(maxsize=32)
def pulse_table(
    symbol_rate: Fraction,
    carrier_hz: Fraction,
    roll_off: float,
    half_span: int,
    beta: float,
    emphasis: Emphasis | None = None,
) -> NDArray[np.complex128]:
    """Return the table that weights the last symbols, newest first, for each place within a symbol.

    Args:
        symbol_rate: In baud.
        carrier_hz: Where the emphasis finds the middle of the spectrum.
        roll_off: 0 < roll-off <= 1.
        half_span: Half the pulse in symbols, at least 1: the delay of the shaper.
        beta: Kaiser's parameter for the window that ends the pulse.
        emphasis: Passband gain, or None for none.

    Returns:
        Shape (phases, 2 * half_span); the envelope of independent symbols of power 1 has mean power 1.
    """
    phases = (SAMPLE_RATE / symbol_rate).numerator
    age = np.arange(2 * half_span)[None, :] + np.arange(phases)[:, None] / phases
    t = age - half_span
    band = (1 + roll_off) / 2
    f = (np.arange(_STEPS_PER_BAND) + 0.5) / _STEPS_PER_BAND * 2 * band - band
    gain = _spectrum(f, roll_off)
    if emphasis is not None:
        gain = gain * 10 ** (emphasis(float(carrier_hz) + f * float(symbol_rate)) / 20)
    pulse = np.exp(2j * np.pi * t[..., None] * f) @ gain
    window = np.i0(beta * np.sqrt(np.clip(1 - (t / half_span) ** 2, 0, None)))
    table = pulse * window
    out: NDArray[np.complex128] = table / np.sqrt(np.mean(np.sum(np.abs(table) ** 2, axis=1)))
    return out


@njit(
    "UniTuple(float64, 2)(float64[::1], float64[::1], float64[::1], float64[::1], int64)",
    cache=True,
    nogil=True,
    forceinline=True,
    fastmath=True,
)
def _envelope(
    pulse_re: Floats, pulse_im: Floats, line_re: Floats, line_im: Floats, first: int
) -> tuple[float, float]:
    """Return the sum of the pulses at one instant; `first` is the newest symbol's place in the line."""
    re = im = 0.0
    for j in range(pulse_re.size):
        re += pulse_re[j] * line_re[first + j] - pulse_im[j] * line_im[first + j]
        im += pulse_re[j] * line_im[first + j] + pulse_im[j] * line_re[first + j]
    return re, im


@njit(
    types.void(
        _SHAPERS,
        types.float64[:, :, ::1],
        types.complex128[::1],
        types.float64[:, ::1],
        types.complex128[::1],
        types.float32[::1],
    ),
    cache=True,
    nogil=True,
)
def _shape(
    state: "np.recarray[tuple[int], np.dtype[np.void]]",
    table: Floats,
    carrier: NDArray[np.complex128],
    line: Floats,
    symbols: NDArray[np.complex128],
    out: Audio,
) -> None:
    s = state[0]
    size = table.shape[2]
    taken = 0
    for i in range(out.size):
        if s.phase < s.step:
            s.newest = (s.newest - 1) % size
            # The line is kept twice in a row, so that its last `size` symbols are always in one piece.
            for place in (s.newest, s.newest + size):
                line[0, place] = symbols[taken].real
                line[1, place] = symbols[taken].imag
            taken += 1
        re, im = _envelope(table[0, s.phase], table[1, s.phase], line[0], line[1], s.newest)
        turn = carrier[s.carrier]
        out[i] = s.level * (re * turn.real - im * turn.imag)
        s.carrier = (s.carrier + s.carrier_step) % carrier.size
        s.phase = (s.phase + s.step) % s.phases


class Shaper:
    """Shapes one modem's symbols.

    Symbol k (0 is the first) begins at sample k · `samples_per_symbol`, and its pulse is at its peak
    `delay` samples later. The carrier's phase is 0 at sample 0.

    Args:
        symbol_rate: In baud, below 8000.
        carrier_hz: 0 to 4000.
        level_dbm0: Mean level sent with independent symbols of mean power 1.
        roll_off: Of the square root of a raised cosine, 0 < roll-off <= 1.
        half_span: Half the pulse in symbols.
        beta: Kaiser's parameter for the window that ends the pulse.
        emphasis: Passband gain; the mean level stays the same.
    """

    def __init__(
        self,
        symbol_rate: Fraction,
        carrier_hz: Fraction,
        level_dbm0: float,
        roll_off: float,
        half_span: int,
        beta: float,
        emphasis: Emphasis | None = None,
    ) -> None:
        self.samples_per_symbol = SAMPLE_RATE / symbol_rate
        self.delay = half_span * self.samples_per_symbol
        table = pulse_table(symbol_rate, carrier_hz, roll_off, half_span, beta, emphasis)
        self._table = np.ascontiguousarray([table.real, table.imag])
        turns = carrier_hz / SAMPLE_RATE
        self._carrier = np.exp(2j * np.pi * np.arange(turns.denominator) / turns.denominator)
        self._line = np.zeros((2, 2 * table.shape[1]))
        self._phase = 0  # the kernel's, kept here too since reading a record from Python is slow
        s = self._state = new_record(SHAPER)
        s["phases"] = self.samples_per_symbol.numerator
        s["step"] = self.samples_per_symbol.denominator
        s["carrier_step"] = turns.numerator
        # A real carrier has half the power of its complex envelope.
        s["level"] = rms_from_dbm0(level_dbm0) * np.sqrt(2)

    def needed(self, count: int) -> int:
        """Return how many symbols the next `count` samples take in."""
        ratio = self.samples_per_symbol
        step, phases = ratio.denominator, ratio.numerator
        return (self._phase + step * (count - 1)) // phases - (self._phase - step) // phases

    def process(self, symbols: NDArray[np.complex128], out: Audio) -> None:
        """Fill `out`, shape (n,) float32, with the next n samples.

        Args:
            symbols: Shape (`needed(n)`,): those that begin in them.
            out: C-contiguous.
        """
        if symbols.size != self.needed(out.size):
            raise ValueError(f"{symbols.size} symbols for {self.needed(out.size)}")
        _shape(self._state, self._table, self._carrier, self._line, symbols, out)
        ratio = self.samples_per_symbol
        self._phase = (self._phase + ratio.denominator * out.size) % ratio.numerator

    def peak(self, symbol: int) -> Fraction:
        """Return the instant of the peak of a symbol's pulse, in samples since the first one sent."""
        return symbol * self.samples_per_symbol + self.delay
