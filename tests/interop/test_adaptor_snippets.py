"""The extensions we write for Kamailio and baresip work in Kamailio and baresip."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.baresip import prepare
from tests.support.exchange_live import exchange, free_port, phone, run, sdp

from ansam.adaptor.snippets import Line, baresip, kamailio
from ansam.sip.events import CallAnswered, CallEnded, CallFailed, IncomingCall


@asynccontextmanager
async def running(directory: Path, *words: str) -> AsyncIterator[None]:
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@pytest.mark.peer("baresip-core")
def test_baresip_registers_and_takes_one_law_only(tmp_path: Path) -> None:
    async def test() -> None:
        async with exchange() as server, phone("07", server.address("udp")) as caller:
            host, port = server.address("udp")
            account = baresip(Line("05", "secret-05", "Dial-up", host, port)).rstrip()
            prepare(tmp_path, f"{account};answermode=auto")
            async with running(tmp_path, "baresip", "-f", str(tmp_path)), asyncio.timeout(20):
                while not server.exchange.registrations.find("05", 0):  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.02)
                caller.call("05", sdp(4000).replace(b"AVP 8", b"AVP 0").replace(b"8 PCMA", b"0 PCMU"))
                assert (await caller.wait(CallFailed)).status == 488
                call = caller.call("05", sdp(4000))
                answered = await caller.wait(CallAnswered)
                assert b"PCMA/8000" in answered.sdp
                assert b"PCMU" not in answered.sdp
                caller.node.do(lambda agent, now: agent.bye(call, now))
                await caller.wait(CallEnded)

    run(test)


@pytest.mark.peer("kamailio")
def test_kamailio_registers_and_routes(tmp_path: Path) -> None:
    async def test() -> None:
        port = free_port(socket.SOCK_STREAM)
        text = kamailio(Line("05", "secret-05", port=port))
        more = '    $sht(secrets=>07) = "secret-07";\n}'
        (tmp_path / "kamailio.cfg").write_text(text.replace("}", more, 1))
        words = (
            *(
                shutil.which("kamailio") or "/usr/sbin/kamailio",
                "-f",
                str(tmp_path / "kamailio.cfg"),
                "-DD",
                "-E",
            ),
            *("-m", "32", "-M", "4", "-Y", str(tmp_path), "-P", str(tmp_path / "pid"), "-w", str(tmp_path)),
        )
        async with running(tmp_path, *words), asyncio.timeout(30):
            await listening(port)
            registrar = ("127.0.0.1", port)
            async with phone("05", registrar) as callee, phone("07", registrar) as caller:
                await callee.register()
                caller.call("05", sdp(4000))
                await callee.wait(IncomingCall)
                caller.call("09", sdp(4000))
                assert (await caller.wait(CallFailed)).status == 404
            async with phone("06", registrar) as stranger:
                stranger.call("05", sdp(4000))
                assert (await stranger.wait(CallFailed)).status == 403

    run(test)


async def listening(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
