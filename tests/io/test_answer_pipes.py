"""Transfer programs between pipes."""

import asyncio
import os
from pathlib import Path

import pytest

from ansam.answer.events import RunCommand
from ansam.errors import ResourceError
from ansam.io import answer_pipes
from ansam.io.answer_pipes import PipeProcess

ME = "root" if os.geteuid() == 0 else ""
PATH = {"PATH": os.environ["PATH"]}


def largest(directory: Path) -> int:
    return max(path.stat().st_size for path in directory.iterdir())


async def said_by(process: PipeProcess) -> bytes:
    said = b""
    while data := await process.read():
        said += data
    return said


async def test_octets_pass_as_they_are(tmp_path: Path) -> None:
    octets = bytes(range(256)) * 100
    process = PipeProcess(RunCommand(("head", "-c", str(len(octets))), PATH, ME, str(tmp_path), pipes=True))
    await process.start()
    _, said = await asyncio.gather(process.write(octets), said_by(process))
    assert said == octets
    assert await process.stop() == 0


async def test_a_program_that_is_not_installed() -> None:
    with pytest.raises(ResourceError, match="nosuchprogram is not installed") as caught:
        await PipeProcess(RunCommand(("nosuchprogram",), PATH, ME, pipes=True)).start()
    assert caught.value.remedy == "apt install lrzsz"


ONE_LARGE = "head -c 100000 /dev/zero > x; echo $?"
MANY_SMALL = "i=0; while :; do i=$((i+1)); echo 0123456789 > $i; done"


@pytest.mark.parametrize("script", [ONE_LARGE, MANY_SMALL])
async def test_a_program_can_not_leave_more_than_it_may(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_pipes, "LOOK_EVERY", 0.05)
    order = RunCommand(("sh", "-c", script), PATH, ME, str(tmp_path), pipes=True, limit=1000)
    process = PipeProcess(order)
    await process.start()
    async with asyncio.timeout(20):
        await said_by(process)
        await process.stop()
    assert largest(tmp_path) in (11, 1000)


async def test_a_program_that_ignores_hang_up_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_pipes, "HANGUP_GRACE", 0.2)
    process = PipeProcess(RunCommand(("sh", "-c", "trap '' HUP; echo; sleep 60"), PATH, ME, pipes=True))
    await process.start()
    await process.read()
    assert await process.stop() == -9
