"""Octets that no one meant, into every decoder of the link: no crash, no hang, no growth."""

import importlib.util
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.link_fuzz import TARGETS
from tests.support.memory import growth

ROOT = Path(__file__).parents[2]
RUNS = {"hdlc": 20_000, "lapm": 20_000, "xid": 20_000, "v42bis": 20_000, "v44": 20_000, "link": 2_000}
GUIDED_SECONDS = 5
MEBI = 1 << 20

START = (
    "import sys, types; tests = types.ModuleType('tests'); tests.__path__ = ['tests']; "
    "sys.modules['tests'] = tests; import atheris, runpy\n"
    "import ansam.link.hdlc, ansam.link.v14, ansam.link.v42bis, ansam.link.v44\n"
    "with atheris.instrument_imports(include=['ansam.link.v42']): import ansam.link.v42.link\n"
    "runpy.run_module('tests.support.link_fuzz', run_name='__main__', alter_sys=True)"
)
"""Some distribution on PyPI installs a package `tests`; it must not be taken for ours. What numba compiles
(HDLC, V.42bis, V.44) can not be instrumented: there atheris mutates without seeing the branches."""


@pytest.mark.bench
@pytest.mark.parametrize("target", TARGETS)
def test_random_octets_and_flat_memory(target) -> None:
    started, rng, runs = time.perf_counter(), random.Random(1), RUNS[target]
    grown = growth(lambda: TARGETS[target](rng.randbytes(rng.randrange(120))), runs, settled=runs // 4)
    took = time.perf_counter() - started
    print(f"\n  {target:7} {RUNS[target]:6} random inputs, {took:5.1f} s, memory {grown / MEBI:+.2f} MiB")
    assert grown < 4 * MEBI


@pytest.mark.bench
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("target", TARGETS)
def test_guided_by_coverage(target, tmp_path) -> None:
    options = [
        f"-max_total_time={GUIDED_SECONDS}",
        "-max_len=160",
        "-timeout=5",
        "-rss_limit_mb=1500",
        "-seed=1",
    ]
    options += [f"-artifact_prefix={tmp_path}/", "-print_final_stats=1"]
    command = [sys.executable, "-c", START, target, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    stats = [
        line for line in done.stderr.splitlines() if "number_of_executed_units" in line or "peak_rss" in line
    ]
    print(f"\n  {target:7} " + "  ".join(line.removeprefix("stat::") for line in stats))
    assert done.returncode == 0, done.stderr[-3000:]
