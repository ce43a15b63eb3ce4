"""Callers put through to hosts and commands: octets, options, failures, sessions that outlive their line."""

import asyncio
import os
import random
from pathlib import Path

import pytest
from tests.io.test_ssh_call import ssh_host
from tests.support.bbs_live import happens, on_board
from tests.support.bridged import TOKEN, bridge, zmodem_both_ways
from tests.support.exchange_live import free_port
from tests.support.real_call import hurry
from tests.support.telnet_host import ART, BINARY, DO, ECHO, HELLO, NAWS, SGA, WILL, telnet_host

from ansam.answer.bridge import Holding
from ansam.io.answer_bridge import BridgeProcess

LOST = b"\r\nNO CARRIER\r\n"


async def test_every_octet_and_every_option(tmp_path: Path) -> None:
    async with telnet_host(tmp_path) as (host, port), on_board(bridge(f"telnet:127.0.0.1:{port}")) as caller:
        await caller.says(HELLO)
        await happens(lambda: len(host.sessions[0].told) == 4)
        caller.types(b"art")
        assert (await caller.says(ART)).endswith(ART)
        assert {(WILL, BINARY), (DO, BINARY), (DO, ECHO), (DO, SGA), (WILL, NAWS)} <= host.sessions[0].agreed
        told = host.sessions[0].told
        assert told[24] == b"\0VT102"
        assert told[31] == bytes((0, 80, 0, 24))
        assert told[32] == b"\0" + b"57600,57600"
        assert told[39] == b"\0\3CALLER_ID\1none\3CONNECT\1" + b"115200/ARQ/V34/LAPM/V42BIS"
        noise = random.Random(3).randbytes(3000).translate(None, b"\r\x11\x13")
        os.write(caller.fd, b"x" + noise)
        await happens(lambda: host.sessions[0].data.endswith(noise))
        os.write(caller.fd, b"\rbye\r")
        await caller.says(b"ATQ0V1H0\r")  # the line is set up for the next caller


async def test_raw_connections_and_rlogin(tmp_path: Path) -> None:
    got: list[bytes] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not got:
            got.append(b"".join([await reader.readuntil(b"\0") for _ in range(4)]))
        writer.write(b"\0\xff\0hello")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with on_board(bridge(f"rlogin:ali:sesame@127.0.0.1:{port};term=ansi-bbs")) as caller:
        assert (await caller.says(b"hello")).endswith(b"\xff\0hello")
        assert got == [b"\0sesame\0ali\0ansi-bbs/57600\0"]
    async with on_board(bridge(f"tcp:127.0.0.1:{port}")) as caller:
        assert (await caller.says(b"hello")).endswith(b"\0\xff\0hello")
    server.close()


async def test_a_shell_by_ssh(tmp_path: Path) -> None:
    async with ssh_host(tmp_path) as port:
        where = f"127.0.0.1:{port};verify=no;term=vt52"
        async with on_board(bridge(f"ssh:joe:secret@{where}")) as caller:
            await caller.says(b"Welcome vt52\r\n")
            caller.types(b"hello")
            await caller.says(b"HELLO\r")
        async with on_board(bridge(f"ssh:joe:wrong@{where}")) as caller:
            await caller.says(b"does not answer now")
            await caller.says(b"ATQ0V1H0\r")


async def test_a_host_that_is_not_there() -> None:
    port = free_port()
    async with on_board(bridge(f"telnet:127.0.0.1:{port}")) as caller:
        said = await caller.says(b"ATQ0V1H0\r")
        assert b"does not answer now. Please call again later.\r\n" in said
        assert b"127.0.0.1" not in said


