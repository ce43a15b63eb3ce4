"""What looking costs: CPU and pacing of a V.34 call over SIP with no, one and five viewers of its scope.

Exchange, both modems, the control socket and its clients share this process, so that the figures are upper
bounds: under `ansam serve` the clients are in another one. `ANSAM_BENCH_SECONDS` is the length of a stretch.
"""

import asyncio
import contextlib
import os
import random
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from tests.support.exchange_live import EXTENSIONS, exchange
from tests.support.tapped import behind_socket

from ansam.call.line_url import SipLineUrl
from ansam.dce.dce import Dce
from ansam.dce.speaker import Speaker
from ansam.io.clock import FramePacer, Histogram
from ansam.io.control import ModemControl
from ansam.io.control.page_dte import PageDte
from ansam.io.control.tap import Identity, ModemTap, Tape, Watch
from ansam.io.line_sip import SipLine
from ansam.io.modem_host import ModemHost

SECONDS = float(os.environ.get("ANSAM_BENCH_SECONDS", "20"))
VIEWERS = (0, 1, 5, 0)
TEXT = random.Random(1).randbytes(1024)


async def modem(stack: AsyncExitStack, url: SipLineUrl, pacer: FramePacer, name: str) -> ModemTap:
    page = PageDte()
    watch = Watch(page)
    line = SipLine(url, pacer, must_register=True)
    host = ModemHost(Dce(None, watch.trace), line, page, name=name, sinks=(watch.tape,))
    host.initialise("ATS0=1" if name == "ttyUSB0" else "ATS0=0")
    await host.start()
    stack.push_async_callback(host.stop)
    return watch.tap(Identity(name, url.user), host)


async def look(control: ModemControl) -> None:
    async for _ in control.scope():
        pass


async def talk(tap: ModemTap) -> None:
    """Send without end and throw away what comes."""
    terminal = await tap.terminal()

    async def read() -> None:
        while await terminal.read():
            pass

    reading = asyncio.create_task(read())
    try:
        while True:
            await terminal.write(TEXT)
    finally:
        reading.cancel()


@pytest.mark.bench
def test_cost_of_looking(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(exchange())
            host, port = server.address("udp")
            pacer = FramePacer()
            pacer.start()
            stack.callback(pacer.stop)
            taps = []
            for extension, name in zip(EXTENSIONS[::2], ("ttyUSB0", "ttyUSB1"), strict=True):
                url = SipLineUrl(extension.number, extension.secret, host, port, bind="127.0.0.1")
                taps.append(await modem(stack, url, pacer, name))
            hub = await stack.enter_async_context(behind_socket(Path(tempfile.mkdtemp(dir=tmp_path)), *taps))
            control = hub.find("ttyUSB1")
            assert control is not None
            await control.dial(EXTENSIONS[0].number)
            async for state in control.panel():
                if state.state == "connected":
                    break
            talking = [asyncio.create_task(talk(tap)) for tap in taps]
            base = None
            for viewers in VIEWERS:
                tasks = [asyncio.create_task(look(control)) for _ in range(viewers)]
                await asyncio.sleep(2)
                pacer.lateness = Histogram()
                cpu, wall = time.process_time(), time.monotonic()
                await asyncio.sleep(SECONDS)
                share = (time.process_time() - cpu) / (time.monotonic() - wall)
                base = share if base is None else base
                late, worst = (ms * 1e3 for ms in (pacer.lateness.quantile(0.99), pacer.lateness.worst))
                print(
                    f"\n  {viewers} viewers: {share:.2%} of a core for two modems, {share - base:+.2%}",
                    end="",
                )
                print(f"; frames late p99 {late:.2f} ms, worst {worst:.2f}", end="")
                for task in tasks:
                    task.cancel()
            for task in talking:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*talking, return_exceptions=True)

    asyncio.run(main())


@pytest.mark.bench
def test_cost_of_keeping_the_last_minute() -> None:
    tape, frame = Tape(), np.full(160, 0.1, np.float32)
    before = time.process_time()
    for _ in range(20_000):
        tape.hear(frame, frame, Speaker(False, 0))
    each = (time.process_time() - before) / 20_000
    print(f"\n  the tape takes {each * 1e6:.0f} µs a frame: {each * 50:.3%} of a core")
