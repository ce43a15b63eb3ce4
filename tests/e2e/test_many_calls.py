"""Calls in a row that either side ends at any moment: nothing stays behind."""

import asyncio
from pathlib import Path

import pytest
from tests.support.many_calls import many_calls
from tests.support.sweep import sweep


@pytest.mark.parametrize("relay", sweep([False, True], {1}))
def test_thirty_calls(tmp_path: Path, relay: bool) -> None:
    outcome = asyncio.run(many_calls(30, 5, str(tmp_path / "exchange.sqlite"), relay))
    assert outcome.stuck == 0
    assert outcome.talked >= 5
    assert outcome.started >= 15
    assert outcome.causes.total() == outcome.started
    _, half, last = outcome.uses
    assert (last.fds, last.threads, last.tasks) == (half.fds, half.threads, half.tasks)
