"""Ports on which callers from the network ring: one port for a modem, or for a pool of them.

A caller rings at the first modem of the pool that is free. Where none is, he reads the busy text and the
connection is closed.
"""

import asyncio
import socket
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from ansam.call.line_url import NetworkLineUrl
from ansam.dte.stream_codec import StreamCodec
from ansam.io.sip import bind_socket
from ansam.io.stream_call import StreamCall, keep_short

_log: Any = structlog.get_logger("ansam.line")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who rings.

    Attributes:
        name: Address, for caller identification.
        call: The connection.
        codec: What its octets mean.
    """

    name: str
    call: StreamCall
    codec: StreamCodec


class Callee(Protocol):
    """A line that can be called."""

    @property
    def url(self) -> NetworkLineUrl:
        """How callers are treated."""

    def rings(self, caller: Caller) -> bool:
        """Return whether the modem is free for a caller; from now on it rings."""


class CallPort:
    """One listening port.

    Args:
        wanted: Local IP address and port; 0 for any.

    Attributes:
        address: Where it listens, once open.
        lines: The pool, in the order of preference.
    """

    def __init__(self, wanted: tuple[str, int]) -> None:
        self.wanted = self.address = wanted
        self.lines: list[Callee] = []
        self._server: asyncio.Server | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen; raises `ResourceError`."""
        sock = bind_socket(socket.SOCK_STREAM, *self.wanted, "network line")
        self._server = await asyncio.start_server(self._accept, sock=sock)
        self.address = self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        name = str(peer[0]) if peer else ""
        keep_short(writer.get_extra_info("socket"))
        if not self.lines:
            writer.close()
            return
        url = self.lines[0].url
        codec = StreamCodec(url.protocol, answering=True, petscii=url.petscii)
        caller = Caller(name, StreamCall(reader, writer, codec), codec)
        for line in self.lines:
            if line.rings(caller):
                _log.info("call from the network", caller=name, line=str(line.url))
                return
        _log.info("all busy", caller=name)
        caller.call.say(url.busy.encode("utf-8") + b"\r\n")
        caller.call.close()
        leaving = asyncio.get_running_loop().create_task(caller.call.wait_closed())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


class CallPorts:
    """The listening ports of one process."""

    def __init__(self) -> None:
        self._ports: list[CallPort] = []

    async def join(self, wanted: tuple[str, int], line: Callee) -> CallPort:
        """Add a line to the pool of a port, which is opened for the first; raises `ResourceError`."""
        for port in self._ports:
            if port.wanted == wanted and wanted[1]:
                port.lines.append(line)
                return port
        port = CallPort(wanted)
        await port.open()
        port.lines.append(line)
        self._ports.append(port)
        return port

    async def leave(self, port: CallPort, line: Callee) -> None:
        """Take a line out of a pool; the port is closed behind the last."""
        port.lines.remove(line)
        if not port.lines:
            self._ports.remove(port)
            await port.close()
