"""Renegotiation and retrain: who begins, what is lost on the way, what the line asks for."""

import pytest
from tests.support.modem_line import Way
from tests.support.v32bis_call import Call

from ansam.modulation.base import CarrierLost, ModulationOptions, Renegotiating, Retraining
from ansam.modulation.v32bis import V32, V32bis
from ansam.modulation.v32bis.rate_signal import CLEARDOWN, offer

SLOW = offer(True, lambda rate: rate <= 9600)


def renegotiate(call: Call, *ends: int) -> Call:
    for end in ends:
        modem = call.modems[end]
        modem._procedure.renegotiate(modem._clock, SLOW)
    return call


@pytest.mark.parametrize("delay", [160, 2400])
@pytest.mark.parametrize("ends", [(0,), (1,), (0, 1)])
def test_renegotiation(ends: tuple[int, ...], delay: int):
    call = renegotiate(Call(delay=delay).connect(), *ends).run(2.5)
    for end in (0, 1):
        assert call.rates(end) == [14400, 9600]
        assert Renegotiating(by_us=end in ends) in call.events(end)
        assert "Retraining" not in call.kinds(end)
    assert call.clean()


@pytest.mark.parametrize("ends", [(0,), (1,), (0, 1)])
def test_retrain(ends: tuple[int, ...]):
    call = Call().connect()
    for end in ends:
        call.modems[end].retrain(call.line.now)
    call.run(7)
    for end in (0, 1):
        assert call.rates(end) == [14400, 14400]
        assert call.kinds(end).count("Retraining") == 1
        assert Retraining(by_us=end in ends) in call.events(end)
        report = call.modems[end].report()
        assert (report.retrains_requested, report.retrains_granted) == ((1, 0) if end in ends else (0, 1))
    assert call.clean()


def test_a_retrain_that_is_under_way_is_not_begun_again():
    call = Call().connect()
    call.modems[0].retrain(call.line.now)
    call.run(0.5)
    call.modems[0].retrain(call.line.now)
    call.run(7)
    assert call.kinds(0).count("Retraining") == 1


@pytest.mark.parametrize("lost", [(-1, 0), (2, 3), (4, 5, 6), (7, 8), (10, 11)])
@pytest.mark.parametrize("way", ["up", "down"])
def test_renegotiation_over_lost_packets(way: str, lost: tuple[int, ...]):
    """Each part of it is lost once: data go on, if nothing else helps after a retrain."""
    call = Call().connect()
    first = call.line.frame
    line: Way = getattr(call.line, way)
    line.erase = [first + k for k in lost]
    renegotiate(call, 0).run(9)
    for end in (0, 1):
        assert call.rates(end)[-1] == call.rates(1 - end)[-1]
        assert "CarrierLost" not in call.kinds(end)
    assert call.clean()


@pytest.mark.parametrize("end", [0, 1])
def test_cleardown(end: int):
    """§8 note 2: R4 without any rate; the far end repeats E and both are gone."""
    call = Call().connect()
    modem = call.modems[end]
    modem._procedure.renegotiate(modem._clock, CLEARDOWN)
    call.run(1)
    for k in (0, 1):
        assert sum(isinstance(e, CarrierLost) for e in call.events(k)) == 1
    event = call.ends[1 - end].event(CarrierLost)
    assert isinstance(event, CarrierLost)
    assert "cleardown" in event.reason


def test_the_rate_falls_with_the_line_and_rises_when_it_has_recovered():
    call = Call().connect()
    call.line.down.noise_dbm0 = -30.5
    call.run(4)
    assert call.rates(0) == call.rates(1) == [14400, 12000]
    assert call.errors(0) == 0
    call.line.down.noise_dbm0 = -50.0
    call.run(17)
    assert call.rates(0) == [14400, 12000, 14400]
    assert "Retraining" not in call.kinds(0) + call.kinds(1)
    assert call.clean()


def test_a_line_at_the_edge_makes_no_ping_pong():
    call = Call().connect()
    call.line.down.noise_dbm0 = -33.0
    call.run(30)
    assert len(call.rates(0)) <= 3
    assert "Retraining" not in call.kinds(0) + call.kinds(1)


@pytest.mark.parametrize("makers", [(V32bis, V32bis), (V32, V32bis)])
def test_without_renegotiation_a_bad_line_is_retrained(makers: tuple[type[V32bis], type[V32bis]]):
    options = ModulationOptions(renegotiation=False)
    call = Call(options, makers=makers).connect()
    before = call.rates(0)[-1]
    call.line.down.noise_dbm0 = -23.0
    call.run(12)
    assert "Renegotiating" not in call.kinds(0)
    assert Retraining(by_us=True) in call.events(0)
    assert call.rates(0)[-1] < before
    assert call.errors(0, 2000) == 0


def test_without_fallback_a_retrain_keeps_the_rate():
    call = Call(ModulationOptions(fallback=False)).connect()
    call.line.down.noise_dbm0 = -27.0
    call.run(1)
    call.modems[0].retrain(call.line.now)
    call.run(7)
    assert call.rates(0) == [14400, 14400]
    renegotiate(call, 1).run(2)
    assert set(call.rates(0)) == {14400}


def test_an_unanswered_retrain_is_the_end():
    call = Call().connect()
    call.line.up.mute = range(call.line.frame, 1 << 30)
    call.modems[0].retrain(call.line.now)
    call.run(6)
    assert call.kinds(0) == ["Retraining", "CarrierLost"]
    assert call.kinds(1) == ["CarrierLost"]
