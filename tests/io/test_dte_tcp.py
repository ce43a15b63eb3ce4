import asyncio
import random

import pytest
from tests.support.dte_port import FakePort

from ansam.dte.port_url import PortUrl
from ansam.errors import ResourceError
from ansam.io.dte_socket import SocketDte


async def test_connection_is_dtr_and_a_second_one_is_busy() -> None:
    port = FakePort()
    dte = SocketDte(PortUrl("tcp", address=("127.0.0.1", 0)))
    await dte.open(port)
    assert dte.name == f"tcp:127.0.0.1:{dte.address[1]}"
    reader, writer = await asyncio.open_connection(*dte.address)
    writer.write(b"ATZ\r")
    await port.until(lambda: port.received == b"ATZ\r")
    busy, busy_writer = await asyncio.open_connection(*dte.address)
    assert await busy.read() == b"\r\nBUSY\r\n"
    busy_writer.close()
    port.to_give = b"OK\r\n"
    dte.output_ready()
    assert await reader.readexactly(4) == b"OK\r\n"
    assert port.dtr == [False, True]
    writer.close()
    await port.until(lambda: port.dtr == [False, True, False])
    _, again = await asyncio.open_connection(*dte.address)
    await port.until(lambda: port.dtr[-1])
    again.close()
    await port.until(lambda: not port.dtr[-1])
    port.to_give = b"RING"
    dte.output_ready()
    assert port.to_give == b""
    await dte.close()


async def test_no_byte_is_lost_with_slow_sides() -> None:
    rng = random.Random(7)
    port = FakePort(room=0)
    dte = SocketDte(PortUrl("tcp", address=("127.0.0.1", 0)))
    await dte.open(port)
    reader, writer = await asyncio.open_connection(*dte.address, limit=512)
    up, down = rng.randbytes(300_000), rng.randbytes(300_000)
    port.to_give = down
    writer.write(up)
    read = b""
    async with asyncio.timeout(20):
        while len(port.received) < len(up) or len(read) < len(down):
            port.room = rng.randint(1, 5000)
            dte.resume()
            dte.output_ready()
            if len(read) < len(down):
                read += await reader.read(rng.choice((1, 300, 9000)))
            else:
                await asyncio.sleep(0)
    assert port.received == up
    assert read == down
    writer.close()
    await port.until(lambda: not port.dtr[-1])
    await dte.close()


async def test_port_in_use() -> None:
    first = SocketDte(PortUrl("tcp", address=("127.0.0.1", 0)))
    await first.open(FakePort())
    with pytest.raises(ResourceError, match=f"DTE over tcp on 127.0.0.1:{first.address[1]}: address already"):
        await SocketDte(PortUrl("tcp", address=first.address)).open(FakePort())
    await first.close()


async def test_close_drops_the_client() -> None:
    dte = SocketDte(PortUrl("tcp", address=("127.0.0.1", 0)))
    port = FakePort()
    await dte.open(port)
    reader, writer = await asyncio.open_connection(*dte.address)
    await port.until(lambda: port.dtr[-1])
    await dte.close()
    assert await reader.read() == b""
    writer.close()
