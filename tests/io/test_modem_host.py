"""Whole modems: terminal over TCP, the real engine, a raw line between them (lock step, faster than life)."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ansam.dce.dce import Connected, Dce, Ended
from ansam.dte.port_url import PortUrl
from ansam.errors import ConfigError, ResourceError
from ansam.io.clock import FramePacer
from ansam.io.dte_socket import SocketDte
from ansam.io.lines import make_dte, make_line
from ansam.io.modem_host import ModemHost

PATIENCE = 120.0
"""Seconds: what hangs is to fail, not what has to share its processor."""


class Modem:
    """A modem with a terminal on it."""

    def __init__(self, line: str, init: str) -> None:
        self.pacer = FramePacer()
        self.dte = SocketDte(PortUrl("tcp", address=("127.0.0.1", 0)))
        self.line = make_line(line, self.pacer)
        self.events: list[object] = []
        self.host = ModemHost(Dce(), self.line, self.dte, listener=self.events.append)
        self.host.initialise(init)

    async def start(self) -> None:
        await self.host.start()
        self.reader, self.writer = await asyncio.open_connection(*self.dte.address)

    async def says(self, words: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readuntil(words)

    async def stop(self) -> None:
        await self.host.stop()
        self.pacer.stop()
        self.writer.close()


@asynccontextmanager
async def two_modems(calling_init: str, answering_init: str) -> AsyncIterator[tuple[Modem, Modem]]:
    answering = Modem("tcp-listen:127.0.0.1:0", answering_init)
    await answering.start()
    host, port = answering.line.address  # type: ignore[attr-defined]
    calling = Modem(f"tcp:{host}:{port};clock=here", calling_init)
    await calling.start()
    try:
        yield calling, answering
    finally:
        await calling.stop()
        await answering.stop()


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.line_raw.FRAME_SECONDS", 0.0)
    monkeypatch.setattr("ansam.io.line_raw.MAX_STALL", 1e9)


async def test_a_call_from_atz_to_no_carrier() -> None:
    rng = random.Random(1)
    async with two_modems("ATZ", "ATS0=1") as (calling, answering):
        calling.writer.write(b"ATZ\r")
        await calling.says(b"OK\r\n")
        calling.writer.write(b"AT&M0+MS=V22B;DT05\r")
        await calling.says(b"CONNECT 2400")
        await calling.says(b"\r\n")
        await answering.says(b"CONNECT 2400")
        await answering.says(b"\r\n")
        for sender, receiver in ((calling, answering), (answering, calling)):
            data = rng.randbytes(3000).replace(b"+", b"-")
            sender.writer.write(data)
            async with asyncio.timeout(PATIENCE):
                assert await receiver.reader.readexactly(3000) == data
        calling.writer.close()
        await answering.says(b"NO CARRIER\r\n")
    assert [type(e) for e in calling.events if isinstance(e, Connected | Ended)] == [Connected, Ended]
    assert [type(e) for e in answering.events if isinstance(e, Connected | Ended)] == [Connected, Ended]


async def test_nobody_answers() -> None:
    async with two_modems("ATS7=1", "ATS0=0") as (calling, answering):
        calling.writer.write(b"ATDT05\r")
        await answering.says(b"RING\r\n")
        await calling.says(b"NO CARRIER\r\n")


async def test_stop_in_a_call_hangs_up() -> None:
    async with two_modems("AT", "ATS0=1") as (calling, answering):
        calling.writer.write(b"ATDT05\r")
        await calling.says(b"CONNECT")
        await answering.says(b"CONNECT")
        await calling.host.stop()
        await answering.says(b"NO CARRIER\r\n")


async def test_dial_into_the_void_is_no_dial_tone() -> None:
    modem = Modem("unix:/nonexistent/line", "ATX4")
    await modem.start()
    modem.writer.write(b"ATDT1\r")
    await modem.says(b"NO DIAL TONE\r\n")
    await modem.stop()


async def test_init_string_that_is_wrong() -> None:
    with pytest.raises(ConfigError, match=r"init string 'AT&N99': the modem answers ERROR"):
        Modem("unix:/x", "AT&N99")
    with pytest.raises(ConfigError, match="the modem answers nothing"):
        Modem("unix:/x", "hello")


async def test_endpoint_that_can_not_be_had_leaves_nothing_open() -> None:
    first = Modem("unix:/x", "AT")
    await first.start()
    pacer = FramePacer()
    host = ModemHost(Dce(), make_line("unix:/x", pacer), SocketDte(PortUrl("tcp", address=first.dte.address)))
    with pytest.raises(ResourceError, match="in use"):
        await host.start()
    await first.stop()
    second = ModemHost(
        Dce(),
        make_line("tcp-listen:192.0.2.77:1", pacer),
        dte := SocketDte(PortUrl("tcp", address=("127.0.0.1", 0))),
    )
    with pytest.raises(ResourceError, match=r"raw line on 192\.0\.2\.77:1"):
        await second.start()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*dte.address)
    pacer.stop()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("serial:/dev/ttyS0;speed=x", "out of range"),
        ("pty:", "is not known"),
        ("tcp:x", "not HOST:PORT"),
        ("usb", "is not known"),
    ],
)
async def test_dte_names(text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        make_dte(text)
    assert make_dte("pty:./run/x").name == "./run/x"
    assert make_dte("stdio").name == "stdio"


async def test_a_modem_without_room_is_not_offered_the_same_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each look at the endpoint offered it anew, and each offer led to the next look: half a core."""
    async with two_modems("ATZ", "ATZ") as (calling, _):
        asked = 0

        def full(data: bytes, now: int) -> int:
            nonlocal asked
            asked += 1
            return 0

        monkeypatch.setattr(calling.host.dce, "receive_dte", full)
        calling.writer.write(b"x" * 100)
        for _ in range(2000):
            await asyncio.sleep(0)
        assert asked < 20
