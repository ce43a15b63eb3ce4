import math

import numpy as np
import pytest
from tests.support.v34_link import (
    H,
    Source,
    all_choices,
    coding,
    errors,
    every_rate,
    grid,
    noise,
)

from ansam.errors import LocalProtocolError
from ansam.modulation.base import Role
from ansam.modulation.v34 import decoder, front
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import Trellis
from ansam.modulation.v34.decoder import Decoder, decoder_records
from ansam.modulation.v34.front import follow, front_record, to_grid
from ansam.modulation.v34.precoder import precoder_state
from ansam.modulation.v34.viterbi import MAX_DELAY

FAST = coding(3429, 33600, Trellis.STATES_64, expanded=True, nonlinear=True, h=H)
SLOW = coding(3200, 4800, Trellis.STATES_16)


def run(code: Coding, frames: int, es_n0_db: float = 90.0, delay: int = 20, seed: int = 1) -> None:
    """Send and receive; every bit must come out right, and none be missing but the delayed ones."""
    source, receiver = Source(code, seed), Decoder(code, delay)
    symbols = source.symbols(frames)
    bits, aux = receiver.decode(grid(code, symbols + noise(symbols.size, es_n0_db, seed))[0])
    held = (delay + 4) // 4 * code.parameters.b
    assert source.bits.size - held <= bits.size <= source.bits.size
    assert errors(source.bits, bits) == 0
    assert errors(source.aux, aux) == 0
    assert (aux.size > 0) == code.parameters.auxiliary
    s = receiver.records.state[0]
    assert s.b1_bits > 0
    assert s.b1_wrong == s.outside == s.mismatched == 0
    assert s.checked > 0


@pytest.mark.parametrize(("symbols", "rate"), every_rate())
def test_every_rate_and_every_choice(symbols: int, rate: int) -> None:
    """A sixth of the 48 choices of trellis, auxiliary channel, shaping, non-linear encoder and precoder.

    Which sixth moves on from rate to rate. The bench takes all of them.
    """
    for n in range(every_rate().index((symbols, rate)) % 6, 48, 6):
        trellis, auxiliary, expanded, nonlinear, h = all_choices()[n]
        code = coding(
            symbols, rate, trellis, auxiliary=auxiliary, expanded=expanded, nonlinear=nonlinear, h=h,
            sender=Role.ANSWERING if n % 2 else Role.CALLING,
        )  # fmt: skip
        run(code, code.parameters.symbol_rate.mapping_frames + 25, seed=n)


@pytest.mark.parametrize("trellis", list(Trellis))
@pytest.mark.parametrize(
    ("symbols", "rate", "es_n0"), [(3429, 33600, 36), (3200, 28800, 34), (2400, 14400, 24), (2400, 4800, 14)]
)
def test_superframes_with_noise(symbols: int, rate: int, es_n0: float, trellis: Trellis) -> None:
    """2 dB and more above what gives 1e-5 with 16 states (tests/bench/test_v34_coding.py)."""
    for h in ((0,) * 6, H):
        code = coding(symbols, rate, trellis, expanded=True, nonlinear=True, h=h)
        loss = 10 * math.log10(1 + sum(part**2 for part in h) / 2**28)
        run(code, 3 * code.parameters.superframe, es_n0 + loss + 3 * (h != (0,) * 6), delay=32)


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("code", [FAST, SLOW, coding(2743, 14400, Trellis.STATES_32, h=H)])
def test_any_of_the_four_phases_will_do(code: Coding, turns: int) -> None:
    """Turned zero states are others, so nothing is known at the start; soon after all bits are right."""
    source, receiver = Source(code), Decoder(code)
    points = grid(code, source.symbols(200))[0] * 1j**turns
    p = code.parameters
    receiver.restart(4 * (p.superframe - p.symbol_rate.mapping_frames), b1=False)
    bits = receiver.decode(points)[0]
    sent = np.concatenate([np.ones(p.data_frame_bits, np.uint8), source.bits])
    wrong = np.flatnonzero(bits != sent[: bits.size])
    assert wrong.size == 0 or wrong.max() < 8 * p.b


@pytest.mark.parametrize("code", [FAST, SLOW])
def test_the_stream_may_be_cut_anywhere(code: Coding) -> None:
    points = grid(code, Source(code).symbols(60))[0]
    whole = Decoder(code).decode(points)[0]
    receiver = Decoder(code)
    pieces = [receiver.decode(piece)[0] for piece in np.split(points, [1, 2, 9, 10, 300])]
    assert np.array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("code", [FAST, coding(3429, 33600), SLOW])
def test_erased_symbols_cost_their_own_bits(code: Coding) -> None:
    """Ten mapping frames are lost: frames and superframe stay in place, and no other bits are wrong."""
    source, receiver = Source(code), Decoder(code)
    symbols = source.symbols(300)
    weights = np.ones(symbols.size)
    weights[800:880] = 0.0
    symbols[800:880] = 1e6 * np.random.default_rng(1).normal(size=80)
    bits = receiver.decode(*grid(code, symbols, weights))[0]
    wrong = np.flatnonzero(bits != source.bits[: bits.size])
    rate = code.parameters.data_frame_bits / code.parameters.symbol_rate.mapping_frames
    first = 100 - code.parameters.symbol_rate.mapping_frames
    assert wrong.min() > (first - 2) * rate
    # The decoder's own precoder forgets wrong symbols as the sender's channel does.
    assert wrong.max() < (first + 10 + 8) * rate + 40
    assert receiver.records.state[0].mismatched == 0


