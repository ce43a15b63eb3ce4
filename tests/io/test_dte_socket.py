# ruff: noqa: ASYNC110, ASYNC240
import asyncio
import contextlib
import random
import time
from pathlib import Path

import pytest
import serial
from tests.support.dte_port import FakePort

from ansam.dte.circuits import Circuits
from ansam.dte.port_url import parse_port
from ansam.dte.telnet import Telnet
from ansam.dte.wire import Ip232Wire
from ansam.errors import ResourceError
from ansam.io.dte_ports import SeveralDte, make_dte
from ansam.io.dte_socket import SocketDte

# pyserial calls Thread.setDaemon and setName.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")

IAC, WILL, WONT, DO, DONT, SB, SE = 255, 251, 252, 253, 254, 250, 240


@contextlib.asynccontextmanager
async def listening(url: str, port: FakePort):  # type: ignore[no-untyped-def]
    dte = SocketDte(parse_port(url))
    await dte.open(port)
    try:
        yield dte
    finally:
        await dte.close()


def pyserial(dte: SocketDte, **options: object) -> serial.Serial:
    """Open Debian's and everybody's client of RFC 2217; it blocks, so it wants a thread."""
    url = "rfc2217://{}:{}".format(*dte.address)
    return serial.serial_for_url(url, timeout=2, **options)


async def test_pyserial_sets_the_port_and_sees_its_circuits() -> None:
    port = FakePort()
    async with listening("rfc2217:127.0.0.1:0", port) as dte:
        dte.show(Circuits(circuit_109=False))
        client = await asyncio.to_thread(pyserial, dte, baudrate=57600)
        await port.until(lambda: 57600 in port.rates and port.dtr[-1] and port.rts[-1])
        assert not client.cd
        assert client.dsr
        assert client.cts
        assert not client.ri
        for circuits in (
            Circuits(circuit_125=True),
            Circuits(circuit_109=True),
            Circuits(circuit_107=False),
            Circuits(circuit_106=False),
        ):
            dte.show(circuits)
            began = time.monotonic()
            expected = (
                circuits.circuit_109,
                circuits.circuit_125,
                circuits.circuit_107,
                circuits.circuit_106,
            )
            while (client.cd, client.ri, client.dsr, client.cts) != expected:
                await asyncio.sleep(0.002)
                assert time.monotonic() - began < 0.1
        await asyncio.to_thread(setattr, client, "dtr", False)
        await asyncio.to_thread(setattr, client, "rts", False)
        await port.until(lambda: not port.dtr[-1] and not port.rts[-1])
        await asyncio.to_thread(client.send_break, 0.2)
        await port.until(lambda: len(port.breaks) == 1)
        assert 150 < port.breaks[0] < 400
        await asyncio.to_thread(client.close)
        await port.until(lambda: port.rates[-1] == 0)


async def test_every_octet_passes_through_pyserial_both_ways() -> None:
    port = FakePort()
    everything = bytes(range(256)) * 20 + b"\r\n\r\0\xff\xff\r"
    async with listening("rfc2217:127.0.0.1:0", port) as dte:
        client = await asyncio.to_thread(pyserial, dte)
        await asyncio.to_thread(client.write, everything)
        await port.until(lambda: len(port.received) >= len(everything))
        assert port.received == everything
        port.to_give = everything
        dte.output_ready()
        assert await asyncio.to_thread(client.read, len(everything)) == everything
        await asyncio.to_thread(client.close)


async def test_seven_bits_and_even_parity_are_made_by_the_port() -> None:
    port = FakePort()
    async with listening("rfc2217:127.0.0.1:0", port) as dte:
        client = await asyncio.to_thread(pyserial, dte, bytesize=7, parity="E")
        await asyncio.to_thread(client.write, b"AT\r")
        await port.until(lambda: len(port.received) >= 3)
        assert port.received == b"A\xd4\x8d"
        port.to_give = b"\x8d\x0aO\xcb"
        dte.output_ready()
        assert await asyncio.to_thread(client.read, 4) == b"\r\nOK"
        await asyncio.to_thread(client.close)


async def test_suspend_stops_data_but_not_the_circuits() -> None:
    port = FakePort()
    async with listening("rfc2217:127.0.0.1:0", port) as dte:
        reader, writer = await asyncio.open_connection(*dte.address)
        writer.write(bytes([IAC, DO, 44, IAC, SB, 44, 8, IAC, SE]))
        await asyncio.sleep(0.05)
        port.to_give = b"held"
        dte.output_ready()
        dte.show(Circuits(circuit_109=True))
        seen = await reader.readuntil(bytes([107, 0x80 | 0x30 | 0x08, IAC, SE]))
        assert b"held" not in seen
        writer.write(bytes([IAC, SB, 44, 9, IAC, SE]))
        assert await reader.readuntil(b"held")
        writer.close()


