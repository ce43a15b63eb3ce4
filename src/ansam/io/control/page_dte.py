"""A port of the modem for a terminal without a cable: one more beside its others, one user at a time."""

import asyncio

from ansam.io.control.base import Conflict
from ansam.io.dte import CHUNK, DtePort, PlainEndpoint


class PageDte(PlainEndpoint):
    """The endpoint; `attach` gives its octets to a viewer.

    Attributes:
        name: For logs.
    """

    name = "page"

    def __init__(self) -> None:
        self._port: DtePort | None = None
        self._stream: PageStream | None = None

    async def open(self, port: DtePort) -> None:
        """See `DteEndpoint.open`."""
        self._port = port

    @property
    def in_use(self) -> bool:
        """Whether somebody has the modem: a viewer, or whoever is at another port of it."""
        if self._stream is not None or self._port is None:
            return self._stream is not None
        free = self._port.claim()
        self._port.release()
        return not free

    def attach(self) -> "PageStream":
        """Take the modem.

        Raises:
            Conflict: Somebody else has it.
        """
        if self._port is None:
            raise Conflict("the modem is not running")
        if self._stream is not None or not self._port.claim():
            raise Conflict("the terminal of this modem is in use")
        self._stream = PageStream(self, self._port)
        self._port.set_dtr(True)
        return self._stream

    def detach(self) -> None:
        """Let go of the modem: DTR goes OFF."""
        if self._stream is not None and self._port is not None:
            self._stream = None
            self._port.set_dtr(False)
            self._port.release()

    def resume(self) -> None:
        """See `DteEndpoint.resume`."""
        if self._stream is not None:
            self._stream.changed.set()

    def output_ready(self) -> None:
        """See `DteEndpoint.output_ready`; what nobody listens to is lost, as on a cable."""
        if self._stream is not None:
            self._stream.changed.set()
        elif self._port is not None:
            while self._port.take(CHUNK):
                pass

    async def close(self) -> None:
        """See `DteEndpoint.close`."""
        if self._stream is not None:
            await self._stream.close()
        self._port = None


class PageStream:
    """See `TerminalStream`. What is not read stays in the modem, whose flow control stops the far end."""

    def __init__(self, endpoint: PageDte, port: DtePort) -> None:
        self.changed = asyncio.Event()
        self._endpoint = endpoint
        self._port = port
        self._closed = False

    async def read(self) -> bytes:
        """See `TerminalStream.read`."""
        while not self._closed:
            if data := self._port.take(CHUNK):
                return data
            self.changed.clear()
            await self.changed.wait()
        return b""

    async def write(self, data: bytes) -> None:
        """See `TerminalStream.write`."""
        while data and not self._closed:
            data = data[self._port.offer(data) :]
            if data:
                self.changed.clear()
                await self.changed.wait()

    async def close(self) -> None:
        """See `TerminalStream.close`."""
        if not self._closed:
            self._closed = True
            self.changed.set()
            self._endpoint.detach()
