"""Many who look at the scope of a modem elsewhere, over one connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import pytest

from ansam.errors import ResourceError
from ansam.io.control.client import Connection
from ansam.io.control.shared import SharedScope
from ansam.io.control.viewers import array, encode


def event(kind: str, name: str) -> dict[str, Any]:
    return {"type": "event", "kind": kind, "name": name, "t": 1.0, "text": '[{"},\n], §'}


FRAME = {"type": "frame", "t": 1.5, "spectrum": [-712, 3]}


class Worker:
    """Stands where the connections of a worker would."""

    def __init__(self) -> None:
        self.connections = self.closed = 0
        self.refuses = False
        self._frames: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()

    async def connect(self) -> Connection:
        if self.refuses:
            raise ResourceError("the modem is not running")
        self.connections += 1
        return cast(Connection, self)

    async def frame(self) -> bytes | None:
        found = await self._frames.get()
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        self.closed += 1

    def say(self, *messages: dict[str, Any]) -> None:
        self._frames.put_nowait(array([encode(message) for message in messages]).encode())

    def end(self, fault: Exception | None = None) -> None:
        self._frames.put_nowait(fault)


def run(test: Callable[[Worker, SharedScope], Awaitable[None]]) -> None:
    async def limited() -> None:
        worker = Worker()
        async with asyncio.timeout(10):
            await test(worker, SharedScope(worker.connect))

    asyncio.run(limited())


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def batch(stream: AsyncIterator[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(await anext(stream))
    return found


def test_all_see_the_same_over_one_connection() -> None:
    async def test(worker: Worker, shared: SharedScope) -> None:
        first, second = shared.messages(), shared.messages()
        both = asyncio.gather(batch(first), batch(second))
        await settle()
        sent = [event("lapm", "RR"), event("phase", "CM"), FRAME]
        worker.say(*sent)
        assert await both == [sent, sent]
        assert worker.connections == 1

    run(test)


def test_who_comes_late_gets_the_events_of_this_call() -> None:
    async def test(worker: Worker, shared: SharedScope) -> None:
        first = shared.messages()
        seen = asyncio.ensure_future(batch(first))
        await settle()
        worker.say(event("phase", "CM"), event("at", "command"), event("call", "begins"), FRAME)
        worker.say(event("lapm", "RR"), event("phase", "ANSam"))
        await seen
        await settle()
        late = await batch(shared.messages())
        assert [(one["name"], one["t"]) for one in late] == [("command", 0.0), ("ANSam", 1.0)]

    run(test)


def test_the_connection_lasts_as_long_as_somebody_looks() -> None:
    async def test(worker: Worker, shared: SharedScope) -> None:
        streams = [shared.messages() for _ in range(2)]
        both = asyncio.gather(*map(batch, streams))
        await settle()
        worker.say(FRAME)
        await both
        for left, stream in enumerate(streams):
            assert worker.closed == 0, left
            await cast(Any, stream).aclose()
            await settle()
        assert worker.closed == 1
        again = asyncio.ensure_future(batch(shared.messages()))
        await settle()
        worker.say(FRAME)
        assert await again == [FRAME]
        assert worker.connections == 2

    run(test)


@pytest.mark.parametrize("fault", [None, ResourceError("the modem has gone")])
def test_its_end_is_the_end_for_all_and_the_next_begins_anew(fault: Exception | None) -> None:
    async def test(worker: Worker, shared: SharedScope) -> None:
        first, second = shared.messages(), shared.messages()
        both = asyncio.gather(batch(first), batch(second))
        await settle()
        worker.say(event("phase", "CM"))
        worker.end(fault)
        await both
        for stream in (first, second):
            with pytest.raises(StopAsyncIteration if fault is None else ResourceError):
                await anext(stream)
        third = asyncio.ensure_future(batch(shared.messages()))
        await settle()
        worker.say(FRAME)
        assert await third == [FRAME]
        assert worker.connections == 2

    run(test)


def test_a_modem_that_does_not_run() -> None:
    async def test(worker: Worker, shared: SharedScope) -> None:
        worker.refuses = True
        with pytest.raises(ResourceError, match="not running"):
            await batch(shared.messages())
        worker.refuses = False
        found = asyncio.ensure_future(batch(shared.messages()))
        await settle()
        worker.say(FRAME)
        assert await found == [FRAME]

    run(test)
