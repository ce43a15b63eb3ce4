"""All modems at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from tests.support.web import FakeModem

from ansam.io.control.base import PanelState
from ansam.io.control.hub import LocalHub


class Prompted(FakeModem):
    """Tells its state when told to."""

    def __init__(self) -> None:
        super().__init__("m1")
        self.told = asyncio.Event()

    async def panel(self) -> AsyncIterator[PanelState]:
        await self.told.wait()
        yield await self.state()


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_goes_in_the_moment_a_state_comes_is_let_go(turns: int) -> None:
    modem = Prompted()
    task = asyncio.create_task(anext(LocalHub([modem]).panel()))  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    modem.told.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    ends = task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled() == ends
