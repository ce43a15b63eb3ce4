"""Whole modems on a network line: a terminal over TCP, the real engine, real sockets on the loopback."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ansam.call.line_url import NetworkLineUrl, parse_line
from ansam.dce.dce import Dce
from ansam.dce.progress import Progress
from ansam.dte.port_url import PortUrl
from ansam.dte.telnet import BINARY, DO, ECHO, IAC, WILL, Telnet
from ansam.errors import ConfigError, ResourceError
from ansam.io.dte_socket import SocketDte
from ansam.io.line_listen import CallPorts
from ansam.io.line_tcp import NetworkLine
from ansam.io.modem_host import ModemHost

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Telephone:
    """A telephone line beside the network line: remembers what it is asked."""

    name = "telephone"

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.user = None

    async def open(self, user) -> None:  # type: ignore[no-untyped-def]
        self.user = user
        user.line_ready(True)

    def place_call(self, number: str) -> None:
        self.asked.append(number)
        self.user.progress(Progress.BUSY)

    def accept_call(self) -> None:
        self.asked.append("accept")

    def end_call(self, reason: str) -> None:
        self.asked.append("end")

    def statistics(self) -> None:
        return None

    async def close(self) -> None:
        self.asked.append("close")


class Modem:
    """A modem with a terminal on it."""

    def __init__(self, url: str, init: str = "ATE0", telephone: Telephone | None = None, ports=None) -> None:  # type: ignore[no-untyped-def]
        parsed = parse_line(url)
        assert isinstance(parsed, NetworkLineUrl)
        self.dte = SocketDte(PortUrl("tcp", address=("127.0.0.1", 0)))
        self.line = NetworkLine(parsed, telephone, ports)
        self.dce = Dce()
        self.host = ModemHost(self.dce, self.line, self.dte)
        self.host.initialise(init)

    async def start(self) -> None:
        await self.host.start()
        self.reader, self.writer = await asyncio.open_connection(*self.dte.address)
        self.type("AT")
        await self.says(b"OK\r\n")

    def type(self, line: str) -> None:
        self.writer.write(line.encode() + b"\r")

    async def says(self, words: bytes) -> bytes:
        async with asyncio.timeout(15):
            return await self.reader.readuntil(words)

    async def stop(self) -> None:
        await self.host.stop()
        self.writer.close()


@asynccontextmanager
async def modem(url: str, init: str = "ATE0", **more: object) -> AsyncIterator[Modem]:
    one = Modem(url, init, **more)  # type: ignore[arg-type]
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


@asynccontextmanager
async def host(handler: Handler) -> AsyncIterator[int]:
    """A program on the network; its connections are closed when the handler returns."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"welcome\r\n")
    while data := await reader.read(1000):
        writer.write(data)


async def test_dial_a_host_talk_escape_return_and_hang_up() -> None:
    async with host(echo) as port, modem("net:", "ATE0S12=5") as one:
        one.type(f"ATDT127.0.0.1:{port}")
        assert await one.says(b"welcome\r\n") == b"\r\nCONNECT 33600/ARQ/TCP\r\nwelcome\r\n"
        assert one.dce.circuits.circuit_109
        one.writer.write(b"hello")
        await one.says(b"hello")
        await asyncio.sleep(0.15)
        one.writer.write(b"+++")
        await one.says(b"+++")
        await one.says(b"OK\r\n")
        one.type("ATO")
        await one.says(b"CONNECT 33600/ARQ/TCP\r\n")
        one.writer.write(b"again")
        await one.says(b"again")
        await asyncio.sleep(0.15)
        one.writer.write(b"+++")
        await one.says(b"OK\r\n")
        one.type("ATH")
        await one.says(b"OK\r\n")
        assert not one.dce.circuits.circuit_109
        one.type("ATI6")
        screen = await one.says(b"OK\r\n")
        assert b"Disconnect Reason is Escape code" in screen
        assert b"Protocol               TCP" in screen


async def test_the_far_ends_last_words_come_before_no_carrier() -> None:
    text = bytes(range(32, 127)) * 30

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)

    async with host(speak) as port, modem("net:;pace=off") as one:
        one.type(f'ATD"127.0.0.1:{port}"')
        assert await one.says(b"CONNECT 115200/ARQ/TCP\r\n")
        assert await one.says(b"\r\nNO CARRIER\r\n") == text + b"\r\nNO CARRIER\r\n"
        assert one.dce.disconnect_reason == "the far end closed the connection"


async def test_speed_of_the_modem_is_honoured() -> None:
    async with host(echo) as port, modem("net:", "ATE0&N3") as one:
        one.type(f"ATDT127.0.0.1:{port}")
        await one.says(b"CONNECT 2400/ARQ/TCP\r\nwelcome\r\n")
        data = random.Random(1).randbytes(240).replace(b"+", b"-")
        began = time.monotonic()
        one.writer.write(data)
        async with asyncio.timeout(10):
            assert await one.reader.readexactly(240) == data
        assert time.monotonic() - began >= 0.9


