"""A thousand calls in a row over real UDP: memory, descriptors, tasks, threads and timers stay the same."""

import asyncio
import time
from pathlib import Path

import pytest
from tests.support.many_calls import many_calls

CALLS = 1000
REST = 34.0
MEBI = 1 << 20


@pytest.mark.bench
@pytest.mark.parametrize("relay", [False, True])
def test_a_thousand_calls(tmp_path: Path, relay: bool) -> None:
    began = time.perf_counter()
    outcome = asyncio.run(many_calls(CALLS, 11, str(tmp_path / "exchange.sqlite"), relay, REST))
    took = time.perf_counter() - began
    _, half, last = outcome.uses
    print(
        f"\n  {CALLS} calls in {took:.0f} s, relay {relay}: {outcome.talked} talked, {dict(outcome.causes)}"
    )
    print(f"  half-way      {half}\n  at the end    {last}")
    assert outcome.stuck == 0
    assert outcome.causes.total() == outcome.started
    assert (last.fds, last.threads, last.tasks) == (half.fds, half.threads, half.tasks)
    assert last.rss - half.rss < 4 * MEBI
    assert last.blocks < half.blocks * 1.02
    assert last.timers <= half.timers + 5
