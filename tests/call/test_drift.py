import random

import pytest

from ansam.call.call import Call, CallMedia
from ansam.call.drift import LIMIT, DriftLoop
from ansam.call.party import Silence
from ansam.codec.g711 import Law


def run(
    skew_ppm: float, seconds: float, jitter: float, seed: int, delay_step: float = 0.0
) -> tuple[float, float, DriftLoop]:
    """Packets of a far clock `skew_ppm` faster than ours: extremes of their margins once settled."""
    rng = random.Random(seed)
    loop = DriftLoop()
    ours = 0.0  # Seconds at our frame k.
    low, high = 1e9, -1e9
    frames = int(seconds * 50)
    for k in range(frames):
        theirs = (
            k * 0.02 / (1 + skew_ppm * 1e-6) + rng.uniform(0, jitter) + (delay_step if k > frames // 2 else 0)
        )
        margin = 480 + 80 + (ours - theirs) * 8000
        loop.update(margin)
        ours += loop.frame_seconds()
        if k > 5000:
            low, high = min(low, margin), max(high, margin)
    return low, high, loop


@pytest.mark.parametrize("skew_ppm", [-200, -50, 0, 50, 100, 200])
def test_an_hour_of_skew_leaves_every_packet_its_margin(skew_ppm: float) -> None:
    low, high, loop = run(skew_ppm, 3600, 0.010, 1)
    assert low > 560 - 80 - abs(skew_ppm) * 0.2 - 40
    assert high < 560 + 80 + abs(skew_ppm) * 0.2
    assert loop.skew_ppm == pytest.approx(skew_ppm, abs=20)


def test_correction_is_limited() -> None:
    _, _, loop = run(5000, 300, 0.0, 1)
    assert loop.correction == LIMIT


def test_pace_is_nominal_until_settled() -> None:
    loop = DriftLoop()
    loop.update(500)
    assert loop.frame_seconds() == 0.02
    assert loop.target is None


def test_restart_keeps_the_pace() -> None:
    _, _, loop = run(100, 300, 0.002, 3)
    pace = loop.correction
    loop.restart()
    for _ in range(60):
        loop.update(900)
    assert loop.correction == pytest.approx(pace, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_two_calls_slaved_to_each_other_hold_their_difference(seed: int) -> None:
    """Clocks 150 ppm apart, jitter, this loop at both ends: no slip, no late packet, no run-away."""
    rng = random.Random(seed)
    media = CallMedia(("192.0.2.1", 1), Law.ALAW, 8, 8)
    calls = [Call(media, Silence(), random.Random(1)), Call(media, Silence(), random.Random(2))]
    rate = [1.0, 1 + 150e-6]
    due = [0.0, 0.013]
    last = [0.0, 0.0]
    arrivals: list[list[tuple[float, bytes]]] = [[], []]
    while due[0] < 900:
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
        assert abs(s.skew_ppm) < 200