async def test_binary_both_ways_at_full_speed() -> None:
    async with host(echo) as port, modem("net:;pace=off", "ATE0S2=255") as one:
        one.type(f"ATDT127.0.0.1:{port}")
        await one.says(b"welcome\r\n")
        data = random.Random(2).randbytes(300_000)
        one.writer.write(data)
        async with asyncio.timeout(20):
            assert await one.reader.readexactly(len(data)) == data


@pytest.mark.parametrize(
    ("dial", "result", "cause"),
    [
        ("ATDT127.0.0.1:{closed}", b"BUSY", "refuses connections"),
        ("ATDTno-such-host.invalid:23", b"NO CARRIER", "has no address"),
        ("ATDTno..host:23", b"NO CARRIER", "is no name of a host"),
        ("ATDT5551234", b"NO CARRIER", "5551234 is not in the phone book"),
        ("ATDTftp://a.b", b"NO CARRIER", "ftp is not known"),
        ("ATDT127.0.0.2:{silent}", b"NO ANSWER", "does not answer"),
        ("ATDTssh://joe@127.0.0.1:{closed}", b"BUSY", "refuses connections"),
    ],
)
async def test_calls_that_fail_say_why(
    dial: str, result: bytes, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansam.io.line_tcp.ADDRESS_TIMEOUT", 0.2)
    resolve = socket.getaddrinfo

    def known(host: str, *rest: Any, **more: Any) -> Any:
        if host == "no-such-host.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **more)

    monkeypatch.setattr("socket.getaddrinfo", known)
    with socket.socket() as closed, socket.socket() as silent:
        closed.bind(("127.0.0.1", 0))
        silent.bind(("127.0.0.2", 0))
        silent.listen(0)
        filler = [socket.socket() for _ in range(3)]
        for sock in filler:  # a full backlog answers no SYN
            sock.setblocking(False)
            sock.connect_ex(silent.getsockname())
        async with modem("net:") as one:
            one.type(dial.format(closed=closed.getsockname()[1], silent=silent.getsockname()[1]))
            assert await one.says(b"\r\n" + result + b"\r\n") == b"\r\n" + result + b"\r\n"
            assert cause in one.dce.disconnect_reason
        for sock in filler:
            sock.close()


async def test_a_key_stops_a_call_under_way() -> None:
    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with host(wait) as port, modem("net:", "ATE0S6=2X3") as one:
        one.type(f"ATDT127.0.0.1:{port}")
        one.type("x")
        await one.says(b"NO CARRIER\r\n")


async def test_numbers_of_the_phone_book(tmp_path: Path) -> None:
    async with host(echo) as port:
        book = tmp_path / "book.toml"
        entry = f'[[entry]]\nnumber = "5551234"\nto = "tcp://127.0.0.1:{port}"\nrate = 9600\npetscii = true\n'
        book.write_text(entry + '[[entry]]\nnumber = "7"\nto = "sip:05"\n')
        telephone = Telephone()
        async with modem(f"net:;phonebook={book}", telephone=telephone) as one:
            one.type("ATS11=50DT555-1234")
            assert await one.says(b"WELCOME\r") == b"\r\nCONNECT 9600/ARQ/TCP\r\nWELCOME\r"
            one.writer.write(b"hELLO")
            await one.says(b"\xc8ELLO")
        async with modem(f"net:;phonebook={book}", telephone=telephone) as one:
            telephone.asked.clear()
            for number in ("7", "06", '"joe@example.org"'):
                one.type(f"ATDT{number}")
                await one.says(b"BUSY\r\n")
            assert [asked for asked in telephone.asked if asked != "end"] == ["05", "06", "joe@example.org"]
            book.write_text('[[entry]]\nnumber = "06"\nto = "tcp://127.0.0.1:1"\n')
            one.type("ATDT06")
            await one.says(b"BUSY\r\n")
            assert "127.0.0.1:1 refuses" in one.dce.disconnect_reason
            telephone.user.line_ready(False)
            one.type("ATDT07")
            await one.says(b"NO DIAL TONE\r\n")


async def test_telnet_is_negotiated_and_never_seen() -> None:
    got = bytearray()

    async def telnet_host(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        codec = Telnet((BINARY, ECHO), (BINARY,))
        codec.request(ECHO, ours=True)
        codec.request(BINARY, ours=False)
        writer.write(codec.take_replies() + b"login: ")
        while data := await reader.read(1000):
            text = codec.receive(data)
            writer.write(codec.take_replies() + codec.encode(text))
            got.extend(text)

    async with host(telnet_host) as port, modem("net:;pace=off", "ATE0S2=255") as one:
        one.type(f"ATDT127.0.0.1:{port}")
        assert await one.says(b"login: ") == b"\r\nCONNECT 115200/ARQ/TCP\r\nlogin: "
        data = bytes(range(256)) * 8
        one.writer.write(data)
        async with asyncio.timeout(10):
            assert await one.reader.readexactly(len(data)) == data
        assert got == data


async def test_a_caller_rings_is_answered_and_his_first_words_are_kept() -> None:
    async with modem("net:127.0.0.1:0;busy=Engaged%2C%20sorry", "ATE0S0=2") as one:
        caller_in, caller_out = await asyncio.open_connection(*one.line.addresses[0])
        caller_out.write(b"early")
        await one.says(b"RING\r\n")
        assert one.dce.caller == "127.0.0.1"
        second_in, second_out = await asyncio.open_connection(*one.line.addresses[0])
        assert await second_in.read() == b"Engaged, sorry\r\n"
        second_out.close()
        assert await one.says(b"early") == b"\r\nRING\r\n\r\nCONNECT 33600/ARQ/TCP\r\nearly"
        one.writer.write(b"hello caller")
        assert await caller_in.readexactly(12) == b"hello caller"
        caller_out.close()
        await one.says(b"NO CARRIER\r\n")


@pytest.fixture(autouse=True)
def _short_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.dce.ringing.RING_PERIOD", 1600)
    monkeypatch.setattr("ansam.dce.terminal.RING_PERIOD", 1600)


async def test_off_hook_is_busy_and_a_caller_may_give_up() -> None:
    async with modem("net:127.0.0.1:0") as one:
        one.type("ATH1")
        await one.says(b"OK\r\n")
        reader, writer = await asyncio.open_connection(*one.line.addresses[0])
        assert await reader.read() == b"BUSY\r\n"
        writer.close()
        one.type("ATH0")
        await one.says(b"OK\r\n")
        _, writer = await asyncio.open_connection(*one.line.addresses[0])
        await one.says(b"RING\r\n")
        writer.close()
        await asyncio.sleep(0.1)
        one.type("ATA")
        await one.says(b"NO CARRIER\r\n")


async def test_nobody_answers_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.line_tcp.RING_TIMEOUT", 0.3)
    async with modem("net:127.0.0.1:0") as one:
        reader, writer = await asyncio.open_connection(*one.line.addresses[0])
        assert await reader.read() == b"NO ANSWER\r\n"
        writer.close()


async def test_two_modems_share_a_port() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    ports = CallPorts()
    url = f"net:127.0.0.1:{port};protocol=telnet"
    async with modem(url, "ATE0S0=1", ports=ports) as one, modem(url, "ATE0S0=1", ports=ports) as two:
        callers = []
        for answering in (one, two):
            callers.append(await asyncio.open_connection("127.0.0.1", port))
            await answering.says(b"CONNECT 33600/ARQ/TELNET\r\n")
        asked = await callers[0][0].readexactly(15)
        assert bytes((IAC, WILL, ECHO)) in asked
        assert bytes((IAC, DO, BINARY)) in asked
        reader, third = await asyncio.open_connection("127.0.0.1", port)
        assert (await reader.read()).endswith(b"BUSY\r\0\n")
        third.close()
        for _, writer in callers:
            writer.close()
        await one.says(b"NO CARRIER\r\n")
        await two.says(b"NO CARRIER\r\n")


async def test_two_modems_call_each_other_with_binary_data() -> None:
    async with (
        modem("net:127.0.0.1:0", "ATE0S0=1S2=255") as answering,
        modem("net:", "ATE0S2=255") as calling,
    ):
        host_name, port = answering.line.addresses[0]
        calling.type(f"ATDTtelnet://{host_name}:{port}")
        assert await calling.says(b"CONNECT 33600/ARQ/TELNET\r\n")
        await answering.says(b"CONNECT 33600/ARQ/TCP\r\n")
        data = random.Random(3).randbytes(3000)
        for sender, receiver in ((calling, answering), (answering, calling)):
            sender.writer.write(data)
            async with asyncio.timeout(10):
                assert await receiver.reader.readexactly(3000) == data
        answering.writer.close()
        await calling.says(b"NO CARRIER\r\n")


async def test_ports_and_books_that_can_not_be_had(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        await Modem(f"net:;phonebook={tmp_path}/none").host.start()
    async with modem("net:127.0.0.1:0") as one:
        host_name, port = one.line.addresses[0]
        with pytest.raises(ResourceError, match="in use"):
            await Modem(f"net:{host_name}:{port}").host.start()


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("net:x", "not HOST:PORT"),
        ("net:;protocol=ssh", "choose auto or raw or telnet"),
        ("net:;busy=%07", "control characters"),
        ("net:;book=x", "unknown parameter ;book"),
    ],
)
async def test_line_urls_with_faults(url: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        parse_line(url)
