from itertools import pairwise

import pytest

from ansam.modulation.patience import Wish
from ansam.modulation.v32bis.adaptation import (
    GUESSES_DOWN,
    GUESSES_RETRAIN,
    Adaptation,
    Quality,
)
from ansam.modulation.v32bis.constants import Coding
from ansam.modulation.v32bis.rate_signal import offer
from ansam.units import samples

ALL = offer(True, lambda rate: True)
STEP = samples(0.1)


def first_wish(
    adaptation: Adaptation,
    snr_db: float,
    limit: float,
    *,
    t: int = 0,
    lower: bool = True,
    higher: bool = True,
) -> tuple[Wish, float]:
    """Return what is wished first within some seconds at this quality, and after how many seconds."""
    at = t
    while at < t + samples(limit):
        wish = adaptation.decide(at, Quality(snr_db, 0), ALL if higher else None, lower)
        if wish is not Wish.STAY:
            return wish, (at - t) / 8000
        at += STEP
    return Wish.STAY, limit


def begun(coding: Coding, changes: bool = True) -> Adaptation:
    adaptation = Adaptation(changes)
    adaptation.begin(coding, 0)
    return adaptation


def test_a_good_line_stays():
    assert first_wish(begun(Coding.TRELLIS_14400), 35.0, 600)[0] is Wish.STAY
    assert first_wish(begun(Coding.TRELLIS_14400), 21.0, 600)[0] is Wish.STAY


def test_a_poor_line_falls_after_a_second():
    assert first_wish(begun(Coding.TRELLIS_14400), 20.5, 10) == (Wish.DOWN, pytest.approx(1.0, abs=0.11))


def test_a_line_that_is_poor_for_a_moment_stays():
    adaptation = begun(Coding.TRELLIS_14400)
    for second in range(60):
        assert first_wish(adaptation, 20.0, 0.8, t=samples(second))[0] is Wish.STAY
        assert first_wish(adaptation, 25.0, 0.2, t=samples(second + 0.8))[0] is Wish.STAY


def test_guesses_lower_the_rate_or_retrain():
    adaptation = begun(Coding.TRELLIS_14400)
    assert adaptation.decide(0, Quality(10, GUESSES_DOWN - 1), ALL, True) is Wish.STAY
    assert adaptation.decide(0, Quality(10, GUESSES_DOWN), ALL, True) is Wish.DOWN
    assert adaptation.decide(0, Quality(10, GUESSES_RETRAIN - 1), ALL, False) is Wish.STAY
    assert adaptation.decide(0, Quality(10, GUESSES_RETRAIN), ALL, False) is Wish.RETRAIN


def test_a_poor_line_without_renegotiation_is_retrained_unless_there_is_no_lower_rate():
    adaptation = begun(Coding.TRELLIS_9600)
    assert first_wish(adaptation, 13.0, 10, lower=False) == (Wish.RETRAIN, pytest.approx(3.0, abs=0.11))
    adaptation = begun(Coding.TRELLIS_9600)
    poor = Quality(13.0, 0)
    assert {adaptation.decide(t, poor, None, False, True) for t in range(0, 80000, STEP)} == {Wish.STAY}


def test_retrains_are_kept_apart():
    adaptation = begun(Coding.UNCODED_4800)
    bad = Quality(0, GUESSES_RETRAIN)
    asked = [
        t for t in range(0, samples(300), STEP) if adaptation.decide(t, bad, None, False) is Wish.RETRAIN
    ]
    gaps = [(b - a) / 8000 for a, b in pairwise(asked)]
    assert gaps == pytest.approx([10, 20, 40, 80, 80], abs=0.2)


def test_a_line_that_has_recovered_rises_after_15_seconds():
    wish, after = first_wish(begun(Coding.TRELLIS_9600), 30.0, 60)
    assert (wish, after) == (Wish.UP, pytest.approx(15, abs=0.2))


def test_to_rise_takes_more_than_to_stay():
    assert first_wish(begun(Coding.TRELLIS_12000), 23.2, 600)[0] is Wish.STAY
    assert first_wish(begun(Coding.TRELLIS_12000), 23.4, 600)[0] is Wish.UP


def test_no_rise_where_the_far_end_limits():
    assert first_wish(begun(Coding.TRELLIS_9600), 35.0, 600, higher=False)[0] is Wish.STAY


def test_nothing_changes_where_it_may_not():
    adaptation = begun(Coding.TRELLIS_9600, changes=False)
    assert first_wish(adaptation, 35.0, 100)[0] is Wish.STAY
    assert first_wish(adaptation, 5.0, 100)[0] is Wish.STAY
    assert adaptation.decide(0, Quality(0, GUESSES_RETRAIN), ALL, True) is Wish.RETRAIN


def test_a_rise_that_must_be_taken_back_is_tried_half_as_often():
    """A line that looks better than it is makes no ping-pong."""
    adaptation = begun(Coding.TRELLIS_12000)
    t, waits = 0, []
    for _ in range(7):
        wish, after = first_wish(adaptation, 30.0, 400, t=t)
        assert wish is Wish.UP
        waits.append(after)
        t += samples(after)
        adaptation.begin(Coding.TRELLIS_14400, t)
        wish, after = first_wish(adaptation, 15.0, 5, t=t)
        assert wish is Wish.DOWN
        t += samples(after)
        adaptation.begin(Coding.TRELLIS_12000, t)
    assert waits == pytest.approx([15, 30, 60, 120, 240, 240, 240], abs=0.5)


def test_a_rise_the_far_end_does_not_follow_is_tried_half_as_often():
    adaptation = begun(Coding.TRELLIS_12000)
    _, after = first_wish(adaptation, 30.0, 60)
    t = samples(after)
    adaptation.begin(Coding.TRELLIS_12000, t)
    assert first_wish(adaptation, 30.0, 60, t=t)[1] == pytest.approx(30, abs=0.3)


def test_a_rise_that_lasted_is_not_held_against_the_next():
    adaptation = begun(Coding.TRELLIS_12000)
    _, after = first_wish(adaptation, 30.0, 60)
    adaptation.begin(Coding.TRELLIS_14400, samples(after))
    t = samples(after + 100)
    assert first_wish(adaptation, 15.0, 5, t=t)[0] is Wish.DOWN
    adaptation.begin(Coding.TRELLIS_12000, t)
    assert first_wish(adaptation, 30.0, 60, t=t)[1] == pytest.approx(15, abs=0.3)


@pytest.mark.parametrize(("snr_db", "rate"), [(13.0, None), (17.5, 9600), (21.0, 12000), (24.0, 14400)])
def test_what_is_reachable(snr_db: float, rate: int | None):
    found = begun(Coding.TRELLIS_7200).reachable(snr_db, ALL)
    assert (found and max(found.rates)) == rate
