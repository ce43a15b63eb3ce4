"""Kamailio (Debian kamailio) in the exchange's place: our telephones register there and call each other."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.exchange_live import free_port, phone, run, sdp
from tests.support.kamailio import CONFIG, running

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


@asynccontextmanager
async def kamailio(directory: Path, algorithm: str) -> AsyncIterator[Address]:
    port = free_port(socket.SOCK_STREAM)
    async with running(CONFIG.format(port=port, algorithm=algorithm), port, directory):
        yield "127.0.0.1", port


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
