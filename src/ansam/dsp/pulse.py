"""Root raised cosine pulses and the polyphase tables that shape and match them.

A pulse and its matched filter share one raised cosine spectrum, so that the cascade has no intersymbol
interference (Nyquist) and the receiver's noise is least (matched filter). Tables are designed once, in
double precision, when a module loads; kernels only read them.
"""

import numpy as np
from numpy.typing import NDArray


def root_raised_cosine(t: NDArray[np.float64], roll_off: float) -> NDArray[np.float64]:
    """Return the root raised cosine impulse response, 1 symbol = 1 time unit, energy 1.

    Args:
        t: Instants in symbols, any shape.
        roll_off: 0 < roll-off <= 1.

    Returns:
        The response, the shape of `t`.

    Source: J. G. Proakis and M. Salehi, Digital Communications, 5th ed., §9.2, in the time domain.
    """
    b = roll_off
    t = np.asarray(t, np.float64)
    edge = np.abs(np.abs(4 * b * t) - 1) < 1e-9
    zero = np.abs(t) < 1e-9
    safe = np.where(edge | zero, 0.1234, t)
    value = (np.sin(np.pi * safe * (1 - b)) + 4 * b * safe * np.cos(np.pi * safe * (1 + b))) / (
        np.pi * safe * (1 - (4 * b * safe) ** 2)
    )
    at_edge = (
        b
        / np.sqrt(2)
        * ((1 + 2 / np.pi) * np.sin(np.pi / (4 * b)) + (1 - 2 / np.pi) * np.cos(np.pi / (4 * b)))
    )
    out: NDArray[np.float64] = np.where(zero, 1 - b + 4 * b / np.pi, np.where(edge, at_edge, value))
    return out


def windowed_pulse(
    t: NDArray[np.float64], roll_off: float, half_span: float, beta: float
) -> NDArray[np.float64]:
    """Return a root raised cosine cut to ±`half_span` symbols by a Kaiser window.

    The window trades a little intersymbol interference (which an equaliser removes) for stop-band rejection
    (which nothing later can repair).

    Args:
        t: Instants in symbols.
        roll_off: 0 < roll-off <= 1.
        half_span: Half the length in symbols; the result is 0 beyond.
        beta: Kaiser's parameter; 0 is a rectangle.
    """
    t = np.asarray(t, np.float64)
    inside = np.clip(1 - (t / half_span) ** 2, 0, None)
    window = np.where(np.abs(t) <= half_span, np.i0(beta * np.sqrt(inside)) / np.i0(beta), 0.0)
    out: NDArray[np.float64] = root_raised_cosine(t, roll_off) * window
    return out


def shaping_table(
    roll_off: float, half_span: float, beta: float, phases: int, per_symbol_energy: float = 1.0
) -> NDArray[np.float64]:
    """Return the transmit table: row p weights the last symbols at p/`phases` of a symbol after the newest.

    Args:
        roll_off: 0 < roll-off <= 1.
        half_span: Half the pulse in symbols; the delay of the shaper.
        beta: Kaiser's parameter.
        phases: Rows; instants per symbol.
        per_symbol_energy: Mean square of the symbols that will be sent.

    Returns:
        Shape (phases, 2 * half_span), scaled so that the complex envelope has mean power 1.
    """
    symbols = round(2 * half_span)
    age = np.arange(symbols)[None, :] + np.arange(phases)[:, None] / phases
    table = windowed_pulse(age - half_span, roll_off, half_span, beta)
    power = float(np.mean(np.sum(table**2, axis=1))) * per_symbol_energy
    out: NDArray[np.float64] = table / np.sqrt(power)
    return out


def matched_table(
    roll_off: float, half_taps: int, beta: float, phases: int, samples_per_symbol: float
) -> NDArray[np.float32]:
    """Return the receive table: row p is the matched filter delayed by a further p/`phases` of a sample.

    Args:
        roll_off: 0 < roll-off <= 1.
        half_taps: Delay in samples.
        beta: Kaiser's parameter.
        phases: Fractions of a sample; one more row than this is returned, so that rounding never overflows.
        samples_per_symbol: Need not be an integer.

    Returns:
        Shape (phases + 1, 2 * half_taps + 2) float32, gain 1 at the centre of the band.
    """
    tap = np.arange(2 * half_taps + 2)[None, :]
    delay = np.arange(phases + 1)[:, None] / phases
    t = (tap - delay - half_taps) / samples_per_symbol
    table = windowed_pulse(t, roll_off, (half_taps + 1) / samples_per_symbol, beta)
    out: NDArray[np.float32] = (table / table.sum(axis=1, keepdims=True)).astype(np.float32)
    return out
