# ruff: noqa: ASYNC110
"""The terminal's side: throughput and latency through a pty, and what a modem on hook costs."""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.io.test_dte_circuits import StillLine
from tests.support.terminal_bench import FRAME, BufferSession

from ansam.dce import line_side as module
from ansam.dce.dce import Dce, LineState
from ansam.dce.progress import Progress
from ansam.io.dte_pty import PtyDte
from ansam.io.modem_host import ModemHost

REQUIRED_RATE = 921600
"""Bit/s of 10-bit characters."""

TOTAL = 4_000_000
IDLE_SECONDS = float(os.environ.get("ANSAM_BENCH_SECONDS", "20"))
TICKS = os.sysconf("SC_CLK_TCK")


def _write(path: Path, total: int) -> None:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    block = bytes(range(32, 126)) * 40
    while total > 0:
        total -= os.write(fd, block[:total])
    time.sleep(0.2)
    os.close(fd)


def _read(path: Path, total: int) -> None:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    while total > 0:
        total -= len(os.read(fd, 65536))
    os.close(fd)


async def _connected(path: Path) -> ModemHost:
    """Return a modem in data mode whose link is a pair of buffers."""
    host = ModemHost(Dce(), StillLine(), PtyDte(path))  # type: ignore[arg-type]
    host.initialise("ATE0&D0")
    await host.start()
    dce, clock = host.dce, host._clock
    dce.receive_dte(b"ATDT05\r", clock.now())
    while dce.state is not LineState.CALLING:
        due = dce.deadline()
        assert due is not None
        dce.handle_timer(due)
        clock.advance_to(due)
    host.progress(Progress.CONNECTED)
    with host.lock:
        host.process(FRAME, host.media_started())
    host.media_stopped()
    return host


@pytest.mark.bench
@pytest.mark.parametrize("direction", ["to the line", "from the line"])
def test_throughput_through_a_pty(direction: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes a second between a program on the pty and the link, through the whole of the terminal's side."""
    monkeypatch.setattr(module, "Session", BufferSession)

    async def run() -> float:
        host = await _connected(tmp_path / "tty")
        link = BufferSession.made[-1].link
        assert link is not None
        work = _write if direction == "to the line" else _read
        done = asyncio.get_running_loop().run_in_executor(None, work, tmp_path / "tty", TOTAL)
        while not host.dce._terminal.dtr:  # What comes before somebody listens is lost.
            await asyncio.sleep(0.01)
        began, moved, given = time.monotonic(), 0, 0
        cpu = time.process_time()
        while moved < TOTAL if direction == "to the line" else not done.done():
            moved += len(link.queue)
            link.queue.clear()
            if direction == "from the line" and given < TOTAL and len(link.received) < 16384:
                block = bytes(min(16384, TOTAL - given))
                link.received += block
                given += len(block)
            host.frame_done()
            await asyncio.sleep(0)
        seconds = time.monotonic() - began
        cpu = time.process_time() - cpu
        await done
        await host.stop()
        print(f"\n{direction}: {TOTAL / seconds * 10:.0f} bit/s as 10-bit characters", end="")
        print(f" ({TOTAL / seconds * 10 / REQUIRED_RATE:.0f} times {REQUIRED_RATE}), CPU {cpu / seconds:.0%}")
        return TOTAL / seconds * 10

    assert asyncio.run(run()) > REQUIRED_RATE


@pytest.mark.bench
def test_command_to_ok(tmp_path: Path) -> None:
    """Time from the CR of a command to the end of its OK, as a program on the pty has it."""

    def talk(path: Path) -> list[float]:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        times = []
        for _ in range(1000):
            began = time.perf_counter()
            os.write(fd, b"AT\r")
            said = b""
            while not said.endswith(b"OK\r\n"):
                said += os.read(fd, 4096)
            times.append(time.perf_counter() - began)
        os.close(fd)
        return times

    async def run() -> list[float]:
        host = ModemHost(Dce(), StillLine(), PtyDte(tmp_path / "tty"))  # type: ignore[arg-type]
        await host.start()
        times = await asyncio.to_thread(talk, tmp_path / "tty")
        await host.stop()
        return times

    times = sorted(asyncio.run(run())[1:])
    p99 = times[len(times) * 99 // 100]
    print(f"\ncommand to OK: median {statistics.median(times) * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms", end="")
    print(f", worst {times[-1] * 1e3:.2f} ms")
    assert statistics.median(times) < 0.02


@pytest.mark.bench
@pytest.mark.parametrize("port", ["pty, closed", "pty, open", "tcp", "rfc2217"])
def test_cpu_of_an_idle_modem(port: str, tmp_path: Path) -> None:
    """Share of a core that `ansam modem` takes on hook."""
    path = tmp_path / "tty"
    dte = f"pty:{path}" if port.startswith("pty") else f"{port}:127.0.0.1:0"
    command = [
        Path(sys.executable).with_name("ansam"),
        "modem",
        "--line",
        "tcp-listen:127.0.0.1:0",
        "--dte",
        dte,
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as modem:
        assert modem.stderr is not None
        fd = None
        try:
            while b"ready" not in modem.stderr.readline():
                assert modem.poll() is None
            if port == "pty, open":
                fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
            time.sleep(1)
            before = _ticks(modem.pid)
            time.sleep(IDLE_SECONDS)
            share = (_ticks(modem.pid) - before) / TICKS / IDLE_SECONDS
        finally:
            modem.terminate()
            if fd is not None:
                os.close(fd)
    print(f"\non hook, {port}: {100 * share:.3f} % of a core")
    assert share < 0.002 + 1 / TICKS / IDLE_SECONDS


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
