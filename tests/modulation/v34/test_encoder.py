import itertools

import numpy as np
import pytest
from tests.support import v34_reference
from tests.support.v34_link import H, Source, coding, every_rate

from ansam.modulation.base import Role
from ansam.modulation.v34 import encoder
from ansam.modulation.v34.constants import THETA, Trellis
from ansam.modulation.v34.encoder import Encoder, begin, bits_wanted, encode, encoder_records
from ansam.modulation.v34.precoder import NO_PRECODING

CHOICES = [
    coding(3429, 33600, Trellis.STATES_64, expanded=True, nonlinear=True, h=H),
    coding(3429, 33600, Trellis.STATES_16, auxiliary=True, sender=Role.ANSWERING),
    coding(3200, 28800, Trellis.STATES_32, auxiliary=True, expanded=True, h=H),
    coding(3200, 4800, Trellis.STATES_64, auxiliary=True, h=H),
    coding(3429, 4800, Trellis.STATES_16, auxiliary=True),
    coding(3429, 4800, Trellis.STATES_32, h=H),
    coding(2400, 2400, Trellis.STATES_16, auxiliary=True, nonlinear=True),
    coding(2400, 2400, Trellis.STATES_64),
    coding(2743, 12000, Trellis.STATES_32, auxiliary=True, expanded=True, sender=Role.ANSWERING, h=H),
    coding(2800, 16800, Trellis.STATES_16, expanded=True, nonlinear=True),
    coding(3000, 19200, Trellis.STATES_64, h=H),
]


@pytest.mark.parametrize("code", CHOICES)
def test_symbols_are_those_of_the_clauses(code: encoder.Coding) -> None:
    """B1 and a data frame and a half after it, so that the superframe has begun anew."""
    p = code.parameters
    frames = 5 * p.symbol_rate.mapping_frames // 2
    source = Source(code)
    got = source.symbols(frames)
    b1 = sum(p.b - 1 + high - aux for high, aux in zip(p.swp, p.amp, strict=True))
    message = itertools.chain([1] * b1, source.bits.tolist())
    aux = itertools.chain([1] * sum(p.amp), source.aux.tolist())
    x = np.array(list(v34_reference.symbols(code, message, aux, frames)))
    if code.nonlinear:
        zeta = THETA * np.abs(x) ** 2 / code.mean_energy()
        x = x * (1 + zeta / 6 + zeta**2 / 120)
    assert got == pytest.approx(x / np.sqrt(code.mean_power()))


@pytest.mark.parametrize("expanded", [False, True])
def test_mean_power_is_1(expanded: bool) -> None:
    for n, (symbols, rate) in enumerate(every_rate()):
        code = coding(symbols, rate, expanded=expanded, nonlinear=n % 2 == 0, h=H if n % 3 else NO_PRECODING)
        x = Source(code).symbols(500)
        spread = np.std(np.abs(x) ** 2) / np.sqrt(x.size)
        assert np.mean(np.abs(x) ** 2) == pytest.approx(1, abs=0.004 + 4 * spread), (symbols, rate)


def test_shaping_lowers_the_power() -> None:
    """33600 at 3429: the expanded constellation spends less for the same distance between points."""
    gains = []
    for symbols, rate in ((3429, 33600), (3200, 28800)):
        low = coding(symbols, rate).mean_power()
        high = coding(symbols, rate, expanded=True).mean_power()
        gains.append(10 * np.log10(low / high))
    assert min(gains) > 0.1


@pytest.mark.parametrize("code", CHOICES[:4])
def test_the_stream_may_be_cut_anywhere(code: encoder.Coding) -> None:
    whole, pieces = Source(code), Encoder(code)
    x = whole.symbols(70)
    bits, aux, got = whole.bits, whole.aux, []
    for frames in (1, 2, 0, 30, 7, 30):
        primary, auxiliary = pieces.bits_wanted(frames)
        got.append(pieces.encode(frames, bits[:primary], aux[:auxiliary]))
        bits, aux = bits[primary:], aux[auxiliary:]
    assert np.array_equal(np.concatenate(got), x)
    assert bits.size == aux.size == 0


def test_a_superframe_holds_280_ms_of_bits() -> None:
    for symbols, rate in every_rate():
        code = Encoder(coding(symbols, rate, auxiliary=True))
        p = code.coding.parameters
        code.encode(p.symbol_rate.mapping_frames, np.zeros(0, np.uint8))
        assert code.bits_wanted(p.superframe) == (rate * 28 // 100, 56)


def test_b1_takes_no_bits_and_restart_sends_it_again() -> None:
    code = Encoder(CHOICES[0])
    frames = code.coding.parameters.symbol_rate.mapping_frames
    assert code.bits_wanted(frames) == (0, 0)
    first = code.encode(frames, np.zeros(0, np.uint8))
    assert code.bits_wanted(1)[0] > 0
    code.encode(3, np.zeros(300, np.uint8))
    code.restart()
    assert np.array_equal(code.encode(frames, np.zeros(0, np.uint8)), first)


def test_bits_that_are_missing_are_ones() -> None:
    a, b = Encoder(CHOICES[1]), Encoder(CHOICES[1])
    none, ones = np.zeros(0, np.uint8), np.ones(4000, np.uint8)
    assert np.array_equal(a.encode(40, none), b.encode(40, ones, ones))


def test_compiled_and_interpreted_kernels_agree() -> None:
    for code in (CHOICES[0], CHOICES[4]):
        a, b = encoder_records(code), encoder_records(code)
        bits = np.random.default_rng(1).integers(0, 2, 800).astype(np.uint8)
        x, y = np.zeros(8 * 17, np.complex128), np.zeros(8 * 17, np.complex128)
        begin(a)
        begin.py_func(b)
        encode(a, bits, bits, x)
        encode.py_func(b, bits, bits, y)
        assert x == pytest.approx(y)
        assert bits_wanted.py_func(b, 5) == bits_wanted(a, 5)
        for kernel in (encoder._scramble, encoder._parse, encoder.encode_frame):
            arguments = (bits,) if kernel is not encoder.encode_frame else (bits, bits, x, 0)
            twin = (bits,) if kernel is not encoder.encode_frame else (bits, bits, y, 0)
            kernel(a, *arguments)
            kernel.py_func(b, *twin)
            assert a.state.tobytes() == b.state.tobytes()
