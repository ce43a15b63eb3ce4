"""Runs an answering line: a `Getty` engine, the port of its modem, and what the engine asks for.

::

    port.read ──► incoming ──► Getty ──► outgoing ──► port.write
                                │  ▲ command input        ▲
                                ▼  │                      │ command output
                     events: DTR, passwords, commands ────┘

Every arrow stops when the next box is full: the modem's circuit 106 is what a slow command ends up at.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, TypeVar

import structlog

from ansam.answer.events import (
    AnswerEvent,
    CheckPassword,
    DoWork,
    HoldCommand,
    JudgeCaller,
    OpenBridge,
    Reattach,
    RunCommand,
    SetDtr,
    SetSpeed,
    StopCommand,
    Trouble,
)
from ansam.answer.getty import Getty
from ansam.answer.getty_state import GettyState
from ansam.answer.place import Place
from ansam.answer.settings import Machine
from ansam.errors import AnsamError, ResourceError
from ansam.io.answer_channel import CHANNEL_LIMIT, Channel
from ansam.io.answer_command import judge
from ansam.io.answer_coupling import Coupling
from ansam.io.answer_passwords import verify_in_thread
from ansam.io.terminal_port import DevicePort, Port

PORT_POLL = 0.02
WORKERS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="answer")
"""Look things up for callers on disk and in databases."""

REOPEN_EVERY = 1.0
"""Seconds between attempts to get a lost port back."""

_T = TypeVar("_T")
_log = structlog.get_logger("ansam.answer")


def this_machine() -> Machine:
    """Return what uname says."""
    name = os.uname()
    return Machine(name.nodename, name.sysname, name.machine, name.release, name.version)


def local_time() -> datetime:
    """Return the time on the wall."""
    return datetime.now().astimezone()


def _no_listener(event: AnswerEvent) -> None:
    """Nobody listens."""


DRAIN_POLL = 0.1
"""Seconds between looks at what the modem still holds, before DTR is dropped."""


class AnswerLine:
    """One answering line.

    Args:
        port: The way to its modem.
        place: What a caller finds (its `wake` is replaced by this line's own).
        listener: Told every event of the engine; for tests, logs and displays.
    """

    def __init__(
        self, port: Port, place: Place, listener: Callable[[AnswerEvent], None] = _no_listener
    ) -> None:
        self._port = port
        self._listener = listener
        self._wake = asyncio.Event()
        self._getty = Getty(replace(place, wake=self._wake.set), time.monotonic())
        self._incoming = Channel(CHANNEL_LIMIT, self._wake.set)
        self._outgoing = Channel(CHANNEL_LIMIT, self._wake.set)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writer: asyncio.Task[None] | None = None
        self._failed: BaseException | None = None
        self._waiting = asyncio.Event()
        self._working = asyncio.Lock()
        self._log = _log.bind(port=port.name)
        self._coupling = Coupling(self._getty, self._outgoing, self._wake.set, self._spawn, self._log)
        port.on_carrier = self._wake.set

    @property
    def state(self) -> GettyState:
        """Where the line is."""
        return self._getty.state

    async def until_waiting(self) -> None:
        """Return when the modem is set up and a call may come."""
        await self._waiting.wait()

    async def run(self) -> None:
        """Answer calls until cancelled; raises `ResourceError` where the port can not be opened at first."""
        await self._port.open()
        self._spawn(self._read_port())
        self._writer = self._spawn(self._write_port())
        try:
            while True:
                await self._step()
        finally:
            await self._stop()

    # -- the loop --------------------------------------------------------------------------------------------

    async def _step(self) -> None:
        self._wake.clear()
        now = time.monotonic()
        self._move_engine(now)
        for event in self._getty.take_events():
            await self._obey(event)
        if self._getty.state is GettyState.WAITING:
            self._waiting.set()
        else:
            self._waiting.clear()
        due = self._getty.deadline()
        if due is not None and self._getty.state is GettyState.LINGERING and self._port.unsent is not None:
            due = min(due, now + DRAIN_POLL)
        if self._failed is not None:
            raise self._failed
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if due is None else max(0.0, due - time.monotonic())):
                await self._wake.wait()

    def _move_engine(self, now: float) -> None:
        getty = self._getty
        if self._port.carrier is not None:
            getty.carrier_changed(self._port.carrier, now)
        if self._outgoing.idle and self._port.unsent == 0:
            getty.line_drained(now)
        due = getty.deadline()
        if due is not None and now >= due:
            getty.handle_timer(now)
        if not self._incoming.idle:
            self._incoming.drop(getty.receive(self._incoming.data, now))
        if self._outgoing.idle:
            self._outgoing.add(getty.take_output(now))
        if self._coupling.input.idle:
            self._coupling.input.add(getty.take_command_input())

    async def _read_port(self) -> None:
        while True:
            data = await self._port.read()
            if data:
                await self._incoming.put(data)
            elif self._getty.state is GettyState.HANGING_UP:
                # We gave the port up ourselves: that is how a pty drops DTR.
                await asyncio.sleep(PORT_POLL)
            else:
                await self._reopen()

    async def _write_port(self) -> None:
        while True:
            data = await self._outgoing.get()
            with contextlib.suppress(OSError):
                # A port that is gone is noticed, and got back, by the reader.
                await self._port.write(data)
            self._outgoing.delivered()

    async def _reopen(self) -> None:
        self._log.warning("port lost")
        self._port.close()
        self._incoming.clear()
        self._outgoing.clear()
        self._getty.port_gone(time.monotonic())
        self._wake.set()
        while True:
            await asyncio.sleep(REOPEN_EVERY)
            with contextlib.suppress(ResourceError):
                await self._port.open()
                self._getty.port_gone(time.monotonic())
                self._wake.set()
                return

    # -- what the engine asks for ----------------------------------------------------------------------------

    async def _obey(self, event: AnswerEvent) -> None:
        self._listener(event)
        match event:
            case SetDtr(on=on):
                await self._set_dtr(on)
            case CheckPassword():
                self._spawn(self._check(event))
            case RunCommand() | OpenBridge() | Reattach():
                self._coupling.begin(event)
            case HoldCommand():
                await self._coupling.hold(event)
            case DoWork():
                self._spawn(self._do_work(event))
            case SetSpeed(speed=speed):
                with self._may_be_gone():
                    if isinstance(self._port, DevicePort):
                        self._port.set_speed(speed)
            case JudgeCaller():
                self._spawn(self._judge(event))
            case StopCommand():
                self._coupling.give_up()
            case Trouble(text=text):
                self._log.warning("trouble", text=text)
            case _:
                self._log.info(type(event).__name__, **asdict(event))

    async def _set_dtr(self, on: bool) -> None:
        if not on:
            # What the modem has not taken by now is for a caller who is gone.
            if self._writer is not None:
                self._tasks.discard(self._writer)
                self._writer.cancel()
            self._outgoing.clear()
            self._incoming.clear()
            self._writer = self._spawn(self._write_port())
        with self._may_be_gone():
            await self._port.set_dtr(on)

    @contextlib.contextmanager
    def _may_be_gone(self) -> Iterator[None]:
        """Go on without a port that is gone: the reader notices, and gets it back."""
        try:
            yield
        except AnsamError as error:
            self._log.warning("port", error=str(error))

    async def _check(self, order: CheckPassword) -> None:
        session = self._getty.session
        fits = await verify_in_thread(order.password_hash, order.password)
        if self._getty.session is not session:
            return
        self._getty.password_checked(fits, time.monotonic())
        self._wake.set()

    async def _do_work(self, order: DoWork) -> None:
        session, result, trouble = self._getty.session, None, ""
        # In their order: what a caller has just written is there when it is read.
        async with self._working:
            try:
                result = await asyncio.get_running_loop().run_in_executor(WORKERS, order.work)
            except AnsamError as error:
                trouble = error.message
                self._log.warning("work", error=str(error))
            except Exception as error:
                # A fault met for one caller may not cost the line its next ones.
                trouble = "something went wrong here"
                self._log.error("work", error=repr(error), exc_info=error)
        if order.answered and self._getty.session is session:
            self._getty.work_done(result, trouble)
            self._wake.set()

    async def _judge(self, order: JudgeCaller) -> None:
        accepted = True
        try:
            accepted = await judge(order.argv)
        except AnsamError as error:
            # As mgetty: a program that can not be started keeps nobody out.
            self._log.warning("caller program", error=str(error))
        self._getty.caller_judged(order.serial, accepted, time.monotonic())
        self._wake.set()

    # -- tasks -----------------------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = error
            self._wake.set()

    async def _stop(self) -> None:
        await self._coupling.stop()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._keep_last_words()
        self._port.close()

    async def _keep_last_words(self) -> None:
        """Do what a caller cut off by our own end leaves to be done, such as the record of the call."""
        self._getty.port_gone(time.monotonic())
        for event in self._getty.take_events():
            if isinstance(event, DoWork) and not event.answered:
                await self._do_work(event)
