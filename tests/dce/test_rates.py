"""Rates that differ or change, and the screens that show them."""

import pytest
from tests.dce.test_dce import Bench, ScriptedSession
from tests.support.fake_modems import register

from ansam.dce import line_side as module
from ansam.dce.dce import Connected
from ansam.dce.diagnostics import CallRecord, response_screen, signal_screen
from ansam.link.base import LinkUp
from ansam.link.v14 import StartStop
from ansam.modulation.base import Ready, Renegotiating, Retraining, SignalReport
from ansam.modulation.registry import MODULATIONS

V34 = SignalReport(
    rx_level_dbm0=-23.0,
    tx_level_dbm0=-13.0,
    snr_db=37.14,
    carrier_offset_hz=1.959,
    timing_offset_ppm=-48.2,
    round_trip=9600,
    symbol_rate=3429.0,
    tx_symbol_rate=3200.0,
    carriers_hz=(1959.0, 1829.0),
    trellis=("64S-4D", "16S-4D"),
    nonlinear=(True, False),
    precoding=(True, True),
    shaping=(False, True),
    preemphasis_db=(0.0, 6.0),
    near_echo_loss_db=12.0,
    far_echo_loss_db=31.5,
    frequency_response=[(150.0, -3.0), (1050.0, -0.5), (3750.0, -20.25)],
)


class V34Session(ScriptedSession):
    """Receives 31200, sends 28800."""

    signal = V34

    def process(self, rx, now, erased):
        if self.ready is None and now - self.started >= self.train:
            self.ready = Ready("V.34", 28800, 31200)
            self.link = StartStop()
            self.events += [self.ready, LinkUp("LAPM", "V42BIS")]
        return rx

    def report(self):
        return self.signal

    def change(self, tx, rx, by_us=True):
        self.ready = Ready("V.34", tx, rx)
        self.events += [Renegotiating(by_us), self.ready]


@pytest.fixture
def bench(monkeypatch):
    register(monkeypatch, MODULATIONS)
    monkeypatch.setattr(ScriptedSession, "made", [])
    monkeypatch.setattr(module, "Session", V34Session)
    bench = Bench(b"ATE0+MR=1\r")
    bench.type(b"ATDT05\r")
    bench.wait(3)
    bench.dce.progress(module.Progress.CONNECTED, bench.now)
    bench.talk(3)
    return bench


def screen(bench, command):
    bench.out()
    bench.type(command)
    return bench.out().decode().replace("\r\n", "\n")


def test_what_is_received_is_shown(bench):
    said = bench.out().decode()
    assert "+MCR: V34\r\n" in said
    assert "+MRR: 28800,31200\r\n" in said
    assert "\r\nCONNECT 31200/ARQ/V34/LAPM/V42BIS\r\n" in said
    connected = next(e for e in bench.dce.take_events() if isinstance(e, Connected))
    assert (connected.connect.rate, connected.connect.tx_rate) == (31200, 28800)


def test_renegotiations_are_events_and_speed_shifts(bench):
    bench.dce.take_events()
    session = bench.session
    for tx, rx, by_us in ((26400, 31200, True), (26400, 33600, False), (26400, 33600, True)):
        session.change(tx, rx, by_us)
        bench.talk(0.02)
    assert bench.dce.take_events() == [
        Renegotiating(True),
        Ready("V.34", 26400, 31200),
        Renegotiating(False),
        Ready("V.34", 26400, 33600),
        Renegotiating(True),
        Ready("V.34", 26400, 33600),
    ]
    assert bench.dce.retrains == 0
    call = bench.dce.call
    assert (call.renegotiations, call.shifts_up, call.shifts_down) == (3, 1, 1)
    bench.dce.far_end_hung_up(bench.now)
    text = screen(bench, b"ATI6\r")
    assert "Speed Shifts Up                1      Speed Shifts Down              1\n" in text
    assert "Speed                  33600/26400\n" in text
    assert "Disconnect Reason is Loss of Carrier" in text


def test_o1_retrains_and_shows_the_rate_in_force(bench):
    bench.talk(2)
    bench.type(b"+++")
    bench.talk(2)
    bench.out()
    bench.session.change(24000, 26400)
    bench.talk(0.1)
    bench.type(b"ATO1\r")
    assert bench.session.retrains == 1
    assert b"CONNECT 26400/ARQ/V34/LAPM/V42BIS" in bench.out()
    bench.session.events += [Retraining(by_us=True), bench.session.ready]
    bench.talk(0.1)
    assert bench.dce.retrains == 1
    assert bench.type(b"data") == 4


def test_training_of_the_next_call_is_no_shift_of_the_last(bench):
    bench.dce.far_end_hung_up(bench.now)
    bench.type(b"ATDT05\r")
    bench.wait(3)
    bench.dce.progress(module.Progress.CONNECTED, bench.now)
    bench.talk(3)
    assert (bench.dce.call.shifts_up, bench.dce.call.shifts_down) == (0, 0)


EXPECTED = """Link Diagnostics...

Modulation (recv/xmit)   V.34/V.34
Carrier Freq    ( Hz )   1959/1829
Symbol Rate              3429/3200
Trellis Code             64S-4D/16S-4D
Nonlinear Encoding       ON/OFF
Precoding                ON/ON
Shaping                  OFF/ON
Preemphasis     (-dB )   0/6
Recv/Xmit Level (-dBm)   23.0/13.0
SNR             ( dB )   37.1
Near Echo       ( dB )   12.0
Far Echo        ( dB )   31.5
Roundtrip Delay (msec)   1200
Timing Offset   ( ppm)   -48.2
Carrier Offset  ( ppm)   1000.0
Speed Shifts Up/Down     0/0
"""


@pytest.mark.parametrize("when", ["during", "after"])
def test_signal_diagnostics(bench, when):
    bench.talk(2)
    bench.type(b"+++")
    bench.talk(2)
    if when == "after":
        bench.dce.far_end_hung_up(bench.now)
    assert EXPECTED in screen(bench, b"ATI11\r")


def test_frequency_response(bench):
    bench.dce.far_end_hung_up(bench.now)
    text = screen(bench, b"ATY11\r")
    assert "Freq     Level\n 150      -3.0\n 300         -\n" in text
    assert "\n1050      -0.5\n" in text
    assert "\n3750     -20.2\n" in text
    assert len([row for row in text.splitlines() if row.endswith((" -", "0", "5", "2"))]) == 25


def test_screens_before_the_first_call():
    bench = Bench(b"ATE0\r")
    assert screen(bench, b"ATY11\r") == "\nERROR\n"
    text = screen(bench, b"ATI11\r")
    assert "Trellis Code             N/A\n" in text
    assert "Recv/Xmit Level (-dBm)   N/A\n" in text
    assert screen(bench, b"ATI12\r") == "\nERROR\n"
    assert screen(bench, b"ATY2\r") == "\nOK\n"


def test_a_report_with_little_in_it():
    call = CallRecord(signal=SignalReport(tx_level_dbm0=-13.0, carrier_offset_hz=1.0, symbol_rate=600.0))
    lines = signal_screen(call)
    assert "Recv/Xmit Level (-dBm)   N/A/13.0" in lines
    assert "Carrier Offset  ( ppm)   N/A" in lines
    assert "Symbol Rate              600/600" in lines
    assert response_screen(call) is None
