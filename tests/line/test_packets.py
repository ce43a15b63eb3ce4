"""The network and the jitter buffer."""

from itertools import groupby

import numpy as np
import pytest

from ansam.line.packets import LossModel, PacketPath, Relay
from ansam.line.parameters import PathParameters


def frame(n):
    return np.full(160, n, np.float32)


def run(parameters, ticks=500, seed=1, sink_period=160.0, sent=None):
    """Send and play; return what was played (None: erasure) and the counters."""
    path = PacketPath(parameters, np.random.default_rng(seed))
    played = []
    k = 0
    for n in range(ticks):
        t = n * sink_period
        while k * 160 <= t and (sent is None or k < sent):
            path.send(frame(k), k * 160)
            k += 1
        got = path.play(t)
        played.append(None if got is None else int(got[0]))
    return played, path.counters


def test_the_whole_delay_is_network_plus_playout():
    played, counters = run(PathParameters(delay_ms=40, playout_ms=60))
    assert played == [None] * 5 + list(range(495))
    assert (counters.slips, counters.late, counters.lost) == (0, 0, 0)


def test_no_delay_at_all():
    played, _ = run(PathParameters(delay_ms=0, playout_ms=0), ticks=9)
    assert played == list(range(9))


def test_loss_erases_exactly_the_lost_packets():
    played, counters = run(PathParameters(loss=0.1, delay_ms=0, playout_ms=20))
    assert [p for n, p in enumerate(played) if p is not None and p != n - 1] == []
    assert played[1:].count(None) == pytest.approx(counters.lost, abs=1)
    assert 25 < counters.lost < 75


@pytest.mark.parametrize("burst", [1, 4])
@pytest.mark.parametrize("loss", [0.01, 0.2])
def test_loss_model_keeps_its_fraction(loss, burst):
    model = LossModel(loss, burst, np.random.default_rng(3))
    lost = [model.next() for _ in range(200_000)]
    assert np.mean(lost) == pytest.approx(loss, rel=0.1)
    runs = [len(list(group)) for bad, group in groupby(lost) if bad]
    # Two bursts may touch, so runs are multiples of the burst.
    assert all(r % burst == 0 for r in runs[:-1])


def test_all_or_nothing():
    assert all(LossModel(1.0, 3, np.random.default_rng(0)).next() for _ in range(50))
    assert not any(LossModel(0.0, 3, np.random.default_rng(0)).next() for _ in range(50))


def test_jitter_within_the_playout_delay_changes_nothing():
    played, counters = run(PathParameters(delay_ms=40, playout_ms=60, jitter_ms=60))
    assert played == [None] * 5 + list(range(495))
    assert counters.late == 0


def test_packets_later_than_playout_are_erasures_in_their_place():
    played, counters = run(PathParameters(delay_ms=40, playout_ms=60, jitter_ms=100), ticks=3000)
    assert all(p in (None, n - 5) for n, p in enumerate(played))
    assert counters.late / counters.sent == pytest.approx(0.4, abs=0.04)
    assert counters.slips == 0


@pytest.mark.parametrize("ppm", [400, -400])
def test_clocks_that_differ_make_the_buffer_slip(ppm):
    played, counters = run(
        PathParameters(delay_ms=20, playout_ms=60), ticks=30_000, sink_period=160 / (1 + ppm * 1e-6)
    )
    # 600 s of 400 ppm are 240 ms or 12 frames.
    heard = [p for p in played[5:] if p is not None]
    jumps = np.diff(heard)
    if ppm > 0:
        # The buffer runs dry and waits for its nominal 60 ms again.
        assert set(jumps) == {1}
        assert played[10:].count(None) == pytest.approx(12, abs=4)
        assert counters.slips == pytest.approx(3, abs=1)
    else:
        # The buffer is full when a packet waits two frames too long, and throws those two away.
        assert played[10:].count(None) == 0
        assert set(jumps) == {1, 3}
        assert counters.slips == np.count_nonzero(jumps == 3) == pytest.approx(6, abs=1)


def test_a_far_end_that_stops_is_no_slip():
    played, counters = run(PathParameters(delay_ms=40), ticks=60, sent=30)
    assert played[35:] == [None] * 25
    assert counters.slips == 0


def test_arrivals_are_seen_once_in_their_order():
    path = PacketPath(PathParameters(delay_ms=10, jitter_ms=50), np.random.default_rng(1))
    seen = []
    for n in range(50):
        seen += path.arrived(n * 160)
        path.play(n * 160)
        path.send(frame(n), n * 160)
    assert [arrival for arrival, _ in seen] == sorted(arrival for arrival, _ in seen)
    assert all(80 <= arrival - place <= 480 for arrival, place in seen)
    places = [place for _, place in seen]
    assert len(set(places)) == len(places) > 40
    assert places != sorted(places)


def relayed(rate, ticks=30_000, sink_rate=None, **parameters):
    """Send through a box and play by its clock."""
    relay = Relay(PathParameters(**parameters), np.random.default_rng(1), rate)
    played = []
    k = 0
    for n in range(ticks):
        t = n * 160 / (sink_rate or rate)
        while k * 160 <= t:
            relay.send(frame(k), k * 160)
            k += 1
        got = relay.play(t)
        played.append(None if got is None else int(got[0]))
    return played, relay.counters


@pytest.mark.parametrize("ppm", [400, -400])
def test_a_box_in_the_middle_slips_by_single_frames(ppm):
    played, counters = relayed(1 + ppm * 1e-6)
    heard = played[12:]
    assert None not in heard, "its packets show no gap"
    jumps = np.diff(heard)
    # 600 s of 400 ppm are 12 frames; the buffer's own depth takes the first of them.
    assert set(jumps) == {1, 0 if ppm > 0 else 2}
    assert counters.slips == np.count_nonzero(jumps != 1) == pytest.approx(10, abs=2)


def test_what_is_lost_before_the_box_is_lost_behind_it():
    played, counters = relayed(1.0, loss=0.1, delay_ms=20, jitter_ms=10, ticks=3000)
    assert all(p is None or p == n - 8 for n, p in enumerate(played))
    assert played[8:].count(None) / 2992 == pytest.approx(0.1, abs=0.02)
    assert counters.lost / counters.sent == pytest.approx(0.1, abs=0.02)
    assert counters.slips == 0
