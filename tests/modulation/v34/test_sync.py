import numpy as np
import pytest
from tests.support.v34_link import H, Source, coding, grid, noise

from ansam.modulation.v34.constants import SYMBOL_RATES, Trellis
from ansam.modulation.v34.decoder import Decoder, resynchronise
from ansam.modulation.v34.sync import find_superframe, gather_evidence
from ansam.modulation.v34.viterbi import VITERBI

RATE = {2400: 14400, 2743: 19200, 2800: 16800, 3000: 21600, 3200: 24000, 3429: 33600}
ES_N0 = {2400: 24, 2743: 26, 2800: 24, 3000: 27.5, 3200: 27.5, 3429: 35}


@pytest.mark.parametrize("trellis", list(Trellis))
@pytest.mark.parametrize("symbols", [rate.name for rate in SYMBOL_RATES])
def test_the_superframe_is_found_from_any_place_and_phase(symbols: int, trellis: Trellis) -> None:
    code = coding(symbols, RATE[symbols], trellis, expanded=True, h=H if symbols == 2743 else (0,) * 6)
    es_n0 = ES_N0[symbols] + (4 if code.precoded else 0)
    x = Source(code).symbols(400)
    points = grid(code, x + noise(x.size, es_n0, 1))[0]
    record = Decoder(code).records.code
    p = code.parameters
    start = 4 * (p.superframe - p.symbol_rate.mapping_frames)
    for at, turns in ((100, 0), (101, 1), (777, 2), (1500, 3)):
        found = find_superframe(record, points[at : at + 1024] * 1j**turns, np.ones(1024))
        assert found is not None
        assert (at + found.first) % 2 == 0
        assert found.m == (start + (at + found.first) // 2) % (4 * p.superframe)


def test_nothing_is_found_in_nothing() -> None:
    rng = np.random.default_rng(1)
    for trellis in Trellis:
        record = Decoder(coding(3200, 24000, trellis)).records.code
        for _ in range(10):
            points = 10 * (rng.normal(size=1024) + 1j * rng.normal(size=1024))
            assert find_superframe(record, points, np.ones(1024)) is None
        assert find_superframe(record, points, np.zeros(1024)) is None
        assert find_superframe(record, points * np.nan, np.ones(1024)) is None
        assert find_superframe(record, points[:0], np.ones(0)) is None


@pytest.mark.parametrize("slip", [2, 8, 9, 801])
@pytest.mark.parametrize(
    ("symbols", "trellis", "es_n0"),
    [(3429, Trellis.STATES_16, 35), (3200, Trellis.STATES_64, 27.5), (2743, Trellis.STATES_32, 26)],
)
def test_a_slip_is_noticed_and_mended(symbols: int, trellis: Trellis, es_n0: float, slip: int) -> None:
    code = coding(symbols, RATE[symbols], trellis, expanded=True, nonlinear=True)
    source, receiver = Source(code), Decoder(code)
    x = source.symbols(600)
    points = grid(code, x + noise(x.size, es_n0, 2))[0]
    receiver.decode(points[:1600])
    assert not receiver.superframe_lost
    at, noticed = 1600 + slip, 0
    mended = None
    while at < points.size - 800:
        receiver.decode(points[at : at + 40])
        at += 40
        if receiver.superframe_lost:
            noticed = noticed or at
            mended = receiver.resynchronise() or mended
    assert mended is not None
    assert 0 < noticed < 1600 + slip + 1200
    tail = receiver.decode(points[at:])[0][-1000:]
    places = np.lib.stride_tricks.sliding_window_view(source.bits[-4000:], 1000)
    assert (places == tail).all(axis=1).sum() == 1


@pytest.mark.parametrize("trellis", list(Trellis))
def test_no_false_alarm_where_decoding_is_just_possible(trellis: Trellis) -> None:
    code = coding(3200, 24000, trellis, expanded=True)
    receiver = Decoder(code)
    x = Source(code).symbols(3000)
    for block in np.split(grid(code, x + noise(x.size, 26, 3))[0], 60):
        receiver.decode(block)
        assert not receiver.superframe_lost


def test_uncertain_points_leave_the_decoder_alone() -> None:
    receiver = Decoder(coding(3200, 24000))
    receiver.decode(np.ones(300, np.complex128))
    before = receiver.records.state.tobytes()
    assert resynchronise(receiver.records) is None
    assert receiver.records.state.tobytes() == before


def test_compiled_and_interpreted_kernels_agree() -> None:
    code = coding(2400, 4800)
    points, weights = grid(code, Source(code).symbols(10))
    record = Decoder(code).records.code
    results = []
    for kernel in (gather_evidence, gather_evidence.py_func):
        search, evidence = np.zeros(1, VITERBI).view(np.recarray), np.zeros(40)
        results.append((kernel(record, search, points, weights, evidence), evidence.tolist()))
    assert results[0][0] == pytest.approx(results[1][0])
    assert results[0][1] == pytest.approx(results[1][1])
