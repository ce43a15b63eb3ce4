from itertools import pairwise

from ansam.modulation.patience import RETRAIN_FIRST, UP_FIRST, Wish
from ansam.modulation.v34.adaptation import (
    DOWN_AFTER,
    GUESSES_DOWN,
    GUESSES_RETRAIN,
    Adaptation,
    Quality,
)
from ansam.units import Samples, samples

GOOD, POOR = Quality(5.0, 0), Quality(-1.5, 0)
GRID: Samples = samples(0.1)


def run(
    it: Adaptation, t: Samples, seconds: float, quality: Quality, higher: bool = True, lower: bool = True
) -> tuple[Samples, Wish]:
    """Decide until something is wished, or the time is over."""
    end = t + samples(seconds)
    while t < end:
        wish = it.decide(t, quality, higher, lower)
        if wish is not Wish.STAY:
            return t, wish
        t += GRID
    return t, Wish.STAY


def test_poor_for_a_second_goes_down() -> None:
    it = Adaptation(True)
    it.begin(33600, 0)
    t, wish = run(it, 0, 5, POOR)
    assert wish is Wish.DOWN
    assert DOWN_AFTER <= t <= DOWN_AFTER + GRID


def test_poor_moments_do_nothing() -> None:
    it = Adaptation(True)
    it.begin(33600, 0)
    for k in range(200):
        quality = POOR if k % 5 == 0 else Quality(0.0, 0)
        assert it.decide(k * GRID, quality, False, True) is Wish.STAY


def test_guesses_go_down_at_once_or_lead_to_a_retrain() -> None:
    it = Adaptation(True)
    it.begin(33600, 0)
    assert it.decide(0, Quality(-5, GUESSES_DOWN - 1), False, True) is Wish.STAY
    assert it.decide(0, Quality(-5, GUESSES_DOWN), False, True) is Wish.DOWN
    assert it.decide(0, Quality(-5, GUESSES_DOWN), False, False) is Wish.STAY
    assert it.decide(0, Quality(-5, GUESSES_RETRAIN), False, False) is Wish.RETRAIN


def test_retrains_come_ever_more_rarely() -> None:
    it = Adaptation(True)
    bad = Quality(-9, GUESSES_RETRAIN)
    every = range(0, samples(300), samples(1))
    times = [t for t in every if it.decide(t, bad, False, False) is Wish.RETRAIN]
    gaps = [b - a for a, b in pairwise(times)]
    assert gaps[0] == RETRAIN_FIRST
    assert gaps == sorted(gaps)
    assert len(times) < 9


def test_up_when_the_line_has_been_good_for_long() -> None:
    it = Adaptation(True)
    it.begin(28800, 0)
    assert run(it, 0, 60, GOOD, higher=False)[1] is Wish.STAY
    assert run(it, samples(60), 60, GOOD) == (samples(60) + UP_FIRST, Wish.UP)


def test_a_rise_that_was_wrong_doubles_the_wait() -> None:
    it = Adaptation(True)
    it.begin(28800, 0)
    t, wish = run(it, 0, 60, GOOD)
    assert wish is Wish.UP
    it.begin(31200, t)
    t, wish = run(it, t, 60, POOR)
    assert wish is Wish.DOWN
    it.begin(28800, t)
    again, wish = run(it, t, 100, GOOD)
    assert wish is Wish.UP
    assert again - t >= 2 * UP_FIRST


def test_a_rise_the_far_end_does_not_follow_doubles_the_wait() -> None:
    it = Adaptation(True)
    it.begin(28800, 0)
    t, _ = run(it, 0, 60, GOOD)
    it.begin(28800, t)
    again, _ = run(it, t, 100, GOOD)
    assert again - t == 2 * UP_FIRST


def test_rates_that_may_not_change_stay() -> None:
    it = Adaptation(False)
    it.begin(28800, 0)
    assert run(it, 0, 60, POOR)[1] is Wish.STAY
    assert run(it, 0, 60, GOOD)[1] is Wish.STAY
    assert it.decide(0, Quality(-9, GUESSES_RETRAIN), False, True) is Wish.RETRAIN


def test_a_line_at_the_limit_does_not_change_to_and_fro() -> None:
    """The margin swings by 2.5 dB every 20 s, one rate being 2.1 dB: it goes down, and up only rarely."""
    it = Adaptation(True)
    rate, changes = 33600, 0
    it.begin(rate, 0)
    for t in range(0, samples(600), GRID):
        es_n0 = 1.0 if t // samples(20) % 2 else -1.5
        margin = es_n0 + (2.1 if rate == 31200 else 0.0)
        wish = it.decide(t, Quality(margin, 0), rate == 31200 and margin - 2.1 >= 2.0, rate == 33600)
        if wish is not Wish.STAY:
            rate = 31200 if wish is Wish.DOWN else 33600
            changes += 1
            it.begin(rate, t)
    assert rate == 31200
    assert changes == 1
