# ruff: noqa: ASYNC110
"""No octet is lost on real ports: 1-byte writes, bursts, slow readers, XON and XOFF."""

import asyncio
import contextlib
import os
import random
from pathlib import Path

import pytest
from tests.io.test_dte_circuits import StillLine
from tests.support.terminal_bench import FRAME, BufferSession

from ansam.dce import line_side as module
from ansam.dce.dce import Dce, LineState
from ansam.dce.progress import Progress
from ansam.io.dte_ports import make_dte
from ansam.io.modem_host import ModemHost

XON, XOFF = b"\x11", b"\x13"
SIZE = 1_000_000


class Program:
    """A program on the port that writes and reads at its own pace and obeys XOFF."""

    def __init__(self, rng: random.Random, *, storm: bool) -> None:
        self.rng, self.storm = rng, storm
        self.stopped = False
        self.got = bytearray()

    async def write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        at = 0
        while at < len(data):
            if self.stopped:
                await asyncio.sleep(0.001)
                continue
            size = self.rng.choice((1, 1, 1, 50, 4096, 300_000))
            writer.write(data[at : at + size])
            at += size
            if self.storm and self.rng.random() < 0.3:
                writer.write(self.rng.choice((XOFF + XON, XOFF * 2 + XON, XON)))
            await writer.drain()
        writer.write(XON if self.storm else b"")

    async def read(self, reader: asyncio.StreamReader, count: int) -> None:
        while len(self.got) < count or self.stopped:
            data = await reader.read(self.rng.choice((1, 100, 8192, 8192)))
            for octet in data if self.storm else b"":
                self.stopped = octet == XOFF[0] if octet in XON + XOFF else self.stopped
            self.got += data.translate(None, XON + XOFF) if self.storm else data
            if self.rng.random() < 0.05:
                await asyncio.sleep(0.002)


async def _connect(host: ModemHost, init: str) -> None:
    host.initialise(init)
    await host.start()
    host.dce.receive_dte(b"ATDT05\r", host._clock.now())
    while host.dce.state is not LineState.CALLING:
        due = host.dce.deadline()
        assert due is not None
        host.dce.handle_timer(due)
        host._clock.advance_to(due)
    host.progress(Progress.CONNECTED)
    with host.lock:
        host.process(FRAME, host.media_started())
    host.media_stopped()
    host.dce.take_dte()  # The words of CONNECT.


async def _streams(
    port: str, path: Path, host: ModemHost
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if port == "unix":
        return await asyncio.open_unix_connection(str(path), limit=8192)
    if port == "tcp":
        address = host._dte.address  # type: ignore[attr-defined]
        return await asyncio.open_connection(*address, limit=8192)
    loop = asyncio.get_running_loop()
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    reader = asyncio.StreamReader(limit=8192)
    read_end, write_end = open(fd, "rb", buffering=0), open(os.dup(fd), "wb", buffering=0)  # noqa: SIM115, ASYNC230
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), read_end)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, write_end)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


@pytest.mark.parametrize("storm", [False, True])
@pytest.mark.parametrize("port", ["tcp", "unix", "pty"])
async def test_a_megabyte_each_way(
    port: str, storm: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Session", BufferSession)
    rng = random.Random(5)
    path = tmp_path / "port"
    dte = make_dte("tcp:127.0.0.1:0" if port == "tcp" else f"{port}:{path}")
    host = ModemHost(Dce(), StillLine(), dte)  # type: ignore[arg-type]
    await _connect(host, "ATE0&D0S2=128" + ("&H3&I2" if storm else "&H1&I0"))
    link = BufferSession.made[-1].link
    assert link is not None
    reader, writer = await _streams(port, path, host)
    while not host.dce._terminal.dtr:
        await asyncio.sleep(0.01)
    program = Program(rng, storm=storm)
    drop = XON + XOFF if storm else b""
    up, down = (rng.randbytes(SIZE).translate(None, drop) for _ in range(2))
    sending = asyncio.create_task(program.write(writer, up))
    reading = asyncio.create_task(program.read(reader, len(down)))
    line, given = bytearray(), 0
    async with asyncio.timeout(30):
        while len(line) < len(up) or not reading.done():
            count = rng.choice((0, 300, 2048))
            line += link.queue[:count]
            del link.queue[:count]
            if len(link.received) < 9000:
                link.received += down[given : given + 9000]
                given += 9000
            host.frame_done()
            await asyncio.sleep(0)
        await sending
    assert line == up
    assert program.got == down
    with contextlib.suppress(Exception):
        writer.close()
    await host.stop()
