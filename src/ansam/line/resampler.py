"""A stream read at a slightly different rate: what two sample clocks do to each other.

```
 input samples ──► [buffer] ──► Σ h(t - k) x[k] ──► output, every `step` input samples
```

h is a Kaiser-windowed sinc of 48 samples' length (β = 9, pass band to 0.44 of the sampling rate), tabled at
512 points between samples and interpolated linearly between those, which adds less than -100 dB of error.
Distortion and images lie more than 80 dB below any signal in 200–3500 Hz.

Marks (erasures) travel with the samples: an output sample is marked where the input nearest to it is.
"""

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from ansam.errors import LocalProtocolError
from ansam.units import Audio

TAPS = 48
PHASES = 512
BETA = 9.0
CAPACITY = 2048
"""Most input samples held."""

Marks = NDArray[np.uint8]


def _table() -> Audio:
    """Return h, one row per phase, and one more row to interpolate towards; shape (PHASES + 1, TAPS)."""
    phase = np.arange(PHASES + 1)[:, None] / PHASES
    t = np.arange(TAPS)[None, :] - (TAPS // 2 - 1) - phase
    window = np.i0(BETA * np.sqrt(np.maximum(1 - (t / (TAPS // 2)) ** 2, 0))) / np.i0(BETA)
    h = np.sinc(t) * window
    table: Audio = np.ascontiguousarray(h / h.sum(axis=1, keepdims=True), np.float32)
    return table


_TABLE = _table()


@njit(
    types.void(
        types.float32[::1],
        types.uint8[::1],
        types.float64,
        types.float64,
        types.float32[:, ::1],
        types.float32[::1],
        types.uint8[::1],
    ),
    cache=True,
    nogil=True,
)
def _interpolate(
    buffer: Audio, marks: Marks, position: float, step: float, table: Audio, out: Audio, out_marks: Marks
) -> None:
    """Read `buffer` at position, position + step and so on."""
    taps = table.shape[1]
    phases = table.shape[0] - 1
    for n in range(len(out)):
        at = position + n * step
        whole = math.floor(at)
        phase = (at - whole) * phases
        row = int(phase)
        rest = phase - row
        first = whole - (taps // 2 - 1)
        low = 0.0
        high = 0.0
        for k in range(taps):
            x = buffer[first + k]
            low += table[row, k] * x
            high += table[row + 1, k] * x
        out[n] = low + rest * (high - low)
        out_marks[n] = marks[whole + 1 if 2 * row >= phases else whole]


class Resampler:
    """Reads a stream at `step` input samples per output sample.

    Args:
        step: Input samples per output sample, 0.98 to 1.02.
        delay: How many input samples the first output lies behind the first input (before it there is
            silence), 0 or more. Reading may run ahead of writing by delay - TAPS // 2 samples.
    """

    def __init__(self, step: float, delay: float) -> None:
        if not 0.98 <= step <= 1.02 or not 0 <= delay <= CAPACITY // 2:
            raise LocalProtocolError(f"resampler of step {step} and delay {delay}")
        self.step = step
        whole = math.ceil(delay) + TAPS // 2
        self._buffer: Audio = np.zeros(CAPACITY, np.float32)
        self._marks: Marks = np.zeros(CAPACITY, np.uint8)
        self._fill = whole
        self._position = whole - delay

    def ready(self, count: int) -> bool:
        """Return whether `count` outputs can be read."""
        return self._position + count * self.step + TAPS // 2 <= self._fill

    def push(self, samples: Audio, marked: bool = False) -> None:
        """Append input.

        Args:
            samples: Shape (n,).
            marked: Whether these are an erasure.

        Raises:
            LocalProtocolError: The buffer is full: nobody reads.
        """
        keep_from = int(self._position) - TAPS // 2
        if keep_from > CAPACITY // 4:
            rest = self._fill - keep_from
            self._buffer[:rest] = self._buffer[keep_from : self._fill].copy()
            self._marks[:rest] = self._marks[keep_from : self._fill].copy()
            self._fill = rest
            self._position -= keep_from
        end = self._fill + len(samples)
        if end > CAPACITY:
            raise LocalProtocolError("resampler written far ahead of its reader")
        self._buffer[self._fill : end] = samples
        self._marks[self._fill : end] = marked
        self._fill = end

    def pull(self, count: int) -> tuple[Audio, Marks]:
        """Return the next outputs and their marks, each of shape (count,).

        Raises:
            LocalProtocolError: `ready` says no.
        """
        if not self.ready(count):
            raise LocalProtocolError("resampler read ahead of its writer")
        out = np.empty(count, np.float32)
        marks = np.empty(count, np.uint8)
        _interpolate(self._buffer, self._marks, self._position, self.step, _TABLE, out, marks)
        self._position += count * self.step
        return out, marks
