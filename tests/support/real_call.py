"""Two modems on ptys with real programs at them: `AnswerLine` at one, any program at the other.

The modems stand for boxes on serial cables; the raw line between them runs as fast as the machine can, so a
call takes a small part of its own time.
"""

import asyncio
import os
import tty
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.answer import place

from ansam.answer.place import Place
from ansam.answer.users import UserBook
from ansam.dce.dce import Dce
from ansam.io.answer import AnswerLine
from ansam.io.clock import FramePacer
from ansam.io.dte_pty import PtyDte
from ansam.io.lines import make_line
from ansam.io.modem_host import ModemHost
from ansam.io.terminal_port import DevicePort


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let raw lines run as fast as they can."""
    monkeypatch.setattr("ansam.io.line_raw.FRAME_SECONDS", 0.0)
    monkeypatch.setattr("ansam.io.line_raw.MAX_STALL", 1e9)


class Caller:
    """A program's end of the calling modem's pty."""

    def __init__(self, path: Path, modem: Dce) -> None:
        self.modem = modem
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        os.set_blocking(self.fd, False)
        self.heard = b""

    async def says(self, words: bytes, seconds: float = 10.0) -> bytes:
        """Read until some words come; return everything up to and with them."""
        try:
            async with asyncio.timeout(seconds):
                while (at := self.heard.find(words)) < 0:
                    with suppress(BlockingIOError):
                        self.heard += os.read(self.fd, 4096)
                        continue
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"no {words!r} in {self.heard!r}") from None
        got = self.heard[: at + len(words)]
        self.heard = self.heard[at + len(words) :]
        return got

    def types(self, text: bytes) -> None:
        """Type something and Enter."""
        os.write(self.fd, text + b"\r")

    async def log_in(self, user: str, dial: bytes, seconds: float) -> bytes:
        """Dial and give a user's name; return what stands behind CONNECT."""
        self.types(b"ATE0")
        await self.says(b"OK\r\n")
        self.types(dial)
        await self.says(b"CONNECT ", seconds)
        connect = (await self.says(b"\r\n", seconds)).strip()
        await self.says(b"login: ", seconds)
        self.types(user.encode())
        return connect

    async def run(self, command: list[str], directory: Path, seconds: float) -> tuple[int, bytes]:
        """Run a program between pipes to the modem; return its status and what it said.

        Not on the pty itself: `sz` drains its terminal, then flushes it. A pty drains at once, so that the
        last two characters would be lost and the other end would wait for them.
        """
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=directory
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        feeding = asyncio.create_task(self._feed(process.stdin))
        try:
            async with asyncio.timeout(seconds):
                said, _, _ = await asyncio.gather(
                    process.stderr.read(), self._send(process.stdout), process.wait()
                )
        finally:
            feeding.cancel()
        return process.returncode or 0, said

    async def _feed(self, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                writer.write(os.read(self.fd, 4096))
                await writer.drain()
            except BlockingIOError:
                await asyncio.sleep(0.005)

    async def _send(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(1024):
            while data:
                try:
                    data = data[os.write(self.fd, data) :]
                except BlockingIOError:
                    await asyncio.sleep(0.005)


@asynccontextmanager
async def answered_line(
    directory: Path, users: UserBook, where: Place | None = None, dials: str = "line"
) -> AsyncIterator[Caller]:
    """Two modems on one line, the answering one driven through its pty by an answering line.

    The calling one dials the socket `dials`; that of the answering one is `line`.
    """
    line, pacer = directory / "line", FramePacer()
    paths = (directory / "ttyUSB0", directory / "ttyUSB1")
    urls = (f"unix-listen:{line}", f"unix:{directory / dials};clock=here")
    hosts = [
        ModemHost(Dce(), make_line(url, pacer), PtyDte(path)) for url, path in zip(urls, paths, strict=True)
    ]
    for host in hosts:
        await host.start()
    answering = AnswerLine(DevicePort(paths[0]), replace(where or place(prompt_wait=0.0), users=users))
    task = asyncio.create_task(answering.run())
    await answering.until_waiting()
    caller = Caller(paths[1], hosts[1].dce)
    try:
        yield caller
    finally:
        os.close(caller.fd)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for host in hosts:
            await host.stop()
