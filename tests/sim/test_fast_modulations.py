"""Whole calls over stand-ins of V.32bis and V.34: result codes, V.8, error control, counters."""

import pytest
from tests.support.fake_modems import FakeModem, register

from ansam.modulation.registry import MODULATIONS
from ansam.sim import SimOptions, run
from ansam.sim.call import Simulation
from ansam.units import SAMPLE_RATE


@pytest.fixture(autouse=True)
def _fakes(monkeypatch):
    register(monkeypatch, MODULATIONS)


def call(calling="AT", answering="AT", dial="ATDT05", **options):
    return SimOptions(calling=(calling,), answering=(answering,), dial=dial, seconds=0.3, **options)


@pytest.mark.parametrize(
    ("options", "connect"),
    [
        (call(dial="AT&N4DT05"), "CONNECT 4800/ARQ/V34/LAPM/V42BIS"),
        (call(), "CONNECT 33600/ARQ/V34/LAPM/V42BIS"),
        (call("AT&N6"), "CONNECT 9600/ARQ/V34/LAPM/V42BIS"),
        (call(answering="AT&N6&K0"), "CONNECT 9600/ARQ/V34/LAPM"),
        (call("AT+MS=V32B,0"), "CONNECT 14400/ARQ/V32/LAPM/V42BIS"),
        (call("AT+MS=V32,0"), "CONNECT 9600/ARQ/V32/LAPM/V42BIS"),
        (call("AT&M0S56=64", "AT&M0"), "CONNECT 14400/V32/NONE"),
        (call("AT&N4S56=64"), "CONNECT 4800/ARQ/V32/LAPM/V42BIS"),
        (call("ATS54=128"), "CONNECT 14400/ARQ/V32/LAPM/V42BIS"),
        (call("AT&N10", "AT&N10V0"), "CONNECT 19200/ARQ/V34/LAPM/V42BIS"),
        (call("ATX0"), "CONNECT/ARQ"),
        (call("AT&A0"), "CONNECT 33600"),
        (call("ATV0&N4"), "126"),
        (call("ATV0"), "158"),
        (call("ATS27=128"), "CONNECT 9600/ARQ/V34/LAPM/V42BIS"),
        (call("AT+MS=V22B,0"), "CONNECT 2400/ARQ/LAPM/V42BIS"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_result_codes(options, connect):
    result = run(options)
    assert result.connect == connect
    assert result.clean or result.error_control == "NONE"  # no line delays the first stand-in bits
    assert result.retrains == result.renegotiations == 0


@pytest.mark.parametrize(
    ("calling", "answering"), [("AT&N4", "AT&N6"), ("AT&U10", "ATS56=64"), ("AT+MS=V34,0;", "ATS54=128")]
)
def test_nothing_in_common_is_no_carrier(calling, answering):
    result = run(call(calling + "S7=20", answering))
    assert result.connect == "NO CARRIER"
    assert not result.connected
    assert result.disconnect_reason


def test_renegotiations_of_both_ends_are_counted():
    simulation = Simulation(call())
    send = simulation._send_data

    def send_and_renegotiate():
        ends = [modem for modem in FakeModem.made if modem.ready]
        simulation._until(lambda: False, SAMPLE_RATE / 4)
        ends[0].change_rates(26400, 31200)
        ends[1].change_rates(31200, 26400, by_us=False)
        simulation._until(lambda: False, SAMPLE_RATE / 4)
        ends[1].change_rates(31200, 28800)
        ends[0].change_rates(28800, 31200, by_us=False)
        send()

    simulation._send_data = send_and_renegotiate
    result = simulation.run()
    assert result.clean
    assert (result.renegotiations, result.retrains) == (2, 0)
    assert {result.rate_tx, result.rate_rx} == {28800, 31200}