async def test_telnet_asks_for_binary_both_ways_and_keeps_every_octet() -> None:
    port = FakePort()
    everything = bytes(range(256)) + b"\r\0\r\n\r\r\xff\xff"
    async with listening("telnet:127.0.0.1:0", port) as dte:
        reader, writer = await asyncio.open_connection(*dte.address)
        asked = await reader.readexactly(15)
        offers = {tuple(asked[k + 1 : k + 3]) for k in range(0, 15, 3)}
        assert offers == {(WILL, 1), (WILL, 3), (WILL, 0), (DO, 3), (DO, 0)}
        # A client without binary: CR NUL both ways.
        writer.write(b"AT\r\0\xff\xff")
        await port.until(lambda: len(port.received) >= 4)
        assert port.received == b"AT\r\xff"
        port.to_give = b"\r\nOK\xff\r\n"
        dte.output_ready()
        assert await reader.readuntil(b"OK\xff\xff\r\0\n") == b"\r\0\nOK\xff\xff\r\0\n"
        port.received = b""
        for octet in (IAC, DO, 0, IAC, WILL, 0):
            writer.write(bytes([octet]))
            await writer.drain()
        writer.write(everything.replace(b"\xff", b"\xff\xff"))
        await port.until(lambda: len(port.received) >= len(everything))
        assert port.received == everything
        port.to_give = everything
        dte.output_ready()
        coded = everything.replace(b"\xff", b"\xff\xff")
        assert await reader.readexactly(len(coded)) == coded
        writer.write(bytes([IAC, 243]))
        await port.until(lambda: port.breaks == [250])
        writer.write(bytes([IAC, 246]))
        assert await reader.readuntil(b"[modem]\r\n")
        writer.close()


async def test_ip232_carries_dtr_dcd_and_ri_between_the_octets() -> None:
    port = FakePort()
    async with listening("ip232:127.0.0.1:0", port) as dte:
        reader, writer = await asyncio.open_connection(*dte.address)
        assert await reader.readexactly(2) == b"\xff\x00"
        await port.until(lambda: port.dtr[-1])
        dte.show(Circuits(circuit_125=True))
        began = time.monotonic()
        assert await reader.readexactly(2) == b"\xff\x02"
        dte.show(Circuits(circuit_109=True))
        assert await reader.readexactly(2) == b"\xff\x01"
        assert time.monotonic() - began < 0.1
        port.to_give = b"a\xffb"
        dte.output_ready()
        assert await reader.readexactly(4) == b"a\xff\xffb"
        for piece in (b"x\xff", b"\xffy\xff", b"\x00", b"z"):
            writer.write(piece)
            await writer.drain()
        await port.until(lambda: port.received == b"x\xffyz")
        await port.until(lambda: not port.dtr[-1])
        writer.write(b"\xff\x01")
        await port.until(lambda: port.dtr[-1])
        writer.close()
        await port.until(lambda: not port.dtr[-1])


async def test_unix_socket_is_replaced_when_dead_and_respected_when_alive(tmp_path: Path) -> None:
    path = str(tmp_path / "modem")
    port = FakePort()
    async with listening(f"unix:{path}", port):
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(b"ATZ\r")
        await port.until(lambda: port.received == b"ATZ\r")
        with pytest.raises(ResourceError, match="is in use"):
            await SocketDte(parse_port(f"unix:{path}")).open(FakePort())
        writer.close()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "modem").touch()
    with pytest.raises(ResourceError, match="a file of this name"):
        await SocketDte(parse_port(f"unix:{path}")).open(FakePort())


async def test_options_of_a_socket() -> None:
    port = FakePort()
    async with listening("tcp:127.0.0.1:0;dtr=on;carrier=close", port) as dte:
        assert port.dtr == [True]
        reader, writer = await asyncio.open_connection(*dte.address)
        await port.until(lambda: len(port.dtr) == 2)
        dte.show(Circuits(circuit_109=True))
        port.to_give = b"\r\nNO CARRIER\r\n"
        dte.show(Circuits(circuit_109=False))
        assert await reader.read() == b"\r\nNO CARRIER\r\n"
        writer.close()
        assert port.dtr == [True, True, True]


