"""Start-up: the times of the Recommendation as they appear on the line, and what a lost packet does to it."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.sweep import sweep
from tests.support.v32bis_call import Call

from ansam.modulation.base import Failed, ModulationOptions, Ready
from ansam.modulation.v32bis import V32, V32bis
from ansam.units import FRAME

T = 10 / 3
DELAY = 480
WAY = DELAY + FRAME
"""From one end's sending to the other's hearing, samples."""


def turns(x: NDArray[np.float32], hertz: float) -> list[float]:
    """Return the instants at which a line's phase turns by 180 degrees, by an independent reading.

    A window of 40 samples holds whole periods; half of it before and half after the turn cancel.
    """
    n = np.arange(x.size)
    mixed = np.cumsum(np.concatenate([[0], x * np.exp(-2j * np.pi * hertz * n / 8000)]))
    line = mixed[40:] - mixed[:-40]
    size = np.abs(line)
    found: list[int] = []
    for k in range(60, line.size - 60):
        turned = (line[k + 45] * np.conj(line[k - 45])).real < -0.8 * size[k + 45] * size[k - 45]
        if not turned or size[k] > 0.3 * size[k - 45] or size[k] > 0.3 * size[k + 45]:
            continue
        if found and k - found[-1] < 80:
            found[-1] = min(found[-1], k, key=size.__getitem__)
        else:
            found.append(k)
    return [k + 19.5 for k in found]


@pytest.fixture(scope="module")
def call() -> Call:
    return Call(delay=DELAY, law=False, noise_dbm0=-70).connect()


def test_both_ends_turn_64_symbols_after_the_far_end(call: Call):
    """V.32bis (02/91) §6.1, §6.2: 64 ± 2 symbols, at the line terminals."""
    calling, answering = call.sent(0)[:8000], call.sent(1)[:8000]
    to_ca, back_to_ac = turns(answering, 600.0)[:2]
    to_cc = turns(calling, 1800.0)[0]
    assert to_cc - (to_ca + WAY) == pytest.approx(64 * T, abs=2 * T)
    assert back_to_ac - (to_cc + WAY) == pytest.approx(64 * T, abs=2 * T)


def test_ac_lasts_128_symbols_and_until_aa_has_been_there_for_64(call: Call):
    answering = call.sent(1)[:8000]
    begin = np.flatnonzero(np.abs(answering) > 0.01)[0]
    assert turns(answering, 600.0)[0] - begin >= max(128 * T, 64 * T + WAY)


def test_silence_of_16_symbols_before_the_answerer_s_training(call: Call):
    """§6.2; the pulses of 18 symbols reach into it from both sides."""
    x = call.sent(1)[int(turns(call.sent(1)[:8000], 600.0)[1]) :][:4000]
    quiet = np.flatnonzero(np.abs(x) < 0.02)
    runs = np.split(quiet, np.flatnonzero(np.diff(quiet) > 1) + 1)
    assert max(run.size for run in runs) == pytest.approx(16 * T, abs=8 * T)


def test_the_steps_are_those_of_figure_3(call: Call):
    names = [[name for _, name in call.steps(end)] for end in (0, 1)]
    assert names[0] == [
        "silence",
        "AA",
        "CC",
        "silence",
        "training",
        "awaits R1",
        "S, TRN",
        "R2",
        "training",
        "awaits R3",
        "awaits E",
        "E, B1",
        "data",
    ]
    assert names[1] == [
        "silence",
        "AC",
        "CA",
        "AC",
        "S, TRN",
        "R1",
        "awaits S-bar",
        "training",
        "awaits R2",
        "S, TRN, R3",
        "E, B1",
        "data",
    ]


def test_only_one_end_sends_while_the_other_trains(call: Call):
    """Between the end of CC and our S there is silence, and the answerer is silent while we send TRN."""
    steps = dict((name, t) for t, name in reversed(call.steps(0)))
    calling = call.sent(0)
    train, own = int(8000 * steps["training"]), int(8000 * steps["S, TRN"])
    assert not calling[train : own - FRAME].any()
    answerer = dict((name, t) for t, name in reversed(call.steps(1)))
    first, last = int(8000 * answerer["training"]), int(8000 * answerer["awaits R2"])
    assert not call.sent(1)[first:last].any()


def test_connect_time(call: Call):
    ready = [end.ready_at() for end in call.ends]
    # Twelve times the way, three trainings of 1.4 s, and what it takes to be certain.
    assert max(ready) < 6.0


@pytest.mark.parametrize("seed", sweep(range(12), {1, 6, 8}))
def test_any_packets_lost_in_start_up(seed: int):
    """One packet in twenty is lost, in singles: the call connects, at the highest rate."""
    call = Call(delay=DELAY)
    rng = np.random.default_rng(seed)
    call.line.up.erase = set(np.flatnonzero(rng.random(2000) < 0.05).tolist())
    call.line.down.erase = set(np.flatnonzero(rng.random(2000) < 0.05).tolist())
    call.connect(25)
    assert call.rates(0) == call.rates(1) == [14400]


@pytest.mark.parametrize("start", sweep([10, 25, 60, 110, 160, 210, 260], {1, 4}))
def test_a_long_dropout_in_start_up_is_overcome(start: int):
    call = Call(delay=DELAY)
    call.line.down.erase = range(start, start + 15)
    call.connect(25)
    assert call.rates(0) == [14400]


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("start", sweep(range(5, 40, 5), {1, 4}))
def test_three_packets_lost_cost_no_attempt(start: int, way: str):
    """Tones, reversals, the end of CC, S-bar: wherever they fall, the first attempt succeeds."""
    call = Call(delay=DELAY)
    getattr(call.line, way).erase = range(start, start + 3)
    call.connect(8, then=0.2)
    assert [name for _, name in call.steps(0)].count("AA") == 1


@pytest.mark.parametrize(
    ("calling", "answering", "rate"),
    [
        ({}, {"max_rate": 7200}, 7200),
        ({"max_rate": 12000}, {}, 12000),
        ({"min_rate": 4800, "max_rate": 4800}, {}, 4800),
        ({"max_rate": 9600}, {"min_rate": 9600}, 9600),
    ],
)
def test_rate_windows(calling: dict[str, int], answering: dict[str, int], rate: int):
    call = Call(ModulationOptions(**calling), ModulationOptions(**answering)).connect()
    assert call.rates(0) == call.rates(1) == [rate]


@pytest.mark.parametrize(
    ("noise", "rate"), sweep([(-38.0, 14400), (-31.5, 12000), (-28.0, 9600), (-22.5, 4800)], {1, 3})
)
def test_the_line_limits_the_rate(noise: float, rate: int):
    call = Call(noise_dbm0=noise).connect()
    assert call.rates(0) == [rate]
    assert call.errors(0, 2000) == 0


@pytest.mark.parametrize(
    ("calling", "answering", "makers"),
    [
        ({"max_rate": 7200}, {"min_rate": 9600}, (V32bis, V32bis)),
        ({"min_rate": 9600}, {"max_rate": 7200}, (V32bis, V32bis)),
        ({"min_rate": 12000}, {}, (V32bis, V32)),
        ({}, {"min_rate": 12000}, (V32, V32bis)),
    ],
)
def test_nothing_in_common_is_a_cleardown(
    calling: dict[str, int], answering: dict[str, int], makers: tuple[type[V32bis], type[V32bis]]
):
    """§6: R2 or R3 without any rate; both ends say why, and are silent."""
    call = Call(ModulationOptions(**calling), ModulationOptions(**answering), makers=makers)
    assert call.line.run(12, lambda: all(end.event(Failed) for end in call.ends))
    call.run(0.2)
    for end in call.ends:
        event = end.event(Failed)
        assert isinstance(event, Failed)
        assert "no rate" in event.reason or "cleardown" in event.reason
        assert end.event(Ready) is None
        assert not end.audio()[-800:].any()


def test_a_window_without_any_rate_fails_at_once():
    call = Call(ModulationOptions(min_rate=14401))
    call.line.step()
    event = call.line.calling.event(Failed)
    assert isinstance(event, Failed)
    assert "14401" in event.reason


def test_clear_down_is_silence():
    call = Call().connect()
    call.modems[0].clear_down(call.line.now)
    call.run(0.2)
    assert not call.sent(0)[-800:].any()
    assert not call.modems[0].take_bits().size
