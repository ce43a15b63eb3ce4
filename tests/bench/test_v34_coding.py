"""V.34's coding layer alone: error rate against Es/N0 beside uncoded QAM, CPU, and every choice of coding."""

import time
from math import erfc, log10, sqrt

import numpy as np
import pytest
from numba import njit, types
from numpy.typing import NDArray
from tests.support.v34_link import H, Source, all_choices, coding, errors, every_rate, grid, noise

from ansam.modulation.base import Role
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import Trellis
from ansam.modulation.v34.decoder import RECORDS, Decoder, DecoderRecords, decoder_records, push
from ansam.modulation.v34.front import front_record

TARGET = 1e-5
BLOCK = 5000
"""Mapping frames at once."""


def bits_per_symbol(code: Coding) -> float:
    return code.parameters.rate / float(code.parameters.symbol_rate.baud)


def uncoded_es_n0_db(eta: float) -> float:
    """Return Es/N0 at which Gray-coded square QAM of eta bits per symbol has `TARGET` wrong bits.

    4 Q(sqrt(3 Es/N0 / (2^eta - 1))) / eta, the usual union bound for large constellations.
    """
    low, high = 0.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        argument = sqrt(3 * 10 ** (middle / 10) / (2**eta - 1))
        rate = 4 * 0.5 * erfc(argument / sqrt(2)) / eta
        low, high = (middle, high) if rate > TARGET else (low, middle)
    return high


def error_rate(code: Coding, es_n0_db: float, most_bits: float, enough: int = 1500) -> float:
    """Return wrong user bits per bit, after the descrambler, until `enough` are wrong."""
    source, receiver, front = Source(code), Decoder(code), front_record(code)
    scale = float(receiver.records.code[0].scale)
    wrong = total = seed = 0
    left = np.zeros(0, np.uint8)
    while total < most_bits and wrong < enough:
        seed += 1
        source.bits = left
        x = source.symbols(BLOCK)
        disturbance = noise(x.size, es_n0_db, seed)
        if code.precoded:
            # The filter is there to make the line's noise white; so white noise is added behind it.
            points = grid(code, x, None, front)[0] + disturbance / scale
        else:
            points = grid(code, x + disturbance)[0]
        got = receiver.decode(points)[0]
        wrong += errors(source.bits, got)
        total += got.size
        left = source.bits[got.size :]
    return wrong / total


def needed_es_n0_db(code: Coding, start_db: float) -> tuple[float, list[tuple[float, float]]]:
    """Return Es/N0 at `TARGET`, and the points measured, 0.4 dB apart."""
    curve: list[tuple[float, float]] = []
    at = start_db
    while not curve or curve[-1][1] > TARGET / 2:
        curve.append((at, error_rate(code, at, 2e7)))
        at += 0.4
    exponents = [-log10(max(rate, 1e-7)) for _, rate in curve]
    return float(np.interp(-log10(TARGET), exponents, [point for point, _ in curve])), curve


@pytest.mark.bench
@pytest.mark.parametrize(("symbols", "rate"), [(3429, 33600), (3200, 28800), (2400, 14400), (2400, 4800)])
def test_error_rate(symbols: int, rate: int) -> None:
    gains = {}
    for trellis in Trellis:
        for expanded in (False, True):
            code = coding(symbols, rate, trellis, expanded=expanded)
            if expanded and code.parameters.points == coding(symbols, rate).parameters.points:
                continue
            plain = uncoded_es_n0_db(bits_per_symbol(code))
            needed, curve = needed_es_n0_db(code, plain - 5.6)
            gains[trellis, expanded] = plain - needed
            print(
                f"\n{rate} at {symbols}, {trellis.states} states, {'expanded' if expanded else 'minimum'}"
                f" (L = {code.parameters.points}): {TARGET:g} at Es/N0 {needed:.2f} dB,"
                f" uncoded {plain:.2f} dB, gain {plain - needed:.2f} dB"
            )
            print("   ", "  ".join(f"{point:.1f}: {wrong:.1e}" for point, wrong in curve))
    # An error event spoils two mapping frames, and the descrambler trebles that: about 100 bits for each,
    # against one of the uncoded QAM. The codes' own gain is in the next test.
    assert min(gains.values()) > 2.4
    for trellis, expanded in gains:
        if trellis is Trellis.STATES_64:
            assert gains[trellis, expanded] > gains[Trellis.STATES_16, expanded] + 0.1


@njit(types.void(RECORDS, types.complex128[::1], types.complex128[::1]), cache=True, nogil=True)
def _settle(records: DecoderRecords, points: NDArray[np.complex128], settled: NDArray[np.complex128]) -> None:
    room = np.zeros(100, np.uint8)
    count = 0
    for point in points:
        if push(records, point, 1.0, room, room):
            settled[count] = records.state[0].settled[0]
            settled[count + 1] = records.state[0].settled[1]
            count += 2
        records.state[0].bits = 0


