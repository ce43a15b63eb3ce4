"""Trunks over TLS: to an exchange of ours, to Kamailio as a provider; certificates that prove nothing."""

import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.interop.test_kamailio_tls import kamailio
from tests.interop.test_lines_exchange import certificate
from tests.interop.test_trunks import account, plan, ready
from tests.support.exchange_live import Phone, exchange, free_port, phone, run, sdp
from tests.support.waiting import until

from ansam.config.settings import ExchangeConfig, Listen
from ansam.io.exchange import ExchangeServer
from ansam.pbx.patterns import Rule
from ansam.pbx.settings import ExchangeSettings
from ansam.pbx.trunk_lines import TrunkState
from ansam.sip.events import CallAnswered, CallEnded, IncomingCall

OUT = (Rule("6X", strip=1, prefix="0", trunks=("other",)),)


@asynccontextmanager
async def secured(directory: Path) -> AsyncIterator[ExchangeServer]:
    """An exchange with extensions 06 and 900 that listens on TLS too."""
    files = certificate(directory, "127.0.0.1")
    listen = (Listen("udp", "127.0.0.1", 0), Listen("tls", "127.0.0.1", 0))
    config = ExchangeConfig(ExchangeSettings(), listen, "sqlite://", (20000, 29999), *files)
    server = ExchangeServer(config, plan("06", "900"), random.Random(7))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def call_and_end(caller: Phone, number: str, callee: Phone) -> IncomingCall:
    call = caller.call(number, sdp(4000))
    incoming: IncomingCall = await callee.wait(IncomingCall)
    callee.node.do(lambda agent, now: agent.answer(incoming.call, sdp(5000), now))
    assert (await caller.wait(CallAnswered)).sdp == sdp(5000)
    caller.node.do(lambda agent, now: agent.bye(call, now))
    await callee.wait(CallEnded)
    return incoming


@pytest.mark.parametrize("verify", [True, False])
def test_calls_both_ways_between_two_exchanges(verify: bool, tmp_path: Path) -> None:
    async def test() -> None:
        async with secured(tmp_path) as other:
            ca = str(tmp_path / "cert.pem") if verify else ""
            trunk = account("other", other.address("tls"), transport="tls", ca=ca, verify=verify)
            # Ours has no certificate and does not listen on TLS: all goes over the connection it opens.
            async with (
                exchange(plan=plan("05", "07", rules=OUT, trunks=(trunk,))) as server,
                phone("05", server.address("udp")) as five,
                phone("07", server.address("udp")) as seven,
                phone("06", other.address("udp")) as six,
            ):
                await ready(server)
                for one in (five, seven, six):
                    await one.register()
                (place,) = other.exchange.registrations.find("900", other.now())
                assert place.flow.transport == "tls"
                assert (await call_and_end(seven, "66", six)).from_.startswith("sip:900@")
                await call_and_end(six, "900", five)

    run(test)


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    async def test() -> None:
        async with secured(tmp_path) as other:
            trunk = account("other", other.address("tls"), transport="tls")
            async with exchange(plan=plan("05", trunks=(trunk,))) as server:
                await ready(server, TrunkState.FAILED)
                assert "certificate: self-signed certificate" in server.status().trunks[0].detail
                trunk = replace(trunk, ca="/none")
                server.replace_plan(plan("05", trunks=(trunk,)))
                await until(lambda: "certificates /none: No such file" in server.status().trunks[0].detail)

    run(test)


@pytest.mark.peer("kamailio", "kamailio-tls-modules")
def test_kamailio_as_a_provider(tmp_path: Path) -> None:
    async def test() -> None:
        plain = free_port(socket.SOCK_STREAM)
        async with kamailio(tmp_path, plain) as provider:
            trunk = account("provider", provider, transport="tls", ca=str(tmp_path / "cert.pem"))
            ours = plan("05", rules=(Rule("0.", strip=1, trunks=("provider",)),), trunks=(trunk,))
            async with (
                exchange(plan=ours) as server,
                phone("05", server.address("udp")) as five,
                phone("77", ("127.0.0.1", plain)) as customer,
            ):
                await ready(server)
                await five.register()
                await customer.register()
                await call_and_end(five, "077", customer)
                assert (await call_and_end(customer, "900", five)).from_.startswith("sip:77@")

    run(test)
