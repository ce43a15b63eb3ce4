"""What the echo canceller leaves, against level, delay, offset, training and loss; and what it costs."""

import time
from dataclasses import replace

import numpy as np
import pytest
from tests.support.echo_line import HYBRID, V32BIS, V34, EchoCall, LinePath

from ansam.dsp.echo import Adapt, EchoCanceller
from ansam.dsp.echo_solve import Findings, Path
from ansam.units import FRAME, SAMPLE_RATE, Audio

FAR = LinePath(-20, 4000, 0, HYBRID)


class Drifting:
    """An echo whose offset and level drift: 0.05 Hz and 1 dB per minute."""

    delay = 4000

    def __init__(self, level_db: float, offset_hz: float, begin: int = 20_800) -> None:
        self.level_db, self.offset_hz, self.begin = level_db, offset_hz, begin

    def __call__(self, tx: Audio) -> np.ndarray:
        minutes = np.maximum(0, np.arange(len(tx)) - self.begin) / SAMPLE_RATE / 60
        path = LinePath(self.level_db, self.delay, self.offset_hz + 0.05 * minutes, HYBRID)
        return path(tx) * 10 ** (minutes / 20)


def measure(
    paths: list, mode: Adapt = Adapt.SLOW, seconds: float = 60.0, **kind: float
) -> tuple[EchoCall, list]:
    """Return the call and what is left in the first, the last and the worst 2 s of double talk, dB to far."""
    call = EchoCall(paths, seconds, **kind)
    canceller = EchoCanceller()
    call.train(canceller)
    canceller.adapt(mode)
    guide = 0.11 * 10 ** ((call.far_db - 30) / 20) if mode is Adapt.GUIDED else None
    call.finish(canceller, guide)
    left = [call.residual_db(a, a + 2) for a in np.arange(0, seconds - 1, 2)]
    return call, [left[0], left[-1], max(left)]


def row(label: str, call: EchoCall, left: list[float]) -> str:
    below = "  ".join(f"{-x:5.1f}" for x in left)
    return f"  {label:<34} {below}      {-(left[0] + call.far_db):5.1f}  {-(left[2] + call.far_db):5.1f}"


HEAD = """
  dB below                                      far signal           what we send
                                     first   last  worst 2 s     first  worst"""


@pytest.mark.bench
@pytest.mark.parametrize("signal", [V32BIS, V34], ids=["2400 Bd", "3429 Bd"])
@pytest.mark.parametrize("mode", [Adapt.FROZEN, Adapt.SLOW])
def test_level_and_offset(signal: tuple[float, float], mode: Adapt) -> None:
    print(f"\n{signal[0]:.0f} Bd, 2 s of training, 60 s of double talk, {mode.name}; echo after 500 ms", HEAD)
    for level, far_db in ((-10, 0.0), (-10, -10.0), (-12, -12.0), (-20, 0.0), (-30, 0.0), (-40, 0.0)):
        for offset in (0, 1, 7):
            call, left = measure(
                [replace(FAR, level_db=level, offset_hz=offset)], mode, far_db=far_db, signal=signal
            )
            print(row(f"echo {level} far {far_db:.0f} dB, {offset} Hz", call, left))
            assert left[0] < -47
            assert left[2] < (-45 if far_db == 0 else -38)


@pytest.mark.bench
def test_delay_training_and_loss() -> None:
    print("\n2400 Bd, echo at -20 dB, far signal 0 dB, 4 s of double talk, SLOW", HEAD)
    for offset in (0, 7):
        path = replace(FAR, offset_hz=offset)
        cases = [
            (f"{d} ms", [replace(path, delay=8 * d)], {}) for d in (20 if not offset else 40, 100, 500, 1500)
        ]
        cases += [(f"training {t} s", [path], {"training": t}) for t in (0.3, 0.5, 1.0, 2.0, 3.0)]
        cases += [(f"lost {p:.0%}", [path], {"lost": p}) for p in (0.02, 0.05, 0.1)]
        cases += [(f"lost {p:.0%}, ours as well", [path], {"lost": p, "holes": p}) for p in (0.02, 0.05, 0.1)]
        near = LinePath(-12, 180, 0, HYBRID)
        cases += [("and -12 dB after 22 ms, lost 10 %", [near, path], {"lost": 0.1, "holes": 0.1})]
        for label, paths, kind in cases:
            call, left = measure(paths, seconds=4, **kind)
            print(row(f"{offset} Hz, {label}", call, left))
            assert left[2] < -45


