"""Error rate of V.22 and V.22bis against SNR beside theory; CPU per line."""

import time

import numpy as np
import pytest
from tests.support.v22bis_line import Pair
from tests.support.v22bis_theory import before_descrambler, ber_1200, ber_2400, snr_for

from ansam.modulation.base import ModulationOptions
from ansam.units import rms_from_dbm0

TARGET = 1e-4


def measure(rate: int, snr_db: float, seconds: float, seed: int = 1) -> tuple[float, float]:
    """Return (errors per bit before, after the descrambler), both directions together."""
    options = ModulationOptions(max_rate=rate)
    quiet = {"noise_dbm0": -60.0}
    pair = Pair(seed, options, options, up=quiet, down=quiet, frame=800)
    assert pair.connect()
    pair.run(1)
    for path in pair.paths:
        path.noise = rms_from_dbm0(options.tx_level_dbm0 - snr_db)
    pair.run(seconds)
    line = user = total = 0
    for end in (0, 1):
        sent, got = pair.bits[1 - end].all, pair.got(end)
        key = sent[:96]
        start = next(i for i in range(4000) if np.array_equal(got[i : i + 96], key))
        n = min(sent.size, got.size - start)
        wrong = (got[start : start + n] != sent[:n]).astype(np.uint8)
        user += int(wrong.sum())
        line += int(before_descrambler(wrong).sum())
        total += n
    return line / total, user / total


@pytest.mark.bench
@pytest.mark.parametrize("rate", [1200, 2400])
def test_error_rate_is_within_1_db_of_theory(rate: int) -> None:
    law = ber_1200 if rate == 1200 else ber_2400
    ideal = snr_for(rate, TARGET)
    print(f"\n{rate} bit/s; theory reaches {TARGET:g} at SNR {ideal:.2f} dB (0-4 kHz), Es/N0 8.24 dB more")
    print("  SNR dB  theory    line bits  user bits")
    curve = []
    for extra in (-2.0, -1.0, 0.0, 0.5, 1.0):
        snr = ideal + extra
        line, user = measure(rate, snr, 500)
        curve.append((snr, line))
        print(f"  {snr:6.2f}  {law(snr):.2e}  {line:.2e}   {user:.2e}")
    exponents = [-np.log10(max(line, 1e-7)) for _, line in curve]
    reached = np.interp(-np.log10(TARGET), exponents, [snr for snr, _ in curve])
    print(f"  loss against theory at {TARGET:g}: {reached - ideal:.2f} dB")
    assert reached - ideal < 1.0


@pytest.mark.bench
def test_cpu_per_line() -> None:
    pair = Pair(1)
    assert pair.connect()
    pair.run(1)
    end, rx = pair.ends[0], pair.last[1]
    begun = time.process_time()
    for i in range(3000):
        end.process(rx, pair.now + 160 * i)
    share = (time.process_time() - begun) / 60
    print(f"\nV.22bis: {100 * share:.2f} % of a core per modem")
    assert share < 0.005
