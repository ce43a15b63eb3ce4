"""Calls over SSH: a real server of asyncssh on the loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ansam.call.phonebook import Target, parse_target
from ansam.errors import ResourceError
from ansam.io.line_tcp import open_socket
from ansam.io.ssh_call import connect_ssh

asyncssh = pytest.importorskip("asyncssh", reason="extra ssh")


@asynccontextmanager
async def ssh_host(tmp_path: Path, *, shells: bool = True) -> AsyncIterator[int]:
    """A host with one user, whose shell greets, then echoes upper case, and vanishes at "die"."""

    class Server(asyncssh.SSHServer):  # type: ignore[misc, name-defined]
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("joe", "secret")

    async def shell(process) -> None:  # type: ignore[no-untyped-def]
        process.stdout.write(b"Welcome " + process.get_terminal_type().encode() + b"\r\n")
        while data := await process.stdin.read(100):
            if data == b"die":
                process.channel.get_connection().abort()
                return
            process.stdout.write(data.upper())
        process.exit(0)

    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(
        Server,
        "127.0.0.1",
        0,
        server_host_keys=[key],
        process_factory=shell if shells else None,
        encoding=None,
        line_editor=False,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def connect(target: Target, *, verify: bool = False):  # type: ignore[no-untyped-def]
    return await connect_ssh(await open_socket(target), target, verify=verify)


async def test_a_shell_greets_takes_octets_and_ends(tmp_path: Path) -> None:
    async with ssh_host(tmp_path) as port:
        reader, writer = await connect(parse_target(f"ssh://joe:secret@127.0.0.1:{port}"))
        greeting = b""
        while not greeting.endswith(b"\r\n"):
            greeting += await reader.read(100)
        assert greeting == b"Welcome ansi\r\n"
        writer.write(b"abc\xff")
        await writer.drain()
        assert await reader.read(100) == b"ABC\xff"
        writer.close()
        async with asyncio.timeout(5):
            await writer.wait_closed()


@pytest.mark.parametrize(
    ("account", "verify", "part"),
    [
        ("joe:wrong", False, "permission denied"),
        ("joe:secret", True, "the host key of 127.0.0.1 is not known"),
    ],
)
async def test_hosts_that_do_not_let_us_in(
    account: str, verify: bool, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with ssh_host(tmp_path) as port:
        with pytest.raises(ResourceError, match=part):
            await connect(parse_target(f"ssh://{account}@127.0.0.1:{port}"), verify=verify)


async def test_a_host_that_vanishes_is_a_broken_connection(tmp_path: Path) -> None:
    async with ssh_host(tmp_path) as port:
        reader, writer = await connect(parse_target(f"ssh://joe:secret@127.0.0.1:{port}"))
        assert await reader.read(100) == b"Welcome ansi\r\n"
        writer.write(b"die")
        with pytest.raises(ConnectionError):
            await reader.read(100)
        writer.close()
        await writer.wait_closed()


async def test_a_host_without_a_shell_leaves_nothing_behind(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with ssh_host(tmp_path, shells=False) as port:
        with pytest.raises(ResourceError, match="ssh joe@127"):
            await connect(parse_target(f"ssh://joe:secret@127.0.0.1:{port}"))
        # Its descriptor is free, or still the connection's: never both.
        for sock in (pair := socket.socketpair()):
            loop.add_reader(sock, lambda: None)
        for sock in pair:
            loop.remove_reader(sock)
            sock.close()


async def test_a_login_whose_shell_never_comes_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    log_in = asyncssh.connect

    async def seen(*words: object, **options: object) -> object:
        made.append(await log_in(*words, **options))
        return made[-1]

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncssh, "connect", seen)
    monkeypatch.setattr(asyncssh.SSHClientConnection, "create_process", never)
    async with ssh_host(tmp_path) as port:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await connect(parse_target(f"ssh://joe:secret@127.0.0.1:{port}"))
        async with asyncio.timeout(5):
            await made[0].wait_closed()
