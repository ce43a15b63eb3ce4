"""A connection to a host that a caller is put through to: it is read and written as a command on a pty is."""

import asyncio
import contextlib
import errno
import socket
from typing import Protocol

from ansam.answer.events import OpenBridge
from ansam.call.phonebook import Target
from ansam.dte.stream_codec import Protocol as Speech
from ansam.dte.telnet_caller import TelnetCaller, Terminal
from ansam.errors import ResourceError
from ansam.io.line_tcp import open_socket
from ansam.io.ssh_call import connect_ssh
from ansam.io.stream_call import ByteReader, ByteWriter

CHUNK = 2048
CONNECT_TIMEOUT = 20.0
"""Seconds for a host to answer."""

LAST_WORDS = 2.0
RESERVED_PORTS = range(1023, 511, -1)
"""rcmd(3)."""


class Codec(Protocol):
    """What octets of a connection mean."""

    def receive(self, data: bytes) -> bytes:
        """Take octets of the connection, cut anywhere; return those for the caller."""

    def send(self, data: bytes) -> bytes:
        """Return the caller's octets as they cross the connection."""

    def take_replies(self) -> bytes:
        """Return what the connection gets besides data; before any of it."""


class _Raw:
    """Octets as they are."""

    def receive(self, data: bytes) -> bytes:
        return data

    def send(self, data: bytes) -> bytes:
        return data

    def take_replies(self) -> bytes:
        return b""


class _Rlogin(_Raw):
    """RFC 1282 (December 1991): names and terminal first; NUL from the server says that it has them."""

    def __init__(self, terminal: Terminal, local: str) -> None:
        fields = ("", local, terminal.user, f"{terminal.kind}/{terminal.speed}")
        self._greeting = b"".join(text.encode("latin-1", "replace") + b"\0" for text in fields)
        self._greeted = False

    def receive(self, data: bytes) -> bytes:
        if not self._greeted and data:
            self._greeted = True
            return data.removeprefix(b"\0")
        return data

    def take_replies(self) -> bytes:
        greeting, self._greeting = self._greeting, b""
        return greeting


def from_reserved_port(sock: socket.socket) -> None:
    """Give a socket a port that only root can have, where we may: BSD's rlogind serves nobody else."""
    address = "::" if sock.family == socket.AF_INET6 else "0.0.0.0"
    for port in RESERVED_PORTS:
        try:
            sock.bind((address, port))
        except PermissionError:
            return  # Boards do not mind.
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return


class BridgeProcess:
    """One connection; the interface is that of `CommandProcess`.

    Args:
        order: Where to, and who calls.
    """

    def __init__(self, order: OpenBridge) -> None:
        self._order = order
        self._reader: ByteReader | None = None
        self._writer: ByteWriter | None = None
        self._codec: Codec = _Raw()
        self._got = b""

    async def start(self) -> None:
        """Connect.

        Raises:
            ResourceError: The host does not answer, or refuses.
        """
        target = self._order.target
        name = f"{target.host}:{target.port}"
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._connect()
        except TimeoutError:
            raise ResourceError(f"{name} does not answer") from None
        except OSError as error:
            reason = (
                "is not known"
                if isinstance(error, socket.gaierror)
                else (error.strerror or str(error)).lower()
            )
            raise ResourceError(f"{name}: {reason}") from None
        await self._reply()

    async def _connect(self) -> None:
        target, told = self._order.target, self._order.environment
        speed = told.get("SPEED", "0")
        terminal = Terminal(
            told.get("TERM", "ansi"),
            int(speed) if speed.isdigit() else 0,
            user=told.get("USER", ""),
            environment={name: told[name] for name in ("CALLER_ID", "CONNECT") if told.get(name)},
        )
        if target.kind == "ssh":
            account = Target(target.host, target.port, Speech.SSH, target.user, target.secret)
            sock = await open_socket(account)
            self._reader, self._writer = await connect_ssh(
                sock,
                account,
                verify=target.verify,
                terminal=terminal.kind,
                environment=terminal.environment,
            )
            return
        prepare = {"prepare": from_reserved_port} if target.kind == "rlogin" else {}
        sock = await open_socket(Target(target.host, target.port), **prepare)
        reader, writer = await asyncio.open_connection(sock=sock, limit=CHUNK)
        self._reader, self._writer = reader, writer
        if target.kind == "telnet":
            self._codec = TelnetCaller(terminal)
        elif target.kind == "rlogin":
            # Boards take a password in the place of the near user's name.
            self._codec = _Rlogin(terminal, target.secret or told.get("CALLER_ID") or "ansam")

    async def read(self) -> bytes:
        """Return what the host sends next; b"" when it has closed. Nothing is lost if this is cancelled."""
        if self._reader is None:
            return b""
        with contextlib.suppress(OSError):
            while not self._got and (raw := await self._reader.read(CHUNK)):
                self._got = self._codec.receive(raw)
                await self._reply()
        data, self._got = self._got, b""
        return data

    async def write(self, data: bytes) -> None:
        """Return when the connection has room again; octets for a host that is gone are dropped."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.write(self._codec.send(data))
                await self._writer.drain()

    async def stop(self) -> int:
        """Close."""
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(LAST_WORDS):
                    writer.close()
                    await writer.wait_closed()
        return 0

    async def _reply(self) -> None:
        if (replies := self._codec.take_replies()) and self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.write(replies)
                await self._writer.drain()
