"""V.22bis over packet loss: does every call connect, at which rate, and is any retrain needed?"""

from collections import Counter

import pytest

from ansam.sim import SimOptions, run

PLAIN = "AT&M0"
LINES = {
    "plain": {},
    "echo -10 dB": {"echo": -10.0},
    "skew +200 ppm": {"skew": 200.0},
    "skew -200 ppm": {"skew": -200.0},
    "SNR 18 dB": {"snr": 18.0},
    "offset +7 Hz": {"offset": 7.0},
    "offset -7 Hz": {"offset": -7.0},
    "delay 600 ms": {"delay": 600.0},
}


def calls(seeds, calling=PLAIN, answering=PLAIN, **options):
    """Return (connected, both ways at 2400, retrains, calls)."""
    found = Counter()
    for seed in seeds:
        result = run(
            SimOptions(calling=(calling,), answering=(answering,), seconds=1.0, seed=seed, **options)
        )
        found["connected"] += result.connected
        found["2400"] += result.rate_tx == result.rate_rx == 2400
        found["retrains"] += result.retrains
    return found["connected"], found["2400"], found["retrains"], len(seeds)


def show(name, figures):
    connected, fast, retrains, count = figures
    print(f"{name:<28} {connected:>6} {fast:>6} {retrains:>9} {count:>5}")


@pytest.mark.bench
def test_connect_over_loss(capsys):
    with capsys.disabled():
        print("\nV.22bis over packets of 20 ms          any   2400  retrains    of")
        for loss, count in ((0.01, 200), (0.02, 100), (0.05, 100)):
            figures = calls(range(1, count + 1), loss=loss)
            show(f"loss {loss:.0%}", figures)
            assert loss > 0.01 or figures[:2] == (count, count)
        for loss in (0.01, 0.05):
            for name, line in LINES.items():
                show(f"loss {loss:.0%}, {name}", calls(range(1, 21), loss=loss, **line))


@pytest.mark.bench
@pytest.mark.parametrize("slow", ["calling", "answering"])
def test_an_end_held_to_1200_over_loss(capsys, slow):
    connected, fast, retrains, count = calls(range(1, 41), loss=0.05, **{slow: f"{PLAIN}&N2"})
    with capsys.disabled():
        print(f"\n&N2 {slow}, loss 5 %: {connected} of {count} connect, {retrains} retrains")
    assert fast == 0
