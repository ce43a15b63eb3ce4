"""Our own telephones at the exchange over real UDP and TCP: SHA-256, the relay, restarts."""

import asyncio
import contextlib
import os
import socket
import statistics
import time
from pathlib import Path

import pytest
from tests.support.exchange_live import Phone, exchange, phone, run, sdp
from tests.support.waiting import until

from ansam.config.settings import ExchangeConfig, Listen
from ansam.errors import ResourceError
from ansam.io.exchange import ExchangeServer
from ansam.io.exchange_store import ExchangeStore
from ansam.pbx.dialplan import DialPlan, Extension
from ansam.sip.events import Address, CallAnswered, CallEnded, CallFailed, IncomingCall, RegistrationFailed


async def answered(caller: Phone, callee: Phone, offer: bytes, answer: bytes) -> tuple:
    call = caller.call(callee.number, offer)
    incoming = await callee.wait(IncomingCall)
    callee.node.do(lambda agent, now: agent.answer(incoming.call, answer, now))
    return call, incoming, await caller.wait(CallAnswered)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("digest", [("MD5",), ("SHA-256",), ("SHA-256", "MD5")], ids=str)
def test_register_and_call(transport: str, digest: tuple[str, ...]) -> None:
    async def test() -> None:
        async with (
            exchange(algorithms=digest) as server,
            phone("07", server.address(transport), transport=transport) as caller,
            phone("05", server.address(transport), transport=transport) as callee,
        ):
            await caller.register()
            await callee.register()
            call, incoming, done = await answered(caller, callee, sdp(4000), sdp(5000))
            assert (incoming.sdp, done.sdp) == (sdp(4000), sdp(5000))
            caller.node.do(lambda agent, now: agent.bye(call, now))
            await callee.wait(CallEnded)
            await caller.wait(CallEnded)

    run(test)


def test_udp_calls_tcp() -> None:
    async def test() -> None:
        async with (
            exchange() as server,
            phone("07", server.address("udp")) as caller,
            phone("05", server.address("tcp"), transport="tcp") as callee,
        ):
            await callee.register()
            call, _, _ = await answered(caller, callee, sdp(4000), sdp(5000))
            caller.node.do(lambda agent, now: agent.bye(call, now))
            await callee.wait(CallEnded)

    run(test)


def test_a_wrong_secret() -> None:
    async def test() -> None:
        async with exchange() as server, phone("07", server.address("udp"), secret="guess") as thief:
            thief.start_register()
            assert (await thief.wait(RegistrationFailed)).status in (401, 403)
            thief.call("05", sdp(4000))
            assert (await thief.wait(CallFailed)).status in (401, 403)

    run(test)


def test_the_relay_carries_every_octet_unchanged() -> None:
    async def receive(sock: socket.socket) -> bytes:
        async with asyncio.timeout(5):
            return await asyncio.get_running_loop().sock_recv(sock, 4096)

    async def test() -> None:
        ends = []
        for _ in range(2):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
            ends.append(sock)
        async with (
            exchange(relay=True) as server,
            phone("07", server.address("udp")) as caller,
            phone("05", server.address("udp")) as callee,
        ):
            await callee.register()
            ports = [sock.getsockname()[1] for sock in ends]
            call, incoming, done = await answered(caller, callee, sdp(ports[0]), sdp(ports[1]))
            targets = []
            for seen, own in ((done.sdp, ports[0]), (incoming.sdp, ports[1])):
                line = next(line for line in seen.splitlines() if line.startswith(b"m="))
                port = int(line.split()[1])
                assert port not in ports
                assert seen.replace(b"%d RTP" % port, b"%d RTP" % (sum(ports) - own)) == sdp(sum(ports) - own)
                targets.append(port)
            for _ in range(200):
                for near, far, target in ((0, 1, targets[0]), (1, 0, targets[1])):
                    packet = os.urandom(172)
                    ends[near].sendto(packet, ("127.0.0.1", target))
                    assert await receive(ends[far]) == packet
            assert server.relay is not None
            assert server.relay.forwarded == 400
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.sendto(b"x" * 172, ("127.0.0.1", targets[0]))
                ends[0].sendto(b"y" * 172, ("127.0.0.1", targets[0]))
                assert await receive(ends[1]) == b"y" * 172
            assert server.relay.dropped == 1
            caller.node.do(lambda agent, now: agent.bye(call, now))
            await callee.wait(CallEnded)
            assert len(server.relay) == 0
        for sock in ends:
            sock.close()

    run(test)


