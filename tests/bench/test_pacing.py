"""How late frames run, and how fast bytes cross a pty.

`ANSAM_BENCH_SECONDS` sets the length of a run (60 by default). Each call is two whole modems in V.22bis data
mode, each on its own RTP socket, in one process with one pacer; both terminals send all the time.
"""

import asyncio
import os
import random
import time
from pathlib import Path
from threading import RLock

import pytest

from ansam.call.call import Call, CallMedia
from ansam.codec.g711 import Law
from ansam.dce.dce import Dce, LineState
from ansam.dce.progress import Progress
from ansam.io.clock import FramePacer, Histogram
from ansam.io.dte_pty import PtyDte
from ansam.io.rtp_socket import CallSockets, PacedCall, RtpPorts

SECONDS = float(os.environ.get("ANSAM_BENCH_SECONDS", "60"))
TRAINING = 12.0
TEXT = b"The quick brown fox jumps over the lazy dog. 0123456789\r\n"


class BusyModem:
    """A modem whose terminal always has something to say."""

    def __init__(self, dial: bytes) -> None:
        self.dce = Dce()
        self.dce.receive_dte(b"AT&M0+MS=V22B\r", 0)
        self.now = 0
        if not dial:
            self.dce.receive_dte(b"ATS0=1\r", 0)
            self.dce.incoming_call("07", 0)
        else:
            self.dce.receive_dte(dial, 0)
            while self.dce.state is not LineState.CALLING:
                due = self.dce.deadline()
                assert due is not None
                self.now = due
                self.dce.handle_timer(due)
        self.dce.progress(Progress.CONNECTED, self.now)
        self.received = 0

    def process(self, rx, now, erased=False):  # type: ignore[no-untyped-def]
        tx = self.dce.process(rx, now, erased)
        if self.dce.state is LineState.DATA:
            self.dce.receive_dte(TEXT, now + len(rx))
        self.received += len(self.dce.take_dte())
        return tx


def _call(pacer: FramePacer, ports: RtpPorts, seed: int) -> list[PacedCall]:
    sockets = [ports.open("127.0.0.1") for _ in range(2)]
    ends = []
    for i, dial in enumerate((b"ATDT05\r", b"")):
        party = BusyModem(dial)
        media = CallMedia(sockets[1 - i].getsockname(), Law.ALAW, 8, 8)
        call = Call(media, party, random.Random(seed + i), start=party.now)
        ends.append(PacedCall(call, CallSockets(sockets[i]), RLock(), lambda: None, lambda _: None))
        pacer.add(ends[-1])
    return ends


@pytest.mark.bench
@pytest.mark.parametrize("calls", [1, 5, 20])
def test_frame_pacing(calls: int) -> None:
    """Lateness of frames; packets are lost to the far end when it exceeds the playout delay (60 ms)."""
    pacer = FramePacer()
    ends = [end for k in range(calls) for end in _call(pacer, RtpPorts(), 10 * k)]
    pacer.start()
    time.sleep(TRAINING)
    trained = [end.call.statistics() for end in ends]
    pacer.lateness = Histogram()
    cpu, wall = time.process_time(), time.monotonic()
    time.sleep(SECONDS)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    lateness = pacer.lateness
    statistics = [end.call.statistics() for end in ends]
    up = sum(end.call._party.dce.state is LineState.DATA for end in ends)  # type: ignore[attr-defined]
    pacer.stop()
    ms = {name: lateness.quantile(q) * 1e3 for name, q in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))}
    early = sum(s.late for s in trained)
    late = sum(s.late for s in statistics) - early
    erased = sum(s.erased_frames for s in statistics) - sum(s.erased_frames for s in trained)
    print(f"\n{calls} calls ({2 * calls} modems, {up} in data), {lateness.count} frames in {wall:.0f} s")
    print("  lateness ms: " + ", ".join(f"{name} {value:.2f}" for name, value in ms.items()), end="")
    print(f", worst {lateness.worst * 1e3:.2f}")
    print(f"  packets late {late} (and {early} while all trained at once), frames erased {erased}")
    print(f"  CPU {100 * cpu / wall / (2 * calls):.2f} % of a core per modem")


class _Mirror:
    """A modem that gives back every byte."""

    def __init__(self) -> None:
        self.queue = bytearray()
        self.up = asyncio.Event()
        self.pump: PtyDte | None = None

    def offer(self, data: bytes) -> int:
        taken = min(len(data), 16384 - len(self.queue))
        self.queue += data[:taken]
        assert self.pump is not None
        self.pump.output_ready()
        return taken

    def take(self, limit: int) -> bytes:
        out = bytes(self.queue[:limit])
        del self.queue[:limit]
        return out

    def set_dtr(self, on: bool) -> None:
        if on:
            self.up.set()


@pytest.mark.bench
def test_pty_throughput(tmp_path: Path) -> None:
    """Bytes a second through the pty endpoint and back."""

    def terminal(path: Path, total: int) -> int:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        block, sent, got = bytes(1024), 0, 0
        while got < total:
            if sent < total and sent - got < 8192:
                sent += os.write(fd, block)
            else:
                got += len(os.read(fd, 65536))
        os.close(fd)
        return got

    async def run() -> float:
        mirror = _Mirror()
        dte = PtyDte(tmp_path / "tty")
        mirror.pump = dte
        await dte.open(mirror)
        began = time.monotonic()
        total = 5_000_000 // 1024 * 1024
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(None, terminal, tmp_path / "tty", total)
        while not done.done():
            dte.resume()
            await asyncio.sleep(0.001)
        assert await done == total
        seconds = time.monotonic() - began
        await dte.close()
        return total / seconds

    rate = asyncio.run(run())
    print(f"\npty: {rate / 1e6:.2f} MB/s each way ({rate * 10 / 115200:.0f} times 115200 bit/s)")
