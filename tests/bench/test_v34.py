"""V.34 whole: error rate beside theory, where connect time goes, CPU, memory, on which lines it works."""

import time
import tracemalloc
from itertools import product

import numpy as np
import pytest
from tests.modulation.contract import Call, contains
from tests.support.modem_line import Way
from tests.support.v34_one_way import Link

from ansam.modulation.base import ModulationOptions, Ready
from ansam.modulation.v34.constants import SYMBOL_RATES
from ansam.sim import SimOptions, run

TARGET = 1e-5
MODES = [(3429, 33600), (3429, 24000), (3200, 28800), (3000, 19200), (2400, 14400), (2400, 4800)]
OFFSETS_DB = (-1.0, -0.5, 0.0, 0.5, 1.0)


def error_rate(link: Link, es_n0_db: float, seconds: float) -> float:
    """Return wrong bits per bit after Es/N0 has become this, loops and decisions included."""
    link.set_noise(es_n0_db)
    link.run(8000, 160)
    link.bits.clear()
    link.run(int(seconds * 8000), 160)
    got = link.received()
    sent = link.tape.stream[: link.tape.position]
    for at in range(0, got.size // 2, 997):
        place = sent.tobytes().find(got[at : at + 64].tobytes())
        if place >= at:
            size = min(got.size, sent.size - place + at)
            return float(np.mean(sent[place - at : place - at + size] != got[:size]))
    return 0.5


@pytest.mark.bench
@pytest.mark.parametrize(("baud", "rate"), MODES)
def test_error_rate(baud: int, rate: int, capsys: pytest.CaptureFixture[str]) -> None:
    link = Link(baud, rate).settle(8000)
    needed = link.coding.needed_es_n0_db()
    # More noise comes last: after 1 dB too much the loops need not be good any more.
    seconds = 24000 / rate * 20
    found = {db: error_rate(link, needed + db, seconds) for db in reversed(OFFSETS_DB)}
    with capsys.disabled():
        print(f"\n{rate:>6} bit/s at {baud}: 1e-5 with an ideal receiver at {needed:.1f} dB;", end=" ")
        print(", ".join(f"{db:+.1f} dB {found[db]:.0e}" for db in OFFSETS_DB))
    assert found[1.0] <= TARGET, "more than 1 dB is lost"


@pytest.mark.bench
def test_where_connect_time_goes(capsys: pytest.CaptureFixture[str]) -> None:
    for delay in (160, 2400):
        call = Call("V.34", up=Way(delay=delay), down=Way(delay=delay, seed=1)).connect()
        with capsys.disabled():
            print(f"\none way {delay / 8:.0f} ms; seconds of the calling modem, from the end of V.8")
            events = call.line.calling.events
            for (t, event), (end, _) in zip(events, [*events[1:], (call.line.now, None)], strict=True):
                if end > t:
                    name = getattr(event, "name", type(event).__name__)
                    print(f"{t / 8000:7.2f} {(end - t) / 8000:6.2f}  {name}")
    result = run(SimOptions(seconds=10))
    with capsys.disabled():
        ratio = result.throughput_bps.down / result.rate_rx
        print(f"off hook to CONNECT {result.connect_seconds:.1f} s; random bytes at {ratio:.3f} of the rate")
    assert result.connect_seconds < 13
    assert ratio > 0.9


@pytest.mark.bench
def test_cpu_and_memory(capsys: pytest.CaptureFixture[str]) -> None:
    Call("V.34").connect()
    tracemalloc.start()
    call = Call("V.34").connect()
    size = tracemalloc.get_traced_memory()[0] / 2
    tracemalloc.stop()
    spent: list[float] = []
    for end in call.ends:
        process = end.modem.process

        def timed(rx: object, now: int, erased: bool = False, inner: object = process) -> object:
            begin = time.process_time()
            out = inner(rx, now, erased)  # type: ignore[operator]
            spent.append(time.process_time() - begin)
            return out

        end.modem.process = timed  # type: ignore[method-assign, assignment]
    call.line.run(10)
    data = sum(spent) / 20
    call.calling.retrain(call.line.now)
    spent.clear()
    call.line.run(10)
    with capsys.disabled():
        print(f"\ndata: {100 * data:.2f} % of a core per modem; ", end="")
        print(f"longest frame of training {1e3 * max(spent):.0f} ms")
        print(f"memory per modem {size / 1e6:.1f} MB")
    assert data < 0.05


@pytest.mark.bench
@pytest.mark.parametrize("baud", [rate.name for rate in SYMBOL_RATES])
def test_every_data_rate_of_table_8(baud: int) -> None:
    rates = next(rate.rates for rate in SYMBOL_RATES if rate.name == baud)
    for rate in rates:
        options = ModulationOptions(v34_symbol_rates=(baud,), min_rate=rate, max_rate=rate)
        call = Call("V.34", options).connect()
        assert call.calling.report().rates == (rate, rate)
        call.line.run(0.5)
        up, down = len(call.bits_up.bits()), len(call.bits_down.bits())
        call.line.run(max(1.0, 3000 / rate))
        assert contains(call.line.answering.bits(), call.bits_up.bits()[up:])
        assert contains(call.line.calling.bits(), call.bits_down.bits()[down:])


@pytest.mark.bench
def test_on_which_lines_it_works(capsys: pytest.CaptureFixture[str]) -> None:
    rows = []
    for snr, loss, skew, delay, echo in product(
        (37.0, 25.0), (0.0, 0.01), (0.0, 200.0), (20.0, 300.0), (None, -15.0)
    ):
        result = run(SimOptions(seconds=5, snr=snr, loss=loss, skew=skew, delay=delay, echo=echo))
        wrong = result.bytes_wrong.up + result.bytes_wrong.down
        rates = f"{result.rate_tx}/{result.rate_rx}"
        rows.append((snr, loss, skew, delay, echo or "-", result.connected, rates, wrong, result.retrains))
    with capsys.disabled():
        print("\nSNR  loss skew delay  echo connected rates        wrong retrains")
        for row in rows:
            print("{:>3.0f} {:>5} {:>4.0f} {:>5.0f} {:>5} {!s:>9} {:<12} {:>4} {:>5}".format(*row))
    assert all(row[5] and row[7] == 0 for row in rows)


@pytest.mark.bench
def test_seeds_with_loss(capsys: pytest.CaptureFixture[str]) -> None:
    """1 % of packets lost, one at a time and three: every call connects; how long it takes."""
    for burst in (1, 3):
        times, retrains = [], 0
        for seed in range(100):
            rng = np.random.default_rng(1000 * burst + seed)
            first = rng.random((2, 2000)) < 0.01 / burst
            lost = [{int(n) + k for n in np.flatnonzero(row) for k in range(burst)} for row in first]
            call = Call("V.34", up=Way(erase=lost[0], law=True), down=Way(erase=lost[1], law=True, seed=1))
            call.connect()
            times.append(max(end.ready_at() for end in call.ends))
            retrains += any(end.modem.report().retrains_requested for end in call.ends)
            assert all(any(isinstance(e, Ready) for _, e in end.events) for end in call.ends)
        with capsys.disabled():
            median, worst = np.median(times), max(times)
            print(
                f"\n{burst} in a row: 100 of 100; {median:.1f} s, at most {worst:.1f}; began again {retrains}"
            )
