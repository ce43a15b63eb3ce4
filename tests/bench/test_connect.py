"""How long a connect takes, and over what lines it succeeds."""

import statistics

import pytest

from ansam.sim import SimOptions, run

MODULATIONS = {
    "V.21": "AT&M0+MS=V21",
    "Bell 103": "AT&M0&N1B1",
    "V.22": "AT&M0+MS=V22",
    "V.22bis": "AT&M0+MS=V22B",
}

ANCHOR_V22BIS = 5.2
"""Seconds from off-hook to CONNECT 2400/NONE between hardware modems."""


def call(line, seed, **options):
    return run(SimOptions(calling=(line,), answering=(line,), seed=seed, **options))


@pytest.mark.bench
def test_connect_time(capsys):
    rows = []
    for name, line in MODULATIONS.items():
        for delay in (0, 100):
            results = [call(line, seed, seconds=0, snr=30, delay=delay) for seed in range(10)]
            times = [r.connect_seconds for r in results if r.connected]
            rows.append((name, delay, len(times), min(times), statistics.median(times), max(times)))
    with capsys.disabled():
        print(f"\nConnect time in line seconds (60 ms playout, 30 dB; V.22bis anchor {ANCHOR_V22BIS} s)")
        print("modulation   delay  connected    min  median    max")
        for name, delay, count, low, middle, high in rows:
            print(f"{name:<10} {delay:>4} ms  {count:>3} of 10  {low:>6.2f}  {middle:>6.2f} {high:>6.2f}")
    assert all(row[2] == 10 for row in rows)


@pytest.mark.bench
def test_connect_over_snr_skew_and_delay(capsys):
    seeds = range(6)
    with capsys.disabled():
        print(
            "\nV.22bis calls over A-law: connected at 2400 / at all, and calls without one wrong byte in 2 s"
        )
        print("  SNR    skew   delay  2400  any  clean   of")
        for snr in (12, 16, 20, 30):
            for skew in (-200, 0, 100):
                for delay in (0, 250):
                    results = [
                        call("AT&M0+MS=V22B", s, seconds=2, snr=snr, skew=skew, delay=delay, offset=3)
                        for s in seeds
                    ]
                    fast = sum(r.connected and r.rate_rx == 2400 for r in results)
                    anyway = sum(r.connected for r in results)
                    clean = sum(r.clean for r in results)
                    print(
                        f"{snr:>3} dB {skew:>5} ppm {delay:>4} ms {fast:>4} {anyway:>4} {clean:>5} "
                        f"{len(results):>5}"
                    )
                    assert anyway == len(results)
                    assert clean == len(results) or snr < 20


@pytest.mark.bench
def test_connect_over_loss(capsys):
    with capsys.disabled():
        print("\nCalls of any kind over packet loss: connected, with error control, without one wrong byte")
        print("  loss  connected  LAPM  clean  of")
        for loss in (0.0, 0.01, 0.02, 0.05):
            results = [
                run(SimOptions(calling=("AT+MS=V22B",), seconds=3, loss=loss, seed=seed))
                for seed in range(10)
            ]
            connected = sum(r.connected for r in results)
            arq = sum(r.error_control == "LAPM" for r in results)
            clean = sum(r.clean for r in results)
            print(f"{loss:>5.0%} {connected:>9} {arq:>6} {clean:>6} {len(results):>4}")
            assert loss or clean == len(results)
