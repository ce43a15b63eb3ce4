"""What looking costs: CPU and pacing of a V.34 call over SIP with no, one and five viewers of its scope.

Modems, page and viewers are three processes, as they are under `ansam serve`, and each one's CPU time is
taken by itself: what counts is the first two, less what they need while nobody looks. A stretch with viewers
stands between two without, since a machine does not stay as fast as it was. Both modems send all the time, so
that frames of error control are as many as can be.

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

SECONDS = float(os.environ.get("ANSAM_BENCH_SECONDS", "3"))
ROUNDS = int(os.environ.get("ANSAM_BENCH_ROUNDS", "8"))
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
        none: list[float] = []
        extra: dict[int, list[list[float]]] = {1: [], 5: []}
        late: dict[int, list[float]] = {0: [], 1: [], 5: []}
        rate = 0.0
        for _ in range(ROUNDS):
            found = []
            for count in STRETCHES:
                clients.ask(count)
                time.sleep(SETTLED)
                worker.ask()
                clients.ask(count)
                found.append(shares([worker, server]))
                rate = clients.ask(count)[0] / SECONDS / max(1, count) or rate
                late[count].append(worker.ask()[0])
            for at in (1, 3):
                around = zip(found[at], found[at - 1], found[at + 1], strict=True)
                extra[STRETCHES[at]].append([here - (a + b) / 2 for here, a, b in around])
            none += [found[at][0] for at in (0, 2, 4)]
    print(
        f"\n  0 viewers: both modems {median(none):.2%} of a core; frames late p99 {median(late[0]):.2f} ms"
    )
    for count, rows in extra.items():
        of_worker, of_server = (median(column) for column in zip(*rows, strict=True))
        both = sorted(sum(row) for row in rows)
        print(f"  {count} viewers: modems {of_worker:+.2%}, page {of_server:+.2%}, ", end="")
        print(f"together {median(both):+.2%} of a core ({both[0]:+.2%} … {both[-1]:+.2%})", end="")
        print(f"; frames late p99 {median(late[count]):.2f} ms")
    print(f"  a viewer takes {rate / 1000:.0f} kB/s")


@pytest.mark.bench
def test_cost_of_keeping_the_last_minute() -> None:
    tape, frame = Tape(), np.full(160, 0.1, np.float32)
    before = time.process_time()
    for _ in range(20_000):
        tape.hear(frame, frame, Speaker(False, 0))
    each = (time.process_time() - before) / 20_000
    print(f"\n  the tape takes {each * 1e6:.0f} µs a frame: {each * 50:.3%} of a core")
