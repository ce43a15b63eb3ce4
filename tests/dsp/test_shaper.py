from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from ansam.dsp import shaper
from ansam.dsp.shaper import Emphasis, Shaper, pulse_table
from ansam.units import dbm0_from_power

RATES = [
    (Fraction(2400), Fraction(1800), Fraction(10, 3)),
    (Fraction(19200, 7), Fraction(19200, 7) * Fraction(3, 5), Fraction(35, 12)),
    (Fraction(2800), Fraction(2800) * Fraction(2, 3), Fraction(20, 7)),
    (Fraction(3000), Fraction(2000), Fraction(8, 3)),
    (Fraction(3200), Fraction(3200) * Fraction(4, 7), Fraction(5, 2)),
    (Fraction(24000, 7), Fraction(24000, 7) * Fraction(4, 7), Fraction(7, 3)),
]
"""Of V.34 (10/96) §5.2, which include that of V.32bis; carrier; samples per symbol."""
ROLL_OFF, HALF_SPAN, BETA = 0.15, 12, 3.0


def made(rate: Fraction, carrier: Fraction, emphasis: Emphasis | None = None, level: float = -10.0) -> Shaper:
    return Shaper(rate, carrier, level, ROLL_OFF, HALF_SPAN, BETA, emphasis)


def quaternary(count: int, seed: int = 1) -> NDArray[np.complex128]:
    return np.asarray(1j ** np.random.default_rng(seed).integers(0, 4, count), np.complex128)


def sent(
    modem: Shaper, symbols: NDArray[np.complex128], count: int, piece: int = 1 << 30
) -> NDArray[np.float32]:
    out = np.zeros(count, np.float32)
    done = taken = 0
    while done < count:
        part = out[done : done + piece]
        need = modem.needed(part.size)
        modem.process(symbols[taken : taken + need], part)
        taken += need
        done += part.size
    return out


