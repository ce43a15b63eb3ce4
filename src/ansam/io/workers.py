"""Line workers: child processes that each run some lines, and the supervisor that keeps them running.

A line lives in one process (design decision 6): two threads of calls share one interpreter and gain
nothing, two processes use two cores. A worker that is killed drops its own calls only, and is started again
after a pause that doubles from 0.5 s to 30 s while it keeps dying young.

A worker is a command, so that what runs under the supervisor is also what a person can type. It is ready
when it closes the descriptor named by `READY_FD` after writing a line to it, is asked to end by SIGTERM,
and ends by itself when its supervisor dies (its standard input ends: see `parent_gone`).
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import structlog

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 10.0
"""A worker that lived this many seconds is started again without a long pause."""

STOP_TIMEOUT = 6.0
"""Seconds from SIGTERM to SIGKILL: BYE, un-registration, last words."""

READY_FD = "ANSAM_READY_FD"
"""Environment variable: the descriptor to report readiness on."""

_log = structlog.get_logger("ansam.io.workers")


class WorkerState(Enum):
    """Where a worker is."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting to be started again"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What to run.

    Attributes:
        name: For logs; unique.
        command: Program and arguments; see `python_worker`.
        environment: Added to ours.
        restart_on_error: Exit codes of bad configuration (2) or refused resources (3) are final where False.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    restart_on_error: bool = True


def python_worker(name: str, *arguments: str) -> WorkerSpec:
    """Return the worker that runs ``ansam ARGUMENTS`` with our interpreter."""
    return WorkerSpec(name, (sys.executable, "-m", "ansam.cli.main", *arguments))


@dataclass(slots=True)
class WorkerStatus:
    """How a worker fares.

    Attributes:
        state: Where it is.
        pid: Its process, None where there is none.
        starts: How often it was started.
        last_exit: Exit code of its last process (negative: the signal).
    """

    state: WorkerState = WorkerState.STARTING
    pid: int | None = None
    starts: int = 0
    last_exit: int | None = None


def _no_listener(name: str, status: WorkerStatus) -> None:
    """Nobody listens."""


