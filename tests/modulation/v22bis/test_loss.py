"""Lost packets in training and in data, steps of the level: both ends agree, nothing is redone in vain."""

import numpy as np
import pytest
from tests.support.sweep import sweep
from tests.support.v22bis_line import Pair

from ansam.modulation.base import CarrierLost, Failed, ModulationEvent, ModulationOptions, Ready, Retraining
from ansam.modulation.v22bis import V22, V22bis
from ansam.modulation.v22bis.steps import State
from ansam.units import rms_from_dbm0

BIG = (Ready, Retraining, CarrierLost, Failed)
GOOD = [Ready("V.22bis", 2400, 2400)]
SLOW = [Ready("V.22", 1200, 1200)]


def big(pair: Pair, end: int) -> list[ModulationEvent]:
    return [event for event in pair.events[end] if isinstance(event, BIG)]


def lossy(seed: int, loss: float, burst: int, makers: tuple[type[V22bis], type[V22bis]]) -> Pair:
    """Return a pair on an impaired line that loses packets of 20 ms, `burst` in a row."""
    rng = np.random.default_rng(seed)
    up, down = (
        {
            "noise_dbm0": -45.0,
            "alaw": True,
            "skew_ppm": rng.uniform(-200, 200),
            "delay": int(rng.integers(1, 1600)),
            "offset_hz": rng.uniform(-7, 7),
        }
        for _ in range(2)
    )
    pair = Pair(seed, up=up, down=down, echo_db=-20, echo_delay=200, makers=makers)
    lost = []
    for _ in range(2):
        begins = np.flatnonzero(rng.random(2000) < loss / burst)
        lost.append(set((begins[:, None] + np.arange(burst)).ravel().tolist()))
    pair.erase = (lambda now: now // 160 in lost[0], lambda now: now // 160 in lost[1])
    return pair


@pytest.mark.parametrize("burst", [1, 2])
@pytest.mark.parametrize("seeds", sweep([range(1, 7), range(7, 21)], {0}), ids=str)
def test_training_at_2400_survives_lost_packets(seeds: range, burst: int) -> None:
    for seed in seeds:
        pair = lossy(seed, 0.05, burst, (V22bis, V22bis))
        assert pair.connect(10), seed
        pair.run(2)
        assert (big(pair, 0), big(pair, 1)) == (GOOD, GOOD), seed


@pytest.mark.parametrize("makers", [(V22, V22bis), (V22bis, V22)])
@pytest.mark.parametrize("seeds", sweep([range(1, 5), range(5, 11)], {0}), ids=str)
def test_training_with_a_v22_modem_survives_lost_packets(
    seeds: range, makers: tuple[type[V22bis], type[V22bis]]
) -> None:
    for seed in seeds:
        pair = lossy(seed, 0.05, 2, makers)
        assert pair.connect(10), seed
        pair.run(1)
        for end in (0, 1):
            (ready,) = big(pair, end)
            assert isinstance(ready, Ready), seed
            assert ready.rx_rate == ready.tx_rate == 1200, seed


def hide(end: int, state: State, milliseconds: int, start: int = 0, silent: bool = False) -> Pair:
    """Return a pair that has connected although `end` lost what came from `start` ms into a far state on."""
    pair = Pair(3, up={"noise_dbm0": -50.0}, down={"noise_dbm0": -50.0})
    far = pair.ends[1 - end]
    while far._procedure.state is not state:
        pair.step()
    pair.run(start / 1000)
    begin = pair.now
    lost = lambda now: begin <= now < begin + 8 * milliseconds  # noqa: E731
    if silent:
        # Not known to be lost: the level drops out instead.
        keep, pair.paths[1 - end].gain = pair.paths[1 - end].gain, 0.0
        pair.run(milliseconds / 1000)
        pair.paths[1 - end].gain = keep
    else:
        pair.erase = (lost, lambda now: False) if end == 0 else (lambda now: False, lost)
    assert pair.connect(15)
    pair.run(3)
    return pair


@pytest.mark.parametrize("start", [0, 20, 40, 60, 80, 100])
@pytest.mark.parametrize("length", [20, 40, 60])
def test_s1_survives_an_erasure(start: int, length: int) -> None:
    for end, state in ((1, State.CALL_S1), (0, State.REPLY_S1)):
        pair = hide(end, state, length, start)
        assert (big(pair, 0), big(pair, 1)) == (GOOD, GOOD)
        assert not any(modem.report().retrains_requested for modem in pair.ends)


def test_a_caller_that_misses_s1_joins_a_far_end_at_2400() -> None:
    pair = hide(0, State.REPLY_S1, 140)
    assert (big(pair, 0), big(pair, 1)) == (GOOD, GOOD)
    assert pair.errors(0)[0] == pair.errors(1)[0] == 0


def test_an_answerer_sends_s1_where_lost_packets_may_have_hidden_the_callers() -> None:
    pair = hide(1, State.CALL_S1, 140)
    assert (big(pair, 0), big(pair, 1)) == (GOOD, GOOD)
    assert pair.errors(0)[0] == pair.errors(1)[0] == 0


def test_an_answerer_that_does_not_know_what_it_missed_works_at_1200() -> None:
    pair = hide(1, State.CALL_S1, 140, silent=True)
    assert (big(pair, 0), big(pair, 1)) == (SLOW, SLOW)


def test_a_far_end_that_stays_at_1200_is_followed() -> None:
    """The caller misses S1, and is one that does not look for 2400 bit/s then."""
    quiet = {"noise_dbm0": -50.0}
    pair = Pair(3, up=quiet, down=quiet)
    caller = pair.ends[0]._procedure
    while pair.ends[1]._procedure.state is not State.REPLY_S1:
        pair.step()
    caller._takes_2400 = False
    pair.run(8)
    assert big(pair, 1) == SLOW
    assert pair.ends[1].report().retrains_requested == 0
    start = len(pair.received[0])
    pair.run(1)
    assert sum(bits.size for bits in pair.received[0][start:]) == pytest.approx(1200, abs=20)


def test_a_retrain_whose_s1_is_lost_is_answered() -> None:
    for end in (0, 1):
        pair = Pair(5, up={"noise_dbm0": -50.0}, down={"noise_dbm0": -50.0})
        assert pair.connect()
        pair.run(1)
        begin = pair.now
        lost = lambda now, begin=begin: begin <= now < begin + 8 * 180  # noqa: E731
        pair.erase = (lambda now: False, lost) if end == 0 else (lost, lambda now: False)
        pair.ends[end].retrain(pair.now)
        pair.run(3)
        assert [type(event) for event in big(pair, end)] == [Ready, Retraining, Ready]
        assert [type(event) for event in big(pair, 1 - end)] == [Ready, Retraining, Ready]


@pytest.mark.parametrize("rate", [1200, 2400])
@pytest.mark.parametrize("drop_db", [10.0, 16.0, 29.0])
def test_a_drop_of_the_level_is_no_loss_of_carrier(rate: int, drop_db: float) -> None:
    options = ModulationOptions(max_rate=rate)
    for end in (0, 1):
        quiet = {"noise_dbm0": -65.0, "offset_hz": 3.0, "skew_ppm": 50.0}
        pair = Pair(6, options, options, up=quiet, down=quiet)
        assert pair.connect()
        pair.run(1)
        pair.paths[1 - end].gain *= 10 ** (-drop_db / 20)
        pair.run(4)
        assert [type(event) for event in big(pair, end)] == [Ready]
        sent, got = pair.bits[1 - end].all, pair.got(end)
        assert any(
            np.array_equal(sent[i : i + 600], got[-600:]) for i in range(sent.size - 1500, sent.size - 599)
        )


@pytest.mark.parametrize("noise_dbm0", [-70.0, -42.0, -33.0])
def test_noise_in_place_of_the_signal_is_loss_of_carrier(noise_dbm0: float) -> None:
    pair = Pair(7, up={"noise_dbm0": -65.0}, down={"noise_dbm0": -65.0})
    assert pair.connect()
    pair.run(1)
    gone = pair.now
    pair.paths[1].gain = 0.0
    pair.paths[1].noise = rms_from_dbm0(noise_dbm0)
    pair.run(2)
    (when,) = [t for e, t in zip(pair.events[0], pair.times[0], strict=True) if isinstance(e, CarrierLost)]
    assert when - gone == pytest.approx(5600, abs=600)
    assert not list(pair.of(0, Retraining))
