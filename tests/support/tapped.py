"""Two watched modems on one raw line that runs as fast as the machine can."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ansam.dce.dce import Dce
from ansam.io.clock import FramePacer
from ansam.io.control.hub import SocketHub
from ansam.io.control.page_dte import PageDte
from ansam.io.control.server import ControlServer
from ansam.io.control.tap import Identity, ModemTap, Watch
from ansam.io.lines import make_line
from ansam.io.modem_host import ModemHost


@asynccontextmanager
async def tapped(directory: Path, *init: str) -> AsyncIterator[tuple[ModemTap, ModemTap]]:
    """The answering and the calling modem; `init` is for both."""
    line, pacer = directory / "line", FramePacer()
    urls = {"ttyUSB0": f"unix-listen:{line}", "ttyUSB1": f"unix:{line};clock=here"}
    hosts, taps = [], []
    for name, url in urls.items():
        page = PageDte()
        watch = Watch(page)
        host = ModemHost(Dce(None, watch.trace), make_line(url, pacer), page, name=name, sinks=(watch.tape,))
        for command in (*init, *(("ATS0=1",) if name == "ttyUSB0" else ())):
            host.initialise(command)
        await host.start()
        hosts.append(host)
        taps.append(watch.tap(Identity(name, {"ttyUSB0": "05", "ttyUSB1": "07"}[name]), host))
    try:
        yield taps[0], taps[1]
    finally:
        for host in hosts:
            await host.stop()


@asynccontextmanager
async def behind_socket(directory: Path, *taps: ModemTap) -> AsyncIterator[SocketHub]:
    """Modems as another process sees them."""
    server = ControlServer(directory / "control", taps)
    await server.start()
    hub = SocketHub([directory / "control"])
    hub.start()
    try:
        async with asyncio.timeout(10):
            while len(hub.modems()) < len(taps):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        yield hub
    finally:
        await hub.stop()
        await server.stop()


class Looker:
    """Collects the messages of a scope."""

    def __init__(self, modem: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        self._task = asyncio.create_task(self._look(modem))

    async def _look(self, modem: Any) -> None:
        async for text in modem.scope():
            self.messages += json.loads(text)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["type"] == "event" and m["kind"] == kind]

    def frames(self) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["type"] == "frame"]

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
