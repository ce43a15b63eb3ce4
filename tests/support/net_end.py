"""One end of real-time calls: an exchange if wanted, and modems with traffic that knows what must arrive.

Run as a script with a JSON object as its argument (see `End`). Lines on its standard input move it:
`register` (it prints `ready`), `go` dials, `stop` ends the traffic (it prints `idle` when all of it has been
acknowledged), `report` prints a list of reports as JSON, and one more line ends the process.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog

from ansam.call.line_url import parse_line
from ansam.cli.warm import warm_up
from ansam.config.settings import ExchangeConfig, Listen
from ansam.dce.dce import Dce
from ansam.io.clock import FramePacer
from ansam.io.exchange import ExchangeServer
from ansam.io.inner_port import InnerPort
from ansam.io.lines import make_line
from ansam.io.modem_host import ModemHost
from ansam.pbx.dialplan import DialPlan, Extension

CHUNK = 64
BUFFERED = 0.7
"""Seconds of traffic that wait in the modem at most: an end comes soon, and a pause never."""
LATEST = 40.0
"""Seconds for the last octets to be acknowledged."""


@dataclass
class End:
    """What a process runs.

    Attributes:
        address: Its own.
        exchange: Address of the exchange; that of this process where both are the same.
        lines: Number, init string and number to dial ("": answer) of each modem.
        url: Further parameters of the line URLs.
        log: File for the log.
    """

    address: str
    exchange: str
    lines: list[tuple[str, str, str]]
    extensions: list[str]
    url: str = ""
    log: str = "/dev/null"


@dataclass
class Traffic:
    """What one modem said and heard."""

    number: str
    connect: str = ""
    connect_seconds: float = 0.0
    sent: int = 0
    seconds: float = 0.0
    """From CONNECT to the last octet received."""
    received: int = 0
    wrong: int = 0
    after: str = ""
    latest_ms: float = 0.0
    """How late the latest frame of this process ran: beyond the playout delay the machine is at fault."""
    record: dict[str, Any] = field(default_factory=dict)
    media: dict[str, Any] = field(default_factory=dict)


class Modem:
    """One modem, its terminal and its traffic."""

    def __init__(self, end: End, line: tuple[str, str, str], pacer: FramePacer) -> None:
        number, self._init, self._dial = line
        self.traffic = Traffic(number)
        self._pacer = pacer
        self._line = make_line(
            parse_line(f"sip:{number}:secret@{end.exchange};bind={end.address}{end.url}"),
            pacer,
            must_register=True,
        )
        self._dce = Dce()
        self._port = InnerPort(f"tty{number}")
        self._host = ModemHost(self._dce, self._line, self._port.endpoint, name=number)
        self._stopping = asyncio.Event()
        self._receiver: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Register, and set the modem up."""
        self._host.initialise(f"ATE0Q0V1&A3S0={0 if self._dial else 1}")
        self._host.initialise(f"AT{self._init}")
        await self._host.start()
        await self._port.open()

    async def run(self) -> None:
        """Make the call and its traffic; return when it has all come across."""
        began = time.monotonic()
        if self._dial:
            await self._port.write(f"ATD{self._dial}\r".encode())
        said = b""
        while b"\r\n" not in said.partition(b"CONNECT")[2]:
            said += await self._port.read()
            if any(word in said for word in (b"NO CARRIER", b"BUSY", b"NO ANSWER", b"ERROR")):
                self.traffic.connect = said.decode().strip()
                return
        _, _, said = said.partition(b"CONNECT")
        words, _, first = said.partition(b"\r\n")
        self.traffic.connect = f"CONNECT{words.decode()}"
        self.traffic.connect_seconds = round(time.monotonic() - began, 1)
        self._receiver = asyncio.create_task(self._receive(first))
        await self._send()
        deadline = time.monotonic() + LATEST
        while time.monotonic() < deadline and self._pending():  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    def _pending(self) -> int:
        with self._host.lock:
            return self._dce.pending

    def stop(self) -> None:
        """End the traffic."""
        self._stopping.set()

    async def report(self) -> Traffic:
        """Return what was said and heard."""
        if self._receiver is not None:
            self._receiver.cancel()
            await asyncio.gather(self._receiver, return_exceptions=True)
            self._note()
        return self.traffic

    async def close(self) -> None:
        """Hang up and sign off."""
        await self._host.stop()

    async def _send(self) -> None:
        source = random.Random("payload")
        room = max(CHUNK, int(self._dce.call.tx_rate * BUFFERED / 8))
        while not self._stopping.is_set():
            if self._pending() > room:
                await asyncio.sleep(0.02)
                continue
            await self._port.write(source.randbytes(CHUNK))
            self.traffic.sent += CHUNK

    async def _receive(self, data: bytes) -> None:
        source = random.Random("payload")
        started = time.monotonic()
        expected = b""
        while True:
            while len(expected) < len(data):
                expected += source.randbytes(CHUNK)
            want, expected = expected[: len(data)], expected[len(data) :]
            if data != want:
                self.traffic.wrong += sum(a != b for a, b in zip(data, want, strict=True))
                self.traffic.after = (self.traffic.after + data.decode("latin-1"))[:200]
            self.traffic.received += len(data)
            self.traffic.seconds = round(time.monotonic() - started, 2)
            data = await self._port.read()

    def _note(self) -> None:
        with self._host.lock:
            self._dce._screen(6)  # counts
            call = self._dce.call
        self.traffic.record = {
            "modulation": call.modulation,
            "rates": (call.rx_rate, call.tx_rate),
            "retrains": call.retrains_requested + call.retrains_granted,
            "renegotiations": call.renegotiations,
            "shifts_down": call.shifts_down,
            "resent": call.link.blocks_resent,
            "ended": call.ended is not None,
        }
        statistics = self._line.statistics()
        self.traffic.latest_ms = round(self._pacer.lateness.worst * 1000, 1)
        self.traffic.media = {} if statistics is None else asdict(statistics)


async def run(end: End) -> None:
    """Run an end until its standard input ends."""
    server = None
    if end.exchange == end.address:
        config = ExchangeConfig(listen=(Listen("udp", end.address, 5060),), database="sqlite://")
        server = ExchangeServer(config, DialPlan([Extension(one, "secret") for one in end.extensions]))
        await server.start()
    pacer = FramePacer()
    pacer.start()
    modems = [Modem(end, line, pacer) for line in end.lines]
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    if server is not None:
        print("exchange", flush=True)
    assert (await reader.readline()).strip() == b"register"
    for modem in modems:
        await modem.start()
    print("ready", flush=True)
    assert (await reader.readline()).strip() == b"go"
    running = asyncio.gather(*(modem.run() for modem in modems))
    await reader.readline()
    for modem in modems:
        modem.stop()
    async with asyncio.timeout(2 * LATEST):
        await running
    print("idle", flush=True)
    await reader.readline()
    print(json.dumps([asdict(await modem.report()) for modem in modems]), flush=True)
    await reader.readline()
    for modem in modems:
        await modem.close()
    pacer.stop()
    if server is not None:
        await server.stop()


def main() -> None:
    """Run the end that the argument describes."""
    end = End(**json.loads(sys.argv[1]))
    warm_up()
    with open(end.log, "a", buffering=1) as log:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
        asyncio.run(run(end))


if __name__ == "__main__":
    main()