async def test_one_port_at_a_time_has_the_modem() -> None:
    port = FakePort()
    several = make_dte("tcp:127.0.0.1:0, rfc2217:127.0.0.1:0")
    assert isinstance(several, SeveralDte)
    await several.open(port)
    raw, com = several._endpoints
    assert isinstance(raw, SocketDte)
    assert isinstance(com, SocketDte)
    assert several.name == f"tcp:127.0.0.1:{raw.address[1]}, rfc2217:127.0.0.1:{com.address[1]}"
    reader, writer = await asyncio.open_connection(*raw.address)
    writer.write(b"AT\r")
    await port.until(lambda: port.received == b"AT\r")
    refused, other = await asyncio.open_connection(*com.address)
    assert await refused.read() == b"\r\nBUSY\r\n"
    other.close()
    port.to_give = b"OK"
    several.output_ready()
    assert await reader.readexactly(2) == b"OK"
    writer.close()
    await port.until(lambda: not port.dtr[-1])
    client = await asyncio.to_thread(pyserial, com)
    await asyncio.to_thread(client.write, b"again")
    await port.until(lambda: port.received == b"AT\ragain")
    await asyncio.to_thread(client.close)
    await several.close()


async def test_what_the_modem_does_reaches_the_one_that_has_it() -> None:
    port = FakePort()
    several = make_dte("telnet:127.0.0.1:0,rfc2217:127.0.0.1:0")
    await several.open(port)
    assert isinstance(several, SeveralDte)
    com = several._endpoints[1]
    assert isinstance(com, SocketDte)
    reader, writer = await asyncio.open_connection(*com.address)
    writer.write(bytes([IAC, DO, 44, IAC, SB, 44, 10, 0x10, IAC, SE]))
    await reader.readuntil(bytes([44, 110, 0x10, IAC, SE]))
    several.set_rate(2400)
    await reader.readuntil(bytes([44, 101, 0, 0, 0x09, 0x60, IAC, SE]))
    several.show(Circuits(circuit_109=True))
    await reader.readuntil(bytes([44, 107, 0x80 | 0x30 | 0x08, IAC, SE]))
    several.send_break(100)
    await reader.readuntil(bytes([44, 106, 0x10, IAC, SE]))
    writer.write(bytes([IAC, SB, 44, 5, 12, IAC, SE, IAC, 243, IAC, SB, 44, 1, 0, 0, 0, 75, IAC, SE]))
    await port.until(lambda: port.rts[-1:] == [False] and port.breaks == [250] and port.rates[-1] == 75)
    port.room = 0
    writer.write(b"purged")
    await asyncio.sleep(0.05)
    port.to_give = b"this too"
    writer.write(bytes([IAC, SB, 44, 12, 3, IAC, SE]))
    # With no room nothing is read, as a UART's registers are not while its line stands still.
    port.room = 100
    several.resume()
    await port.until(lambda: port.to_give == b"")
    writer.close()
    await several.close()


async def test_a_break_of_the_far_end_over_telnet() -> None:
    async with listening("telnet:127.0.0.1:0", FakePort()) as dte:
        reader, writer = await asyncio.open_connection(*dte.address)
        await reader.readexactly(15)
        dte.send_break(100)
        assert await reader.readexactly(2) == bytes([IAC, 243])
        dte.set_rate(300)
        writer.close()


async def test_nothing_stays_open_where_one_port_can_not_be_had(tmp_path: Path) -> None:
    taken = SocketDte(parse_port("tcp:127.0.0.1:0"))
    await taken.open(FakePort())
    several = make_dte(f"pty:{tmp_path}/tty,tcp:127.0.0.1:{taken.address[1]}")
    with pytest.raises(ResourceError, match="address already in use"):
        await several.open(FakePort())
    assert list(tmp_path.iterdir()) == []
    await taken.close()


@pytest.mark.parametrize("kind", ["telnet", "ip232", "rfc2217"])
async def test_no_octet_is_lost_with_slow_sides(kind: str) -> None:
    rng = random.Random(11)
    port = FakePort(room=0)
    data = rng.randbytes(40_000).replace(b"\x12", b"\xff\r\0")
    client = Ip232Wire() if kind == "ip232" else Telnet(ours=(0, 3, 44), theirs=(0, 1, 3, 44))
    async with listening(f"{kind}:127.0.0.1:0", port) as dte:
        reader, writer = await asyncio.open_connection(*dte.address, limit=4096)
        if isinstance(client, Telnet):
            client.request(0, ours=True)
            writer.write(client.take_replies())
            while not (client.performs(0, ours=True) and client.performs(0, ours=False)):
                client.receive(await reader.read(100))
                writer.write(client.take_replies())
            # Between the client's DO and its arrival, a CR of the server is ambiguous (RFC 856): wait.
            while not dte._wire._telnet.performs(0, ours=True):  # type: ignore[attr-defined]
                await asyncio.sleep(0)
        writer.write(client.encode(data))
        port.to_give = data
        read = b""
        async with asyncio.timeout(20):
            while len(port.received) < len(data) or len(read) < len(data):
                port.room = rng.choice((1, 40, 3000))
                dte.resume()
                dte.output_ready()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.001):
                        read += client.receive(await reader.read(rng.choice((1, 700, 9000))))
        assert port.received == data
        assert read == data
        writer.close()
