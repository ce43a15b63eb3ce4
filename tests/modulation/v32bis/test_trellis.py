import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.v32bis_theory import (
    branches,
    es_n0_for,
    event_bound,
    events,
    free_distance,
    square_error_rate,
    viterbi,
)

from ansam.modulation.base import Role
from ansam.modulation.v32bis import trellis
from ansam.modulation.v32bis.constants import SCALE, TRAINING_POINTS, Coding
from ansam.modulation.v32bis.signals import Segment, Signal, SymbolSource
from ansam.modulation.v32bis.trellis import (
    DECODER,
    MAX_DEPTH,
    NO_LABEL,
    Decoder,
    data_of,
    decode,
    encode,
    restart,
    slice_point,
    survivor,
    trellis_step,
)

CODED = [coding for coding in Coding if coding.trellis]
UNCODED = [coding for coding in Coding if not coding.trellis]


def encoded(coding: Coding, count: int, seed: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return random data values and their labels."""
    values = np.random.default_rng(seed).integers(0, 1 << coding.bits, count)
    labels = np.zeros(count, np.int64)
    previous = delays = 0
    for n, value in enumerate(values):
        labels[n], previous, delays = encode(coding, previous, delays, value)
    return values, labels


def noisy(coding: Coding, count: int, es_n0_db: float) -> tuple[NDArray[np.complex128], ...]:
    """Return sent and received points."""
    rng = np.random.default_rng(7)
    source = SymbolSource(Role.CALLING)
    source.begin(Segment(Signal.DATA, coding=coding))
    sent = np.zeros(count, np.complex128)
    source.make(rng.integers(0, 2, count * coding.bits).astype(np.uint8), sent)
    sigma = np.sqrt(np.mean(np.abs(coding.points) ** 2) / 10 ** (es_n0_db / 10) / 2)
    return sent, sent + sigma * (rng.standard_normal(count) + 1j * rng.standard_normal(count))


def test_the_encoder_is_that_of_figure_1() -> None:
    for state, after, subset in branches():
        assert trellis_step(state, subset & 3) == (subset >> 2, after)


@pytest.mark.parametrize("coding", list(Coding))
def test_diagrams_are_distinct_centred_and_turn_into_themselves(coding: Coding) -> None:
    """A quarter turn keeps Q3 …, toggles Y0 and moves Y1 Y2 along 00, 11, 01, 10 (no trellis: ABCD)."""
    points = coding.points
    rest = coding.bits - 2
    assert np.abs(points[:, None] - points + 9 * np.eye(points.size)).min() > 1.9 * SCALE**2
    turn = {0: 3, 3: 1, 1: 2, 2: 0} if coding.trellis else {0: 1, 1: 3, 3: 2, 2: 0}
    for label, point in enumerate(points):
        y0, y, q = label >> (rest + 2), (label >> rest) & 3, label & ((1 << rest) - 1)
        turned = (((y0 ^ 1) << 2 if coding.trellis else 0) | turn[y]) << rest | q
        assert np.isclose(points[turned], 1j * point), label


def test_scale() -> None:
    power = [float(np.mean(np.abs(coding.points) ** 2)) for coding in Coding]
    assert np.allclose(power, [1, 1, 1, 1, 42 / 40, 41 / 40])
    assert np.allclose(np.abs(TRAINING_POINTS), 1)


@pytest.mark.parametrize(
    ("coding", "units", "expected"),
    [
        (Coding.TRELLIS_14400, 1, 10),
        (Coding.TRELLIS_12000, 1, 20),
        (Coding.TRELLIS_9600, 2, 10),
        (Coding.TRELLIS_7200, 2, 20),
    ],
)
def test_free_distance(coding: Coding, units: int, expected: float) -> None:
    """Five times the least squared distance of the diagram: 4 dB above the uncoded one of the same rate."""
    assert free_distance(coding.points / SCALE / units) == pytest.approx(expected)


@pytest.mark.parametrize("coding", list(Coding))
def test_labels_give_back_the_data(coding: Coding) -> None:
    values, labels = encoded(coding, 2000)
    previous = 0
    for value, label in zip(values, labels, strict=True):
        got, previous = data_of(coding, previous, label)
        assert got == value


@pytest.mark.parametrize("coding", list(Coding))
@pytest.mark.parametrize("depth", [0, 24, MAX_DEPTH])
def test_round_trip_and_delay(coding: Coding, depth: int) -> None:
    values, labels = encoded(coding, 1000)
    out = Decoder(coding, depth).process(coding.points[labels])
    delay = depth if coding.trellis else 0
    assert (out[:delay, :2] == NO_LABEL).all()
    assert np.array_equal(out[delay:, 0], values[: 1000 - delay])
    assert np.array_equal(out[delay:, 1], labels[: 1000 - delay])
    assert np.array_equal(out[:, 2], labels)


@pytest.mark.parametrize("coding", list(Coding))
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_points_in_the_midst_give_the_same_data(coding: Coding, turns: int) -> None:
    values, labels = encoded(coding, 400)
    out = Decoder(coding, 24, known=False).process(1j**turns * coding.points[labels[100:]])
    delay = 24 if coding.trellis else 0
    # Until the state is known a few labels are guesses, and the first one has no right one before it.
    assert np.array_equal(out[delay + 6 :, 0], values[106 : 400 - delay])


@pytest.mark.parametrize("coding", CODED)
def test_as_good_as_the_decoder_of_the_whole_sequence(coding: Coding) -> None:
    sent, received = noisy(coding, 1500, es_n0_for(coding.points, 1e-2))
    # The source began with zero delay elements.
    truth = viterbi(coding.points, received)
    got = Decoder(coding, MAX_DEPTH).process(received)[MAX_DEPTH:, 1]
    assert np.array_equal(got, truth[:-MAX_DEPTH])
    wrong = coding.points[truth] != sent
    assert 0 < wrong.mean() < 0.1


@pytest.mark.parametrize("coding", CODED)
def test_error_events_in_white_noise_against_the_union_bound(coding: Coding) -> None:
    target = 1e-3
    es_n0 = es_n0_for(coding.points, target)
    sent, received = noisy(coding, 120_000, es_n0)
    labels = Decoder(coding).process(received)[24:, 1]
    rate = events(coding.points[labels] != sent[:-24]) / labels.size
    assert 0.4 * target < rate < 1.15 * event_bound(coding.points, es_n0)


@pytest.mark.parametrize("coding", UNCODED)
def test_symbol_errors_without_a_trellis(coding: Coding) -> None:
    es_n0 = 11.0 if coding is Coding.UNCODED_4800 else 17.0
    sent, received = noisy(coding, 200_000, es_n0)
    labels = Decoder(coding).process(received)[:, 1]
    rate = np.mean(coding.points[labels] != sent)
    assert rate == pytest.approx(square_error_rate(coding.points.size, es_n0), rel=0.15)


def test_the_default_delay_costs_nothing() -> None:
    coding = Coding.TRELLIS_14400
    sent, received = noisy(coding, 100_000, es_n0_for(coding.points, 3e-3))
    count = []
    for depth in (24, MAX_DEPTH):
        labels = Decoder(coding, depth).process(received)[depth:, 1]
        count.append(events(coding.points[labels[:99_900]] != sent[:99_900][: labels.size]))
    assert count[0] < 1.05 * count[1]


@pytest.mark.parametrize("coding", CODED)
@pytest.mark.parametrize("how", ["weight", "not a number"])
def test_an_erased_symbol_loses_only_its_uncoded_bits(coding: Coding, how: str) -> None:
    values, labels = encoded(coding, 1000)
    points = coding.points[labels]
    weights = np.ones(1000)
    lost = np.arange(50, 950, 20)
    points[lost] = 1.2 - 0.3j if how == "weight" else np.nan
    if how == "weight":
        weights[lost] = 0.0
    out = Decoder(coding).process(points, weights)[24:]
    rest = coding.bits - 2
    assert np.array_equal(out[:, 0] >> rest, values[:-24] >> rest)
    assert set(np.flatnonzero(out[:, 0] != values[:-24])) <= set(lost)


def test_a_doubtful_symbol_counts_less() -> None:
    coding = Coding.TRELLIS_14400
    values, labels = encoded(coding, 2000)
    points = coding.points[labels]
    rng = np.random.default_rng(1)
    hit = np.arange(100, 1900, 60)
    points[hit] += 0.6 * np.exp(2j * np.pi * rng.random(hit.size))
    weights = np.ones(2000)
    weights[hit] = 0.01
    rest = coding.bits - 2
    plain = Decoder(coding).process(points)[24:, 0] >> rest
    helped = Decoder(coding).process(points, weights)[24:, 0] >> rest
    truth = values[:-24] >> rest
    assert np.count_nonzero(plain != truth) > 0
    assert np.array_equal(helped, truth)


@pytest.mark.parametrize("coding", list(Coding))
def test_nothing_upsets_the_decoder(coding: Coding) -> None:
    values, labels = encoded(coding, 600)
    points = coding.points[labels]
    bad = [np.nan, np.inf, -np.inf, 1e300, -1e300, 1e20]
    points[100:136] = [complex(x, y) for x in bad for y in bad]
    weights = np.ones(600)
    weights[150:156] = [np.nan, np.inf, -1.0, 1e300, -np.inf, 0.0]
    out = Decoder(coding).process(points, weights)
    delay = 24 if coding.trellis else 0
    assert ((out[delay:, 0] >= 0) & (out[delay:, 0] < 1 << coding.bits)).all()
    assert ((out[:, 2] >= 0) & (out[:, 2] < coding.points.size)).all()
    assert np.array_equal(out[delay:, 0][200:], values[200 : 600 - delay])


def test_metrics_stay_small() -> None:
    """Normalised: hours of noise do not wear out single precision."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(100_000) + 1j * rng.standard_normal(100_000)
    decoder = Decoder(Coding.TRELLIS_14400)
    decoder.process(noise)
    metric = decoder._state[0]["metric"]
    assert metric.min() == 0.0
    assert metric.max() < 30


def test_survivor_looks_back_along_the_best_path() -> None:
    coding = Coding.TRELLIS_9600
    _, labels = encoded(coding, 100)
    state = np.zeros(1, DECODER).view(np.recarray)
    restart(state, coding, 24, True, 0)
    for n, label in enumerate(labels):
        decode(state, coding.points[label], 1.0)
        for back in range(min(n + 1, 30)):
            assert survivor(state, back) == labels[n - back]


def test_the_slicer_ignores_the_trellis() -> None:
    for coding in Coding:
        for label, point in enumerate(coding.points):
            assert slice_point(coding, point + 0.4 * SCALE) == label
    assert slice_point(Coding.TRELLIS_14400, complex(np.nan, 1e9)) == slice_point(Coding.TRELLIS_14400, 9j)


def test_the_cut_changes_nothing() -> None:
    _, received = noisy(Coding.TRELLIS_14400, 1000, 18.0)
    whole = Decoder(Coding.TRELLIS_14400).process(received)
    decoder = Decoder(Coding.TRELLIS_14400)
    pieces = [decoder.process(received[i : i + 7]) for i in range(0, 1000, 7)]
    assert np.array_equal(whole, np.concatenate(pieces))


def test_compiled_and_interpreted_kernels_agree() -> None:
    _, received = noisy(Coding.TRELLIS_9600, 60, 12.0)
    states = []
    for kernel in (trellis._extend, trellis._extend.py_func):
        state = np.zeros(1, DECODER).view(np.recarray)
        restart(state, Coding.TRELLIS_9600, 24, True, 0)
        for point in received.astype(np.complex64):
            kernel(state, np.float32(point.real), np.float32(point.imag), np.float32(1.0))
        states.append(state[0])
    assert np.array_equal(states[0]["history"], states[1]["history"])
    assert np.allclose(states[0]["metric"], states[1]["metric"], atol=1e-5)
