"""V.8 over bad lines: how many calls agree, on what, and when."""

import numpy as np
import pytest
from tests.support.modem_line import Line, Random, Way

from ansam.modulation.automode import Automode
from ansam.modulation.base import ModulationOptions, Role
from ansam.units import SAMPLE_RATE

ALL = ("V.22bis", "V.22", "V.21", "Bell 103")
SEEDS = 100


def call(seed: int, kind: str, loss: float) -> tuple[bool, bool, float]:
    """Return whether both chose V.22bis, whether by V.8, and when after off hook."""
    rng = np.random.default_rng(seed)
    ways = []
    for k in range(2):
        gain = -rng.uniform(0, 27)
        lost = np.flatnonzero(rng.random(2500) < loss).tolist()
        ways.append(
            Way(
                gain_db=gain,
                noise_dbm0=-13 + gain - rng.uniform(15, 40),
                offset_hz=rng.uniform(-7, 7),
                delay=int(rng.integers(160, 4800)),
                law=True,
                seed=2 * seed + k,
                **{kind: lost},
            )
        )
    modems = [Automode(role, ModulationOptions(), ALL, Random(1)) for role in Role]
    echo, echo_delay = -rng.uniform(10, 30), int(rng.integers(20, 2000))
    line = Line(modems[0], modems[1], *ways, echo_db=echo, echo_delay=echo_delay)
    chosen = line.run(45, lambda: all(m.far_end_seen for m in modems))
    best = chosen and all(m.spec.name == "V.22bis" for m in modems)
    return best, all(m.v8.received is not None for m in modems), line.now / SAMPLE_RATE


@pytest.mark.bench
def test_agreement(capsys):
    with capsys.disabled():
        print(f"\nV.8, {SEEDS} bad lines each: both ends chose V.22bis, by V.8, seconds until both had")
        print("packets     V.22bis   by V.8   median      90 %   at most")
        for kind, loss in (
            ("erase", 0.0),
            ("erase", 0.01),
            ("erase", 0.05),
            ("mute", 0.01),
            ("mute", 0.05),
        ):
            results = [call(seed, kind, loss) for seed in range(SEEDS)]
            times = [seconds for _, _, seconds in results]
            print(
                f"{kind} {loss:>4.0%} {sum(r[0] for r in results):>9} {sum(r[1] for r in results):>8}"
                f" {np.median(times):>8.2f} {np.quantile(times, 0.9):>9.2f} {max(times):>9.2f}"
            )
            assert all(r[0] for r in results)
