"""What goes on without its caller for a while: a command or a connection whose line broke."""

import asyncio
from collections.abc import Callable
from typing import Protocol

SCREEN = 2048
"""Octets of output that a caller who is back sees again, besides those that were under way."""

AGAIN = 65536
"""Octets of output before the line broke that are repeated at most: V.34 and V.42bis hold 34 kB of text."""

KEPT = 16384
"""Octets of output since then, at least; for more the process waits, as it does for a slow caller."""


class Process(Protocol):
    """What has a caller: a command, a transfer or a connection."""

    async def start(self) -> None:
        """Begin; raises `AnsamError`."""

    async def read(self) -> bytes:
        """Return what it says next; b"" when it is over."""

    async def write(self, data: bytes) -> None:
        """Return when it has taken octets."""

    async def stop(self) -> int:
        """End it, and return its exit status."""


class Held:
    """One of them.

    Args:
        process: Nobody else reads it.
        recent: What it has said and its caller is to see again.
        seconds: How long it waits.
        gone: Called when it has ended, or nobody has come back.
    """

    def __init__(self, process: Process, recent: bytes, seconds: float, gone: Callable[[], None]) -> None:
        self._process = process
        self._recent = bytearray(recent)
        self._seconds = seconds
        self._gone = gone
        self._task = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                while len(self._recent) < AGAIN + KEPT:
                    data = await self._process.read()
                    self._recent += data
                    if not data:
                        break
                else:
                    await asyncio.Event().wait()
        except TimeoutError:
            pass
        self._gone()
        await self._process.stop()

    async def take(self) -> tuple[Process, bytes] | None:
        """Return it with its last words to the one who came back; None where it has just ended."""
        if self._task.done():
            return None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if not self._task.cancelled():
            return None
        return self._process, bytes(self._recent)

    async def stop(self) -> None:
        """End it now."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._process.stop()


class HeldProcesses:
    """All that wait, by their tokens."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}

    def put(
        self, token: str, process: Process, recent: bytes, seconds: float, gone: Callable[[str], None]
    ) -> None:
        """Let one wait."""

        def over() -> None:
            self._held.pop(token, None)
            gone(token)

        self._held[token] = Held(process, recent, seconds, over)

    async def end(self, token: str) -> None:
        """End one that waits no longer."""
        held = self._held.pop(token, None)
        if held is not None:
            await held.stop()

    async def take(self, token: str) -> tuple[Process, bytes] | None:
        """Return one with its last words; None where there is none any more."""
        held = self._held.pop(token, None)
        return await held.take() if held is not None else None


HELD = HeldProcesses()
"""Of this process: a caller may come back on another of its lines."""
