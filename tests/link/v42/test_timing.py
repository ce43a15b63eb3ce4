"""How long an acknowledgement is awaited, and that rates and a long way do not starve the line."""

import pytest
from tests.support.v42_pair import Pair, noise

from ansam.link.v42.link import V42Link, V42Options
from ansam.link.v42.timing import RoundTrip
from ansam.units import SAMPLE_RATE


def test_an_answer_waits_for_the_frame_the_far_end_is_sending_at_its_own_rate():
    trip = RoundTrip(33600, 1600)
    same = trip.t401(3, 512)
    trip.far_bit_rate = 4800
    assert trip.far_duration(512) == 518 * 8 * SAMPLE_RATE // 4800
    assert trip.duration(512) == 518 * 8 * SAMPLE_RATE // 33600
    assert trip.t401(3, 512) - same == pytest.approx(trip.far_duration(512) - trip.duration(512), abs=1)


@pytest.mark.parametrize("trip", [800, 2240, 9600])
def test_a_steady_line_whose_round_trip_is_known_has_no_timeouts(trip: int):
    """The far end takes its time besides: frames of its own, and packets."""
    options = V42Options(v42bis=0, round_trip=trip)
    pair = Pair(rate=14400, delay=trip / SAMPLE_RATE / 2 + 0.04, a=options, b=options).connect()
    data = noise(4000)
    at = dict.fromkeys(pair.ends, 0)
    for _ in range(250):
        for end in pair.ends:
            at[end] += pair.send(end, data[at[end] : at[end] + 512])
        pair.step()
    assert [end.statistics().link_timeouts for end in pair.ends] == [0, 0]
    assert [end.statistics().blocks_resent for end in pair.ends] == [0, 0]


def test_both_rates_reach_the_timers():
    link = V42Link(True, V42Options(), 28800)
    link.set_rate(26400, 31200)
    trip = link._lapm.round_trip
    assert (trip.bit_rate, trip.far_bit_rate) == (26400, 31200)
    link.set_rate(9600)
    assert (trip.bit_rate, trip.far_bit_rate) == (9600, 9600)


@pytest.mark.parametrize("rate", [4800, 33600])
def test_600_ms_each_way_leave_the_line_busy(rate):
    """k · N401 = 258 kbit is more than 33600 bit/s need for 1.2 s there and back."""
    pair = Pair(rate=rate, delay=0.6, a=V42Options(v42bis=0)).connect()
    data, at, seconds = noise(2 * rate), dict.fromkeys(pair.ends, 0), 8
    before = {}
    for step in range((4 + seconds) * 50):
        for end in pair.ends:
            at[end] += pair.send(end, data[at[end] : at[end] + 2048])
        pair.step()
        if step == 4 * 50:
            before = {end: len(got) for end, got in pair.got.items()}
    for end in pair.ends:
        assert (len(pair.got[end]) - before[end]) * 8 / (seconds * rate) > 0.94
        assert end.statistics().blocks_resent == 0
