"""V.21 and Bell 103: error rate against SNR beside theory, automode over many seeds, CPU, connect times."""

import itertools
import math
import time

import numpy as np
import pytest
from tests.support.modem_line import Line, Random, Way, alaw, bit_errors

from ansam.dsp.fsk import FskChannel, FskReceiver, FskSender, error_rate
from ansam.modulation.automode import Automode
from ansam.modulation.base import Marks, ModulationOptions, Role
from ansam.modulation.bell103 import BELL103_PLAN
from ansam.modulation.v21 import V21_PLAN
from ansam.units import SAMPLE_RATE

pytestmark = pytest.mark.bench

BITS = 200_000
CHUNK = 20_000
CHANNELS = [
    (plan.spec.name, role, plan.channels[role])
    for plan in (V21_PLAN, BELL103_PLAN)
    for role in (Role.CALLING, Role.ANSWERING)
]


def measure(channel: FskChannel, eb_n0_db: float, law: bool, seed: int) -> tuple[int, int, int]:
    """Return (wrong bits, bits, slips of the bit clock): one long stream, aligned anew after each slip."""
    rng = np.random.default_rng(seed)
    rms = 0.1
    noise = math.sqrt(rms**2 / channel.bit_rate / 10 ** (eb_n0_db / 10) * SAMPLE_RATE / 2)
    sent = rng.integers(0, 2, BITS).astype(np.uint8)
    sent[:60] = 1
    sender, receiver, got, at = FskSender(channel, rms), FskReceiver(channel), [], 0
    while at < BITS - 2000:
        wanted = sender.bits_wanted(CHUNK)
        x = sender.send(sent[at : at + wanted], CHUNK)
        x = (x + rng.normal(0, noise, CHUNK)).astype(np.float32)
        got.append(receiver.receive(alaw(x) if law else x))
        at += wanted
    return count_errors(sent[:at], np.concatenate(got))


def count_errors(sent: np.ndarray, got: np.ndarray) -> tuple[int, int, int]:
    block, lag, wrong, slips, total = 100, 0, 0, 0, 0

    def differ(k: int, lag: int) -> int:
        return int(np.count_nonzero(sent[k : k + block] != got[k + lag : k + lag + block]))

    lag = min(range(-4, 5), key=lambda shift: differ(60, shift) + differ(160, shift))
    for k in range(60, min(len(sent), len(got)) - 3 * block, block):
        errors = differ(k, lag)
        if errors > 12:
            better = min(range(lag - 2, lag + 3), key=lambda shift: differ(k + block, shift))
            slips += better != lag
            lag, errors = better, (1 if better != lag else errors)
        wrong += errors
        total += block
    return wrong, total, slips


def at_target(points: list[tuple[float, float]], target: float) -> float:
    """Return the abscissa where log10 of the error rate crosses the target."""
    db, rate = zip(*points, strict=True)
    logs = np.log10(np.maximum(rate, 1e-7))
    return float(np.interp(-math.log10(target), -logs, db))


@pytest.mark.parametrize(
    ("name", "role", "channel"), CHANNELS, ids=lambda v: str(getattr(v, "value", v))[:24]
)
def test_error_rate_beside_theory(name: str, role: Role, channel: FskChannel) -> None:
    print(f"\n{name} sent by the {role.value} modem: white noise; SNR in 0 … 4 kHz = Eb/N0 - 11.25 dB")
    print("  Eb/N0    SNR   theory   linear   A-law    clock slips per 1e6 bits")
    levels = (10.0, 11.0, 12.0, 12.5, 13.0, 13.5, 14.0, 14.5)
    curve = []
    for db in levels:
        plain, total, slips = measure(channel, db, False, round(db * 10))
        law = measure(channel, db, True, round(db * 10))[0]
        curve.append((db, plain / total))
        print(
            f"  {db:5.1f}  {db - 11.25:5.2f}  {error_rate(channel, db):.1e}"
            f"  {plain / total:.1e}  {law / total:.1e}  {slips * 1e6 / total:6.1f}"
        )
    ideal = at_target([(db, error_rate(channel, db)) for db in np.arange(9, 16, 0.1)], 1e-4)
    ours = at_target(curve, 1e-4)
    print(f"  1e-4 at {ours:.2f} dB; non-coherent theory {ideal:.2f} dB: {ours - ideal:+.2f} dB")
    assert ours <= ideal + 1.0


