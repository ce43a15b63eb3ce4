"""The sockets of a SIP user agent: how many connections, and which, it takes from strangers."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ansam.io.sip import SipNode
from ansam.sip.events import Address, Event
from ansam.sip.ua import UserAgent, UserAgentConfig

OPTIONS = (
    b"OPTIONS sip:05@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1\r\n"
    b"From: <sip:a@b>;tag=1\r\nTo: <sip:05@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[SipNode, Address]]:
    events: list[Event] = []
    node = SipNode(UserAgent(UserAgentConfig(user="05"), random.Random(1)), events.append)
    address = await node.open_tcp("127.0.0.1")
    try:
        yield node, address
    finally:
        await node.close()


async def connect(
    address: Address, host: str = "127.0.0.1"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*address, local_addr=(host, 0))


async def closed(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(5):
            return not await reader.read(1)
    except ConnectionResetError:
        return True


async def test_one_address_gets_only_so_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.sip.MAX_FROM_SOURCE", 3)
    async with listening() as (node, address):
        held = [await connect(address) for _ in range(3)]
        other = await connect(address, "127.0.0.2")
        reader, writer = await connect(address)
        assert await closed(reader)
        for stream in (held[0], other):
            stream[1].write(OPTIONS)
            assert (await stream[0].readline()).startswith(b"SIP/2.0 200")
        held[0][1].close()
        while len(node._accepted) > 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
        again = await connect(address)
        again[1].write(OPTIONS.replace(b"Call-ID: 1", b"Call-ID: 2").replace(b"bK1", b"bK2"))
        assert (await again[0].readline()).startswith(b"SIP/2.0 200")
        for _, one in (*held, other, again, (reader, writer)):
            one.close()


async def test_all_addresses_together_get_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.sip.MAX_CONNECTIONS", 2)
    async with listening() as (_, address):
        held = [await connect(address, f"127.0.0.{k}") for k in (1, 2)]
        reader, writer = await connect(address, "127.0.0.3")
        assert await closed(reader)
        for _, one in (*held, (reader, writer)):
            one.close()


async def test_who_says_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.sip_connection.SILENT_TIMEOUT", 0.2)
    async with listening() as (node, address):
        (mute, m), (speaking, s) = [await connect(address) for _ in range(2)]
        s.write(b"\r\n\r\n")
        assert await speaking.read(2) == b"\r\n"
        assert await closed(mute)
        assert len(node._accepted) == 1
        s.write(OPTIONS)
        assert (await speaking.readline()).startswith(b"SIP/2.0 200")
        m.close()
        s.close()
