"""The DTE's end of a modem that runs in this very process; see `terminal_port` for the others."""

import asyncio
import errno
from collections.abc import Callable

from ansam.io.dte import DteEndpoint, DtePort, PlainEndpoint
from ansam.io.terminal_port import CHUNK, nothing


def unknown_carrier() -> bool | None:
    """Say that circuit 109 can not be known."""
    return None


def unknown_unsent() -> int | None:
    """Say that what the modem still holds can not be known."""
    return None


class InnerPort:
    """A modem in this process: its host takes `endpoint` as it would take a pty. One event loop runs both.

    Args:
        name: Name of the modem's DTE port.
        carrier: Tells circuit 109 of the modem, or None where it is not known.
        unsent: Tells how many octets the modem still holds, or None likewise.
    """

    def __init__(
        self,
        name: str,
        carrier: Callable[[], bool | None] = unknown_carrier,
        unsent: Callable[[], int | None] = unknown_unsent,
    ) -> None:
        self.name = name
        self.on_carrier: Callable[[], None] = nothing
        self.endpoint: DteEndpoint = _InnerEndpoint(self)
        self._tell_carrier = carrier
        self._tell_unsent = unsent
        self._carrier: bool | None = None
        self._modem: DtePort | None = None
        self._dtr = False
        self._changed = asyncio.Event()

    @property
    def carrier(self) -> bool | None:
        """Circuit 109 as the modem has it."""
        return self._tell_carrier()

    @property
    def unsent(self) -> int | None:
        """Octets the modem still holds."""
        return self._tell_unsent()

    async def open(self) -> None:
        """Wait for the modem and raise DTR."""
        await self.set_dtr(True)
        while self._modem is None:
            await self._change()

    async def read(self) -> bytes:
        """Return what the modem says next; b"" once it has been shut down."""
        while True:
            data = self._modem.take(CHUNK) if self._modem is not None else b""
            if data or self._modem is None:
                return data
            await self._change()

    async def write(self, data: bytes) -> None:
        """Return when the modem has taken all of `data`; what it has not when DTR goes OFF is dropped."""
        while data and self._dtr:
            if self._modem is None:
                raise OSError(errno.EIO, "the modem has been shut down")
            data = data[self._modem.offer(data) :]
            if data:
                await self._change()

    async def set_dtr(self, on: bool) -> None:
        """Set circuit 108.2."""
        self._set_dtr(on)

    def close(self) -> None:
        """Drop DTR."""
        self._set_dtr(False)

    def attach(self, modem: DtePort | None) -> None:
        """Take the modem's side, or None when it is shut down."""
        self._modem = modem
        if modem is not None:
            modem.set_dtr(self._dtr)
        self.look()

    def look(self) -> None:
        """The modem has something to say, or room, or another circuit 109."""
        self._changed.set()
        carrier = self._tell_carrier()
        if carrier != self._carrier:
            self._carrier = carrier
            self.on_carrier()

    def _set_dtr(self, on: bool) -> None:
        self._dtr = on
        if self._modem is not None:
            self._modem.set_dtr(on)
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


class _InnerEndpoint(PlainEndpoint):
    """The face of an `InnerPort` towards the modem's host."""

    def __init__(self, inner: InnerPort) -> None:
        self.name = inner.name
        self._inner = inner

    async def open(self, port: DtePort) -> None:
        self._inner.attach(port)

    def resume(self) -> None:
        self._inner.look()

    def output_ready(self) -> None:
        self._inner.look()

    async def close(self) -> None:
        self._inner.attach(None)
