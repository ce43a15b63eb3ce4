"""A line between two raw lines that can be cut: both ends hear silence, as when a wire breaks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SILENCE = 0xD5
"""Zero in G.711 A-law."""


class CutLine:
    """What is between; a call begins with the line whole."""

    def __init__(self, far: Path) -> None:
        self._far = far
        self._cut = False
        self.calls = 0

    def cut(self) -> None:
        """Break the wire until the next call."""
        self._cut = True

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a call."""
        self._cut = False
        self.calls += 1
        far_reader, far_writer = await asyncio.open_unix_connection(self._far)
        ways = (self._carry(reader, far_writer), self._carry(far_reader, writer))
        await asyncio.gather(*ways, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                writer.write(bytes([SILENCE]) * len(data) if self._cut else data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def cut_line(near: Path, far: Path) -> AsyncIterator[CutLine]:
    """Listen at `near` for calls to `far`."""
    line = CutLine(far)
    server = await asyncio.start_unix_server(line.accept, near)
    try:
        yield line
    finally:
        server.close()
