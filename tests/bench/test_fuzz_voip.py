"""Octets that no one meant, into every engine of a call: no crash, no hang, no growth."""

import importlib.util
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.memory import growth
from tests.support.voip_fuzz import CUT, TARGETS, corpus, generate

ROOT = Path(__file__).parents[2]
RUNS = {
    "message": 6_000,
    "line": 6_000,
    "exchange": 6_000,
    "sdp": 6_000,
    "call": 6_000,
    "redundancy": 50_000,
}
GUIDED_SECONDS = 20
MEBI = 1 << 20

START = (
    "import sys, types; tests = types.ModuleType('tests'); tests.__path__ = ['tests']; "
    "sys.modules['tests'] = tests; import atheris, runpy\n"
    "import numpy, numba, cryptography.hazmat.primitives.ciphers\n"
    "with atheris.instrument_imports(include=['ansam.sip', 'ansam.sdp', 'ansam.rtp', 'ansam.pbx']):\n"
    "    import ansam.pbx.exchange, ansam.rtp.control, ansam.sdp.negotiation\n"
    "runpy.run_module('tests.support.voip_fuzz', run_name='__main__', alter_sys=True)"
)


@pytest.mark.bench
@pytest.mark.parametrize("target", TARGETS)
def test_bent_messages_and_flat_memory(target: str) -> None:
    started, rng, runs = time.perf_counter(), random.Random(1), RUNS[target]
    grown = growth(lambda: TARGETS[target](generate(target, rng)), runs, settled=runs // 2)
    took = time.perf_counter() - started
    print(f"\n  {target:10} {RUNS[target]:6} inputs, {took:5.1f} s, memory {grown / MEBI:+.2f} MiB")
    assert grown < 4 * MEBI


@pytest.mark.bench
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("target", TARGETS)
def test_guided_by_coverage(target: str, tmp_path: Path) -> None:
    seeds = tmp_path / "corpus"
    seeds.mkdir()
    for number, message in enumerate(corpus()):
        (seeds / str(number)).write_bytes(message)
        (seeds / f"{number}-twice").write_bytes(b"\0" + CUT.join([message, corpus()[0]]))
    options = [
        f"-max_total_time={GUIDED_SECONDS}",
        "-max_len=3000",
        "-timeout=10",
        "-rss_limit_mb=1500",
        "-seed=1",
    ]
    options += [f"-artifact_prefix={tmp_path}/", "-print_final_stats=1"]
    command = [sys.executable, "-c", START, target, *options, str(seeds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    stats = [
        line for line in done.stderr.splitlines() if "number_of_executed_units" in line or "peak_rss" in line
    ]
    print(f"\n  {target:10} " + "  ".join(line.removeprefix("stat::") for line in stats))
    assert done.returncode == 0, done.stderr[-3000:]
