"""One call over a network stream: octets of a TCP or SSH connection, both ways, held up by whoever is slow.

Until the modem is on line, what the far end sends is kept (telnet's requests are answered), up to `HELD`
octets; then the connection's own flow control holds it up. So nothing that a host says first is lost.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Protocol

from ansam.dte.stream_codec import StreamCodec

CHUNK = 2048
HELD = 4096
RECEIVE_BUFFER = 4096
"""Octets that wait in the kernel for the modem, which sends 1800 a minute at 300 bit/s; Linux doubles it."""

LAST_WORDS = 2.0
"""Seconds what was sent last may take, after a hang-up, to leave."""


def _nobody(reason: str) -> None:
    """Nobody wants to know."""


class ByteReader(Protocol):
    """Where a connection's octets come from."""

    async def read(self, n: int = -1) -> bytes:
        """Return some octets; b"" at the end."""


class ByteWriter(Protocol):
    """Where a connection's octets go."""

    def write(self, data: bytes) -> None:
        """Queue octets."""

    async def drain(self) -> None:
        """Return when there is room again."""

    def close(self) -> None:
        """Close, once everything queued is sent."""

    async def wait_closed(self) -> None:
        """Return when it is."""


class StreamUser(Protocol):
    """The modem as a network call sees it."""

    def stream_offer(self, data: bytes) -> int:
        """Give octets of the far end; return how many were taken. `StreamCall.look` announces room."""

    def stream_take(self, limit: int) -> bytes:
        """Return at most `limit` octets for the far end."""

    def stream_ended(self, reason: str) -> None:
        """The far end has closed; everything it sent was offered before."""


class StreamCall:
    """A connection, from the beginning of its ringing to its end.

    Args:
        reader: Of the connection.
        writer: Likewise.
        codec: What its octets mean.

    Attributes:
        on_gone: Called with the reason when the far end is gone before the modem is on line.
    """

    def __init__(self, reader: ByteReader, writer: ByteWriter, codec: StreamCodec) -> None:
        self.on_gone: Callable[[str], None] = _nobody
        self._reader = reader
        self._writer = writer
        self._codec = codec
        self._user: StreamUser | None = None
        self._held = b""
        self._room = asyncio.Event()
        self._output = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._read()), loop.create_task(self._write())]
        self._closing: asyncio.Task[None] | None = None

    def connect(self, user: StreamUser) -> None:
        """The modem is on line."""
        self._user = user
        self.look()

    def look(self) -> None:
        """The modem may have room, or octets."""
        self._hand_over()
        self._output.set()

    def say(self, text: bytes) -> None:
        """Send words of the line itself: that it is busy."""
        self._writer.write(self._codec.take_replies() + self._codec.send(text))

    def close(self) -> None:
        """Hang up; what was sent before still leaves."""
        for task in self._tasks:
            task.cancel()
        self._user = None
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._leave())

    async def wait_closed(self) -> None:
        """Return when the connection is closed."""
        if self._closing is not None:
            await self._closing

    async def _leave(self) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                self._writer.close()
                await self._writer.wait_closed()

    # -- far end to modem ------------------------------------------------------------------------------------

    async def _read(self) -> None:
        reason = "the far end closed the connection"
        try:
            while data := await self._reader.read(CHUNK):
                self._held += self._codec.receive(data)
                if self._codec.telnet:
                    self._output.set()
                self._hand_over()
                await self._until_room()
            self._held += self._codec.finish()
        except OSError as error:
            reason = f"the connection broke: {(error.strerror or str(error)).lower()}"
        self._hand_over()
        while self._held and self._user is not None:
            await self._until_room()
        if self._user is not None:
            self._user.stream_ended(reason)
        else:
            self.on_gone(reason)

    def _hand_over(self) -> None:
        """Give the modem what it takes."""
        if self._held and self._user is not None:
            self._held = self._held[self._user.stream_offer(self._held) :]
        self._room.set()

    async def _until_room(self) -> None:
        """Wait while more than may be is held."""
        while len(self._held) >= HELD or (self._held and self._user is not None):
            self._room.clear()
            await self._room.wait()

    # -- modem to far end ------------------------------------------------------------------------------------

    async def _write(self) -> None:
        with contextlib.suppress(OSError):  # A broken connection is noticed, and told, by the reader.
            while True:
                self._output.clear()
                replies = self._codec.take_replies()
                data = self._user.stream_take(CHUNK) if self._user is not None else b""
                if replies or data:
                    self._writer.write(replies + self._codec.send(data))
                    await self._writer.drain()
                else:
                    await self._output.wait()


def keep_short(sock: socket.socket | None) -> None:
    """Let little wait in the kernel, notice a far end that is gone, and send a typed character at once.

    Args:
        sock: Best not connected yet: what the far end may send at first is settled then.
    """
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
