import numpy as np
import pytest
from tests.modulation.contract import Call, contains, ready_at
from tests.support.modem_line import End, Random, Way
from tests.support.sweep import sweep

from ansam.modulation.base import Failed, ModulationOptions, Ready, Renegotiating, Retraining, Role
from ansam.modulation.v34 import V34
from ansam.units import Audio

A_LAW_NOISE = -50.0


def line(seed: int = 0, **changes: object) -> Way:
    return Way(law=True, noise_dbm0=A_LAW_NOISE, seed=seed, **changes)  # type: ignore[arg-type]


def call(options: ModulationOptions | None = None, up: Way | None = None, down: Way | None = None) -> Call:
    return Call("V.34", options or ModulationOptions(), up or line(), down or line(1))


class Sloped:
    """A modem behind a line that loses the top of its band, with white noise at its end."""

    def __init__(self, modem: V34, seed: int) -> None:
        self._process, self._rng = modem.process, np.random.default_rng(seed)
        taps = np.convolve([1.0, 0.85], [1.0, 0.5])
        self._taps, self._past = taps / np.linalg.norm(taps), np.zeros(2)

    def process(self, rx: Audio, now: int, erased: bool = False) -> Audio:
        padded = np.concatenate([self._past, rx])
        self._past = padded[-2:]
        noise = self._rng.normal(0, 0.002, rx.size)
        heard = np.convolve(padded, self._taps, "valid") + noise
        return self._process(heard.astype(np.float32), now, erased)


def ready_events(end: End) -> list[Ready]:
    return [e for _, e in end.events if isinstance(e, Ready)]


def count(end: End, kind: type) -> int:
    return sum(isinstance(e, kind) for _, e in end.events)


def flows(it: Call, seconds: float = 1.0) -> None:
    """From now on bits arrive, both ways."""
    it.line.run(0.3)
    up, down = len(it.bits_up.bits()), len(it.bits_down.bits())
    it.line.run(seconds)
    assert contains(it.line.answering.bits(), it.bits_up.bits()[up:])
    assert contains(it.line.calling.bits(), it.bits_down.bits()[down:])


def retrained(it: Call) -> list[int]:
    return [end.modem.report().retrains_requested for end in it.ends]


def test_33600_both_ways_within_seven_seconds() -> None:
    it = call(up=Way(law=True), down=Way(law=True, seed=1)).connect()
    assert it.line.now < 7 * 8000
    for end in it.ends:
        assert ready_events(end) == [Ready("V.34", 33600, 33600)]
    it.line.run(2)
    for wrong, compared in it.wrong():
        assert wrong == 0
        assert compared > 50000
    report = it.calling.report()
    assert report.rates == (33600, 33600)
    assert report.trellis == ("64S-4D", "64S-4D")
    assert report.symbol_rate == pytest.approx(3428.57, abs=0.01)
    assert len(report.frequency_response) == 21
    assert report.preemphasis_db == (0.0, 0.0)


def test_each_way_has_its_own_rate() -> None:
    it = call(up=line(), down=Way(noise_dbm0=-36, seed=1)).connect()
    ready = ready_events(it.line.calling)[0]
    assert ready.rx_rate < ready.tx_rate
    assert ready_events(it.line.answering) == [Ready("V.34", ready.rx_rate, ready.tx_rate)]
    flows(it)


@pytest.mark.bench
def test_precoding_gains_a_rate_on_a_line_with_a_slope() -> None:
    rates = []
    for precoding in (True, False):
        it = Call("V.34", ModulationOptions(v34_precoding=precoding))
        for seed, end in enumerate(it.ends):
            assert isinstance(end.modem, V34)
            end.modem.process = Sloped(end.modem, seed).process  # type: ignore[method-assign]
        it.connect()
        flows(it, 2.0)
        assert retrained(it) == [0, 0]
        assert [count(end, Renegotiating) for end in it.ends] == [0, 0]
        rates.append(ready_events(it.line.calling)[0].rx_rate)
        assert it.calling.report().precoding == (precoding, precoding)
    assert rates[0] > rates[1]


@pytest.mark.parametrize(
    ("symbols", "rate"), sweep([(2400, 2400), (2743, 21600), (2800, 9600), (3000, 28800)], {1})
)
def test_a_symbol_rate_and_a_data_rate(symbols: int, rate: int) -> None:
    options = ModulationOptions(v34_symbol_rates=(symbols,), min_rate=rate, max_rate=rate)
    it = Call("V.34", options).connect()
    report = it.calling.report()
    assert report.rates == (rate, rate)
    assert round(report.symbol_rate or 0) == symbols
    flows(it, max(1.0, 3000 / rate))


def test_the_registers_are_obeyed() -> None:
    options = ModulationOptions(
        v34_trellis_states=(16,), v34_nonlinear=False, v34_shaping=False, v34_precoding=False
    )
    it = call(options).connect()
    report = it.answering.report()
    assert report.trellis == ("16S-4D", "16S-4D")
    assert (report.nonlinear, report.shaping, report.precoding) == ((False, False),) * 3
    flows(it)


