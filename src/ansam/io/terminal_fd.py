"""A non-blocking file descriptor of a terminal (pty or serial) in an event loop."""

import asyncio
import errno
import os

PIECE = 4096


class Descriptor:
    """Reads and writes a descriptor that can be polled, and wakes whoever waits when it is closed.

    Args:
        fd: Open and owned by this object from now on.
    """

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self.fd = fd
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self.fd < 0

    async def read(self) -> bytes:
        """Return the next octets; b"" at the end, after an error (a pty gives EIO) or `close`."""
        while self.fd >= 0:
            try:
                return os.read(self.fd, PIECE)
            except BlockingIOError:
                await self._ready(writing=False)
            except OSError:
                return b""
        return b""

    def read_now(self) -> bytes:
        """Return octets that are there already, or b""."""
        try:
            return os.read(self.fd, PIECE) if self.fd >= 0 else b""
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        """Return when the system has taken all of `data`; raises `OSError` when it can not."""
        view = memoryview(data)
        while view:
            if self.fd < 0:
                raise OSError(errno.EIO, "closed")
            try:
                view = view[os.write(self.fd, view[:PIECE]) :]
            except BlockingIOError:
                await self._ready(writing=True)

    def close(self) -> None:
        """Close; reading returns b"", writing raises."""
        fd, self.fd = self.fd, -1
        if fd < 0:
            return
        if self._waiters:
            loop = asyncio.get_running_loop()
            loop.remove_reader(fd)
            loop.remove_writer(fd)
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
        os.close(fd)

    async def _ready(self, writing: bool) -> None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        add, remove = (
            (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
        )
        fd = self.fd
        add(fd, _finish, waiter)
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if self.fd == fd:
                remove(fd)


def _finish(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
