"""The line is cut in the middle of output; who calls again and knows the token misses none of it."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from tests.support.answer import place
from tests.support.bridged import TOKEN
from tests.support.cut_line import cut_line
from tests.support.real_call import Caller, answered_line

from ansam.answer.bridge import BridgeService, Holding
from ansam.answer.service_url import parse_service
from ansam.answer.users import User, UserBook
from ansam.io.answer import local_time
from ansam.io.answer_held import AGAIN
from ansam.io.answer_passwords import hash_password


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Count for ever, as fast as the caller takes it."""
    with suppress(OSError):
        for number in count():
            writer.write(b"line %06d\r\n" % number)
            await writer.drain()


def numbers(seen: bytes) -> list[int]:
    """Return the lines' numbers; the first and the last may be cut."""
    lines = [line for line in seen.split(b"\r\n") if line.startswith(b"line ") and len(line) == 11]
    return [int(line[5:]) for line in lines]


async def until(caller: Caller, number: int, seconds: float) -> bytes:
    return await caller.says(b"line %06d\r\n" % number, seconds)


async def log_in(caller: Caller, dial: bytes) -> None:
    await caller.log_in("ali", dial, 120)
    await caller.says(b"Password: ", 20)
    caller.types(b"open sesame")


async def cut_and_call_again(directory: Path, dial: bytes, lines: int) -> None:
    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    entry = parse_service(f"tcp:127.0.0.1:{server.sockets[0].getsockname()[1]};hold=300")
    users = UserBook([User("ali", hash_password("open sesame"), entry)])  # type: ignore[arg-type]
    holding = Holding()
    spot = replace(
        place(prompt_wait=0.0),
        clock=local_time,
        bridge=lambda target: BridgeService(target, holding, lambda: TOKEN),
    )
    async with (
        cut_line(directory / "near", directory / "line") as line,
        answered_line(directory, users, spot, dials="near") as caller,
    ):
        await log_in(caller, dial)
        await caller.says(b"your token is " + TOKEN.encode(), 20)
        before = numbers(await until(caller, lines, 120))
        line.cut()
        cut_at = time.monotonic()
        before += numbers(await caller.says(b"NO CARRIER\r\n", 120))
        lost_after = time.monotonic() - cut_at
        await asyncio.sleep(4.0)  # until the other modem is set up for a call again
        await log_in(caller, dial)
        await caller.says(b"Token (Enter: a new session): ", 20)
        caller.types(TOKEN.encode())
        after = numbers(await until(caller, before[-1] + 1000, 240))
        assert line.calls == 2
    server.close()
    again = before[-1] + 1 - after[0]
    print(f"\n  {dial.decode()}: {before[-1]} lines, cut noticed after {lost_after:.1f} s;", end="")
    print(f" {again} lines ({13 * again} octets) seen twice")
    assert before == list(range(before[-1] + 1))
    assert after == list(range(after[0], before[-1] + 1001))
    assert 0 <= 13 * again <= AGAIN


@pytest.mark.bench
@pytest.mark.parametrize(("dial", "lines"), [(b"AT&N16DT05", 8000), (b"AT&N3DT05", 800)])
def test_no_line_is_missing(dial: bytes, lines: int, tmp_path: Path) -> None:
    asyncio.run(cut_and_call_again(tmp_path, dial, lines))
