"""The board and the file server with real programs: lrzsz at both ends, doors, calls that break off."""

import os
from pathlib import Path

import pytest
from tests.support.bbs_live import (
    SIZE,
    board,
    children,
    no_child,
    nothing_left,
    octets,
    on_board,
    over_modems,
    to_files,
    where,
)
from tests.support.real_call import hurry

from ansam.answer.bbs.settings import Door
from ansam.io.bbs_library import BbsLibrary


@pytest.mark.peer("lrzsz")
@pytest.mark.parametrize(
    ("key", "command"),
    [
        (b"Z", ["rz", "-b", "-q"]),
        pytest.param(b"Y", ["rb", "-b", "-q"], marks=pytest.mark.bench),
        (b"1", ["rx", "-b", "-q", "-c", "down.bin"]),
        pytest.param(b"X", ["rx", "-b", "-q", "down.bin"], marks=pytest.mark.bench),
    ],
)
async def test_download(key: bytes, command: list[str], tmp_path: Path) -> None:
    async with on_board(where(board(tmp_path))) as caller:
        await to_files(caller)
        await caller.types_when(b"Files ", b"D")
        await caller.types_when(b"Name of the file: ", b"DOWN.*\r")
        await caller.types_when(b"Enter starts): ", b"\r")
        await caller.types_when(b"Protocol ", key)
        await caller.says(b"stops it).\r\n")
        status, _ = await caller.run(command, tmp_path / "near", 30)
        assert status == 0
        await caller.says(b"The transfer is complete.")
    got = (tmp_path / "near" / "down.bin").read_bytes()
    assert got.rstrip(b"\x1a") == octets().rstrip(b"\x1a")
    assert key in b"1X" or got == octets()


@pytest.mark.peer("lrzsz")
@pytest.mark.parametrize(
    ("key", "command"),
    [
        (b"Z", ["sz", "-b", "-q", "up.bin"]),
        pytest.param(b"Y", ["sb", "-b", "-q", "up.bin"], marks=pytest.mark.bench),
        pytest.param(b"X", ["sx", "-b", "-q", "up.bin"], marks=pytest.mark.bench),
    ],
)
async def test_upload(key: bytes, command: list[str], tmp_path: Path) -> None:
    async with on_board(where(board(tmp_path))) as caller:
        await to_files(caller)
        await caller.types_when(b"Files ", b"U")
        await caller.types_when(b"Protocol ", key)
        if key == b"X":
            await caller.types_when(b"Name of the file: ", b"../../up.bin\r")
        await caller.says(b"upload now.\r\n")
        status, _ = await caller.run(command, tmp_path / "near", 30)
        assert status == 0
        await caller.types_when(b"Describe it", b"Noise\r\r")
        await caller.says(b"Thank you for up.bin.")
        await nothing_left(tmp_path / "work" / "uploads")
    got = (tmp_path / "files" / "up.bin").read_bytes()
    assert got == octets() or (key == b"X" and got.rstrip(b"\x1a") == octets().rstrip(b"\x1a"))
    assert "up.bin       Noise\n" in (tmp_path / "files" / "FILES.BBS").read_text()


async def test_a_fault_of_the_disk_costs_the_caller_what_was_asked_for_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault nobody thought of")

    monkeypatch.setattr(BbsLibrary, "node", broken)
    doors = (Door("game", ("/bin/true",), "A game"),)
    async with on_board(where(board(tmp_path, doors=doors))) as caller:
        await caller.types_when(b"name or NEW: ", b"guest\r")
        await caller.types_when(b"Main ", b"D")
        await caller.types_when(b"Number of the door: ", b"1\r")
        await caller.says(b"That can not be had at the moment.")
        await caller.types_when(b"Main ", b"T")
        await caller.says(b"Main ")


async def test_a_door_gets_drop_files(tmp_path: Path) -> None:
    script = (
        'head -1 "$DROP/DOOR32.SYS" "$DROP/DOOR.SYS"; stat -c %n "$1"/*; echo "Hi $USER at $CONNECT"; '
        'read x; echo "<$x>"'
    )
    doors = (Door("game", ("/bin/sh", "-c", script, "door", "%D"), "A game"),)
    async with on_board(where(board(tmp_path, doors=doors))) as caller:
        await caller.types_when(b"name or NEW: ", b"guest\r")
        await caller.types_when(b"Main ", b"D")
        await caller.types_when(b"Number of the door: ", b"1\r")
        said = await caller.types_when(b"Hi guest at 115200/ARQ/V34/LAPM/V42BIS\r\n", b"word\r")
        assert said.count(b"node-") == 5
        assert all(name in said for name in (b"DOOR.SYS", b"DOOR32.SYS", b"DORINFO1.DEF", b"COM0:"))
        await caller.says(b"<word>")
        await caller.says(b"Back at Test Board.")
        await nothing_left(tmp_path / "work" / "nodes")


STATES = {
    "editor": [(b"name or NEW: ", b"guest\r"), (b"Main ", b"M"), (b"Messages ", b"P\rtext\rline\r")],
    "download": [
        *[(b"name or NEW: ", b"guest\r"), (b"Main ", b"F"), (b"Files ", b"D"), (b"file: ", b"down.bin\r\r")],
        *[(b"Protocol ", b"Z"), (b"**\x18B", b"")],
    ],
    "upload": [
        *[(b"name or NEW: ", b"guest\r"), (b"Main ", b"F"), (b"Files ", b"U"), (b"Protocol ", b"Z")],
        (b"**\x18B", b""),
    ],
    "door": [(b"name or NEW: ", b"guest\r"), (b"Main ", b"D"), (b"door: ", b"deaf\r"), (b"ready", b"")],
}


@pytest.mark.peer("lrzsz")
@pytest.mark.parametrize("state", STATES)
async def test_lost_carrier_leaves_nothing_behind(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansam.io.answer_command.HANGUP_GRACE", 0.3)
    monkeypatch.setattr("ansam.io.answer_pipes.HANGUP_GRACE", 0.3)
    deaf = Door("deaf", ("/bin/sh", "-c", "trap '' HUP; echo ready; while :; do sleep 1; done"))
    before = children()
    async with on_board(where(board(tmp_path, doors=(deaf,)))) as caller:
        for prompt, keys in STATES[state]:
            await caller.types_when(prompt, keys)
        os.write(caller.fd, b"\r\nNO CARRIER\r\n")
        await caller.says(b"ATQ0V1H0\r")
        await no_child(before)
        for kind in ("uploads", "nodes"):
            if (tmp_path / "work" / kind).exists():
                await nothing_left(tmp_path / "work" / kind)


@pytest.mark.peer("lrzsz")
async def test_a_file_server_over_our_modems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    await over_modems(tmp_path, up=False, size=SIZE, seconds=50)
