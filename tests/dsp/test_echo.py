"""The echo canceller: what it finds, what it leaves, and that it does no harm."""

from itertools import pairwise

import numpy as np
import pytest
from tests.support.echo_line import HYBRID, V32BIS, V34, EchoCall, LinePath, alaw, qam

from ansam.dsp import echo_kernel as kernel
from ansam.dsp.echo import Adapt, EchoCanceller
from ansam.errors import LocalProtocolError
from ansam.line import Circuit, CircuitParameters, Echo, End, PathParameters
from ansam.units import FRAME, SAMPLE_RATE


def trained(call: EchoCall, mode: Adapt = Adapt.SLOW) -> EchoCanceller:
    canceller = EchoCanceller()
    call.train(canceller)
    canceller.adapt(mode)
    return canceller


@pytest.mark.parametrize("heard", ["digital silence", "silence in A-law", "noise"])
def test_without_echo_nothing_is_found_and_nothing_changed(heard: str) -> None:
    rng = np.random.default_rng(3)
    canceller = EchoCanceller()
    canceller.begin_training()
    noise = {"digital silence": 0.0, "silence in A-law": 0.0, "noise": 1e-3}[heard]
    tx = qam(rng, 100 * FRAME)
    for n in range(0, len(tx), FRAME):
        rx = (noise * rng.standard_normal(FRAME)).astype(np.float32)
        canceller.cancel(rx if heard == "digital silence" else alaw(rx))
        canceller.sent(tx[n : n + FRAME])
    report = canceller.end_training()
    assert report.paths == ()
    assert report.near_db is None
    assert report.far_db is None
    canceller.adapt(Adapt.SLOW)
    rx = tx[:FRAME]
    np.testing.assert_array_equal(canceller.cancel(rx), rx)
    canceller.sent(rx)
    np.testing.assert_array_equal(canceller.cancel(rx, erased=True), np.zeros(FRAME))


@pytest.mark.parametrize("signal", [V32BIS, V34])
@pytest.mark.parametrize(
    ("level_db", "delay", "offset_hz", "far_db", "least"),
    [
        (-10, 160, 0, -10, 48),
        (-12, 4000, 7, -12, 48),
        (-30, 400, 0, 0, 60),
        (-30, 12_000, -3, 0, 60),
        (-40, 2000, 1, 0, 60),
    ],
)
def test_training_leaves_little(
    signal: tuple[float, float], level_db: float, delay: int, offset_hz: float, far_db: float, least: float
) -> None:
    call = EchoCall([LinePath(level_db, delay, offset_hz, HYBRID)], 1, far_db=far_db, signal=signal)
    canceller = EchoCanceller()
    report = call.train(canceller)
    assert len(report.paths) == 1
    (path,) = report.paths
    assert path.delay == pytest.approx(delay + 3, abs=3)
    assert path.level_db == pytest.approx(level_db, abs=0.6)
    assert path.offset_hz == pytest.approx(offset_hz, abs=3e-3)
    assert not path.lost
    assert path.start <= path.delay < path.start + len(path.taps)
    assert abs(path.taps[path.delay - path.start]) == np.max(np.abs(path.taps))
    call.finish(canceller)
    assert -call.residual_db(0, 1) > least


def test_near_and_far_echo_are_told_apart() -> None:
    call = EchoCall([LinePath(-12, 180, 0, HYBRID), LinePath(-28, 6000, 2, HYBRID)], 1)
    canceller = EchoCanceller()
    report = call.train(canceller)
    assert [path.offset_hz for path in report.paths] == pytest.approx([0, 2], abs=1e-3)
    assert report.near_db == pytest.approx(-12, abs=0.3)
    assert report.far_db == pytest.approx(-28, abs=0.3)
    assert report.erle_db > 33
    call.finish(canceller)
    assert -call.residual_db(0, 1) > 60


def test_echoes_that_overlap_are_one_window() -> None:
    call = EchoCall([LinePath(-12, 200, 0, HYBRID), LinePath(-25, 260, 0, HYBRID)], 1)
    call.finish(trained(call))
    assert -call.residual_db(0, 1) > 55


