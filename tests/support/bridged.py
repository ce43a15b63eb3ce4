"""Callers who are put through to a stand-in host."""

import os
import random
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tests.support.answer import place
from tests.support.real_call import Caller, answered_line
from tests.support.telnet_host import HELLO, telnet_host

from ansam.answer.bridge import BridgeService, Holding
from ansam.answer.place import Place
from ansam.answer.service_url import BridgeTarget, parse_service
from ansam.answer.users import UserBook
from ansam.io.answer import local_time

TOKEN = "ABCD-2345"


def bridge(service: str, holding: Holding | None = None) -> Place:
    """A line that puts its callers through."""
    target = parse_service(service)
    assert isinstance(target, BridgeTarget)
    made = BridgeService(target, holding or Holding(), lambda: TOKEN)
    return replace(place(prompt_wait=0.0), clock=local_time, service=made)


async def ended_well(caller: Caller) -> None:
    """Ask how the far program ended; while it still runs, it is what gets the question."""
    for _ in range(30):
        caller.types(b"status")
        with suppress(AssertionError):
            await caller.says(b"status 0\r\n", 1.0)
            return
    raise AssertionError(f"no status in {caller.heard!r}")


async def zmodem_both_ways(directory: Path, size: int, seconds: float) -> None:
    """Move a file down and another up through modems at V.34 and a telnet bridge; both arrive as they are."""
    far, near = directory / "far", directory / "near"
    far.mkdir()
    near.mkdir()
    down, up = (random.Random(seed).randbytes(size) for seed in (1, 2))
    (far / "down.bin").write_bytes(down)
    (near / "up.bin").write_bytes(up)
    async with telnet_host(far) as (_, port):
        spot = bridge(f"telnet:127.0.0.1:{port}")
        async with answered_line(directory, UserBook(), spot) as caller:
            caller.types(b"ATE0")
            await caller.says(b"OK\r\n")
            caller.types(b"AT&N16DT05")
            await caller.says(b"CONNECT 33600/ARQ/V34/LAPM", seconds)
            await caller.says(HELLO, seconds)
            caller.types(b"down")
            status, said = await caller.run(["rz", "-b", "-q"], near, seconds)
            assert status == 0, said
            await ended_well(caller)
            os.write(caller.fd, b"up\r")
            status, said = await caller.run(["sz", "-b", "-q", "up.bin"], near, seconds)
            assert status == 0, said
            await ended_well(caller)
    assert (near / "down.bin").read_bytes() == down
    assert (far / "up.bin").read_bytes() == up
