"""A bounded byte channel between two tasks of one event loop."""

import asyncio
from collections.abc import Callable

CHANNEL_LIMIT = 4096
"""Octets that a channel of an answering line holds."""


class Channel:
    """Bytes on their way from who puts to who gets.

    Args:
        limit: Octets held; `put` waits for room.
        on_change: Called whenever something was put, taken or delivered.
    """

    def __init__(self, limit: int, on_change: Callable[[], None]) -> None:
        self._limit = limit
        self._on_change = on_change
        self._data = bytearray()
        self._under_way = 0
        self._changed = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether nothing is held and everything that was got has been delivered."""
        return not self._data and not self._under_way

    @property
    def data(self) -> bytes:
        """What is held."""
        return bytes(self._data)

    def add(self, data: bytes) -> None:
        """Hold more, whatever the limit says: for one who looked at `idle` before."""
        if data:
            self._data += data
            self._change()

    async def put(self, data: bytes) -> None:
        """Hold more as soon as there is room."""
        while len(self._data) >= self._limit:
            await self._wait()
        self.add(data)

    def drop(self, count: int) -> None:
        """Remove octets from the front."""
        if count:
            del self._data[:count]
            self._change()

    async def get(self) -> bytes:
        """Take everything as soon as there is something; say `delivered` when it has arrived."""
        while not self._data:
            await self._wait()
        data = bytes(self._data)
        self._data.clear()
        self._under_way = len(data)
        self._change()
        return data

    def delivered(self) -> None:
        """What `get` returned has arrived."""
        self._under_way = 0
        self._change()

    def clear(self) -> None:
        """Forget everything."""
        self._data.clear()
        self._under_way = 0
        self._change()

    async def until_idle(self) -> None:
        """Return when everything has been delivered."""
        while not self.idle:
            await self._wait()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _change(self) -> None:
        self._changed.set()
        self._on_change()
