"""What this process holds in memory, and how it grows."""

import gc
import os
from collections.abc import Callable


def resident() -> int:
    """Return the resident set of this process, octets."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(step: Callable[[], object], runs: int, settled: int) -> int:
    """Return by how much memory without garbage grew from step number `settled` to the last, octets."""
    before = 0
    for number in range(runs):
        if number == settled:
            gc.collect()
            before = resident()
        step()
    gc.collect()
    return resident() - before
