"""SSH as the far end of a network call: a shell on a terminal of the far host (extra ``ssh``)."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansam.call.phonebook import Target
from ansam.errors import ResourceError
from ansam.io.stream_call import ByteReader, ByteWriter

TERMINAL, SIZE = "ansi", (80, 24)
WINDOW = 8192
"""Octets the host may send ahead of the caller: after Ctrl-C they still come, at 300 bit/s for minutes."""


async def connect_ssh(
    sock: socket.socket,
    target: Target,
    *,
    verify: bool = True,
    terminal: str = TERMINAL,
    environment: Mapping[str, str] | None = None,
) -> tuple[ByteReader, ByteWriter]:
    """Open a shell over a connected socket.

    Args:
        sock: To the host; it is closed with the call, or when this fails.
        target: Account and password; without a password the keys of whoever runs the modem count.
        verify: The host's key must stand in ``~/.ssh/known_hosts``.
        terminal: Its type.
        environment: What else the host may know; most take only what they are set up for.

    Raises:
        ResourceError: The host is not known, does not let us in, or the library is missing.
        OSError: The connection broke.
    """
    try:
        import asyncssh
    except ImportError:
        sock.close()
        raise ResourceError("ssh needs asyncssh", "pip install 'ansam[ssh]'") from None

    options: dict[str, Any] = {} if verify else {"known_hosts": None}
    if target.secret:
        options["password"] = target.secret
    try:
        try:
            connection = await asyncssh.connect(
                target.host, target.port, sock=sock, username=target.user, config=None, **options
            )
        except BaseException:
            sock.close()
            raise
        try:
            process = await connection.create_process(
                term_type=terminal,
                term_size=SIZE,
                env=dict(environment or {}),
                encoding=None,
                stderr=asyncssh.STDOUT,
                window=WINDOW,
                max_pktsize=WINDOW // 4,
            )
        except BaseException:
            # The socket is the connection's by now: closed beneath it, its number would be another's.
            connection.abort()
            raise
    except asyncssh.HostKeyNotVerifiable:
        raise ResourceError(
            f"the host key of {target.host} is not known", f"ssh {target.user}@{target.host} once"
        ) from None
    except asyncssh.Error as error:
        raise ResourceError(f"ssh {target.user}@{target.host}: {error.reason.lower()}") from None
    return _SshReader(process.stdout), _SshWriter(process.stdin, connection)


@contextmanager
def _broken() -> Iterator[None]:
    """Turn what the library says of a connection that broke into what sockets say."""
    import asyncssh

    try:
        yield
    except asyncssh.Error as error:
        raise ConnectionError(error.reason) from None


class _SshReader:
    """What the far shell says."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    async def read(self, n: int = -1) -> bytes:
        with _broken():
            data: bytes = await self._shell.read(n)
        return data


class _SshWriter:
    """What is typed at the far shell; closing it ends the connection."""

    def __init__(self, shell: Any, connection: Any) -> None:
        self._shell = shell
        self._connection = connection

    def write(self, data: bytes) -> None:
        with _broken():
            self._shell.write(data)

    async def drain(self) -> None:
        with _broken():
            await self._shell.drain()

    def close(self) -> None:
        self._connection.close()

    async def wait_closed(self) -> None:
        await self._connection.wait_closed()
