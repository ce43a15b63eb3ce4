"""The modems of this process behind a unix socket, for whoever may open it (mode 0600)."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import structlog

from ansam.errors import AnsamError, ConfigError, RemoteProtocolError, ResourceError
from ansam.io.control.base import ModemControl
from ansam.io.control.race import first_of
from ansam.io.control.wire import (
    BINARY,
    FAULT,
    LONGEST_REQUEST,
    TEXT,
    pack,
    pack_json,
    read_frame,
    read_request,
)

CONNECTIONS = 200
"""At once; a page has a handful."""

_log = structlog.get_logger("ansam.control")

Send = Callable[[bytes], Coroutine[Any, Any, None]]


class ControlServer:
    """Serves modems.

    Args:
        path: Of the socket; what is there already goes.
        modems: In the order in which they are listed.
    """

    def __init__(self, path: Path, modems: Sequence[ModemControl]) -> None:
        self._path = path
        self._modems = {modem.id: modem for modem in modems}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen.

        Raises:
            ResourceError: The socket can not be made.
        """
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._accept, self._path, limit=LONGEST_REQUEST)
        except OSError as error:
            raise ResourceError(f"control socket {self._path}: {error.strerror}") from error
        finally:
            os.umask(before)

    async def stop(self) -> None:
        """End all connections and take the socket away."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(OSError):
            self._path.unlink()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._tasks) < CONNECTIONS:
            self._tasks.add(task)
            try:
                await self._serve(reader, writer)
            except asyncio.CancelledError:
                pass  # `stop`; the stream's own callback would take it for a fault.
            finally:
                self._tasks.discard(task)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        with contextlib.suppress(ConnectionError):
            try:
                request = await read_request(reader)
                if request is not None:
                    await self._do(request, reader, send)
            except AnsamError as error:
                fault = {"kind": type(error).__name__, "message": error.message, "remedy": error.remedy}
                await send(pack_json(fault, FAULT))
            except ConnectionError:
                raise
            except Exception:
                _log.exception("control request failed")
                fault = {
                    "kind": "ResourceError",
                    "message": "something went wrong in the modem",
                    "remedy": "",
                }
                await send(pack_json(fault, FAULT))

    async def _do(self, request: dict[str, Any], reader: asyncio.StreamReader, send: Send) -> None:
        do = request["do"]
        if do == "list":
            await send(pack_json(list(self._modems)))
            while await reader.read(LONGEST_REQUEST):
                pass  # That it stays open says that we live.
            return
        name = request.get("modem")
        modem = self._modems.get(name) if isinstance(name, str) else None
        if modem is None:
            raise ConfigError(f"there is no modem {str(name)[:64]!r} here")
        match do:
            case "state":
                await send(pack_json((await modem.state()).message()))
            case "panel":
                await _stream(reader, send, (pack_json(s.message()) async for s in modem.panel()))
            case "scope":
                await _stream(reader, send, (pack(TEXT, text.encode()) async for text in modem.scope()))
            case "audio":
                await _stream(reader, send, (pack(BINARY, piece) async for piece in modem.audio()))
            case "terminal":
                await _terminal(modem, reader, send)
            case "bundle":
                await send(pack(BINARY, await modem.bundle()))
            case _:
                await _act(modem, do, request)
                await send(pack_json({}))


async def _act(modem: ModemControl, do: str, request: dict[str, Any]) -> None:
    match do:
        case "dial":
            await modem.dial(_text(request, "string"))
        case "answer":
            await modem.answer()
        case "hangup":
            await modem.hang_up()
        case "volume":
            level = request.get("level")
            if level not in (0, 1, 2, 3) or isinstance(level, bool):
                raise ConfigError("the level of the volume is 0 to 3")
            await modem.volume(level)
        case _:
            raise ConfigError(f"{do[:64]!r} is nothing a modem can do")


def _text(request: dict[str, Any], key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str) or not value or len(value) > 60 or not value.isprintable():
        raise ConfigError(f"{key} is a text of 1 to 60 characters")
    return value


async def _stream(reader: asyncio.StreamReader, send: Send, frames: AsyncIterator[bytes]) -> None:
    """Send frames until there are no more, or the other end has closed."""

    async def pump() -> None:
        async with contextlib.aclosing(frames):  # type: ignore[type-var]
            async for data in frames:
                await send(data)

    await first_of(pump(), _until_closed(reader))


async def _until_closed(reader: asyncio.StreamReader) -> None:
    while await reader.read(LONGEST_REQUEST):
        pass


async def _terminal(modem: ModemControl, reader: asyncio.StreamReader, send: Send) -> None:
    stream = await modem.terminal()
    await send(pack_json({}))

    async def out() -> None:
        while data := await stream.read():
            await send(pack(BINARY, data))

    async def back() -> None:
        while (found := await read_frame(reader)) is not None:
            kind, data = found
            if kind != BINARY:
                raise RemoteProtocolError("control socket: a terminal sends octets", "io.control.wire", kind)
            await stream.write(data)

    try:
        await first_of(out(), back())
    finally:
        await stream.close()
