"""A real pppd, in a Linux of its own, as the caller of `ansam ppp`."""

import asyncio
import os
import re
import sys
import tty
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from tests.support.ppp_guest import PACKAGES, guest
from tests.support.waiting import until

from ansam.io.answer_passwords import hash_password
from ansam.io.ppp_slirp import own_name_server

CONFIG = """\
[[user]]
name = "ali"
password = "{hash}"
[[user]]
name = "bob"
password = "{hash}"
[[user]]
name = "eva"
ppp_secret = "rosebud"
[[user]]
name = "ada"
ppp_secret = "rosebud"
[ppp]
auth = {auth}
host = true
"""


def is_slirp(pid: int) -> bool:
    with suppress(OSError):
        return b"slirp" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def new_slirps(made: "list[Server]", known: list[int]) -> list[int]:
    """Return the slirps of servers that are not known yet."""
    servers = {one.process.pid for one in made if one.process is not None}
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if not entry.name.isdecimal() or int(entry.name) in known or not is_slirp(int(entry.name)):
                continue
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) in servers:
                found.append(int(entry.name))
    return found


class Server:
    """`ansam ppp` on one end of a pair of ptys, joined in the middle."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._fds: list[int] = []
        self.port = ""
        self.process: Process | None = None

    async def start(self) -> None:
        ours, theirs = os.openpty(), os.openpty()
        self._fds = [ours[0], theirs[0], theirs[1]]
        for fd in (*ours, *theirs):
            tty.setraw(fd)
        self.port = os.ttyname(theirs[1])
        loop = asyncio.get_running_loop()
        for end, other in ((ours[0], theirs[0]), (theirs[0], ours[0])):
            os.set_blocking(end, False)
            loop.add_reader(end, self._carry, end, other)
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ansam.cli.main", "ppp", "--config", str(self._config)),
            stdin=ours[1],
            stdout=ours[1],
            stderr=DEVNULL,
            start_new_session=True,
        )
        os.close(ours[1])

    def _carry(self, end: int, other: int) -> None:
        with suppress(OSError):
            os.write(other, os.read(end, 1024))

    async def ended(self) -> int:
        assert self.process is not None
        async with asyncio.timeout(10):
            return await self.process.wait()

    def hang_up(self) -> None:
        loop = asyncio.get_running_loop()
        for fd in self._fds:
            loop.remove_reader(fd)
            os.close(fd)
        self._fds = []

    def close(self) -> None:
        self.hang_up()
        if self.process is not None and self.process.returncode is None:
            self.process.kill()


@asynccontextmanager
async def servers(directory: Path, *auths: str) -> AsyncIterator[list[Server]]:
    made = []
    for number, auth in enumerate(auths):
        config = directory / f"{number}.toml"
        config.write_text(CONFIG.format(hash=hash_password("sesame"), auth=auth))
        made.append(Server(config))
    try:
        for server in made:
            await server.start()
        yield made
    finally:
        for server in made:
            server.close()


SCRIPT = """
secret ali wrong
secret eva wrong
secret bob sesame
secret ada rosebud
ppp /dev/ttyS0 user ali &
first=$!
ppp /dev/ttyS1 user eva &
second=$!
ppp /dev/ttyS2 user bob &
third=$!
ppp /dev/ttyS3 user ada refuse-pap &
fourth=$!
wait $first
echo wrong pap: $?
wait $second
echo wrong chap: $?
up 20 2
ifconfig
kill $third $fourth
wait
"""


@pytest.mark.peer(*PACKAGES)
def test_right_passwords_are_let_in_and_wrong_ones_are_not(tmp_path: Path) -> None:
    async def run() -> str:
        async with servers(tmp_path, '["pap"]', '["chap"]', '["pap"]', '["pap", "chap"]') as made:
            said = await guest(tmp_path / "guest", [server.port for server in made], SCRIPT, 40)
            assert [await server.ended() for server in made] == [11, 11, 0, 0]
            return said

    said = asyncio.run(run())
    assert "wrong pap: 19" in said  # pppd(8): we failed to authenticate ourselves to the peer
    assert "wrong chap: 19" in said
    assert said.count("Login incorrect") >= 2
    assert said.count("inet addr:10.0.2.15  P-t-P:10.0.2.2") == 2
    assert "primary   DNS address 10.0.2.3" in said or own_name_server() is None
    # The server's first wish was PAP; the peer would rather have had EAP. Its requests are numbered from 1,
    # and those sent while the guest still boots are lost.
    assert re.search(r"sent \[LCP ConfNak id=0x\w+ <auth eap>\]", said)
    assert "CHAP authentication succeeded" in said


@pytest.mark.peer(*PACKAGES)
def test_a_call_that_is_cut_leaves_nothing_behind(tmp_path: Path) -> None:
    """One server's line goes; the other server is killed as no call should ever be."""
    script = "ppp /dev/ttyS0 & up 20\nppp /dev/ttyS1 &\nsleep 60"

    async def run() -> None:
        async with servers(tmp_path, "[]", "[]") as made:
            calling = asyncio.create_task(guest(tmp_path / "guest", [one.port for one in made], script, 70))
            slirps: list[int] = []
            await until(lambda: len(slirps) == 2 or slirps.extend(new_slirps(made, slirps)))
            made[0].hang_up()
            assert made[1].process is not None
            made[1].process.kill()
            assert await made[0].ended() == 16
            await made[1].ended()
            await until(lambda: not any(map(is_slirp, slirps)))
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)

    asyncio.run(run())