def test_one_erased_symbol_in_data_is_no_loss_at_all() -> None:
    """The trellis code bridges a single symbol where it is certain of the others."""
    code = coding(2400, 4800, Trellis.STATES_16)
    source, receiver = Source(code), Decoder(code)
    symbols = source.symbols(200)
    weights = np.ones(symbols.size)
    weights[801::160] = 0.0
    bits = receiver.decode(*grid(code, symbols, weights))[0]
    assert errors(source.bits, bits) <= 3 * 3 * np.count_nonzero(weights == 0)


def test_light_symbols_count_less() -> None:
    """A burst of noise whose strength the receiver knows does less harm with its weight."""
    code = coding(3200, 19200, Trellis.STATES_16, expanded=True)
    source = Source(code)
    symbols = source.symbols(1000)
    level = np.where(np.arange(symbols.size) % 16 < 3, 5.0, 0.7)
    heard = symbols + noise(symbols.size, 28, 1) * level
    points, _ = grid(code, heard)
    plain = errors(source.bits, Decoder(code).decode(points)[0])
    weighted = errors(source.bits, Decoder(code).decode(points, 1 / level**2)[0])
    assert weighted < 0.85 * plain


@pytest.mark.parametrize("code", [FAST, coding(3429, 33600), SLOW])
def test_nothing_on_the_line_breaks_it(code: Coding) -> None:
    rng = np.random.default_rng(3)
    receiver, record = Decoder(code), front_record(code)
    absurd = [complex(math.nan, 0), complex(0, math.inf), 1e308 + 0j, -1e9j, 0j, complex(-math.inf, math.nan)]
    weights = [1.0, 0.0, -5.0, math.nan, math.inf, 1e-30, 1e30]
    for _ in range(300):
        point = absurd[rng.integers(len(absurd))] if rng.random() < 0.5 else complex(*rng.normal(0, 300, 2))
        weight = weights[rng.integers(len(weights))] if rng.random() < 0.5 else 1.0
        bits, _ = receiver.decode(np.array([point]), np.array([weight]))
        assert set(bits.tolist()) <= {0, 1}
        y, w = to_grid(record, point, weight)
        assert np.isfinite(y)
        receiver.decode(np.array([y]), np.array([w]))
    source = Source(code)
    receiver.restart()
    front.to_grid(record, 0j, 1.0)
    bits = receiver.decode(grid(code, source.symbols(80))[0])[0]
    assert errors(source.bits, bits) == 0


def test_tentative_decisions_follow_the_points() -> None:
    source, receiver = Source(FAST), decoder_records(FAST)
    record, own = front_record(FAST), precoder_state(FAST.precoding, FAST.parameters.w)
    symbols = source.symbols(30)
    heard = symbols + noise(symbols.size, 40, 1)
    room = np.zeros(100, np.uint8)
    for n, symbol in enumerate(heard):
        y, weight = to_grid(record, symbol, 1.0)
        assert decoder.push(receiver, y, weight, room, room) == n % 2
        if n % 2:
            sent = [follow(record, own, complex(y)) for y in receiver.state[0].tentative]
            assert sent == pytest.approx(symbols[n - 1 : n + 1])
        receiver.state[0].bits = 0
    s = receiver.state[0]
    noise_power = 10**-4.0 / record[0].scale ** 2 * (1 + sum(part**2 for part in H) / 2**28)
    assert s.error == pytest.approx(noise_power * (1 - (1 - 1 / 128) ** 120), rel=0.5)
    assert s.growth == pytest.approx(s.error, rel=0.3)


def test_the_delay_is_kept_and_bounded() -> None:
    code = FAST
    points = grid(code, Source(code).symbols(60))[0]
    for delay in (1, 31, MAX_DELAY):
        receiver = Decoder(code, delay)
        b1 = code.parameters.symbol_rate.mapping_frames
        first = 8 * (b1 + 1) + 2 * delay
        assert receiver.decode(points[: first - 1])[0].size == 0
        assert receiver.decode(points[first - 1 : first])[0].size > 0
    for delay in (0, MAX_DELAY + 1):
        with pytest.raises(LocalProtocolError, match="delay"):
            Decoder(code, delay)


def test_b1_with_wrong_parameters_is_noticed() -> None:
    sent = coding(3200, 24000)
    receiver = Decoder(coding(3200, 24000, expanded=True))
    receiver.decode(grid(sent, Source(sent).symbols(60))[0])
    s = receiver.records.state[0]
    assert 0.3 < s.b1_wrong / s.b1_bits < 0.7


def test_compiled_and_interpreted_kernels_agree() -> None:
    for code in (coding(2400, 7200, Trellis.STATES_16, auxiliary=True, h=H), SLOW):
        points, weights = grid(code, Source(code).symbols(16))
        a, b = decoder_records(code, 5), decoder_records(code, 5)
        decoder.begin.py_func(b, 0, True)
        room = [np.zeros(900, np.uint8) for _ in range(4)]
        count = decoder.decode(a, points, weights, room[0], room[1])
        assert decoder.decode.py_func(b, points, weights, room[2], room[3]) == count
        assert np.array_equal(room[0], room[2])
        for kernel in (decoder.push, decoder._settle, decoder._deliver, decoder._newest):
            arguments = {"push": (1 + 1j, 1.0, *room[:2]), "_newest": ()}
            given = arguments.get(kernel.py_func.__name__, tuple(room[:2]))
            kernel(a, *given)
            kernel.py_func(b, *given)
        assert a.precoder.tobytes() == b.precoder.tobytes()
        assert a.state[0].settled.tolist() == b.state[0].settled.tolist()