LOST = [
    (way, range(first, first + 3 + (first == -5))) for way in ("up", "down") for first in (-5, -20, -60, -85)
]
"""Packets lost in start-up, counted from its end."""


@pytest.mark.parametrize(("way", "frames"), sweep(LOST, {2, 5}), ids=str)
def test_packets_lost_in_start_up_cost_no_retrain(way: str, frames: range) -> None:
    """The first of these are E and B1."""
    end = ready_at("V.34")
    lost = range(end + frames.start, end + frames.stop)
    erased = Way(erase=lost, law=True, seed=3)
    it = call(up=erased) if way == "up" else call(down=erased)
    it.connect()
    assert retrained(it) == [0, 0]
    flows(it)


@pytest.mark.parametrize("roles", sweep([[Role.CALLING], [Role.ANSWERING], list(Role)], {0, 2}), ids=str)
def test_rate_renegotiation(roles: list[Role]) -> None:
    it = call().connect()
    it.line.run(2.2)
    for role, end in zip(Role, it.ends, strict=True):
        assert isinstance(end.modem, V34)
        if role in roles:
            end.modem.renegotiate(it.line.now, 26400)
    assert it.line.run(3, lambda: all(len(ready_events(end)) == 2 for end in it.ends))
    for role, end in zip(Role, it.ends, strict=True):
        assert end.event(Renegotiating) == Renegotiating(by_us=role in roles)
        assert ready_events(end)[-1].rx_rate == (26400 if role in roles else 33600)
        assert end.event(Retraining) is None
    flows(it)


@pytest.mark.parametrize("lost", sweep([range(1, 9), range(5, 14)], {0}), ids=["S", "the answer"])
def test_a_renegotiation_whose_s_is_lost(lost: range) -> None:
    it = call().connect()
    it.line.run(2.2)
    assert isinstance(it.calling, V34)
    it.calling.renegotiate(it.line.now, 26400)
    frames = range(it.line.frame + lost.start, it.line.frame + lost.stop)
    it.line.up.erase = it.line.down.erase = frames
    assert it.line.run(4, lambda: all(len(ready_events(end)) == 2 for end in it.ends))
    assert retrained(it) == [0, 0]
    flows(it)


def test_down_when_the_line_becomes_worse() -> None:
    it = call().connect()
    it.line.run(1)
    it.line.down.noise_dbm0 = -40.0
    assert it.line.run(4, lambda: len(ready_events(it.line.calling)) == 2)
    assert 16800 <= ready_events(it.line.calling)[-1].rx_rate <= 26400
    assert ready_events(it.line.answering)[-1].rx_rate == 33600
    assert retrained(it) == [0, 0]
    flows(it)
    assert count(it.line.calling, Renegotiating) == 1


def test_the_rate_stays_where_it_may_not_change() -> None:
    it = call(ModulationOptions(fallback=False)).connect()
    it.line.run(1)
    it.line.down.noise_dbm0 = -47.5
    it.line.run(3)
    assert count(it.line.calling, Renegotiating) == 0
    assert isinstance(it.answering, V34)
    it.answering.renegotiate(it.line.now)
    assert it.line.run(3, lambda: len(ready_events(it.line.calling)) == 2)
    assert ready_events(it.line.calling)[0] == ready_events(it.line.calling)[1]


def test_no_rate_in_common() -> None:
    """Noise comes after phase 2, which so did not see it: MP asks for less than is allowed (§11.7)."""
    it = call(ModulationOptions(min_rate=28800))
    it.line.run(3.2)
    it.line.up.noise_dbm0 = -33.0
    assert it.line.run(8, lambda: all(end.event(Failed) for end in it.ends)), it.line.calling.events
    it.line.run(1)
    for end in it.ends:
        assert not end.audio()[-4000:].any()
        assert end.event(Ready) is None
    assert not it.bits_up.given


def test_no_rate_at_all() -> None:
    modem = V34(Role.CALLING, ModulationOptions(min_rate=33601), Random(1))
    modem.start(0)
    failed = modem.take_events()[0]
    assert isinstance(failed, Failed)
    assert "33601" in failed.reason
    assert not modem.process(np.zeros(160, np.float32), 0).any()


def test_retrain_and_renegotiation_of_a_modem_without_data_do_nothing() -> None:
    modem = V34(Role.ANSWERING, ModulationOptions(), Random(1))
    modem.start(0)
    modem.retrain(0)
    modem.renegotiate(0)
    modem.process(np.zeros(1600, np.float32), 0)
    assert modem.report().retrains_requested == 0
    assert modem.take_bits().size == 0


@pytest.mark.parametrize("both", [False, True])
def test_retrain(both: bool) -> None:
    it = call().connect()
    it.line.run(0.5)
    it.calling.retrain(it.line.now)
    it.calling.retrain(it.line.now)
    if both:
        it.answering.retrain(it.line.now)
    assert it.line.run(12, lambda: all(len(ready_events(end)) == 2 for end in it.ends))
    assert retrained(it) == [1, int(both)]
    flows(it)