class Supervisor:
    """Keeps a set of workers running.

    Args:
        specs: What to run.
        listener: Told each change of a worker's state.
        spare: A process that loads all that workers need, then reads from its standard input which of them it
            is to be (`wanted_name`): one stands ready for the next worker that dies. None: none does.

    Attributes:
        status: By worker name.
    """

    def __init__(
        self,
        specs: Sequence[WorkerSpec],
        listener: Callable[[str, WorkerStatus], None] = _no_listener,
        spare: WorkerSpec | None = None,
    ) -> None:
        self._specs = tuple(specs)
        self._spare_spec = spare
        self._spare: _Launched | None = None
        self._sparing: asyncio.Task[None] | None = None
        self.status = {spec.name: WorkerStatus() for spec in specs}
        self._listener = listener
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._stopping = False

    def start(self) -> None:
        """Start all workers."""
        self._tasks = [asyncio.create_task(self._keep(spec), name=spec.name) for spec in self._specs]

    async def wait_ready(self, within: float) -> None:
        """Wait until every worker is ready (or finally stopped).

        Raises:
            TimeoutError: Some are not `within` so many seconds.
        """
        async with asyncio.timeout(within):
            while any(s.state in (WorkerState.STARTING, WorkerState.WAITING) for s in self.status.values()):
                self._changed.clear()
                await self._changed.wait()

    async def stop(self) -> None:
        """Ask all workers to end, and see to it that they do."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._sparing is not None:
            await self._sparing
        spare = self._take_spare()
        if spare is not None:
            os.close(spare.ready)
            await _end(spare.process)

    async def _keep(self, spec: WorkerSpec) -> None:
        pause = FIRST_PAUSE
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            code = await self._run(spec)
            if code == 0 or (code in (2, 3) and not spec.restart_on_error):
                self._enter(spec, WorkerState.STOPPED)
                return
            if loop.time() - began >= HEALTHY_AFTER:
                pause = FIRST_PAUSE
            _log.error("worker died", worker=spec.name, exit=code, restart_in=pause)
            self._enter(spec, WorkerState.WAITING)
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)

    async def _run(self, spec: WorkerSpec) -> int:
        """Run one process of a worker to its end; return its exit code."""
        status = self.status[spec.name]
        launched = self._take_spare()
        if launched is not None:
            launched.process.stdin.write(f"{spec.name}\n".encode())  # type: ignore[union-attr]
        else:
            launched = await _launch(spec)
        if launched is None:
            return 127
        process = launched.process
        status.pid, status.starts = process.pid, status.starts + 1
        self._enter(spec, WorkerState.STARTING)
        watch = asyncio.create_task(self._watch_ready(spec, launched.ready))
        try:
            status.last_exit = await process.wait()
            return status.last_exit
        except asyncio.CancelledError:
            status.last_exit = await _end(process)
            self._enter(spec, WorkerState.STOPPED)
            raise
        finally:
            status.pid = None
            watch.cancel()
            if process.stdin is not None:
                process.stdin.close()

    def _take_spare(self) -> "_Launched | None":
        """Return the process that stands ready; None where there is none that lives."""
        spare, self._spare = self._spare, None
        if spare is not None and spare.process.returncode is not None:
            os.close(spare.ready)
            return None
        return spare

    async def _make_spare(self) -> None:
        assert self._spare_spec is not None
        self._spare = await _launch(self._spare_spec)

    async def _watch_ready(self, spec: WorkerSpec, fd: int) -> None:
        """Wait for the line that says the worker is ready."""
        loop = asyncio.get_running_loop()
        came = asyncio.Event()
        os.set_blocking(fd, False)
        loop.add_reader(fd, came.set)
        try:
            await came.wait()
            if os.read(fd, 64):
                self._enter(spec, WorkerState.READY)
        finally:
            loop.remove_reader(fd)
            os.close(fd)

    def _enter(self, spec: WorkerSpec, state: WorkerState) -> None:
        status = self.status[spec.name]
        status.state = state
        self._changed.set()
        self._listener(spec.name, status)
        self._look_for_spare()

    def _look_for_spare(self) -> None:
        """Start a spare once nothing else is starting: it would take time from what is wanted now."""
        if self._spare_spec is None or self._spare is not None or self._stopping:
            return
        settled = all(one.state is not WorkerState.STARTING for one in self.status.values())
        if settled and (self._sparing is None or self._sparing.done()):
            self._sparing = asyncio.get_running_loop().create_task(self._make_spare())


@dataclass(frozen=True, slots=True)
class _Launched:
    """A process that was started, and where it reports that it is ready."""

    process: asyncio.subprocess.Process
    ready: int


async def _launch(spec: WorkerSpec) -> _Launched | None:
    """Start a process; None (and a line in the log) where that fails."""
    ready_out, ready_in = os.pipe()
    environment = {**os.environ, **spec.environment, READY_FD: str(ready_in)}
    try:
        process = await asyncio.create_subprocess_exec(
            *spec.command,
            stdin=asyncio.subprocess.PIPE,
            env=environment,
            pass_fds=(ready_in,),
            # A ^C at our terminal is ours to pass on, as SIGTERM.
            start_new_session=True,
        )
    except OSError as error:
        os.close(ready_out)
        _log.error("worker can not be started", worker=spec.name, error=str(error))
        return None
    finally:
        os.close(ready_in)
    return _Launched(process, ready_out)


async def _end(process: asyncio.subprocess.Process) -> int:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_TIMEOUT):
            return await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


def report_ready() -> None:
    """Tell our supervisor, if there is one, that this worker is ready; for the worker's side."""
    text = os.environ.pop(READY_FD, "")
    if text:
        with contextlib.suppress(OSError, ValueError):
            os.write(int(text), b"ready\n")
            os.close(int(text))


def wanted_name() -> str:
    """Wait until our supervisor says which worker this spare process is to be; "" when it has gone."""
    name = b""
    while not name.endswith(b"\n"):
        octet = os.read(0, 1)
        if not octet:
            return ""
        name += octet
    return name[:-1].decode()


def parent_gone(on_gone: Callable[[], None]) -> None:
    """Call `on_gone` when our supervisor dies: its end of our standard input closes. For the worker's side.

    Does nothing where there is no supervisor (`READY_FD` is not set); call it before `report_ready`.
    """
    if READY_FD in os.environ:
        end_of_input(on_gone)


def end_of_input(on_end: Callable[[], None]) -> None:
    """Call `on_end` when our standard input ends; what comes on it is thrown away."""
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if not os.read(0, 64):
            loop.remove_reader(0)
            on_end()

    loop.add_reader(0, readable)