@pytest.mark.bench
def test_drift() -> None:
    print("\nEcho drifts by 1 dB and 0.05 Hz per minute; 60 s of double talk", HEAD)
    for level, far_db in ((-12, -12.0), (-20, 0.0), (-30, 0.0)):
        for mode in (Adapt.FROZEN, Adapt.SLOW, Adapt.GUIDED):
            call, left = measure([Drifting(level, 7)], mode, far_db=far_db)
            print(row(f"{mode.name}, {level} dB, far {far_db:.0f} dB", call, left))
            if mode is Adapt.GUIDED:
                assert left[2] < (-45 if far_db == 0 else -43)


@pytest.mark.bench
def test_jumps() -> None:
    print("\nThe echo jumps by 20 ms under a far signal of 0 dB")
    for level in (-10, -15, -20, -25, -30):
        for offset in (0, 7):
            path = replace(FAR, level_db=level, offset_hz=offset)
            call = EchoCall([path], 45, later=[replace(path, delay=path.delay + FRAME)])
            canceller = EchoCanceller()
            call.train(canceller)
            canceller.adapt(Adapt.SLOW)
            jump = call.begin + 5 * SAMPLE_RATE
            lost = moved = None
            while call.at < len(call.tx):
                call.play(canceller, call.at + FRAME)
                lost = call.at if lost is None and canceller.lost else lost
                moved = call.at if moved is None and canceller.moves else moved
            instants = [f"{(at - jump) / SAMPLE_RATE:5.1f} s" if at else "never" for at in (lost, moved)]
            print(
                f"  {level} dB, {offset} Hz: noticed after {instants[0]}, followed after {instants[1]},",
                end=" ",
            )
            print(f"at the end {-call.residual_db(40, 45):.1f} dB below the far signal")
            assert moved is not None


def _share(canceller: EchoCanceller, frames: int = 250) -> float:
    """Return the share of a core that a call costs, best of eight."""
    x = (0.1 * np.random.default_rng(1).standard_normal(FRAME)).astype(np.float32)
    best = 1.0
    for _ in range(8):
        begun = time.thread_time()
        for _ in range(frames):
            canceller.cancel(x)
            canceller.sent(x)
        best = min(best, (time.thread_time() - begun) / (frames * FRAME / SAMPLE_RATE))
    return best


@pytest.mark.bench
def test_cpu() -> None:
    print("\nCPU, share of a core")
    rng = np.random.default_rng(2)
    for mode in (Adapt.FROZEN, Adapt.SLOW):
        for count, offset in ((0, 0.0), (1, 0.0), (2, 0.0), (2, 0.005)):
            canceller = EchoCanceller()
            _share(canceller, 5)
            paths = tuple(
                Path(200 + 2000 * p, 0.01 * rng.standard_normal(192), step=offset if p else 0.0)
                for p in range(count)
            )
            canceller._install(Findings(paths), 1600, 0.01)
            canceller.adapt(mode)
            share = _share(canceller)
            print(f"  {count} windows of 192 taps, offset {bool(offset)}, {mode.name}: {100 * share:.3f} %")
            assert share < 0.0025
    print("Training of 2 s, milliseconds, best of eight")
    for label, paths in (
        ("no echo", []),
        ("one", [FAR]),
        ("one at 7 Hz", [replace(FAR, offset_hz=7)]),
        ("two", [LinePath(-12, 180, 0, HYBRID), FAR]),
        ("two, one at 7 Hz", [LinePath(-12, 180, 0, HYBRID), replace(FAR, offset_hz=7)]),
    ):
        best = 1.0
        call = EchoCall(paths, 0)
        canceller = EchoCanceller()
        canceller.begin_training()
        call.play(canceller, len(call.tx))
        for _ in range(8):
            canceller._begun = canceller._count - 2 * SAMPLE_RATE
            begun = time.thread_time()
            canceller.end_training()
            best = min(best, time.thread_time() - begun)
        print(f"  {label:<18} {1000 * best:.1f}")
        assert best < 0.06
