"""Two clocks: what of their difference reaches jitter buffers and modems; and signals that jump.

`ANSAM_BENCH_SECONDS` sets how long modems exchange data (600 by default).
"""

import os
from itertools import product

import numpy as np
import pytest
from tests.support.two_clocks import Network, TwoClocks

from ansam.line import Circuit, CircuitParameters, End, PathParameters
from ansam.sim import Far, SimOptions, SimResult, run
from ansam.sim.pace import Pace
from ansam.units import FRAME, SAMPLE_RATE

SECONDS = float(os.environ.get("ANSAM_BENCH_SECONDS", "600"))
LINES = ((0.0, "none"), (10.0, "1 %"), (10.0, "1 % by 3"), (20.0, "none"))
BURSTS = {"none": (0.0, 1), "1 %": (0.01, 1), "1 % by 3": (0.01, 3)}


def packets_alone(
    far: Far, skew: float, jitter: float, loss: tuple[float, int], seconds: float
) -> tuple[int, float, float]:
    """A call of silence: (slips on both sides, late packets as a share, least and greatest wait in ms)."""
    path = PathParameters(jitter_ms=jitter, loss=loss[0], loss_burst=loss[1])
    circuit = Circuit(CircuitParameters(up=path, down=path, adaptor_skew_ppm=skew), seed=1)
    paces = {end: Pace(circuit, end, follows=end is End.CALLING or far is Far.ANSAM) for end in End}
    now = {End.CALLING: 0, End.ANSWERING: 0}
    quiet = np.zeros(FRAME, np.float32)
    apart, first = [0.0, 0.0], None
    while circuit.instant(End.CALLING, now[End.CALLING]) < seconds * SAMPLE_RATE:
        end = min(End, key=lambda e: circuit.instant(e, now[e]))
        paces[end].frame(now[end])
        circuit.pull(end, now[end])
        circuit.push(end, quiet, now[end])
        now[end] += FRAME
        if end is End.ANSWERING:
            ahead = now[end] - now[End.CALLING] - circuit.instant(end, now[end])
            ahead += circuit.instant(End.CALLING, now[End.CALLING])
            first = ahead if first is None else first
            apart = [min(apart[0], ahead - first), max(apart[1], ahead - first)]
    counters = [circuit.counters(end) for end in End]
    late = sum(c.late for c in counters) / sum(c.sent for c in counters)
    return sum(c.slips for c in counters), late, max(-apart[0], apart[1]) / 8


@pytest.mark.bench
@pytest.mark.parametrize("far", Far)
def test_buffers(far: Far, capsys: pytest.CaptureFixture[str]) -> None:
    """A fixed buffer of 60 ms at either end: how far the ends' frames move against each other."""
    with capsys.disabled():
        print(f"\n{far.value:>6}  ppm   ms  loss     slips   late  moved, ms")
        for skew, (jitter, loss) in product((-300.0, 300.0), LINES):
            slips, late, moved = packets_alone(far, skew, jitter, BURSTS[loss], 600)
            print(
                f"       {skew:+5.0f} {jitter:4.0f}  {loss:<8} {slips:5} {late:6.2%} {moved:6.2f}", flush=True
            )
            assert slips == 0
            assert late == 0


@pytest.mark.bench
def test_three_hours(capsys: pytest.CaptureFixture[str]) -> None:
    network = Network(jitter=10, loss=0.01, burst=3)
    for skew, follows in product((-200.0, 200.0), ((True, False), (True, True))):
        pair = TwoClocks((0.0, skew), follows, network).run(3 * 3600)
        with capsys.disabled():
            far = "ansam" if follows[1] else "ata"
            print(f"\n3 h, {skew:+.0f} ppm, {far}: frames moved {pair.moved[0]:.2f}/{pair.moved[1]:.2f} ms")
        assert max(pair.moved) < 5.0


def modem_line(modulation: str, result: SimResult) -> str:
    wrong = result.bytes_wrong.up + result.bytes_wrong.down + result.bytes_lost.up + result.bytes_lost.down
    rates = f"{result.rate_tx}/{result.rate_rx}"
    speed = f"{result.throughput_bps.up:.0f}/{result.throughput_bps.down:.0f}"
    return (
        f"{modulation:<8} {rates:<12} {speed:<13} {wrong:5} {result.retrains:8} "
        f"{result.renegotiations:6} {result.slips:5} {result.frames_resent:6}"
    )


HEADING = "         rates        bit/s         wrong retrains reneg. slips resent"


@pytest.mark.bench
@pytest.mark.parametrize("modulation", ["V22B", "V34"])
@pytest.mark.parametrize("far", Far)
def test_skew_sweep(modulation: str, far: Far, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{far.value}, {SECONDS:.0f} s\n  ppm {HEADING}")
        for skew in (-300.0, -150.0, 0.0, 150.0, 300.0):
            result = call(modulation, SECONDS, skew=skew, far=far)
            print(f"{skew:+5.0f} {modem_line(modulation, result)}", flush=True)
            assert result.clean
            assert (result.slips, result.retrains) == (0, 0)


def call(modulation: str, seconds: float, **options: object) -> SimResult:
    lines = (f"AT+MS={modulation}",)
    return run(SimOptions(calling=lines, answering=lines, seconds=seconds, **options))  # type: ignore[arg-type]


@pytest.mark.bench
def test_delay_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\none way {HEADING}")
        for delay in (0.0, 50.0, 100.0, 200.0, 300.0, 450.0, 600.0):
            result = call("V34", 20, delay=delay)
            print(f"{delay:4.0f} ms {modem_line('V34', result)}", flush=True)
            assert result.clean
            assert (result.rate_tx, result.rate_rx) == (33600, 33600)


@pytest.mark.bench
@pytest.mark.parametrize("modulation", ["V22B", "V32B", "V34"])
def test_signals_that_jump(modulation: str, capsys: pytest.CaptureFixture[str]) -> None:
    """20 ms repeated and left out in turn every 10 s; 5 to 15 ms every 5 s or so; two clocks and a box."""
    kinds: dict[str, dict[str, object]] = {
        "slip:10": {"meddle": ("slip:10",)},
        "stretch:5": {"meddle": ("stretch:5",)},
        "box -200, ata +100 ppm": {"pbx_skew": -200.0, "skew": 100.0, "far": Far.ATA},
        "box -200, ansam +100 ppm": {"pbx_skew": -200.0, "skew": 100.0},
    }
    with capsys.disabled():
        print(f"\n{'':24} {HEADING}")
        for name, options in kinds.items():
            result = call(modulation, min(SECONDS, 120), **options)
            print(f"{name:<24} {modem_line(modulation, result)}", flush=True)
            assert result.clean
            assert result.retrains == 0