async def test_a_host_slower_than_the_idle_time_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, given_up = asyncio.Event(), list[BridgeProcess]()
    connect = BridgeProcess._connect

    async def slowly(bridge: BridgeProcess) -> None:
        try:
            await answers.wait()
        except asyncio.CancelledError:
            given_up.append(bridge)
            raise
        await connect(bridge)

    monkeypatch.setattr(BridgeProcess, "_connect", slowly)
    async with (
        telnet_host(tmp_path) as (host, port),
        on_board(bridge(f"telnet:127.0.0.1:{port};idle=1")) as caller,
    ):
        await caller.says(b"Nothing typed or shown for 1 seconds. Goodbye.\r\n")
        answers.set()
        said = await caller.says(b"ATQ0V1H0\r")
        assert HELLO not in said
        assert host.sessions == []
        assert len(given_up) == 1


async def test_a_command_knows_who_calls() -> None:
    command = "/bin/sh -c 'echo $TERM/$CALLER_ID/$CONNECT/$SPEED; read x; echo got $x'"
    async with on_board(bridge(f"command:{command};term=ansi")) as caller:
        await caller.says(b"ansi/none/115200/ARQ/V34/LAPM/V42BIS/57600\r\n")
        caller.types(b"it")
        await caller.says(b"got it\r\n")
        await caller.says(b"ATQ0V1H0\r")


async def test_carrier_lost_ends_the_connection(tmp_path: Path) -> None:
    async with telnet_host(tmp_path) as (host, port), on_board(bridge(f"telnet:127.0.0.1:{port}")) as caller:
        await caller.says(HELLO)
        os.write(caller.fd, LOST)
        await happens(lambda: host.sessions[0].reader.at_eof())


@pytest.mark.parametrize("kind", ["telnet", "command"])
async def test_a_session_outlives_its_line(kind: str, tmp_path: Path) -> None:
    holding = Holding()
    async with telnet_host(tmp_path) as (host, port):
        counts = "i=0; while [ $i -lt 9999 ]; do i=$((i+1)); echo tick $i; sleep 0.02; done"
        where = {"telnet": f"telnet:127.0.0.1:{port}", "command": f"command:/bin/sh -c '{counts}'"}[kind]
        spot = bridge(f"{where};hold=60", holding)
        async with on_board(spot, "07") as caller:
            await caller.says(b"your token is " + TOKEN.encode())
            if kind == "telnet":
                await caller.says(HELLO)
                caller.types(b"count")
            await caller.says(b"tick 3\r\n")
            os.write(caller.fd, LOST)
            await caller.says(b"ATQ0V1H0\r")
            await caller.answers("07")
            await caller.says(b"Token (Enter: a new session): ")
            caller.types(b"ABCD-2346")
            await caller.says(b"not its token")
            await caller.says(b"new session): ")
            await asyncio.sleep(0.2)
            caller.types(TOKEN.lower().encode())
            seen = await caller.says(b"tick 30\r\n")
            # What was shown when the line broke, and all since: nothing is missing in between.
            numbers = [int(word.split()[0]) for word in seen.decode().split("tick ")[1:]]
            assert numbers == list(range(numbers[0], 31))
            assert numbers[0] <= 4
            if kind == "telnet":
                assert len(host.sessions) == 1
                caller.types(b"bye")
                await caller.says(b"ATQ0V1H0\r")


async def test_a_session_nobody_comes_back_to(tmp_path: Path) -> None:
    holding = Holding()
    async with telnet_host(tmp_path) as (host, port):
        spot = bridge(f"telnet:127.0.0.1:{port};hold=1", holding)
        async with on_board(spot, "07") as caller:
            await caller.says(HELLO)
            os.write(caller.fd, LOST)
            await caller.says(b"ATQ0V1H0\r")
            await happens(lambda: not holding.awaits("07"))
            await happens(lambda: host.sessions[0].reader.at_eof())
            await caller.answers("07")
            await caller.says(HELLO)
            assert len(host.sessions) == 2


@pytest.mark.peer("lrzsz")
async def test_zmodem_through_modems_and_bridge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    await zmodem_both_ways(tmp_path, 6000, 50)