@pytest.mark.bench
@pytest.mark.parametrize(
    ("trellis", "distance", "neighbours", "sigma"),
    [(Trellis.STATES_16, 2.0, 12, 0.415), (Trellis.STATES_64, sqrt(5), 72, 0.445)],
)
def test_error_events_come_as_often_as_the_union_bound_says(
    trellis: Trellis, distance: float, neighbours: int, sigma: float
) -> None:
    """N Q(d/2 sigma) events per 2D symbol; d^2 = 16 and 20, N = 12 and 72 for these codes.

    Source: G. D. Forney, Coset codes I, IEEE Trans. IT 34 (1988), table of Wei's four-dimensional codes.
    """
    code = coding(3200, 28800, trellis)
    symbols = Source(code).symbols(60000)
    clean, _ = grid(code, symbols)
    rng = np.random.default_rng(1)
    heard = clean + sigma * (rng.normal(size=clean.size) + 1j * rng.normal(size=clean.size))
    records, settled = decoder_records(code, 32), np.zeros(clean.size, np.complex128)
    _settle(records, heard, settled)
    late = 2 * 32
    wrong = np.flatnonzero((np.rint(settled[late:]) != np.rint(clean[:-late])).reshape(-1, 2).any(axis=1))
    events = 1 + np.count_nonzero(np.diff(wrong) > 12)
    bound = neighbours * 0.5 * erfc(distance / sigma / sqrt(2))
    uncoded = 4 * 0.5 * erfc(1 / sigma / sqrt(2))
    rate = events / clean.size
    print(
        f"\n{trellis.states} states, sigma {sigma}: {rate:.1e} events per symbol, nearest neighbours alone"
        f" {bound:.1e}, grid without the code {uncoded:.1e}"
    )
    assert 0.5 < rate / bound < 5


@pytest.mark.bench
def test_what_precoding_and_the_non_linear_encoder_cost() -> None:
    """Precoding: the power of c - p, and what a wrong symbol entails. Θ: some points are nearer together."""
    base, _ = needed_es_n0_db(coding(3200, 24000, expanded=True), 25.6)
    bent, _ = needed_es_n0_db(coding(3200, 24000, expanded=True, nonlinear=True), 25.6)
    coded, _ = needed_es_n0_db(coding(3200, 24000, expanded=True, h=H), 25.6)
    print(
        f"\n24000 at 3200: {base:.2f} dB; non-linear {bent - base:+.2f} dB; precoded {coded - base:+.2f} dB"
    )
    assert bent - base < 1.2
    assert coded - base < 0.5


@pytest.mark.bench
@pytest.mark.parametrize("trellis", list(Trellis))
def test_delay(trellis: Trellis) -> None:
    """How many 4D symbols a decision must wait."""
    code = coding(3200, 24000, trellis, expanded=True)
    x = Source(code).symbols(40000)
    points = grid(code, x + noise(x.size, 26.0, 1))[0]
    source = Source(code)
    source.symbols(40000)
    line = []
    for delay in (8, 12, 16, 20, 24, 32, 48):
        got = Decoder(code, delay).decode(points)[0]
        line.append(f"{delay}: {errors(source.bits, got) / got.size:.1e}")
    print(f"\n{trellis.states} states, Es/N0 26 dB, wrong bits by delay:", "  ".join(line))


@pytest.mark.bench
def test_every_choice_of_coding() -> None:
    count = 0
    for symbols, rate in every_rate():
        for n, (trellis, auxiliary, expanded, nonlinear, h) in enumerate(all_choices()):
            code = coding(
                symbols, rate, trellis, auxiliary=auxiliary, expanded=expanded, nonlinear=nonlinear, h=h,
                sender=list(Role)[n % 2],
            )  # fmt: skip
            source, receiver = Source(code, n), Decoder(code)
            bits, aux = receiver.decode(grid(code, source.symbols(code.parameters.superframe + 40))[0])
            assert errors(source.bits, bits) == errors(source.aux, aux) == 0
            assert bits.size > 0.8 * source.bits.size
            count += 1
    print(f"\n{count} codings, a superframe each, no wrong bit")
    assert count == 65 * 48


@pytest.mark.bench
@pytest.mark.parametrize(("trellis", "limit"), [(0, 0.002), (1, 0.0035), (2, 0.005)])
def test_cpu_at_3429_baud(trellis: int, limit: float) -> None:
    code = coding(3429, 33600, Trellis(trellis), expanded=True, nonlinear=True, h=H)
    source, receiver = Source(code), Decoder(code)
    x = source.symbols(4000)
    seconds = x.size / float(code.parameters.symbol_rate.baud)
    points = grid(code, x + noise(x.size, 38, 1))[0]
    ones = np.ones(points.size)
    shares = []
    for block, weights in zip(np.split(points, 20), np.split(ones, 20), strict=True):
        begun = time.process_time()
        receiver.decode(block, weights)
        shares.append((time.process_time() - begun) / (seconds / 20))
    begun = time.process_time()
    Source(code).symbols(4000)
    encoder = (time.process_time() - begun) / seconds
    print(
        f"\n{Trellis(trellis).states} states at 3429 Bd: decoder {100 * np.median(shares):.3f} % of a core"
        f" (best {100 * min(shares):.3f} %), encoder {100 * encoder:.3f} %"
    )
    assert min(shares) < limit
