"""Where an echo is found, and that noise is none."""

import numpy as np
import pytest
from tests.support.echo_line import HYBRID, LinePath, lose, qam

from ansam.dsp.echo_search import LEAD, Record, Search, offset_of
from ansam.units import SAMPLE_RATE


def record(path: LinePath | None, seconds: float, noise: float = 1e-4, seed: int = 1) -> Record:
    rng = np.random.default_rng(seed)
    count = round(seconds * SAMPLE_RATE)
    tx = np.zeros(LEAD + count, np.float32)
    tx[LEAD:] = qam(rng, count)
    rx = noise * rng.standard_normal(count) + (path(tx)[LEAD:] if path else 0.0)
    return Record(tx, rx.astype(np.float32), ~lose(rng, count, 0.1), 160)


@pytest.mark.parametrize("offset_hz", [0, 0.7, -2.5, 4.4, 7])
@pytest.mark.parametrize("seconds", [0.4, 2.0])
def test_delay_and_offset_of_an_echo(seconds: float, offset_hz: float) -> None:
    path = LinePath(-25, 1234, offset_hz, HYBRID)
    known = record(path, seconds)
    found = Search(known).strongest(known.rx)
    assert found is not None
    delay, rough = found
    assert delay == pytest.approx(1237, abs=6)
    step, _ = offset_of(known, known.rx, delay, rough)
    hertz = step * SAMPLE_RATE / (2 * np.pi)
    assert hertz == pytest.approx(offset_hz, abs=0.3 if seconds < 1 else 0.02)


def test_an_echo_at_the_very_end_is_found() -> None:
    known = record(LinePath(-20, 3000, 0, HYBRID), 0.5)
    found = Search(known).strongest(known.rx)
    assert found is not None
    assert found[0] == pytest.approx(3003, abs=6)


def test_noise_is_no_echo() -> None:
    for seed in range(12):
        known = record(None, 0.3 + 0.15 * seed, seed=seed)
        assert Search(known).strongest(known.rx) is None


def test_pauses_do_not_count_as_quiet_sending() -> None:
    known = record(None, 1.0)
    loud = known.loudness
    known.tx[LEAD + 2000 :] = 0
    assert known.loudness == pytest.approx(loud, rel=0.1)


def test_what_came_before_anything_was_sent_is_no_echo() -> None:
    known = record(None, 1.0)
    rx = known.rx.astype(np.float32)
    rx[2048:] = 0
    late = Record(known.tx.astype(np.float32), rx, known.valid, 160)
    late.tx[: LEAD + 4096] = 0
    assert Search(late).strongest(late.rx) is None
