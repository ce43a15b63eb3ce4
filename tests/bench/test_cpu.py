"""What a line costs: CPU of one modem and its half of the circuit, against real time."""

import time

import pytest

from ansam.sim import SimOptions, run

LINES = {
    "V.21": "AT&M0+MS=V21",
    "Bell 103": "AT&M0&N1B1",
    "V.22": "AT&M0+MS=V22",
    "V.22bis": "AT&M0",
    "V.22bis LAPM": "ATZ",
}


@pytest.mark.bench
def test_cpu_per_line(capsys):
    run(SimOptions(seconds=1))
    rows = []
    for name, line in LINES.items():
        for impaired in (False, True):
            extra = {"snr": 25, "skew": 100, "offset": 5, "echo": -20} if impaired else {}
            options = SimOptions(calling=(line,), answering=(line,), seconds=30, **extra)
            result = run(options, cpu_clock=time.process_time)
            assert result.connected
            rows.append((name, impaired, result.cpu_seconds / result.talk_seconds))
    with capsys.disabled():
        print("\nCPU of a simulated call (two modems, two terminals, the circuit)")
        print("link          circuit    faster than life  per line")
        for name, impaired, ratio in rows:
            kind = "impaired" if impaired else "clean"
            print(f"{name:<13} {kind:<9} {1 / ratio:>10.0f} times  {50 * ratio:>8.2f} %")
    assert all(ratio < 0.1 for _, _, ratio in rows)
