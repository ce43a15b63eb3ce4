"""baresip (Debian baresip-core) registers, calls and is called; its audio crosses the relay."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.baresip import prepare
from tests.support.exchange_live import exchange, phone, recorded, run, sdp
from tests.support.waiting import until

from ansam.io.exchange import ExchangeServer
from ansam.pbx.settings import Service
from ansam.sip.events import CallAnswered, CallEnded, IncomingCall

pytestmark = pytest.mark.peer("baresip-core")

ACCOUNT = (
    "<sip:{number}@{host}:{port}>;auth_user={number};auth_pass=secret-{number};"
    "audio_codecs=pcma;regint=600;answermode=auto"
)


@asynccontextmanager
async def baresip(
    directory: Path, server: ExchangeServer, *commands: str, number: str = "05"
) -> AsyncIterator[None]:
    host, port = server.address("udp")
    prepare(directory, ACCOUNT.format(number=number, host=host, port=port))
    words = [word for command in commands for word in ("-e", command)]
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "baresip", "-f", str(directory), *words, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        await until(lambda: server.exchange.registrations.find(number, 0))
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def packets(sock: socket.socket, count: int) -> list[bytes]:
    async with asyncio.timeout(10):
        return [await asyncio.get_running_loop().sock_recv(sock, 2048) for _ in range(count)]


@asynccontextmanager
async def media() -> AsyncIterator[tuple[socket.socket, bytes]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        yield sock, sdp(sock.getsockname()[1])


@pytest.mark.parametrize("relay", [False, True], ids=["direct", "relay"])
def test_baresip_is_called(tmp_path: Path, relay: bool) -> None:
    async def test() -> None:
        async with (
            exchange(relay=relay) as server,
            baresip(tmp_path, server),
            phone("07", server.address("udp")) as caller,
            media() as (sock, offer),
        ):
            call = caller.call("05", offer)
            await caller.wait(CallAnswered)
            heard = await packets(sock, 20)
            assert all(len(packet) == 172 for packet in heard)
            if server.relay is not None:
                assert server.relay.forwarded >= 20
            caller.node.do(lambda agent, now: agent.bye(call, now))
            await caller.wait(CallEnded)

    run(test)


def test_baresip_calls(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            exchange() as server,
            phone("07", server.address("udp")) as callee,
            media() as (sock, answer),
        ):
            await callee.register()
            async with baresip(tmp_path, server, "/dial 07"):
                incoming = await callee.wait(IncomingCall)
                assert incoming.from_.startswith("sip:05@")
                assert incoming.display == "Name 05"
                callee.node.do(lambda agent, now: agent.answer(incoming.call, answer, now))
                await packets(sock, 20)
                callee.node.do(lambda agent, now: agent.bye(incoming.call, now))
                await callee.wait(CallEnded)

    run(test)


def test_two_telephones_talk_and_one_hears_the_echo(tmp_path: Path) -> None:
    for folder in ("05", "07", "echo"):
        (tmp_path / folder).mkdir()

    async def test() -> None:
        async with exchange(relay=True, services={"*43": Service.ECHO}) as server:
            async with baresip(tmp_path / "05", server):
                async with baresip(tmp_path / "07", server, "/dial 05", number="07"):
                    await until(lambda: server.relay is not None and server.relay.forwarded > 50)
                    (live,) = server.status().calls
                    assert (live.call.caller, live.call.answered_by) == ("07", "05")
                await until(lambda: not server.status().calls)
            async with baresip(tmp_path / "echo", server, "/dial *43"):
                await until(lambda: any(call.talking for call in server.status().calls))
                assert server.services is not None
                await until(lambda: len(server.services) == 1)  # type: ignore[arg-type]
            await until(lambda: not server.status().calls)
            talked, echoed = await recorded(server, 2)
            assert talked.from_caller is not None
            assert talked.from_caller.packets > 10
            assert (echoed.callee, echoed.answered_by, echoed.status) == ("*43", "*43", 200)

    run(test)
