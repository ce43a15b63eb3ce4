"""A board or a file server on a real answering line, with real programs at both ends."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from tests.io.test_answer import PtyPair
from tests.support.answer import place
from tests.support.bbs import settings
from tests.support.real_call import Caller, answered_line

from ansam.answer.bbs.board import Backing
from ansam.answer.bbs.main import BbsService, FileService
from ansam.answer.bbs.settings import BbsSettings, FileArea
from ansam.answer.place import Place
from ansam.answer.users import User, UserBook
from ansam.io.answer import AnswerLine, local_time
from ansam.io.bbs_library import BbsLibrary
from ansam.io.bbs_store import BbsStore
from ansam.io.terminal_port import DevicePort

ME = "root" if os.geteuid() == 0 else ""
SIZE = 12_000
CONNECT = b"\r\nCONNECT 115200/ARQ/V34/LAPM/V42BIS\r\n"


def octets(size: int = SIZE) -> bytes:
    return random.Random(8).randbytes(size)


def board(directory: Path, **changes: object) -> BbsSettings:
    """A board whose transfers run as the tests do."""
    files = (FileArea("files", str(directory / "files"), "Files", "yes"),)
    made = settings(directory, run_as=ME, detect_ansi=False, files=files, **changes)
    (directory / "files" / "down.bin").write_bytes(octets())
    (directory / "near").mkdir(exist_ok=True)
    (directory / "near" / "up.bin").write_bytes(octets())
    return made


def where(made: BbsSettings, *, files: bool = False) -> Place:
    """A line where a board, or a file server, answers."""
    backing = Backing(BbsStore("sqlite://"), BbsLibrary(made))
    service = (FileService if files else BbsService)(made, backing)
    return replace(place(prompt_wait=0.0), users=UserBook([User("guest")]), clock=local_time, service=service)


class Bench(Caller):
    """A caller whose modem is this test: the port is a pty, and the call is up as soon as somebody asks."""

    def __init__(self, pair: PtyPair) -> None:
        self.fd = pair.master.fd
        self.heard = b""

    async def call(self, number: str = "") -> None:
        """Bring a call up, from a number."""
        await self.says(b"ATQ0V1H0\r")
        await self.answers(number)

    async def answers(self, number: str = "") -> None:
        """Go on from the first command of the line's set-up to a call."""
        os.write(self.fd, b"\r\nOK\r\n")
        await self.says(b"ATS0=0Q0&D2&C1\r")
        os.write(self.fd, b"\r\nOK\r\n")
        os.write(self.fd, (f"\r\nNMBR = {number}\r\n" if number else "").encode() + b"\r\nRING\r\n")
        await self.says(b"ATA\r")
        os.write(self.fd, CONNECT)

    async def types_when(self, prompt: bytes, keys: bytes, seconds: float = 10.0) -> bytes:
        """Wait for a prompt, then type keys as they are."""
        seen = await self.says(prompt, seconds)
        os.write(self.fd, keys)
        return seen


@asynccontextmanager
async def on_board(spot: Place, number: str = "") -> AsyncIterator[Bench]:
    """A caller on a board; its number where it shows one."""
    pair = PtyPair()
    line = AnswerLine(DevicePort(pair.path), spot)
    task = asyncio.create_task(line.run())
    try:
        caller = Bench(pair)
        await caller.call(number)
        yield caller
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        pair.close()


async def happens(seen: Callable[[], bool]) -> None:
    """Wait until something is seen."""
    for _ in range(500):
        if seen():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


async def nothing_left(directory: Path) -> None:
    """Wait until a directory is empty."""
    await happens(lambda: not any(directory.iterdir()))


def children() -> set[int]:
    """Processes that this one has, and theirs."""
    found: set[int] = set()
    ahead = [os.getpid()]
    while ahead:
        for path in Path(f"/proc/{ahead.pop()}/task").glob("*/children"):
            with suppress(OSError):
                new = {int(number) for number in path.read_text().split()} - found
                found |= new
                ahead += new
    return found


async def no_child(but: set[int]) -> None:
    """Wait until every process that was started meanwhile is gone."""
    await happens(lambda: not children() - but)


async def to_files(caller: Bench) -> None:
    """Log on, and go to the files."""
    await caller.types_when(b"name or NEW: ", b"guest\r")
    await caller.types_when(b"Main ", b"F")


async def over_modems(directory: Path, up: bool, size: int, seconds: float) -> None:
    """Move a file from, or to, a file server at V.34 with V.42bis; it arrives as it is."""
    made = board(directory)
    end = ("near", "up.bin") if up else ("files", "down.bin")
    (directory / end[0] / end[1]).write_bytes(octets(size))
    async with answered_line(directory, UserBook(), where(made, files=True)) as caller:
        caller.types(b"ATE0")
        await caller.says(b"OK\r\n")
        caller.types(b"AT&N16DT05")
        await caller.says(b"CONNECT 33600/ARQ/V34/LAPM", seconds)
        listed = await caller.says(b"Files ", seconds)
        assert b"down.bin" in listed
        await caller.says(b"? helps): ", seconds)
        os.write(caller.fd, b"UZ" if up else b"Ddown.bin\r\rZ")
        await caller.says(b"upload now.\r\n" if up else b"stops it).\r\n", seconds)
        command = ["sz", "-b", "-q", "up.bin"] if up else ["rz", "-b", "-q"]
        status, said = await caller.run(command, directory / "near", seconds)
        assert status == 0, said
        if up:
            await caller.says(b"Describe it", seconds)
            os.write(caller.fd, b"Noise\r\r")
            await caller.says(b"Thank you for up.bin.", seconds)
        else:
            await caller.says(b"The transfer is complete.", seconds)
    got = directory / ("files" if up else "near") / end[1]
    assert got.read_bytes() == octets(size)
