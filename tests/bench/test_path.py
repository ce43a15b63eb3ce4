"""How often the watch on the path finds meddling where there is none, and what it costs."""

import time

import numpy as np
import pytest
from tests.support.path_signals import SHAPES, call, qam, watched

from ansam.codec import Law
from ansam.units import rms_from_dbm0

SEEDS = range(12)
SECONDS = 40.0


def line(name, seed):
    """Return what is heard and sent on an ordinary line: noise, gain, an echo of our own."""
    rng = np.random.default_rng(1000 + seed)
    gain = 10 ** (-rng.uniform(0, 18) / 20)
    x = call(name, seed, SECONDS)
    x = (x + rms_from_dbm0(rng.uniform(-70, -38)) * rng.standard_normal(len(x))) * gain
    tx = np.zeros(len(x), np.float32)
    sent = qam(name, SECONDS, seed + 500)
    tx[34000:] = np.pad(sent, (0, max(0, len(x) - 34000 - len(sent))))[: len(x) - 34000]
    delay = int(rng.integers(200, 4000))
    x[delay:] += 10 ** (-rng.uniform(12, 40) / 20) * tx[:-delay]
    return x.astype(np.float32), tx


@pytest.mark.bench
@pytest.mark.parametrize("name", sorted(SHAPES))
def test_false_findings_on_ordinary_lines(name):
    false, echoes, spent = [], 0, 0.0
    for seed in SEEDS:
        rx, tx = line(name, seed)
        began = time.process_time()
        told = name if seed % 4 < 2 else None
        watch = watched(rx, told, tx=tx, law=Law.ALAW if seed % 2 else Law.ULAW)
        spent += time.process_time() - began
        found = [finding for finding in watch.findings if finding.kind.value != "echo"]
        echoes += len(watch.findings) - len(found)
        false += [(seed, finding.text) for finding in found]
    seconds = len(SEEDS) * SECONDS
    print(
        f"\n{name}: {len(false)} false findings in {seconds:.0f} s, "
        f"echo found on {echoes} of {len(SEEDS)} lines"
    )
    print(f"{100 * spent / seconds:.3f} % of a core, coding of the test's audio included")
    assert not false
