"""A stand-in for a modem at a DTE endpoint."""

import asyncio


class FakePort:
    """Records bytes, takes as few as it is told, has bytes to give."""

    def __init__(self, room: int = 1 << 30) -> None:
        self.room = room
        self.received = b""
        self.to_give = b""
        self.dtr: list[bool] = []
        self.rts: list[bool] = []
        self.rates: list[int] = []
        self.breaks: list[int] = []
        self.free = True
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

    def set_rts(self, on: bool) -> None:
        self.rts.append(on)
        self.changed.set()

    def set_port_rate(self, rate: int) -> None:
        self.rates.append(rate)
        self.changed.set()

    def receive_break(self, milliseconds: int) -> None:
        self.breaks.append(milliseconds)
        self.changed.set()

    def claim(self) -> bool:
        return self.free

    def release(self) -> None:
        pass

    async def until(self, condition, within: float = 5.0) -> None:  # type: ignore[no-untyped-def]
        """Wait until `condition()` holds."""
        async with asyncio.timeout(within):
            while not condition():
                self.changed.clear()
                await self.changed.wait()
