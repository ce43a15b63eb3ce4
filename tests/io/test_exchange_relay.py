"""The relay's sockets on loopback."""

import asyncio
import socket

from tests.support.exchange_live import free_port
from tests.support.waiting import until

from ansam.io.exchange_relay import SocketRelay
from ansam.pbx.media import Side

PACKET = bytes([0x80, 8, 0, 1]) + bytes(168)


def end() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    return sock


async def hears(sock: socket.socket) -> bytes:
    async with asyncio.timeout(10):
        return await asyncio.get_running_loop().sock_recv(sock, 2048)


async def test_a_callee_elsewhere_leaves_the_caller_its_port() -> None:
    first = free_port()
    relay = SocketRelay(first, first + 20)
    with end() as caller, end() as callee:
        ports = relay.open("127.0.0.1", "127.0.0.1")
        assert ports is not None
        relay.aim(ports, Side.CALLER, caller.getsockname())
        moved = relay.move(ports, "127.0.0.2")
        assert moved is not None
        assert (moved.caller, moved.callee[0]) == (ports.caller, "127.0.0.2")
        assert len(relay) == 1
        relay.aim(moved, Side.CALLEE, callee.getsockname())
        caller.sendto(PACKET, moved.caller)
        assert await hears(callee) == PACKET
        callee.sendto(PACKET, moved.callee)
        assert await hears(caller) == PACKET
        counted = relay.close(moved)
        assert counted is not None
        assert [one.packets for one in counted] == [1, 1]
    assert len(relay) == 0


async def test_an_end_on_hold_is_sent_nothing() -> None:
    first = free_port()
    relay = SocketRelay(first, first + 20)
    with end() as caller:
        ports = relay.open("127.0.0.1", "127.0.0.1")
        assert ports is not None
        relay.aim(ports, Side.CALLER, caller.getsockname())
        relay.aim(ports, Side.CALLEE, ("0.0.0.0", 4000))
        caller.sendto(PACKET, ports.caller)
        await until(lambda: relay.dropped)
        assert relay.forwarded == 0
    relay.close_all()
