"""What looking costs: CPU and pacing of a V.34 call over SIP with no, one and five viewers of its scope.

Modems, page and viewers are three processes, as they are under `ansam serve`, and each one's CPU time is taken
by itself: what is counted is the first two, less what they need while nobody looks. The stretches of a round
stand between two without viewers, since a machine does not stay as fast as it was. Both modems send all the
time, so that frames of error control are as many as can be.

`ANSAM_BENCH_SECONDS` is the length of a stretch, `ANSAM_BENCH_ROUNDS` how often all are run.
"""

import os
import time
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from tests.support.watched import Side, call, page, side, viewers

from ansam.dce.speaker import Speaker
from ansam.io.control.tap import Tape

SECONDS = float(os.environ.get("ANSAM_BENCH_SECONDS", "10"))
ROUNDS = int(os.environ.get("ANSAM_BENCH_ROUNDS", "5"))
STRETCHES = (0, 1, 0, 5, 0)
SETTLED = 1.5
"""Seconds after viewers have come or gone."""


def shares(sides: list[Side]) -> list[float]:
    """Return what each process takes of a core over one stretch."""
    before, began = [one.cpu() for one in sides], time.monotonic()
    time.sleep(SECONDS)
    after, took = [one.cpu() for one in sides], time.monotonic() - began
    return [(b - a) / took for a, b in zip(before, after, strict=True)]


@pytest.mark.bench
def test_cost_of_looking(tmp_path: Path) -> None:
    control = tmp_path / "control"
    with (
        side(call, control) as worker,
        side(page, control, tmp_path / "recordings") as server,
        side(viewers, server.ask()) as clients,
    ):
        extra: dict[int, list[list[float]]] = {1: [], 5: []}
        late: dict[int, list[float]] = {0: [], 1: [], 5: []}
        idle: list[float] = []
        for _ in range(ROUNDS):
            found = []
            for count in STRETCHES:
                clients.ask(count)
                time.sleep(SETTLED)
                worker.ask()
                clients.ask(count)
                found.append(shares([worker, server]))
                octets, messages = clients.ask(count)
                late[count].append(worker.ask()[0])
            for at in (1, 3):
                none = [(a + b) / 2 for a, b in zip(found[at - 1], found[at + 1], strict=True)]
                extra[STRETCHES[at]].append([a - b for a, b in zip(found[at], none, strict=True)])
            idle += [found[at][0] for at in (0, 2, 4)]
        print(f"\n  no viewer: worker {median(idle):.2%} of a core for both modems", end="")
        print(f"; frames late p99 {median(late[0]):.2f} ms")
        for count, rows in extra.items():
            of_worker, of_server = (median(column) for column in zip(*rows, strict=True))
            total = [sum(row) for row in rows]
            print(f"  {count} viewers: worker {of_worker:+.2%}, page {of_server:+.2%}", end="")
            print(
                f", together {median(total):+.2%} of a core ({min(total):+.2%} … {max(total):+.2%})", end=""
            )
            print(f"; frames late p99 {median(late[count]):.2f} ms")


@pytest.mark.bench
def test_cost_of_keeping_the_last_minute() -> None:
    tape, frame = Tape(), np.full(160, 0.1, np.float32)
    before = time.process_time()
    for _ in range(20_000):
        tape.hear(frame, frame, Speaker(False, 0))
    each = (time.process_time() - before) / 20_000
    print(f"\n  the tape takes {each * 1e6:.0f} µs a frame: {each * 50:.3%} of a core")