def test_registrations_and_records_outlive_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "run" / "exchange.sqlite")

    async def test() -> None:
        async with exchange(database) as server, phone("05", server.address("udp")) as callee:
            await callee.register()
            listen = server.listening
            async with phone("07", server.address("udp")) as caller:
                caller.call("99", sdp(4000))
                await caller.wait(CallFailed)
            await server.stop()
            again = ExchangeServer(
                ExchangeConfig(listen=listen, database=database),
                DialPlan([Extension("05", "secret-05"), Extension("07", "secret-07")]),
            )
            await again.start()
            try:
                async with phone("07", again.address("udp")) as caller:
                    call, _, _ = await answered(caller, callee, sdp(4000), sdp(5000))
                    callee.events.clear()
                    caller.node.do(lambda agent, now: agent.bye(call, now))
                    await callee.wait(CallEnded)
            finally:
                await again.stop()

    run(test)
    store = ExchangeStore(database, create=False)
    first, second = store.calls(10)
    store.close()
    assert (first.caller, first.callee, first.status, first.answered) == ("07", "99", 404, None)
    assert (second.callee, second.status, second.cause) == ("05", 200, "caller hung up")
    assert 0 <= second.duration < 10


def test_a_lost_tcp_connection_behind_no_nat_is_opened_anew() -> None:
    async def test() -> None:
        async with (
            exchange() as server,
            phone("07", server.address("udp")) as caller,
            phone("05", server.address("tcp"), transport="tcp") as callee,
        ):
            await callee.register()
            (connection,) = callee.node._connections.values()
            connection.abort()
            await until(
                lambda: all(b.flow.remote == callee.flow.local for b in server.exchange.registrations)
            )
            await answered(caller, callee, sdp(4000), sdp(5000))

    run(test)


def test_a_port_in_use_is_named() -> None:
    async def test() -> None:
        async with exchange() as server:
            for transport in ("udp", "tcp"):
                taken = Listen("tcp" if transport == "tcp" else "udp", *server.address(transport))
                other = ExchangeServer(ExchangeConfig(listen=(taken,), database="sqlite://"), DialPlan([]))
                with pytest.raises(
                    ResourceError, match=rf"127.0.0.1:{taken.port}: address already in use \("
                ):
                    await other.start()

    run(test)


def test_guessing_at_200_a_second_does_not_delay_calls() -> None:
    """Three seconds of it from 127.0.0.2; the telephones are at 127.0.0.1."""

    async def attack(target: Address) -> None:
        challenged: list[bytes] = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.2", 0))
            sock.setblocking(False)
            host, port = sock.getsockname()
            for number in range(600):
                with contextlib.suppress(BlockingIOError):
                    challenged.append(sock.recv(4000).partition(b'nonce="')[2].partition(b'"')[0])
                proof = b""
                if challenged and challenged[-1]:
                    proof = (
                        b'Authorization: Digest username="05", realm="ansam", nonce="%s", uri="sip:x", '
                        % challenged.pop()
                    )
                    proof += b'response="%032x"\r\n' % number
                sock.sendto(
                    b"REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=z9hG4bK%d\r\n"
                    b"From: <sip:05@x>;tag=1\r\n"
                    b"To: <sip:05@x>\r\nCall-ID: %d\r\nCSeq: 1 REGISTER\r\n%sContent-Length: 0\r\n\r\n"
                    % (host.encode(), port, number, number, proof),
                    target,
                )
                await asyncio.sleep(0.005)

    async def test() -> None:
        async with exchange() as server:
            address = server.address("udp")
            async with phone("05", address) as callee, phone("07", address) as caller:
                await callee.register()
                await caller.register()
                attacking = asyncio.create_task(attack(address))
                waits = []
                while not attacking.done():
                    began = time.monotonic()
                    call = caller.call("05", sdp(4000))
                    incoming = await callee.wait(IncomingCall)
                    callee.node.do(lambda agent, now, c=incoming.call: agent.answer(c, sdp(5000), now))
                    await caller.wait(CallAnswered)
                    waits.append(time.monotonic() - began)
                    caller.node.do(lambda agent, now, c=call: agent.bye(c, now))
                    await callee.wait(CallEnded)
                    await asyncio.sleep(0.05)
                await attacking
            # A busy machine may stall once; an exchange under siege would always be slow.
            assert len(waits) >= 5
            assert statistics.median(waits) < 0.3
            assert server.exchange.guard.refused > 300

    run(test)


def test_a_storm_of_registrations_is_few_transactions(tmp_path: Path) -> None:
    async def test() -> None:
        async with exchange(str(tmp_path / "db.sqlite")) as server, phone("05", server.address("udp")) as one:
            writes = []
            write = server._store.write
            server._store.write = lambda *batch: (writes.append(batch), write(*batch))
            for _ in range(200):
                one.start_register()
            await until(lambda: len(one.events) == 200)
            await server.stop()
            assert 1 <= len(writes) < 100

    run(test)
