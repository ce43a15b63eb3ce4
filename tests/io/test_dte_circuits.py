"""A whole modem whose software sees DCD, RI and DSR change; `make bench` tells how soon."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import serial
from tests.support.terminal_bench import FRAME, BufferSession

from ansam.dce import line_side as module
from ansam.dce.dce import Dce, LineState
from ansam.dce.progress import Progress
from ansam.dte.port_url import parse_port
from ansam.dte.wire import Ip232Wire
from ansam.io.dte_socket import SocketDte
from ansam.io.modem_host import ModemHost

# pyserial calls Thread.setDaemon and setName.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")


class StillLine:
    """A line that does what it is asked and says nothing."""

    name = "still"
    user: ModemHost

    async def open(self, user: ModemHost) -> None:
        self.user = user

    def place_call(self, number: str) -> None:
        pass

    def accept_call(self) -> None:
        pass

    def end_call(self, reason: str) -> None:
        pass

    def statistics(self) -> None:
        return None

    async def close(self) -> None:
        pass


class Modem:
    def __init__(self, url: str) -> None:
        self.dte = SocketDte(parse_port(url))
        self.host = ModemHost(Dce(), StillLine(), self.dte)  # type: ignore[arg-type]

    def connect(self) -> None:
        """The call is answered and the modems agree at once."""
        self.host.progress(Progress.CONNECTED)
        now = self.host.media_started()
        with self.host.lock:
            self.host.process(FRAME, now)
        self.host.media_stopped()  # No frames follow: the wall clock takes over again.


@asynccontextmanager
async def modem(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Modem]:
    monkeypatch.setattr(module, "Session", BufferSession)
    modem = Modem(url)
    modem.host.initialise("AT&S1S0=0")
    await modem.host.start()
    try:
        yield modem
    finally:
        await modem.host.stop()


async def seen(condition: Callable[[], bool]) -> float:
    """Return after how many seconds the condition holds."""
    began = time.monotonic()
    while not condition():
        await asyncio.sleep(0.001)
        assert time.monotonic() - began < 5
    return time.monotonic() - began


async def test_pyserial_sees_every_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    async with modem("rfc2217:127.0.0.1:0", monkeypatch) as m:
        url = "rfc2217://{}:{}".format(*m.dte.address)
        client = await asyncio.to_thread(serial.serial_for_url, url, 57600, timeout=5)
        await seen(lambda: not client.dsr)
        assert (client.cd, client.ri, client.cts) == (False, False, True)
        await asyncio.to_thread(client.write, b"ATE0I4\r")
        answer = await asyncio.to_thread(client.read_until, b"OK\r\n")
        assert b"BAUD=57600" in answer
        assert m.host.incoming("07")
        await seen(lambda: client.ri)
        await asyncio.to_thread(client.write, b"ATA\r")
        await seen(lambda: not client.ri)
        m.connect()
        await seen(lambda: client.cd and client.dsr)
        assert b"CONNECT" in await asyncio.to_thread(client.read_until, b"LAPM\r\n")
        m.host.far_end_hung_up()
        await seen(lambda: not client.cd and not client.dsr)
        assert m.host.incoming("07")
        await seen(lambda: client.ri)
        await asyncio.to_thread(client.write, b"ATA\r")
        await seen(lambda: not client.ri)
        m.connect()
        await seen(lambda: client.cd)
        await asyncio.to_thread(setattr, client, "dtr", False)
        await seen(lambda: not client.cd)
        await asyncio.to_thread(client.close)


async def test_ri_ends_after_two_seconds_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.dce.terminal.RINGING_ON", 800)
    async with modem("ip232:127.0.0.1:0", monkeypatch) as m:
        reader, writer = await asyncio.open_connection(*m.dte.address)
        assert await reader.readexactly(2) == b"\xff\x00"
        m.host.incoming("07")
        ringing = time.monotonic()
        data = await reader.readuntil(b"\xff\x00")
        assert Ip232Wire().receive(data.removesuffix(b"\xff\x00")) == b"\r\nRING\r\n"
        assert b"\xff\x02" in data
        assert time.monotonic() - ringing > 0.09
        writer.write(b"ATA\r")
        await asyncio.sleep(0.02)
        m.connect()
        await reader.readuntil(b"\xff\x01")
        writer.close()


@pytest.mark.parametrize("ignored", [True, False])
async def test_a_call_outlives_the_connection_where_dtr_is_ignored(
    ignored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with modem("tcp:127.0.0.1:0", monkeypatch) as m:
        m.host.initialise("AT&D0" if ignored else "AT&D2S25=1")
        _, writer = await asyncio.open_connection(*m.dte.address)
        m.host.incoming("07")
        writer.write(b"ATA\r")
        await seen(lambda: m.host.dce.state is LineState.ANSWERING)
        m.connect()
        link = BufferSession.made[-1].link
        assert link is not None
        writer.close()
        await seen(lambda: not m.host.dce._terminal.dtr)
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection(*m.dte.address)
        await seen(lambda: m.host.dce._terminal.dtr)
        assert link.ended is not ignored
        if ignored:
            link.received += b"still here"
            m.host.frame_done()
            assert await reader.readexactly(10) == b"still here"
        writer.close()


@pytest.mark.bench
async def test_how_soon_pyserial_sees_a_circuit_change(monkeypatch: pytest.MonkeyPatch) -> None:
    async with modem("rfc2217:127.0.0.1:0", monkeypatch) as m:
        url = "rfc2217://{}:{}".format(*m.dte.address)
        client = await asyncio.to_thread(serial.serial_for_url, url, 57600, timeout=5)
        await seen(lambda: not client.dsr)
        took: dict[str, list[float]] = {"RI": [], "DCD and DSR on": [], "DCD and DSR off": []}
        for _ in range(100):
            assert m.host.incoming("07")
            took["RI"].append(await seen(lambda: client.ri))
            await asyncio.to_thread(client.write, b"ATA\r")
            await seen(lambda: not client.ri)
            m.connect()
            took["DCD and DSR on"].append(await seen(lambda: client.cd and client.dsr))
            m.host.far_end_hung_up()
            took["DCD and DSR off"].append(await seen(lambda: not client.cd and not client.dsr))
        await asyncio.to_thread(client.close)
    for circuit, seconds in took.items():
        median, worst = statistics.median(seconds) * 1e3, max(seconds) * 1e3
        print(f"\n{circuit}: median {median:.1f} ms, worst {worst:.1f} ms", end="")
        assert worst < 100
