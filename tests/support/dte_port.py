"""A stand-in for a modem at a DTE endpoint."""

import asyncio


class FakePort:
    """Records bytes, takes as few as it is told, has bytes to give."""

    def __init__(self, room: int = 1 << 30) -> None:
        self.room = room
        self.received = b""
        self.to_give = b""
        self.dtr: list[bool] = []
        self.changed = asyncio.Event()

    def offer(self, data: bytes) -> int:
        taken = min(len(data), self.room)
        self.room -= taken
        self.received += data[:taken]
        self.changed.set()
        return taken

    def take(self, limit: int) -> bytes:
        out, self.to_give = self.to_give[:limit], self.to_give[limit:]
        self.changed.set()
        return out

    def set_dtr(self, on: bool) -> None:
        self.dtr.append(on)
        self.changed.set()

    async def until(self, condition, within: float = 5.0) -> None:  # type: ignore[no-untyped-def]
        """Wait until `condition()` holds."""
        async with asyncio.timeout(within):
            while not condition():
                self.changed.clear()
                await self.changed.wait()