@pytest.mark.parametrize("seed", range(3))
def test_lost_packets_both_ways_do_not_spoil_the_training(seed: int) -> None:
    paths = [LinePath(-12, 200, 0, HYBRID), LinePath(-28, 4000, 7, HYBRID)]
    call = EchoCall(paths, 1, training=1.5, lost=0.1, holes=0.05, seed=seed)
    canceller = EchoCanceller()
    assert len(call.train(canceller).paths) == 2
    call.finish(canceller)
    assert -call.residual_db(0, 1) > 50


def test_a_third_of_a_second_is_enough() -> None:
    call = EchoCall([LinePath(-25, 1000, 5, HYBRID)], 1, training=0.3)
    call.finish(trained(call))
    assert -call.residual_db(0, 1) > 55


@pytest.mark.parametrize("offset_hz", [0, 7])
def test_double_talk_does_no_harm(offset_hz: float) -> None:
    call = EchoCall([LinePath(-25, 4000, offset_hz, HYBRID)], 20, lost=0.02)
    canceller = call.finish(trained(call))
    assert -call.residual_db(0, 2) > 60
    assert -call.residual_db(18, 20) > 50
    assert canceller.report.moves == 0
    assert not canceller.lost


def test_silence_lets_the_taps_follow_fast() -> None:
    before, after = LinePath(-20, 400, 0, HYBRID), LinePath(-18, 400, 0, HYBRID + 0.1 * np.roll(HYBRID, 2))
    call = EchoCall([before], 8, far_db=-120, later=[after])
    call.finish(trained(call, Adapt.FAST))
    assert call.residual_db(7, 8) + call.far_db < -50


def test_a_receiver_that_knows_the_far_signal_can_guide() -> None:
    class Drifting:
        delay = 4000

        def __call__(self, tx):
            late = np.maximum(0, np.arange(len(tx)) - 20_800) / SAMPLE_RATE
            echo = LinePath(-20, 4000, 3 + late * 0.05 / 60, HYBRID)(tx)
            return echo * (1 + 0.01 * late[: len(echo)])

    left = {}
    for mode in (Adapt.SLOW, Adapt.GUIDED):
        call = EchoCall([Drifting()], 15)
        call.finish(trained(call, mode), guide=0.11 * 10 ** (-30 / 20))
        left[mode] = -call.residual_db(12, 15)
    assert left[Adapt.SLOW] < 45
    assert left[Adapt.GUIDED] > 50


@pytest.mark.parametrize(("jump", "offset_hz"), [(160, 0), (-160, 0), (73, 0), (160, 7)])
def test_an_echo_that_jumps_is_followed(jump: int, offset_hz: float) -> None:
    before, after = (LinePath(-15, delay, offset_hz, HYBRID) for delay in (4000, 4000 + jump))
    call = EchoCall([before], 9, later=[after])
    canceller = trained(call)
    call.play(canceller, call.begin + 5 * SAMPLE_RATE)
    assert canceller.moves == 0
    call.finish(canceller)
    assert canceller.moves == 1
    assert not canceller.lost
    assert canceller.report.paths[0].delay == pytest.approx(4000 + jump + 3, abs=3)
    assert -call.residual_db(8, 9) > 45


def test_an_echo_that_vanishes_is_not_added_and_one_that_returns_is_taken_out() -> None:
    path = LinePath(-15, 4000, 0, HYBRID)
    call = EchoCall([path], 12, later=[])
    back = call.begin + 8 * SAMPLE_RATE
    call.echo[back:] = path(call.tx)[back:]
    call.rx = alaw(call.echo + call.far)
    canceller = trained(call)
    call.play(canceller, back)
    assert canceller.lost
    assert canceller.report.paths[0].lost
    assert -call.residual_db(7, 8) > 100
    call.finish(canceller)
    assert not canceller.lost
    assert canceller.moves == 0
    assert -call.residual_db(11, 12) > 50