def spectrum(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return power per bin of 10 Hz, averaged."""
    blocks = np.lib.stride_tricks.sliding_window_view(x[1000:].astype(np.float64), 800)[::400]
    return np.asarray(np.mean(np.abs(np.fft.rfft(blocks * np.blackman(800), axis=1)) ** 2, axis=0))


@pytest.mark.parametrize(("rate", "carrier", "ratio"), RATES)
def test_each_sample_is_the_sum_of_all_pulses_at_its_exact_instant(
    rate: Fraction, carrier: Fraction, ratio: Fraction
) -> None:
    """After half a minute, nothing has drifted: the waveform equals one computed from absolute time."""
    modem = made(rate, carrier)
    assert modem.samples_per_symbol == ratio
    assert modem.delay == HALF_SPAN * ratio
    count = 240_000
    symbols = quaternary(count)
    x = sent(modem, symbols, count)
    table = pulse_table(rate, carrier, ROLL_OFF, HALF_SPAN, BETA)
    rms = 10 ** ((-10.0 - 3.14) / 20) / np.sqrt(2)
    for n in [*range(200), *range(count - 200, count)]:
        newest = int(n / ratio)
        row = int((n / ratio - newest) * table.shape[0])
        at = np.arange(newest, newest - 2 * HALF_SPAN, -1)
        acc = np.sum(table[row] * np.where(at >= 0, symbols[np.maximum(at, 0)], 0))
        turn = np.exp(2j * np.pi * float(carrier * n / 8000 % 1))
        assert x[n] == pytest.approx(np.sqrt(2) * rms * (acc * turn).real, abs=2e-6)


@pytest.mark.parametrize(("rate", "carrier", "ratio"), RATES)
def test_a_pulse_has_its_peak_where_it_is_said_to_be(
    rate: Fraction, carrier: Fraction, ratio: Fraction
) -> None:
    modem = made(rate, carrier)
    symbols = np.zeros(200, np.complex128)
    symbols[35] = 1.0
    x = sent(modem, symbols, 400).astype(np.float64)
    n = np.arange(400)
    power = np.convolve(x**2, np.ones(8) / 8, "same")
    assert np.sum(n * power) / np.sum(power) == pytest.approx(float(modem.peak(35)) + 0.5, abs=0.6)


@pytest.mark.parametrize(("rate", "carrier", "ratio"), RATES)
def test_the_matched_filter_finds_the_symbols(rate: Fraction, carrier: Fraction, ratio: Fraction) -> None:
    """An independent receiver: mix down, resample to phases per symbol, filter, sample at the peaks."""
    symbols = quaternary(500)
    x = sent(made(rate, carrier), symbols, 900).astype(np.float64)
    base = x * np.exp(-2j * np.pi * np.arange(900) * float(carrier) / 8000)
    got = []
    for k in range(40, 220):
        at = float(k * ratio + HALF_SPAN * ratio)
        n = np.arange(int(at) - 40, int(at) + 41)
        t = (n - at) / float(ratio)
        band = (1 + ROLL_OFF) / 2
        f = np.linspace(-band, band, 801)
        shape = np.cos(np.pi / 2 * np.clip((np.abs(f) - (1 - ROLL_OFF) / 2) / ROLL_OFF, 0, 1))
        pulse = np.exp(2j * np.pi * t[:, None] * f) @ shape
        got.append(np.sum(base[n] * pulse.conj()))
    points = np.array(got)
    points /= np.sqrt(np.mean(np.abs(points) ** 2))
    assert np.mean(np.abs(points - symbols[40:220]) ** 2) < 1e-3


@pytest.mark.parametrize(("rate", "carrier", "ratio"), RATES)
@pytest.mark.parametrize("emphasis", [None, lambda f: 8.0 * f / 4000])
def test_the_level_is_the_one_asked_for(
    rate: Fraction, carrier: Fraction, ratio: Fraction, emphasis: Emphasis | None
) -> None:
    x = sent(made(rate, carrier, emphasis), quaternary(100_000), 200_000)
    assert dbm0_from_power(float(np.mean(x[1000:].astype(np.float64) ** 2))) == pytest.approx(-10, abs=0.02)


def test_pre_emphasis_shapes_the_spectrum_and_leaves_the_phase() -> None:
    rate, carrier = Fraction(3200), Fraction(3200) * Fraction(4, 7)
    symbols = quaternary(100_000)
    plain = spectrum(sent(made(rate, carrier), symbols, 200_000))
    steep = spectrum(sent(made(rate, carrier, lambda f: 6.0 * (f - 1800) / 1600), symbols, 200_000))
    gain = 10 * np.log10(steep / plain)
    at = np.arange(40, 330, 10)
    assert np.allclose(gain[at] - gain[180], 6.0 * (at - 180) / 160, atol=0.2)
    table = pulse_table(rate, carrier, ROLL_OFF, HALF_SPAN, BETA, lambda f: 6.0 * (f - 1800) / 1600)
    # Real gain in the passband: the pulse is conjugate symmetric about its peak.
    assert np.allclose(table[0, 1:], table[0, :0:-1].conj(), atol=1e-9)


def test_the_cut_changes_nothing() -> None:
    for rate, carrier, _ in RATES:
        whole = sent(made(rate, carrier), quaternary(4000), 4000)
        for piece in (1, 7, 160):
            assert np.array_equal(whole, sent(made(rate, carrier), quaternary(4000), 4000, piece))


def test_a_wrong_number_of_symbols_is_an_error() -> None:
    modem = made(*RATES[0][:2])
    assert modem.needed(0) == 0
    with pytest.raises(ValueError, match="3 symbols for 48"):
        modem.process(quaternary(3), np.zeros(160, np.float32))


def test_compiled_and_interpreted_kernels_agree() -> None:
    outputs = []
    for kernel in (shaper._shape, shaper._shape.py_func):
        modem = made(*RATES[5][:2])
        out = np.zeros(200, np.float32)
        kernel(modem._state, modem._table, modem._carrier, modem._line, quaternary(200), out)
        outputs.append(out)
    assert np.abs(outputs[0] - outputs[1]).max() < 1e-6
