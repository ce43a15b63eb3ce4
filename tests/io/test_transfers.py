"""Real file transfer programs over our modems at V.34: lrzsz both ways, and C-Kermit with seven bits.

The answering modem is driven through its pty as a box on a serial port would be.
"""

import asyncio
import os
import random
import re
import time
from pathlib import Path

import pytest
from tests.support.real_call import Caller, answered_line, hurry

from ansam.answer.users import Command, User, UserBook

SIZE = 40_000
RATE = re.compile(rb"33600/ARQ/V34/LAPM")
KERMIT = "set parity even, set file type binary, set delay 1"
ME = "root" if os.geteuid() == 0 else ""


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def users(directory: Path) -> UserBook:
    """Users whose command is the other end of a transfer."""
    far = directory / "far"
    scripts = {
        "up": "stty raw -echo; cat | rz -b -E -vv 2>../up.said | cat",
        "down": "stty raw -echo; cat | sz -b -vv ../down.bin 2>../down.said | cat",
        "kermit": f"exec kermit -Y -C '{KERMIT}, receive, exit'",
    }
    return UserBook(
        User(name, "", Command(("sh", "-c", script), run_as=ME, directory=str(far)))
        for name, script in scripts.items()
    )


def no_errors(said: bytes) -> None:
    """Assert that a ZMODEM program met no error: it says so as soon as it has to ask again."""
    for word in (b"etry", b"CRC", b"garbage", b"rror", b"imeout"):
        assert word not in said, said.decode(errors="replace")


def octets(directory: Path, size: int) -> bytes:
    """Make the files of a test."""
    for end in ("far", "near"):
        (directory / end).mkdir()
    data = random.Random(34).randbytes(size)
    (directory / "down.bin").write_bytes(data)
    (directory / "near" / "up.bin").write_bytes(data)
    return data


async def transfer(caller: Caller, directory: Path, user: str, command: list[str], seconds: float) -> None:
    """Call, move a file, and look at what both programs and the modem say about it."""
    assert RATE.match(await caller.log_in(user, b"AT&N16DT05", seconds))
    status, said = await caller.run(command, directory / "near", seconds)
    assert status == 0, said
    no_errors(said)
    no_errors((directory / f"{user}.said").read_bytes())
    caller.modem.report()
    assert caller.modem.frames_resent == 0


@pytest.mark.peer("lrzsz")
@pytest.mark.parametrize(
    ("user", "command"), [("down", ["rz", "-b", "-E", "-vv"]), ("up", ["sz", "-b", "-vv", "up.bin"])]
)
async def test_zmodem_without_a_retransmission(user: str, command: list[str], tmp_path: Path) -> None:
    data = octets(tmp_path, SIZE)
    async with answered_line(tmp_path, users(tmp_path)) as caller:
        await transfer(caller, tmp_path, user, command, 60)
    end = "near" if user == "down" else "far"
    assert (tmp_path / end / f"{user}.bin").read_bytes() == data


@pytest.mark.peer("ckermit")
async def test_kermit_with_seven_bits_and_even_parity(tmp_path: Path) -> None:
    data = octets(tmp_path, 6000)
    async with answered_line(tmp_path, users(tmp_path)) as caller:
        assert RATE.match(await caller.log_in("kermit", b"AT&N16DT05", 50))
        line = f"set carrier-watch off, set modem type direct, set line {tmp_path}/ttyUSB1"
        script = f"{line}, set flow none, {KERMIT}, send up.bin, exit"
        process = await asyncio.create_subprocess_exec("kermit", "-Y", "-C", script, cwd=tmp_path / "near")
        async with asyncio.timeout(40):
            assert await process.wait() == 0
    assert (tmp_path / "far" / "up.bin").read_bytes() == data


@pytest.mark.bench
@pytest.mark.peer("lrzsz")
@pytest.mark.parametrize(
    ("user", "command"), [("down", ["rz", "-b", "-E", "-vv"]), ("up", ["sz", "-b", "-vv", "up.bin"])]
)
def test_a_megabyte_without_a_retransmission(user: str, command: list[str], tmp_path: Path) -> None:
    data = octets(tmp_path, 1_000_000)

    async def move() -> None:
        async with answered_line(tmp_path, users(tmp_path)) as caller:
            await transfer(caller, tmp_path, user, command, 600)

    began = time.monotonic()
    asyncio.run(move())
    end = "near" if user == "down" else "far"
    assert (tmp_path / end / f"{user}.bin").read_bytes() == data
    print(
        f"\n{user}: 1 MB at 33600 bit/s, 0 retransmissions, {time.monotonic() - began:.0f} s of this machine"
    )
