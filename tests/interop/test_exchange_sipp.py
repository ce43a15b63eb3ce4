"""sipp (Debian sip-tester) registers with the exchange and calls through it, over real UDP."""

import asyncio
from pathlib import Path

import pytest
from tests.support import exchange_sipp as scenario
from tests.support.exchange_live import exchange, free_port, run
from tests.support.exchange_sipp import explain, sipp, sipp_succeeds

from ansam.pbx.records import CallRecord, Cause

pytestmark = pytest.mark.peer("sip-tester")

CALLER = ("07", "secret-07")


def watch(server) -> list[CallRecord]:
    """Collect the call records of a running exchange."""
    records: list[CallRecord] = []
    server._writer.call_over = records.append
    return records


def test_register_and_wrong_secret(tmp_path: Path) -> None:
    async def test() -> None:
        async with exchange() as server:
            address = server.address("udp")
            port = free_port()
            await sipp_succeeds(tmp_path, "good", scenario.register("05", "secret-05"), address, port)
            (binding,) = server.exchange.registrations
            assert binding.flow.remote == ("127.0.0.1", port)
            await sipp_succeeds(tmp_path, "bad", scenario.register("06", "x", 401), address, free_port())
            await sipp_succeeds(tmp_path, "none", scenario.register("99", "x", 401), address, free_port())
            assert len(server.exchange.registrations) == 1

    run(test)


@pytest.mark.parametrize(
    ("callee", "call", "cause", "status"),
    [
        (scenario.ANSWERS, scenario.call_answered(*CALLER, "05"), Cause.CALLER_HUNG_UP, 200),
        (scenario.BUSY, scenario.call_refused(*CALLER, "05", 486), Cause.BUSY, 486),
        (scenario.RINGS_ON, scenario.call_cancelled(*CALLER, "05"), Cause.CANCELLED, 487),
        (scenario.RINGS_ON, scenario.call_refused(*CALLER, "05", 408), Cause.NO_ANSWER, 408),
    ],
    ids=["answered", "busy", "cancelled", "no answer"],
)
def test_sipp_calls_sipp(tmp_path: Path, callee: str, call: str, cause: Cause, status: int) -> None:
    async def test() -> None:
        async with exchange(ring_seconds=1.5) as server:
            address, port = server.address("udp"), free_port()
            records = watch(server)
            await sipp_succeeds(tmp_path, "reg", scenario.register("05", "secret-05"), address, port)
            async with sipp(tmp_path, "uas", callee, address, port) as called:
                await sipp_succeeds(tmp_path, "uac", call, address, free_port())
                async with asyncio.timeout(10):
                    assert await called.wait() == 0, explain(tmp_path, "uas")
            assert [(record.cause, record.status) for record in records] == [(cause, status)]
            assert server.exchange.calls_up == 0

    run(test)


@pytest.mark.parametrize(
    ("user", "secret", "dialled", "status"),
    [("07", "secret-07", "99", 404), ("07", "secret-07", "06", 480), ("07", "guess", "05", 401)],
    ids=["unknown number", "not registered", "wrong secret"],
)
def test_sipp_is_refused(tmp_path: Path, user: str, secret: str, dialled: str, status: int) -> None:
    async def test() -> None:
        async with exchange() as server:
            call = scenario.call_refused(user, secret, dialled, status)
            await sipp_succeeds(tmp_path, "uac", call, server.address("udp"), free_port())

    run(test)
