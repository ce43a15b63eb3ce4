"""What a record of the far end's silence tells."""

import numpy as np
import pytest
from tests.support.echo_line import HYBRID, LinePath, alaw, qam

from ansam.dsp.echo_search import LEAD, Record
from ansam.dsp.echo_solve import find_echoes
from ansam.units import SAMPLE_RATE, Audio


def record(tx: Audio, paths: list[LinePath]) -> Record:
    padded = np.concatenate([np.zeros(LEAD, np.float32), tx])
    rx = alaw(sum((path(padded)[LEAD:] for path in paths), np.zeros(len(tx))))
    return Record(padded, rx, np.ones(len(tx), np.bool_), 160)


@pytest.mark.parametrize("seed", range(3))
def test_the_offset_is_right_although_the_sender_changes_its_band(seed: int) -> None:
    # Taps that fit two bands can imitate a slope of the phase: a fit of taps and then offset ends far off.
    rng = np.random.default_rng(seed)
    narrow, wide = qam(rng, 4800, (600.0, 1200.0), -9.0), qam(rng, 3200, (2400.0, 1800.0))
    found = find_echoes(record(np.concatenate([narrow, wide]), [LinePath(-20, 700, 5, HYBRID)]))
    (path,) = found.paths
    hertz, deviation = (x * SAMPLE_RATE / (2 * np.pi) for x in (path.step, path.step_deviation))
    assert deviation < 1.5e-3
    assert abs(hertz - 5) < 3.5 * deviation
    assert path.level_db == pytest.approx(-20, abs=0.7)


def test_an_offset_that_is_none_costs_no_turning() -> None:
    rng = np.random.default_rng(4)
    tx = qam(rng, 8000)
    still, turning = (find_echoes(record(tx, [LinePath(-20, 700, hz, HYBRID)])).paths[0] for hz in (0, 0.02))
    assert still.step == 0.0
    assert turning.step * SAMPLE_RATE / (2 * np.pi) == pytest.approx(0.02, abs=2e-3)


def test_three_echoes_at_once() -> None:
    tx = qam(np.random.default_rng(5), 16_000)
    wanted = [LinePath(-10, 170, 0, HYBRID), LinePath(-20, 3000, 2, HYBRID), LinePath(-30, 9000, -4, HYBRID)]
    found = find_echoes(record(tx, wanted))
    levels = [path.level_db for path in found.paths]
    assert levels == pytest.approx([-10, -20, -30], abs=0.5)
    assert found.erle_db > 33


def test_too_short_a_record_tells_nothing() -> None:
    tx = qam(np.random.default_rng(6), 700)
    assert find_echoes(record(tx, [LinePath(-10, 170)])).paths == ()
