"""Workers are real processes here; small ones."""

import asyncio
import os
import signal
import sys

import pytest
from tests.support.waiting import until

from ansam.io.workers import Supervisor, WorkerSpec, WorkerState, WorkerStatus, python_worker

READY = """
import os, signal, sys, threading
asked = threading.Event()
signal.signal(signal.SIGTERM, lambda number, frame: asked.set())
fd = int(os.environ["ANSAM_READY_FD"]); os.write(fd, b"ready\\n"); os.close(fd)
asked.wait()
"""
LOYAL = """
import asyncio
from ansam.io.workers import parent_gone, report_ready
async def main():
    gone = asyncio.Event()
    parent_gone(gone.set)
    report_ready()
    await gone.wait()
asyncio.run(main())
"""


def worker(name: str, code: str) -> WorkerSpec:
    return WorkerSpec(name, (sys.executable, "-c", code))


class Watch:
    """Waits for states."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, WorkerState, int]] = []
        self._changed = asyncio.Event()

    def __call__(self, name: str, status: WorkerStatus) -> None:
        self.seen.append((name, status.state, status.starts))
        self._changed.set()

    async def until(self, *what: object) -> None:
        async with asyncio.timeout(20):
            while what not in self.seen:
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.workers.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("ansam.io.workers.STOP_TIMEOUT", 0.5)


async def test_a_killed_worker_is_started_again_and_the_others_live_on() -> None:
    watch = Watch()
    supervisor = Supervisor([worker("a", READY), worker("b", READY)], watch)
    supervisor.start()
    await supervisor.wait_ready(20)
    other = supervisor.status["b"].pid
    victim = supervisor.status["a"].pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    await watch.until("a", WorkerState.READY, 2)
    assert supervisor.status["b"].pid == other
    assert supervisor.status["a"].last_exit == -signal.SIGKILL
    await supervisor.stop()
    assert {s.state for s in supervisor.status.values()} == {WorkerState.STOPPED}
    assert {s.pid for s in supervisor.status.values()} == {None}
    assert supervisor.status["b"].last_exit == 0


SPARE = (
    """
import sys
from ansam.io.workers import wanted_name
name = wanted_name()
print(name, file=sys.stderr) if name else sys.exit()
"""
    + READY
)


async def test_a_spare_is_at_once_what_died() -> None:
    watch = Watch()
    supervisor = Supervisor([worker("a", READY)], watch, worker("spare", SPARE))
    supervisor.start()
    await supervisor.wait_ready(20)
    for starts in (2, 3):
        await until(lambda: supervisor._spare)
        spare, victim = supervisor._spare, supervisor.status["a"].pid
        assert spare is not None
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        await watch.until("a", WorkerState.READY, starts)
        assert supervisor.status["a"].pid == spare.process.pid
    spare = supervisor._spare
    await supervisor.stop()
    assert spare is None or spare.process.returncode is not None


async def test_pause_grows_while_it_dies_young() -> None:
    watch = Watch()
    supervisor = Supervisor([worker("a", "raise SystemExit(1)")], watch)
    supervisor.start()
    await watch.until("a", WorkerState.STARTING, 3)
    await supervisor.stop()
    assert supervisor.status["a"].starts >= 3


async def test_bad_configuration_is_final_where_asked() -> None:
    spec = WorkerSpec("a", (sys.executable, "-c", "raise SystemExit(2)"), restart_on_error=False)
    supervisor = Supervisor([spec])
    supervisor.start()
    await supervisor.wait_ready(20)
    assert supervisor.status["a"].state is WorkerState.STOPPED
    assert supervisor.status["a"].starts == 1
    await supervisor.stop()


async def test_program_that_does_not_exist() -> None:
    watch = Watch()
    supervisor = Supervisor([WorkerSpec("a", ("/nonexistent/program",))], watch)
    supervisor.start()
    await watch.until("a", WorkerState.WAITING, 0)
    with pytest.raises(TimeoutError):
        await supervisor.wait_ready(0.05)
    await supervisor.stop()


async def test_worker_that_ignores_sigterm_is_killed() -> None:
    supervisor = Supervisor([worker("a", READY.replace("asked.set()", "None"))])
    supervisor.start()
    await supervisor.wait_ready(20)
    await supervisor.stop()
    assert supervisor.status["a"].last_exit == -signal.SIGKILL


async def test_worker_ends_with_its_supervisor() -> None:
    """The supervisor's end of the worker's standard input is all that ties them together."""
    ready_out, ready_in = os.pipe()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        LOYAL,
        stdin=asyncio.subprocess.PIPE,
        env={**os.environ, "ANSAM_READY_FD": str(ready_in)},
        pass_fds=(ready_in,),
    )
    os.close(ready_in)
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, os.read, ready_out, 10) == b"ready\n"
    os.close(ready_out)
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(20):
        assert await process.wait() == 0


def test_python_worker_runs_the_command_line() -> None:
    spec = python_worker("line 07", "modem", "--line", "x")
    assert spec.command[0] == sys.executable
    assert spec.command[-3:] == ("modem", "--line", "x")
