"""A V.34 call in a process of its own, the page's server in a second, those who look in a third.

Each has a pipe: a request is a tuple, whatever is sent back its answer.
"""

import asyncio
import contextlib
import multiprocessing
import random
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.support.exchange_live import EXTENSIONS, exchange

from ansam.call.line_url import SipLineUrl
from ansam.dce.dce import Dce
from ansam.io.clock import FramePacer, Histogram
from ansam.io.control.hub import SocketHub
from ansam.io.control.page_dte import PageDte
from ansam.io.control.server import ControlServer
from ansam.io.control.tap import Identity, ModemTap, Watch
from ansam.io.line_sip import SipLine
from ansam.io.modem_host import ModemHost

MODEMS = ("ttyUSB0", "ttyUSB1")
"""The answering one, and the calling one, which is looked at."""

TEXT = random.Random(1).randbytes(1024)

Answer = Callable[[tuple[Any, ...]], Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the processes."""

    process: multiprocessing.process.BaseProcess
    pipe: Connection

    def ask(self, *request: object) -> Any:
        """Return the answer to a request."""
        self.pipe.send(request)
        return self.pipe.recv()

    def cpu(self) -> float:
        """Return the CPU seconds of all its threads; Linux makes the number of a process's clock so."""
        pid = self.process.pid
        assert pid is not None
        return time.clock_gettime(~pid << 3 | 2)


@contextmanager
def side(work: Callable[..., None], *args: object) -> Iterator[Side]:
    """Run one as long as the context lasts; it sends one answer when it is ready."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()

    def run() -> None:
        here.close()
        work(there, *args)

    process = context.Process(target=run, daemon=True)
    process.start()
    there.close()
    try:
        assert here.recv() == "ready"
        yield Side(process, here)
    finally:
        here.close()
        process.join(10)
        process.kill()


async def _serve(pipe: Connection, answer: Answer) -> None:
    """Answer requests until the other end has gone; a thread waits for them, so that no time is counted."""
    pipe.send("ready")
    while True:
        try:
            request = await asyncio.to_thread(pipe.recv)
        except EOFError:
            return
        pipe.send(await answer(request))


# -- the worker ----------------------------------------------------------------------------------------------


async def _modem(stack: AsyncExitStack, url: SipLineUrl, pacer: FramePacer, name: str) -> ModemTap:
    page = PageDte()
    watch = Watch(page)
    line = SipLine(url, pacer, must_register=True)
    host = ModemHost(Dce(None, watch.trace), line, page, name=name, sinks=(watch.tape,))
    host.initialise("ATS0=1" if name == MODEMS[0] else "ATS0=0")
    await host.start()
    stack.push_async_callback(host.stop)
    return watch.tap(Identity(name, url.user), host)


async def _talk(tap: ModemTap) -> None:
    """Send without end and throw away what comes."""
    terminal = await tap.terminal()

    async def read() -> None:
        while await terminal.read():
            pass

    async with asyncio.TaskGroup() as both:
        both.create_task(read())
        while True:
            await terminal.write(TEXT)


def call(pipe: Connection, path: Path) -> None:
    """Both modems of a call by an exchange, and their control socket; answers how late frames were, in ms."""

    async def main() -> None:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(exchange())
            host, port = server.address("udp")
            pacer = FramePacer()
            pacer.start()
            stack.callback(pacer.stop)
            taps = []
            for extension, name in zip(EXTENSIONS[::2], MODEMS, strict=True):
                url = SipLineUrl(extension.number, extension.secret, host, port, bind="127.0.0.1")
                taps.append(await _modem(stack, url, pacer, name))
            control = ControlServer(path, taps)
            await control.start()
            stack.push_async_callback(control.stop)
            await taps[1].dial(EXTENSIONS[0].number)
            async for state in taps[1].panel():
                if state.state == "connected":
                    break
            talking = [asyncio.create_task(_talk(tap)) for tap in taps]

            async def lateness(_: tuple[Any, ...]) -> tuple[float, float]:
                seen, pacer.lateness = pacer.lateness, Histogram()
                return seen.quantile(0.99) * 1e3, seen.worst * 1e3

            await _serve(pipe, lateness)
            for task in talking:
                task.cancel()
            await asyncio.gather(*talking, return_exceptions=True)

    asyncio.run(main())


# -- the page's server ---------------------------------------------------------------------------------------


def page(pipe: Connection, path: Path, directory: Path) -> None:
    """The server; answers where it is."""
    from ansam.config.web import WebConfig
    from ansam.web.recordings import RecordingShelf
    from ansam.web.server import WebServer
    from ansam.web.sources import Sources

    async def main() -> None:
        hub = SocketHub([path])
        hub.start()
        shelf = RecordingShelf(directory, 1, 1)
        server = WebServer(WebConfig("127.0.0.1", 0), Sources(modems=hub, recordings=shelf))
        await server.start()
        while len(hub.modems()) < len(MODEMS):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

        async def where(_: tuple[Any, ...]) -> str:
            return server.url

        await _serve(pipe, where)
        await server.stop()
        await hub.stop()

    asyncio.run(main())


# -- those who look ------------------------------------------------------------------------------------------


def viewers(pipe: Connection, url: str) -> None:
    """Clients of the scope; told how many to be, answers octets and messages since the request before."""
    from websockets.asyncio.client import connect

    async def main() -> None:
        looking: list[asyncio.Task[None]] = []
        seen = [0, 0]

        async def look() -> None:
            address = url.replace("http", "ws") + f"ws/modems/{MODEMS[1]}/scope"
            async with connect(address, origin=url.rstrip("/")) as socket:  # type: ignore[arg-type]
                async for message in socket:
                    seen[0] += len(message)
                    seen[1] += 1

        async def be(request: tuple[Any, ...]) -> tuple[int, int]:
            (count,) = request
            while len(looking) > count:
                task = looking.pop()
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            looking.extend(asyncio.create_task(look()) for _ in range(count - len(looking)))
            answer = (seen[0], seen[1])
            seen[:] = 0, 0
            return answer

        await _serve(pipe, be)
        await be((0,))

    asyncio.run(main())
