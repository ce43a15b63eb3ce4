"""Serves one caller by PPP: the line on a descriptor, a `PppServer`, and slirp behind it.

::

    line ──► PppServer ──► slirp ──► connections of this machine
      ◄── written ──┘ ◄──────┘

Slirp is read only when the line has taken what it was given: what is under way is in slirp's own queues,
where TCP learns how slow the line is.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping
from ipaddress import IPv4Address
from random import SystemRandom

from ansam.io.answer_passwords import verify_in_thread
from ansam.io.ppp_slirp import Slirp, own_name_server
from ansam.io.terminal_fd import Descriptor
from ansam.ppp.auth import PppUser, Verify
from ansam.ppp.link import Ended, Ending, NetworkUp, PppEvent, PppServer
from ansam.ppp.settings import PppSettings

TERMINATE_TIMEOUT = 3.0
"""Seconds for the peer to hear that we hang up."""


class PppCall:
    """One caller.

    Args:
        line: The way to the caller; closed in the end.
        settings: What callers get.
        users: Who may call, by name.
        slirp: Program.
        listener: Told every event.
        names: What 10.0.2.3 leads to; the machine's own name server by default.
    """

    def __init__(
        self,
        line: Descriptor,
        settings: PppSettings,
        users: Mapping[str, PppUser],
        slirp: str,
        listener: Callable[[PppEvent], None],
        names: IPv4Address | None = None,
    ) -> None:
        self._line = line
        self._server = PppServer(settings, users, SystemRandom(), time.monotonic())
        self._program = slirp
        self._names = names or own_name_server()
        self._listener = listener
        self._slirp: Slirp | None = None
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: Ended | None = None
        self._failed: BaseException | None = None

    async def run(self) -> Ended:
        """Serve until the link is closed or the line is gone; raises `ResourceError` where slirp fails."""
        self._spawn(self._read_line())
        try:
            while self._ended is None:
                await self._step()
                if self._failed is not None:
                    raise self._failed
        finally:
            await self._stop()
        return self._ended

    def hang_up(self, text: str) -> None:
        """Close the link from this side; the peer has a moment to hear it."""
        self._server.close(text, time.monotonic())
        self._wake.set()
        asyncio.get_running_loop().call_later(TERMINATE_TIMEOUT, self._end, Ended(Ending.OURS, text))

    async def _step(self) -> None:
        self._wake.clear()
        server, now = self._server, time.monotonic()
        due = server.deadline()
        if due is not None and now >= due:
            server.handle_timer(now)
        await self._write_line(server.take_output())
        for event in server.take_events():
            self._obey(event)
        due = server.deadline()
        if self._ended is None:
            self._drained.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else max(0.0, due - time.monotonic())):
                    await self._wake.wait()

    def _obey(self, event: PppEvent) -> None:
        if isinstance(event, Ended):
            self._end(event)
            return
        self._listener(event)
        if isinstance(event, Verify):
            self._spawn(self._verify(event))
        elif isinstance(event, NetworkUp):
            self._spawn(self._run_slirp(event.mtu))

    def _end(self, ended: Ended) -> None:
        if self._ended is None:
            self._ended = ended
            self._listener(ended)
        self._wake.set()

    # -- the line, slirp, passwords --------------------------------------------------------------------------

    async def _read_line(self) -> None:
        while data := await self._line.read():
            self._server.receive(data, time.monotonic())
            self._wake.set()
            for packet in self._server.take_packets():
                # Before slirp has started nothing is owed: whoever sends TCP sends it again.
                if self._slirp is not None:
                    await self._slirp.write(packet)
        self._end(Ended(Ending.LINE, "the line is gone"))

    async def _write_line(self, data: bytes) -> None:
        try:
            await self._line.write(data)
        except OSError:
            self._end(Ended(Ending.LINE, "the line is gone"))

    async def _run_slirp(self, mtu: int) -> None:
        slirp = Slirp(self._program, mtu, self._names)
        try:
            await slirp.start()
            self._slirp = slirp
            while True:
                for packet in await slirp.read():
                    await self._drained.wait()
                    self._server.send_packet(packet)
                    self._drained.clear()
                    self._wake.set()
        finally:
            self._slirp = None
            await slirp.stop()

    async def _verify(self, order: Verify) -> None:
        fits = await verify_in_thread(order.password_hash, order.password)
        self._server.password_checked(order, fits, time.monotonic())
        self._wake.set()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = error
            self._wake.set()

    async def _stop(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._line.close()
