import random

import pytest
from tests.support.two_clocks import Network, TwoClocks

from ansam.call.call import Call, CallMedia
from ansam.call.drift import LIMIT, DriftLoop
from ansam.call.party import Silence
from ansam.codec.g711 import Law

ATA = (True, False)
"""The second end follows nobody."""

BOTH = (True, True)


@pytest.mark.parametrize("skew", [-300, 0, 300])
@pytest.mark.parametrize("jitter", [0, 20])
@pytest.mark.parametrize("follows", [ATA, BOTH])
def test_frames_keep_step(skew: float, jitter: float, follows: tuple[bool, bool]) -> None:
    pair = TwoClocks((0, skew), follows, Network(jitter=jitter)).run(180)
    assert max(pair.moved) < 3.0, "milliseconds"
    held = pair.corrections_ppm[0] - pair.corrections_ppm[1]
    assert held == pytest.approx(skew, abs=1 + jitter)
    assert pair.highest * 1e6 < abs(skew) + 200


@pytest.mark.parametrize("follows", [ATA, BOTH])
def test_loss_and_routes_do_not_move_frames(follows: tuple[bool, bool]) -> None:
    network = Network(jitter=10, loss=0.01, burst=3, steps=((0, 60, 15), (1, 90, 40), (0, 120, -8)))
    pair = TwoClocks((100, -100), follows, network).run(200)
    assert max(pair.moved) < 3.0


@pytest.mark.parametrize("more", [10, -10])
def test_two_loops_that_disagree_neither_wind_up_nor_let_go(more: float) -> None:
    """A way that grows slowly looks like a clock: both run off together, but not without end."""
    pair = TwoClocks((100, -100), BOTH, Network(jitter=5, ramp=(1, 60, 80, more))).run(500)
    one, two = pair.corrections_ppm
    assert one - two == pytest.approx(-200, abs=15)
    assert max(abs(one), abs(two)) < LIMIT * 1e6
    assert max(pair.moved) < 8.0
    before = pair.corrections_ppm
    pair.run(100)
    assert pair.corrections_ppm == pytest.approx(before, abs=40)


def test_correction_is_limited() -> None:
    pair = TwoClocks((0, 5000), ATA, Network()).run(60)
    assert pair.highest == LIMIT


def test_pace_is_nominal_until_something_is_known() -> None:
    loop = DriftLoop()
    loop.update(500, 0)
    loop.advance(0)
    assert loop.frame_seconds() == 0.02
    assert loop.skew_ppm == 0


def test_restart_keeps_the_pace() -> None:
    pair = TwoClocks((0, 100), ATA, Network(jitter=2)).run(120)
    loop = pair.ends[0].loop
    assert loop is not None
    pace = loop.correction
    pair.network.delay = 500
    pair.run(0.3)
    loop.restart()
    pair.run(20)
    assert loop.correction == pytest.approx(pace, abs=10e-6)
    assert loop.far_clock.steps == 0


def test_two_calls_slaved_to_each_other_hold_their_difference() -> None:
    """Clocks 300 ppm apart, jitter, two whole calls: no slip, no late packet."""
    rng = random.Random(3)
    media = CallMedia(("192.0.2.1", 1), Law.ALAW, 8, 8)
    calls = [Call(media, Silence(), random.Random(1)), Call(media, Silence(), random.Random(2))]
    rate = [1.0, 1 + 300e-6]
    due = [0.0, 0.013]
    last = [0.0, 0.0]
    arrivals: list[list[tuple[float, bytes]]] = [[], []]
    while due[0] < 300:
        i = 0 if due[0] <= due[1] else 1
        at, call = due[i], calls[i]
        queue = arrivals[i]
        queue.sort()
        while queue and queue[0][0] <= at:
            arrived, packet = queue.pop(0)
            if last[i]:
                # What the pacer's thread measures with its own clock.
                call.receive(packet, ("192.0.2.1", 1), call.now - 160 + (arrived - last[i]) * rate[i] * 8000)
        out = call.tick()
        assert out is not None
        arrivals[1 - i].append((at + 0.030 + rng.uniform(0, 0.008), out[0]))
        last[i] = at
        due[i] = at + call.drift.frame_seconds() / rate[i]
    for call in calls:
        s = call.statistics()
        assert (s.late, s.resyncs, s.erased_frames) == (0, 0, 0)
        assert 55 <= s.margin_ms <= 90
        assert abs(s.skew_ppm) < 300