ALL = ("V.22bis", "V.22", "V.21", "Bell 103")
SUBSETS = [s for r in (1, 2, 3, 4) for s in itertools.combinations(ALL, r)]


def family(names: tuple[str, ...]) -> set[str]:
    return {"V.22" if n == "V.22bis" else n for n in names}


def automode_call(seed: int) -> tuple[str, float] | None:
    """One call over a random line between random modems; None where it failed or a bit was wrong."""
    rng = np.random.default_rng(seed)
    pairs = [(c, a) for c in SUBSETS for a in SUBSETS if family(c) & family(a)]
    calling, answering = pairs[rng.integers(len(pairs))]
    options = [
        ModulationOptions(
            bell=bool(rng.integers(2)),
            answer_tone=bool(rng.random() < 0.85),
            guard_tone_hz=int(rng.choice([0, 550, 1800])),
        )
        for _ in range(2)
    ]
    ways = []
    for k in range(2):
        gain = -rng.uniform(0, 27)
        ways.append(
            Way(
                gain_db=gain,
                noise_dbm0=-13 + gain - rng.uniform(18, 40),
                offset_hz=rng.uniform(-7, 7),
                skew_ppm=rng.uniform(-200, 200),
                delay=int(rng.integers(100, 2400)),
                law=True,
                seed=2 * seed + k,
            )
        )
    up, down = Random(2 * seed), Random(2 * seed + 1)
    caller = Automode(Role.CALLING, options[0], calling, up)
    answerer = Automode(Role.ANSWERING, options[1], answering, down)
    line = Line(caller, answerer, *ways, echo_db=-rng.uniform(12, 30), start=False)
    late = rng.uniform(-1, 3)
    first, second = (answerer, caller) if late >= 0 else (caller, answerer)
    first.start(0)
    line.run(abs(late))
    second.start(line.now)
    if not line.connect(50):
        print("FAILED", seed, calling, answering, line.calling.events[-2:], line.answering.events[-2:])
        return None
    line.run(3)
    assert line.calling.ready is not None
    errors = [bit_errors(up.bits(), line.answering.bits()), bit_errors(down.bits(), line.calling.bits())]
    if any(wrong or compared < 300 for wrong, compared in errors):
        print("ERRORS", seed, calling, answering, errors)
        return None
    return line.calling.ready.modulation, max(line.calling.ready_at(), line.answering.ready_at())


def test_automode_over_many_seeds() -> None:
    times: dict[str, list[float]] = {}
    failed = 0
    count = 600
    for seed in range(count):
        result = automode_call(seed)
        if result is None:
            failed += 1
        else:
            times.setdefault(result[0], []).append(result[1])
    print(
        f"\nautomode, mixed lists on impaired lines: {count - failed} of {count} connect without a wrong bit"
    )
    for name, seconds in times.items():
        middle, most = np.median(seconds), max(seconds)
        print(f"  {name:9} {len(seconds):4} calls, ready after {middle:.2f} s (median), {most:.2f} s (most)")
    assert failed == 0


def test_connect_times_and_cpu() -> None:
    options = ModulationOptions()
    print("\nready after off hook of the answering modem, clean line; CPU per modem in data")
    for allowed in (*((name,) for name in ALL), ALL):
        line = Line(
            Automode(Role.CALLING, options, allowed, Marks()),
            Automode(Role.ANSWERING, options, allowed, Marks()),
        )
        assert line.connect()
        ready = max(line.calling.ready_at(), line.answering.ready_at())
        rx = np.random.default_rng(1).normal(0, 0.05, 160).astype(np.float32)
        begin = time.process_time()
        for frame in range(1000):
            line.calling.modem.process(rx, line.now + 160 * frame)
        cpu = (time.process_time() - begin) / 20
        print(f"  {'+'.join(allowed):32} {ready:5.2f} s  {100 * cpu:.2f} %")
