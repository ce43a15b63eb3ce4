"""A modem of another process, by its control socket."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ansam.errors import AnsamError, ConfigError, ResourceError
from ansam.io.control.base import Conflict, PanelState, TerminalStream
from ansam.io.control.shared import SharedScope
from ansam.io.control.wire import BINARY, FAULT, pack, read_frame

TIMEOUT = 5.0
"""Seconds in which a socket answers what it can answer at once."""

_KINDS: dict[str, type[AnsamError]] = {"Conflict": Conflict, "ConfigError": ConfigError}


class Connection:
    """One request and what comes back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def frame(self) -> bytes | None:
        """Return the octets of the next frame; None at the end.

        Raises:
            AnsamError: The other end refuses what was asked.
        """
        found = await read_frame(self._reader)
        if found is None:
            return None
        kind, data = found
        if kind == FAULT:
            fault = json.loads(data)
            raise _KINDS.get(fault["kind"], ResourceError)(fault["message"], fault["remedy"])
        return data

    async def send(self, data: bytes) -> None:
        """Send a frame of octets.

        Raises:
            ResourceError: The other end has gone.
        """
        try:
            self._writer.write(pack(BINARY, data))
            await self._writer.drain()
        except ConnectionError:
            raise ResourceError("the modem has gone") from None

    def close(self) -> None:
        """End it."""
        self._writer.close()


async def connect(path: Path, do: str, **values: object) -> Connection:
    """Ask for something.

    Raises:
        ResourceError: Nobody listens.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except OSError as error:
        raise ResourceError("the modem is not running", str(error.strerror or error)) from None
    writer.write(json.dumps({"do": do, **values}).encode() + b"\n")
    return Connection(reader, writer)


class RemoteModem:
    """See `ModemControl`.

    Args:
        path: Of the socket.
        name: The modem's id.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._scope = SharedScope(lambda: connect(path, "scope", modem=name))
        self.id = name

    async def state(self) -> PanelState:
        """See `ModemControl.state`."""
        return PanelState(**json.loads(await self._once("state")))

    async def panel(self) -> AsyncIterator[PanelState]:
        """See `ModemControl.panel`."""
        async with self._open("panel") as connection:
            while (data := await connection.frame()) is not None:
                yield PanelState(**json.loads(data))

    async def dial(self, string: str) -> None:
        """See `ModemControl.dial`."""
        await self._once("dial", string=string)

    async def answer(self) -> None:
        """See `ModemControl.answer`."""
        await self._once("answer")

    async def hang_up(self) -> None:
        """See `ModemControl.hang_up`."""
        await self._once("hangup")

    async def volume(self, level: int) -> None:
        """See `ModemControl.volume`."""
        await self._once("volume", level=level)

    def scope(self) -> AsyncIterator[str]:
        """See `ModemControl.scope`."""
        return self._scope.messages()

    async def audio(self) -> AsyncIterator[bytes]:
        """See `ModemControl.audio`."""
        async with self._open("audio") as connection:
            while (data := await connection.frame()) is not None:
                yield data

    async def terminal(self) -> TerminalStream:
        """See `ModemControl.terminal`."""
        connection = await connect(self._path, "terminal", modem=self.id)
        try:
            async with asyncio.timeout(TIMEOUT):
                opened = await connection.frame()
        except TimeoutError:
            opened = None
        except AnsamError:
            connection.close()
            raise
        if opened is None:
            connection.close()
            raise ResourceError("the modem does not answer")
        return RemoteTerminal(connection)

    async def bundle(self) -> bytes:
        """See `ModemControl.bundle`."""
        return await self._once("bundle")

    @asynccontextmanager
    async def _open(self, do: str, **values: object) -> AsyncIterator[Connection]:
        connection = await connect(self._path, do, modem=self.id, **values)
        try:
            yield connection
        finally:
            connection.close()

    async def _once(self, do: str, **values: object) -> bytes:
        """Ask for what is answered at once."""
        async with self._open(do, **values) as connection:
            data = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TIMEOUT):
                    data = await connection.frame()
        if data is None:
            raise ResourceError("the modem does not answer")
        return data


class RemoteTerminal:
    """See `TerminalStream`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(self) -> bytes:
        """See `TerminalStream.read`."""
        with contextlib.suppress(AnsamError):
            return await self._connection.frame() or b""
        return b""

    async def write(self, data: bytes) -> None:
        """See `TerminalStream.write`."""
        await self._connection.send(data)

    async def close(self) -> None:
        """See `TerminalStream.close`."""
        self._connection.close()


async def names(path: Path) -> tuple[Connection, list[str]]:
    """Return a connection that lasts as long as the other process, and the ids of its modems.

    Raises:
        ResourceError: Nobody listens.
    """
    connection = await connect(path, "list")
    data: Any = await connection.frame()
    if data is None:
        connection.close()
        raise ResourceError("the modem does not answer")
    return connection, json.loads(data)
