import random
from collections.abc import Callable

import pytest

from ansam.call.far_clock import FarClock


def feed(
    clock: FarClock,
    begin: int,
    end: int,
    skew_ppm: float,
    queue: Callable[[float], float] = lambda t: 0.0,
    keep: Callable[[int], bool] = lambda k: True,
) -> None:
    """Packets of a clock `skew_ppm` faster, from second `begin` to `end`; `queue` is how late one comes."""
    for k in range(begin * 50, end * 50):
        if not keep(k):
            continue
        sent = k * 160 / (1 + skew_ppm * 1e-6)
        at = sent + queue(sent / 8000)
        clock.update(at, at - k * 160)


def jitter(ms: float, seed: int = 1) -> Callable[[float], float]:
    rng = random.Random(seed)
    return lambda t: rng.random() * ms * 8


@pytest.mark.parametrize("skew", [-300, -40, 0, 5, 300])
@pytest.mark.parametrize("late", [0.0, 10.0, 20.0, 60.0])
def test_slope_is_found_whatever_the_jitter(skew: float, late: float) -> None:
    clock = FarClock()
    feed(clock, 0, 120, skew, jitter(late))
    assert clock.slope * 1e6 == pytest.approx(skew, abs=1 + late / 4)
    assert clock.advance(120 * 8000) == pytest.approx(120 * 8000 * skew * 1e-6, abs=4 + late)


def test_it_is_known_within_seconds() -> None:
    clock = FarClock()
    assert clock.advance(8000) == 0
    feed(clock, 0, 10, 300, jitter(10))
    assert clock.slope * 1e6 == pytest.approx(300, abs=60)


def test_most_packets_may_be_held_up() -> None:
    """Nine of ten are late by up to half a second, and seconds in which all are say nothing."""
    rng = random.Random(2)

    def queue(t: float) -> float:
        busy = 800.0 if t % 30 > 26 else 0.0
        return busy + (rng.random() * 4000 if rng.random() < 0.9 else 0.0)

    clock = FarClock()
    feed(clock, 0, 300, 100, queue)
    assert clock.slope * 1e6 == pytest.approx(100, abs=15)


@pytest.mark.parametrize("longer", [-160.0, 40.0, 800.0])
def test_a_change_of_route_is_no_clock(longer: float) -> None:
    clock = FarClock()
    feed(clock, 0, 60, -120, jitter(5))
    gained = clock.advance(60 * 8000)
    late = jitter(5)
    feed(clock, 60, 120, -120, lambda t: late(t) + longer)
    assert clock.steps == 1
    assert clock.slope * 1e6 == pytest.approx(-120, abs=5)
    assert clock.advance(120 * 8000) - gained == pytest.approx(-120e-6 * 60 * 8000, abs=8)


def test_loss_and_pauses() -> None:
    clock = FarClock()
    rng = random.Random(4)
    feed(clock, 0, 400, 250, jitter(10), lambda k: rng.random() > 0.3 and not 5000 < k < 12000)
    assert clock.slope * 1e6 == pytest.approx(250, abs=10)
    few = FarClock()
    feed(few, 0, 60, 250, keep=lambda k: k % 50 == 0)
    assert few.windows == 0


def test_a_new_source_keeps_the_slope() -> None:
    clock = FarClock()
    feed(clock, 0, 60, 200)
    gained = clock.advance(60 * 8000)
    clock.restart()
    feed(clock, 60, 64, 200, lambda t: -12345.0)
    assert clock.slope * 1e6 == pytest.approx(200, abs=3)
    assert clock.advance(64 * 8000) - gained == pytest.approx(200e-6 * 4 * 8000, abs=4)
    assert clock.steps == 0
