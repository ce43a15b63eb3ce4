"""Kamailio (Debian kamailio) in the exchange's place: our telephones register there and call each other."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.exchange_live import free_port, phone, run, sdp

from ansam.sip.events import (
    Address,
    CallAnswered,
    CallEnded,
    CallFailed,
    Cancelled,
    IncomingCall,
    Reinvite,
    ReinviteFailed,
)

pytestmark = pytest.mark.peer("kamailio")

CONFIG = """
#!KAMAILIO
debug=0
log_stderror=yes
children=1
disable_tcp=no
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "textops.so"
modparam("usrloc", "db_mode", 0)
modparam("rr", "enable_full_lr", 1)
modparam("registrar", "use_path", 0)
modparam("auth", "algorithm", "{algorithm}")
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK") && t_check_trans()) {{ t_relay(); }}
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("ansam", "secret-$tU", "0")) {{ www_challenge("ansam", "1"); exit; }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("ansam", "secret-$fU", "0")) {{ proxy_challenge("ansam", "1"); exit; }}
        consume_credentials();
        record_route();
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
        t_relay();
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""


@asynccontextmanager
async def kamailio(directory: Path, algorithm: str) -> AsyncIterator[Address]:
    port = free_port(socket.SOCK_STREAM)
    config = directory / "kamailio.cfg"
    config.write_text(CONFIG.format(port=port, algorithm=algorithm).lstrip())
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "kamailio", "-f", str(config), "-DD", "-E", "-m", "32", "-M", "4",
            "-Y", str(directory), "-P", str(directory / "pid"), "-w", str(directory),
            stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        await until_listening(port, process, directory)
        yield "127.0.0.1", port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def until_listening(port: int, process: asyncio.subprocess.Process, directory: Path) -> None:
    async with asyncio.timeout(15):
        while True:
            assert process.returncode is None, (directory / "log").read_text()[-3000:]
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_our_telephones_call_each_other(tmp_path: Path, algorithm: str) -> None:
    async def test() -> None:
        async with (
            kamailio(tmp_path, algorithm) as registrar,
            phone("07", registrar) as caller,
            phone("05", registrar) as callee,
        ):
            await caller.register()
            await callee.register()
            call = caller.call("05", sdp(4000))
            incoming = await callee.wait(IncomingCall)
            assert incoming.sdp == sdp(4000)
            callee.node.do(lambda agent, now: agent.ringing(incoming.call, now))
            callee.node.do(lambda agent, now: agent.answer(incoming.call, sdp(5000), now))
            assert (await caller.wait(CallAnswered)).sdp == sdp(5000)
            fax = sdp(4000).replace(b"m=audio 4000 RTP/AVP 8", b"m=image 4000 udptl t38")
            callee.node.do(lambda agent, now: agent.reinvite(incoming.call, fax, now))
            asked = await caller.wait(Reinvite)
            caller.node.do(lambda agent, now: agent.reject_reinvite(asked.call, now, 488))
            assert (await callee.wait(ReinviteFailed)).status == 488
            caller.node.do(lambda agent, now: agent.bye(call, now))
            await callee.wait(CallEnded)

    run(test)


def test_busy_cancel_and_unknown_number(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            kamailio(tmp_path, "MD5") as registrar,
            phone("07", registrar) as caller,
            phone("05", registrar) as callee,
        ):
            await callee.register()
            caller.call("05", sdp(4000))
            incoming = await callee.wait(IncomingCall)
            callee.node.do(lambda agent, now: agent.reject(incoming.call, 486, now))
            assert (await caller.wait(CallFailed)).status == 486
            call = caller.call("05", sdp(4000))
            again = await callee.wait(IncomingCall)
            callee.node.do(lambda agent, now: agent.ringing(again.call, now))
            caller.node.do(lambda agent, now: agent.cancel(call, now))
            assert (await callee.wait(Cancelled)).call == again.call
            assert (await caller.wait(CallFailed)).status == 487
            caller.call("99", sdp(4000))
            assert (await caller.wait(CallFailed)).status == 404

    run(test)
