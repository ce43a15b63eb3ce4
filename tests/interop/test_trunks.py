"""Trunks on the network: between two of our exchanges, to Kamailio as a provider, to sipp as a gateway."""

import asyncio
from pathlib import Path

import pytest
from tests.interop.test_exchange_kamailio import kamailio
from tests.support import exchange_sipp as scenario
from tests.support.exchange_live import exchange, free_port, phone, run, sdp
from tests.support.exchange_sipp import explain, sipp, sipp_succeeds
from tests.support.waiting import until

from ansam.io.exchange import ExchangeServer
from ansam.pbx.dialplan import DialPlan, Extension
from ansam.pbx.patterns import Rule
from ansam.pbx.records import CallRecord
from ansam.pbx.trunk_lines import TrunkState
from ansam.pbx.trunks import Trunk
from ansam.sip.events import Address, CallAnswered, CallEnded, CallFailed, IncomingCall

LIMIT = 10.0


def plan(*numbers: str, rules: tuple[Rule, ...] = (), trunks: tuple[Trunk, ...] = ()) -> DialPlan:
    people = [Extension(number, f"secret-{number}", f"Name {number}", 4) for number in numbers]
    return DialPlan(people, rules=rules, trunks=trunks)


def account(name: str, server: Address, **keys: object) -> Trunk:
    """Return a trunk that registers as 900 at `server` and leads calls for it to extension 05."""
    return Trunk(
        *(name, server[0], server[1]),
        **{"user": "900", "secret": "secret-900", "register": True} | keys,  # type: ignore[arg-type]
        dids=(Rule("900", number="05"),),
    )


async def ready(server: ExchangeServer, state: TrunkState = TrunkState.READY) -> None:
    await until(lambda: [trunk.state for trunk in server.status().trunks] == [state])


def records_of(server: ExchangeServer) -> list[CallRecord]:
    records: list[CallRecord] = []
    server._writer.call_over = records.append
    return records


@pytest.mark.parametrize(("transport", "relay"), [("udp", False), ("tcp", True)])
def test_two_exchanges_call_each_other(transport: str, relay: bool) -> None:
    async def test() -> None:
        async with exchange(plan=plan("06", "900")) as other:
            trunk = account("other", other.address(transport), transport=transport)
            ours = plan(
                "05", "07", rules=(Rule("6X", strip=1, prefix="0", trunks=("other",)),), trunks=(trunk,)
            )
            async with (
                exchange(plan=ours, relay=relay) as server,
                phone("05", server.address("udp")) as five,
                phone("07", server.address("udp")) as seven,
                phone("06", other.address("udp")) as six,
            ):
                await ready(server)
                for one in (five, seven, six):
                    await one.register()
                records = records_of(server)
                call = seven.call("66", sdp(4000))
                incoming = await six.wait(IncomingCall)
                assert incoming.from_.startswith("sip:900@")
                six.node.do(lambda agent, now: agent.answer(incoming.call, sdp(5000), now))
                await seven.wait(CallAnswered)
                seven.node.do(lambda agent, now: agent.bye(call, now))
                await six.wait(CallEnded)
                back = six.call("900", sdp(5000))
                incoming = await five.wait(IncomingCall)
                five.node.do(lambda agent, now: agent.answer(incoming.call, sdp(4000), now))
                await six.wait(CallAnswered)
                six.node.do(lambda agent, now: agent.bye(back, now))
                await five.wait(CallEnded)
                seven.call("99", sdp(4000))
                assert (await seven.wait(CallFailed)).status == 404
                assert [(r.callee, r.answered_by, r.trunk) for r in records] == [
                    ("66", "06", "other"),
                    ("900", "05", "other"),
                    ("99", "", ""),
                ]

    run(test)


def test_a_wrong_secret_is_shown_and_a_plan_read_again_mends_it() -> None:
    async def test() -> None:
        async with exchange(plan=plan("06", "900")) as other:
            trunk = account("other", other.address("udp"), secret="wrong")
            async with exchange(plan=plan("05", trunks=(trunk,))) as server:
                await ready(server, TrunkState.FAILED)
                assert server.status().trunks[0].detail.startswith("401")
                server.replace_plan(plan("05", trunks=(account("other", other.address("udp")),)))
                await ready(server)
            await until(lambda: not len(other.exchange.registrations))  # signed off

    run(test)