def test_the_result_does_not_depend_on_how_the_call_is_cut() -> None:
    paths = [LinePath(-15, 400, 0, HYBRID), LinePath(-20, 4000, 3, HYBRID)]
    later = [LinePath(-15, 560, 0, HYBRID), LinePath(-20, 4000, 3, HYBRID)]
    call = EchoCall(paths, 8, lost=0.03, later=later)
    canceller = call.finish(trained(call))
    assert canceller.moves == 1

    rng = np.random.default_rng(5)
    other = EchoCanceller()
    other.begin_training()
    edges = set(range(0, len(call.rx), FRAME)) | set(rng.integers(0, len(call.rx), 1500).tolist())
    cuts = sorted(edges | {len(call.rx)})
    out = np.zeros(len(call.rx), np.float32)
    for a, b in pairwise(cuts):
        if a == call.begin:
            other.end_training()
            other.adapt(Adapt.SLOW)
        out[a:b] = other.cancel(call.rx[a:b], bool(call.erased[a]))
        other.sent(call.tx[a:b])
    np.testing.assert_allclose(out, call.out, atol=2e-5)
    assert other.report.moves == 1


def test_training_may_begin_and_end_between_hearing_and_sending() -> None:
    call = EchoCall([LinePath(-15, 400, 2, HYBRID)], 2)
    canceller = EchoCanceller()
    first = call.rx[:FRAME]
    canceller.cancel(first)
    canceller.begin_training()
    canceller.sent(call.tx[:FRAME])
    call.at = FRAME
    call.play(canceller, call.begin)
    a, b = call.at, call.at + FRAME
    canceller.cancel(call.rx[a:b])
    canceller.end_training()
    canceller.sent(call.tx[a:b])
    call.at = b
    call.finish(canceller)
    assert -call.residual_db(0.5, 2) > 60


def test_through_the_simulated_circuit() -> None:
    echoes = {End.CALLING: [Echo(-12, 20), Echo(-20, 700, 6.5)]}
    circuit = Circuit(CircuitParameters(down=PathParameters(loss=0.05), echoes=echoes), seed=4)
    tx = qam(np.random.default_rng(1), 3 * SAMPLE_RATE)
    canceller = EchoCanceller()
    canceller.begin_training()
    heard = left = 0.0
    for now in range(0, len(tx), FRAME):
        if now == 20_000:
            report = canceller.end_training()
        frame = tx[now : now + FRAME] if now < 14_000 or now >= 20_000 else np.zeros(FRAME, np.float32)
        for rx, erased in circuit.pull(End.CALLING, now):
            out = canceller.cancel(rx, erased)
            heard += 0.0 if erased or now < 20_000 else float(np.sum(rx**2))
            left += 0.0 if now < 20_000 else float(np.sum(out**2))
        for end, sent in ((End.CALLING, frame), (End.ANSWERING, np.zeros(FRAME, np.float32))):
            circuit.push(end, sent, now)
        canceller.sent(frame)
    assert [path.offset_hz for path in report.paths] == pytest.approx([0, 6.5], abs=1e-3)
    assert [path.delay for path in report.paths] == pytest.approx([160, 5600], abs=1)
    assert heard / left > 10**3.3


def test_reset_forgets() -> None:
    call = EchoCall([LinePath(-15, 400, 0, HYBRID)], 0)
    canceller = EchoCanceller()
    assert call.train(canceller).paths
    canceller.reset()
    assert canceller.report.paths == ()
    np.testing.assert_array_equal(canceller.cancel(call.rx[:FRAME]), call.rx[:FRAME])


def test_wrong_use_is_refused() -> None:
    canceller = EchoCanceller()
    with pytest.raises(LocalProtocolError):
        canceller.end_training()
    canceller.cancel(np.zeros(FRAME, np.float32))
    with pytest.raises(LocalProtocolError):
        canceller.cancel(np.zeros(FRAME, np.float32))
    with pytest.raises(LocalProtocolError):
        canceller.sent(np.zeros(FRAME - 1, np.float32))
    canceller.sent(np.zeros(FRAME, np.float32))
    canceller.begin_training()
    assert canceller.end_training().paths == ()

    call = EchoCall([LinePath(-15, 400, 0, HYBRID)], 0)
    canceller = trained(call, Adapt.GUIDED)
    with pytest.raises(LocalProtocolError):
        canceller.learn(np.zeros(FRAME, np.float32), kernel.OLDEST)
