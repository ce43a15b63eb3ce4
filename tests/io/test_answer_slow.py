"""A host, or a command, that sends as fast as it can to a caller who reads hardly anything."""

import asyncio
import os
import socket
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from threading import Thread

import pytest
from tests.support.bbs_live import Bench, on_board
from tests.support.bridged import bridge

LINE = b"%07d\r\n"


class Flood:
    """A host that counts, and how far it has come: whatever it could send waits for the caller somewhere."""

    def __init__(self) -> None:
        self.lines = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._connection: socket.socket | None = None
        self._thread = Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self) -> None:
        with suppress(OSError):
            self._connection, _ = self._listening.accept()
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            for self.lines in count():
                self._connection.sendall(LINE % self.lines)

    def stop(self) -> None:
        for sock in (self._listening, self._connection):
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
                sock.close()
        self._thread.join(5)


@contextmanager
def flood() -> Iterator[Flood]:
    host = Flood()
    try:
        yield host
    finally:
        host.stop()


@asynccontextmanager
async def ssh_flood() -> AsyncIterator[tuple[int, list[int]]]:
    """The same over SSH: its port, and how many octets its shell has got rid of."""
    asyncssh = pytest.importorskip("asyncssh", reason="extra ssh")
    sent = [0]

    class Server(asyncssh.SSHServer):  # type: ignore[misc, name-defined]
        def begin_auth(self, username: str) -> bool:
            return False

    async def shell(process) -> None:  # type: ignore[no-untyped-def]
        for block in count():
            text = b"".join(LINE % (100 * block + number) for number in range(100))
            process.stdout.write(text)
            await process.stdout.drain()
            sent[0] += len(text)

    server = await asyncssh.create_server(
        *(Server, "127.0.0.1", 0),
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=shell,
        encoding=None,
    )
    try:
        yield server.sockets[0].getsockname()[1], sent
    finally:
        server.close()


async def trickle(caller: Bench) -> None:
    """Read a little now and then; nothing is missing in between."""
    seen = caller.heard
    async with asyncio.timeout(20):
        while len(seen) < 1500:
            with suppress(BlockingIOError):
                seen += os.read(caller.fd, 100)
            await asyncio.sleep(0.01)
    numbers = [int(line) for line in seen.split(b"\r\n")[:-1] if line.isdigit()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] == 0


async def held(caller: Bench) -> int:
    """Return how much memory grows while nearly nothing is read, octets."""
    await asyncio.sleep(0.1)
    tracemalloc.start()
    try:
        await trickle(caller)
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["tcp", "telnet"])
async def test_a_fast_host_waits_for_a_slow_caller(kind: str) -> None:
    with flood() as host:
        async with on_board(bridge(f"{kind}:127.0.0.1:{host.port}")) as caller:
            assert await held(caller) < 100_000
            # Not 300 kB as the kernel has it by itself: Ctrl-C would be heard two hours later at 300 bit/s.
            assert host.lines * len(LINE % 0) < 50_000


async def test_a_fast_host_by_ssh_waits_for_a_slow_caller() -> None:
    async with ssh_flood() as (port, sent), on_board(bridge(f"ssh:joe@127.0.0.1:{port};verify=no")) as caller:
        assert await held(caller) < 300_000  # the host's end of it, too
        assert sent[0] < 150_000


async def test_a_fast_command_waits_for_a_slow_caller() -> None:
    script = 'i=0; while :; do printf "%07d\\n" $i; i=$((i+1)); done'
    async with on_board(bridge(f"command:/bin/sh -c '{script}'")) as caller:
        assert await held(caller) < 100_000
