"""V.32bis whole: error rates beside theory, the seconds of a connect, CPU, and which lines it connects on."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
from tests.support.modem_line import Random, alaw
from tests.support.v32bis_call import Call
from tests.support.v32bis_theory import es_n0_for, event_bound, events, free_distance, square_error_rate

from ansam.modulation.base import Ready, Retraining, Role
from ansam.modulation.v32bis.constants import BAUD, S_BAR_SYMBOLS, Coding
from ansam.modulation.v32bis.rate_signal import RateSignal
from ansam.modulation.v32bis.receiver import Receiver
from ansam.modulation.v32bis.signals import Segment, Signal, conditioning, ending, rate
from ansam.modulation.v32bis.transmitter import Transmitter
from ansam.units import rms_from_dbm0

LEVEL = -13.0
BLOCK = 1600
TARGET = 1e-4
"""Error events per symbol at which the loss is read; the curves are parallel from there on."""


def error_events(coding: Coding, es_n0_db: float, seconds: int) -> float:
    """Return error events per symbol of a receiver that was trained on a good line, over A-law.

    An event is a burst of wrong user bits; the descrambler makes three of each wrong one, within 23 bits.
    """
    bits = Random(7)
    tx = Transmitter(Role.ANSWERING, LEVEL, bits)
    signal = RateSignal.of(coding, coding is not Coding.UNCODED_9600)
    end, *data = ending(signal)
    end = replace(end, symbols=8)  # once, so that the first user bit is where it belongs
    tx.send(Segment(Signal.SILENCE, 300), *conditioning(1280), rate(signal, 80), end, *data)
    receiver = Receiver(Role.CALLING)
    rng = np.random.default_rng(3)
    begin = (300 + 256 + S_BAR_SYMBOLS) * 10 / 3 + 30
    power = float(np.mean(np.abs(coding.points) ** 2))
    # White noise up to 4000 Hz; a symbol lasts 10/3 samples.
    noise = rms_from_dbm0(LEVEL) * np.sqrt(power * 8000 / BAUD / 2 / 10 ** (es_n0_db / 10))
    got, trained = [], False
    for block in range(seconds * 8000 // BLOCK):
        out = np.zeros(BLOCK, np.float32)
        tx.process(out)
        quiet = block < 20
        out = out + rng.normal(0, rms_from_dbm0(-60.0) if quiet else noise, BLOCK).astype(np.float32)
        for i in range(0, BLOCK, 160 if quiet else BLOCK):
            got.append(receiver.process(alaw(out[i : i + (160 if quiet else BLOCK)]), False))
            if not trained and block * BLOCK + i > begin + 2400:
                trained = receiver.train(begin - 60, begin + 60)
            if receiver.rate_word is not None and not receiver.in_data:
                receiver.await_end(coding, 128)
    received = np.concatenate(got)
    wrong = received != bits.bits()[: received.size]
    return events(wrong, 24 + 6 * coding.bits) / (received.size / coding.bits)


@pytest.mark.bench
@pytest.mark.parametrize("coding", list(Coding), ids=lambda c: c.name)
def test_error_rate_is_within_0_7_db_of_theory(coding: Coding) -> None:
    points = coding.points
    free = free_distance(points) if coding.trellis else 0.0

    def theory(es_n0_db: float) -> float:
        if coding.trellis:
            return event_bound(points, es_n0_db, free)
        return square_error_rate(points.size, es_n0_db)

    grid = np.arange(5, 27, 0.05)
    ideal = (
        es_n0_for(points, TARGET)
        if coding.trellis
        else float(grid[np.argmax([theory(g) < TARGET for g in grid])])
    )
    print(f"\n{coding.name}: theory has {TARGET:g} events per symbol at Es/N0 {ideal:.2f} dB")
    print("  Es/N0   theory    ours")
    curve = []
    for extra in (-0.75, -0.25, 0.25, 0.75):
        found = error_events(coding, ideal + extra, 100 if extra < 0 else 200)
        curve.append((ideal + extra, found))
        print(f"  {ideal + extra:6.2f}  {theory(ideal + extra):.2e}  {found:.2e}")
    exponents = [-np.log10(max(found, 1e-6)) for _, found in curve]
    reached = float(np.interp(-np.log10(TARGET), exponents, [es_n0 for es_n0, _ in curve]))
    print(f"  loss: {reached - ideal:.2f} dB")
    assert reached - ideal < 0.7


@pytest.mark.bench
def test_where_the_seconds_of_a_connect_go() -> None:
    call = Call(delay=480).connect()
    print("\nV.32bis, 60 ms each way and 20 ms in each end; seconds since both began")
    for end, name in ((0, "calling"), (1, "answering")):
        steps = call.steps(end)
        for (at, step), (until, _) in itertools.pairwise(steps):
            print(f"  {name:<10} {step:<14} {at:6.2f}  {until - at:5.2f}")
        print(f"  {name:<10} {'Ready':<14} {call.ends[end].ready_at():6.2f}")


@pytest.mark.bench
@pytest.mark.parametrize("echo_db", [None, -20.0], ids=["no echo", "echo"])
def test_cpu(echo_db: float | None) -> None:
    """Frames of 160 samples; the least of several runs, since other work on the machine only adds."""
    call = Call(echo_db=echo_db, echo_delay=960)
    modem = call.modems[0]
    process = modem.process
    longest, heard = 0.0, []

    def timed(rx, now, erased=False):
        nonlocal longest
        heard.append(rx)
        begun = time.process_time()
        out = process(rx, now, erased)
        longest = max(longest, time.process_time() - begun)
        return out

    modem.process = timed  # type: ignore[method-assign]
    call.connect().run(4)
    share, now = 1.0, call.line.now
    for _ in range(8):
        begun = time.process_time()
        for rx in heard[-50:]:
            process(rx, now)
            now += 160
        share = min(share, time.process_time() - begun)
    print(f"\nV.32bis at 14 400 bit/s: {100 * share:.2f} % of a core; longest frame {1000 * longest:.0f} ms")
    assert share < 0.02


@pytest.mark.bench
def test_connect_table() -> None:
    """Both ends ready without an attempt too many, and no retrain within two seconds of data."""
    print("\nSNR dB  loss   ppm  delay ms   of 5 calls  seconds  rate")
    worst = 5
    for snr, loss, skew, delay in itertools.product((37, 25, 18), (0.0, 0.01), (50, 300), (60, 300)):
        good, seconds, rates = 0, [], set()
        for seed in range(5):
            call = Call(noise_dbm0=LEVEL - snr, skew_ppm=float(skew), delay=8 * delay)
            rng = np.random.default_rng(seed)
            for way in (call.line.up, call.line.down):
                way.erase = set(np.flatnonzero(rng.random(3000) < loss).tolist())
            if not call.line.connect(40):
                continue
            call.run(2)
            ready = [end.ready_at() for end in call.ends]
            steps = [name for _, name in call.steps(0)]
            good += steps.count("AA") == 1 and not any(
                isinstance(e, Retraining) for end in (0, 1) for e in call.events(end)
            )
            seconds.append(max(ready))
            rates |= {e.rx_rate for e in call.events(0) if isinstance(e, Ready)}
        worst = min(worst, good)
        print(f"{snr:6} {loss:5.0%} {skew:5} {delay:9} {good:12} {np.median(seconds):8.2f}  {sorted(rates)}")
    assert worst >= 4