def test_a_trunk_that_the_plan_has_lost_is_not_looked_for() -> None:
    async def test() -> None:
        nowhere = Trunk("nowhere", "nowhere.invalid")
        async with exchange(plan=plan("05", trunks=(nowhere,))) as server:
            assert server._locator is not None
            (looking,) = server._locator._tasks.values()
            server.replace_plan(plan("05"))
            await until(looking.cancelled)

    run(test)


@pytest.mark.peer("kamailio")
def test_kamailio_as_a_provider(tmp_path: Path) -> None:
    async def test() -> None:
        async with kamailio(tmp_path, "MD5") as provider:
            trunk = account("provider", provider)
            ours = plan("05", rules=(Rule("0.", strip=1, trunks=("provider",)),), trunks=(trunk,))
            async with (
                exchange(plan=ours) as server,
                phone("05", server.address("udp")) as five,
                phone("77", provider) as customer,
            ):
                await ready(server)
                await five.register()
                await customer.register()
                call = five.call("077", sdp(4000))
                incoming = await customer.wait(IncomingCall)
                assert incoming.from_.startswith("sip:900@")
                customer.node.do(lambda agent, now: agent.answer(incoming.call, sdp(5000), now))
                assert (await five.wait(CallAnswered)).sdp == sdp(5000)
                customer.node.do(lambda agent, now: agent.bye(incoming.call, now))
                assert (await five.wait(CallEnded)).call == call
                customer.call("900", sdp(5000))
                incoming = await five.wait(IncomingCall)
                assert incoming.from_.startswith("sip:77@")
                five.node.do(lambda agent, now: agent.reject(incoming.call, 486, now))
                assert (await customer.wait(CallFailed)).status == 486

    run(test)


@pytest.mark.peer("sip-tester")
def test_sipp_as_a_gateway_without_registration(tmp_path: Path) -> None:
    async def test() -> None:
        port = free_port()
        gateway = Trunk("gateway", "127.0.0.1", port, dids=(Rule("4989X", number="05"),))
        dead = Trunk("dead", "127.0.0.1", free_port())
        ours = plan(
            "05", "07", rules=(Rule("0.", strip=1, trunks=("dead", "gateway")),), trunks=(dead, gateway)
        )
        async with (
            exchange(plan=ours) as server,
            phone("05", server.address("udp")) as five,
        ):
            await five.register()
            await until(lambda: all(one.state is TrunkState.READY for one in server.status().trunks))
            async with sipp(tmp_path, "uas", scenario.ANSWERS, server.address("udp"), port) as called:
                call = five.call("0123", sdp(4000))
                await five.wait(CallAnswered)
                five.node.do(lambda agent, now: agent.bye(call, now))
                async with asyncio.timeout(LIMIT):
                    assert await called.wait() == 0, explain(tmp_path, "uas")
            # The same machine from another port is a stranger.
            text = scenario.HEAD + scenario.send(
                scenario.request("INVITE", "0171", "49895", 1), scenario.SDP, 'retrans="500"'
            )
            refused = text + scenario.optional(100) + scenario.receive(401) + "</scenario>\n"
            await sipp_succeeds(tmp_path, "no", refused, server.address("udp"), free_port())
            ack = scenario.send(scenario.request("ACK", "0171", "49895", 1, via="[last_Via:]"))
            busy = text + scenario.optional(100, 180) + scenario.receive(486) + ack + "</scenario>\n"
            async with sipp(tmp_path, "uac", busy, server.address("udp"), port) as caller:
                incoming = await five.wait(IncomingCall)
                assert incoming.from_.startswith("sip:0171@")
                five.node.do(lambda agent, now: agent.reject(incoming.call, 486, now))
                assert await caller.wait() == 0, explain(tmp_path, "uac")

    run(test)
