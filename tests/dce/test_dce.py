"""The modem's state machine, with a line of nothing but samples that mean nothing.

The modulations are tested on their own and in `tests/sim`; here `Session` is replaced by a scripted one, so
that every path of the state machine is reached in microseconds.
"""

import numpy as np
import pytest

from ansam.dce import line_side as module
from ansam.dce.dce import Connected, Dce, Ended, LineState
from ansam.dce.progress import AcceptCall, EndCall, PlaceCall, Progress
from ansam.dce.session import Disconnected, Session
from ansam.link.base import LinkUp
from ansam.link.v14 import CharacterFormat, Parity, StartStop
from ansam.modulation.base import Ready, Role, SignalReport

FRAME = np.zeros(160, np.float32)


class ScriptedSession:
    """Connects after `train` samples; its link loops nothing: tests reach into it."""

    train = 16000
    made: "list[ScriptedSession]" = []  # noqa: RUF012

    def __init__(self, role, options, allowed, error_control=None, character=None, trace=None, *others):
        self.character = character
        self.role, self.options, self.allowed = role, options, allowed
        self.link = None
        self.ready = None
        self.events = []
        self.retrains = 0
        self.cleared = False
        ScriptedSession.made.append(self)

    def start(self, now):
        self.started = now

    def process(self, rx, now, erased):
        if self.ready is None and now - self.started >= self.train:
            self.ready = Ready("V.22bis", 2400, 2400)
            self.link = StartStop()
            self.events += [self.ready, LinkUp("NONE")]
        return np.ones(len(rx), np.float32)

    connect, modulation = Session.connect, Session.modulation

    def retrain(self, now):
        self.retrains += 1

    def clear_down(self, now):
        self.cleared = True

    def report(self):
        return SignalReport(snr_db=30.0)

    def take_events(self):
        events, self.events = self.events, []
        return events


@pytest.fixture(autouse=True)
def _scripted(monkeypatch):
    ScriptedSession.made = []
    monkeypatch.setattr(module, "Session", ScriptedSession)


class Bench:
    """A modem, a clock, and what came out."""

    def __init__(self, init=b""):
        self.dce = Dce()
        self.now = 0
        self.actions = []
        if init:
            self.type(init)
            self.out()

    def type(self, data):
        taken = self.dce.receive_dte(data, self.now)
        self.actions += self.dce.take_actions()
        return taken

    def out(self):
        return self.dce.take_dte()

    def wait(self, seconds):
        end = self.now + round(seconds * 8000)
        while (due := self.dce.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.dce.handle_timer(self.now)
        self.now = end
        self.dce.handle_timer(end)
        self.actions += self.dce.take_actions()

    def talk(self, seconds):
        for _ in range(round(seconds * 50)):
            self.dce.process(FRAME, self.now)
            self.now += 160
        self.actions += self.dce.take_actions()

    def connect(self):
        self.type(b"ATE0DT05\r")
        self.wait(3)
        assert self.actions == [PlaceCall("05")]
        self.dce.progress(Progress.CONNECTED, self.now)
        self.talk(3)
        assert b"CONNECT 2400/NONE" in self.out()
        self.actions.clear()
        return self.session

    @property
    def session(self):
        return ScriptedSession.made[-1]


def test_atz_answers_at_once():
    bench = Bench()
    bench.type(b"ATZ\r")
    assert bench.out() == b"ATZ\r\r\nOK\r\n"


def test_dial_connects_and_carries_bytes():
    bench = Bench()
    session = bench.connect()
    assert session.role is Role.CALLING
    assert bench.dce.circuits.circuit_109
    assert bench.type(b"hello") == 5
    assert session.link.pending() == 5
    session.link._received += b"world"
    bench.talk(0.02)
    assert bench.out() == b"world"
    assert any(isinstance(e, Connected) and e.text == "CONNECT 2400/NONE" for e in bench.dce.take_events())


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress.BUSY, b"BUSY"),
        (Progress.NO_ANSWER, b"NO ANSWER"),
        (Progress.NO_SUCH_NUMBER, b"NO CARRIER"),
        (Progress.REFUSED, b"NO CARRIER"),
        (Progress.UNREACHABLE, b"NO DIAL TONE"),
    ],
)
def test_calls_that_fail(progress, words):
    bench = Bench()
    bench.type(b"ATE0DT05\r")
    bench.wait(3)
    bench.dce.progress(progress, bench.now)
    assert bench.out() == b"ATE0DT05\r\r\n" + words + b"\r\n"
    assert bench.dce.state is LineState.ON_HOOK
    assert progress.value in bench.dce.disconnect_reason


def test_no_dial_tone_without_a_line():
    bench = Bench()
    bench.dce.line_ready(False, bench.now)
    bench.type(b"ATE0DT05\r")
    bench.wait(5)
    assert b"NO DIAL TONE" in bench.out()
    assert not any(isinstance(a, PlaceCall) for a in bench.actions)


def test_ringing_is_told_from_x5():
    bench = Bench(b"ATE0X7\r")
    bench.type(b"ATDT05\r")
    bench.wait(3)
    bench.dce.progress(Progress.RINGING, bench.now)
    assert bench.out() == b"\r\nRINGING\r\n"


def test_keypress_aborts_dialling():
    bench = Bench(b"ATE0\r")
    bench.type(b"ATDT05\r\n")
    bench.wait(3)
    bench.type(b"x")
    assert bench.out() == b"\r\nNO CARRIER\r\n"
    assert bench.actions == [PlaceCall("05"), EndCall("keypress abort")]


def test_nobody_answers_within_s7():
    bench = Bench(b"ATE0S7=10\r")
    bench.type(b"ATDT05\r")
    bench.wait(20)
    assert bench.out() == b"\r\nNO ANSWER\r\n"
    assert isinstance(bench.actions[-1], EndCall)


def test_no_carrier_within_s7():
    bench = Bench(b"ATE0S6=0S7=1\r")
    bench.type(b"ATDT05\r")
    bench.wait(0.5)
    bench.dce.progress(Progress.CONNECTED, bench.now)
    bench.talk(1.5)
    assert bench.out() == b"\r\nNO CARRIER\r\n"
    assert "S7" in bench.dce.disconnect_reason
    assert bench.session.cleared


def test_rings_until_answered_by_hand():
    bench = Bench(b"ATE0\r")
    assert bench.dce.incoming_call("07", bench.now)
    assert bench.dce.circuits.circuit_125
    bench.wait(13)
    assert bench.out() == b"\r\nRING\r\n" * 3
    assert bench.dce.settings.s[1] == 3
    bench.type(b"ATA\r")
    assert bench.actions == [AcceptCall()]
    bench.dce.progress(Progress.CONNECTED, bench.now)
    bench.talk(3)
    assert bench.out() == b"\r\nCONNECT 2400/NONE\r\n"
    assert bench.session.role is Role.ANSWERING


def test_auto_answer_counts_rings():
    bench = Bench(b"ATE0S0=2\r")
    bench.dce.incoming_call("07", bench.now)
    assert bench.actions == []
    bench.wait(6)
    assert bench.actions == [AcceptCall()]
    bench.dce.progress(Progress.CONNECTED, bench.now)
    bench.talk(3)
    assert bench.out() == b"\r\nRING\r\n" * 2 + b"\r\nCONNECT 2400/NONE\r\n"


def test_a_modem_in_a_call_is_busy():
    bench = Bench()
    bench.connect()
    assert not bench.dce.incoming_call("06", bench.now)


def test_caller_gives_up():
    bench = Bench(b"ATE0\r")
    bench.dce.incoming_call("07", bench.now)
    bench.dce.incoming_stopped(bench.now)
    bench.wait(30)
    assert bench.out() == b"\r\nRING\r\n"
    bench.type(b"ATA\r")
    assert bench.out() == b"\r\nNO CARRIER\r\n"


def test_escape_command_and_back():
    bench = Bench()
    session = bench.connect()
    bench.talk(1.1)
    bench.type(b"+++")
    bench.talk(1.1)
    assert bench.out() == b"\r\nOK\r\n"
    assert session.link.pending() == 3
    session.link._received += b"while away"
    bench.talk(0.1)
    assert bench.out() == b""
    bench.type(b"ATI0\r")
    assert b"5607" in bench.out()
    bench.type(b"ATO\rmore")
    assert bench.out() == b"\r\nCONNECT 2400/NONE\r\nwhile away"
    assert session.link.pending() == 7
    bench.talk(1.1)
    bench.type(b"+++")
    bench.talk(1.1)
    bench.out()
    bench.type(b"ATO1\r")
    assert session.retrains == 1
    bench.talk(1.1)
    bench.type(b"+++")
    bench.talk(1.1)
    bench.out()
    bench.type(b"ATH\r")
    assert bench.out() == b"\r\nOK\r\n"
    assert bench.actions == [EndCall("ATH")]
    assert bench.dce.state is LineState.ON_HOOK


def test_online_command_without_a_call():
    bench = Bench(b"ATE0\r")
    bench.type(b"ATO\r")
    assert bench.out() == b"\r\nNO CARRIER\r\n"


def test_back_pressure_from_a_slow_line():
    bench = Bench()
    bench.connect()
    assert bench.type(bytes(5000)) == 2048
    assert not bench.dce.circuits.circuit_106
    assert bench.type(b"x") == 0
    bench.session.link.pull(20000)
    assert bench.dce.circuits.circuit_106
    assert bench.type(b"x") == 1


def test_a_terminal_that_does_not_read_loses_nothing():
    bench = Bench()
    session = bench.connect()
    session.link._received += bytes(range(256)) * 200
    bench.talk(0.1)
    got = b""
    while piece := bench.dce.take_dte(1000):
        got += piece
    assert got == bytes(range(256)) * 200


@pytest.mark.parametrize(
    ("mode", "ends", "escapes"), [(0, False, False), (1, False, True), (2, True, False), (3, True, False)]
)
def test_dtr_drop(mode, ends, escapes):
    bench = Bench(b"AT&D%dS7=33\r" % mode)
    bench.connect()
    bench.dce.set_dtr(False, bench.now)
    bench.talk(0.3)
    assert (bench.dce.state is LineState.ON_HOOK) is ends
    assert (bench.out() == b"\r\nOK\r\n") is escapes
    assert (bench.dce.settings.s[7] == 60) is (mode == 3)


def test_short_dtr_glitch_is_ignored():
    bench = Bench()
    bench.connect()
    bench.dce.set_dtr(False, bench.now)
    bench.talk(0.1)
    bench.dce.set_dtr(True, bench.now)
    bench.talk(0.5)
    assert bench.dce.state is LineState.DATA


@pytest.mark.parametrize("how", ["bye", "carrier"])
def test_far_end_hangs_up(how):
    bench = Bench()
    session = bench.connect()
    session.link._received += b"bye"
    if how == "bye":
        bench.dce.far_end_hung_up(bench.now)
    else:
        session.events.append(Disconnected("carrier lost"))
        bench.talk(0.02)
    assert bench.out() == b"bye\r\nNO CARRIER\r\n"
    assert not bench.dce.circuits.circuit_109
    assert any(isinstance(e, Ended) for e in bench.dce.take_events())


def test_semicolon_returns_to_command_state():
    bench = Bench(b"ATE0\r")
    bench.type(b"ATDT05;\r")
    bench.wait(3)
    assert bench.out() == b"\r\nOK\r\n"
    bench.type(b"ATH\r")
    assert bench.out() == b"\r\nOK\r\n"
    assert bench.actions == [PlaceCall("05"), EndCall("ATH")]


def test_ati_while_ringing_out_is_an_abort():
    bench = Bench(b"ATE0\r")
    bench.type(b"ATDT05\r")
    bench.wait(3)
    bench.type(b"ATI0\r")
    assert bench.out().startswith(b"\r\nNO CARRIER\r\n")


def test_clock_never_goes_back():
    bench = Bench()
    bench.wait(1)
    bench.dce.receive_dte(b"ATZ\r", 0)
    assert b"OK" in bench.out()
    assert bench.dce.deadline() is None


def test_link_diagnostics_of_this_call_and_the_last():
    bench = Bench(b"ATE0\r")
    bench.type(b"ATI6\r")
    assert bench.out().endswith(b"\r\nNo Connection\r\n\r\nOK\r\n")
    session = bench.connect()
    bench.type(b"hello")
    session.link.pull(100)
    session.link._received += b"hi"
    bench.talk(2)
    bench.out()
    bench.dce.far_end_hung_up(bench.now)
    bench.out()
    bench.type(b"ATI6\r")
    screen = bench.out().decode().replace("\r\n", "\n")
    assert "Chars sent                     5      Chars Received                 2\n" in screen
    assert "Octets sent                    5" in screen
    assert "Protocol               NONE\nSpeed                  2400/2400\n" in screen
    assert "Last Call              00:00:0" in screen
    assert "Disconnect Reason is Loss of Carrier" in screen


@pytest.mark.parametrize(
    ("icf", "character"),
    [
        ("3", CharacterFormat()),
        ("5,1", CharacterFormat(7, Parity.EVEN)),
        ("5,0", CharacterFormat(7, Parity.ODD)),
        ("1", CharacterFormat(8, stop_bits=2)),
    ],
)
def test_character_format_on_the_line(icf, character):
    bench = Bench(f"AT+ICF={icf}\r".encode())
    assert bench.connect().character == character


def test_a_caller_hears_busy_when_we_dial_while_it_rings():
    bench = Bench(b"ATE0S0=0\r")
    assert bench.dce.incoming_call("07", bench.now)
    bench.type(b"ATDT05\r")
    bench.wait(3)
    assert bench.actions == [EndCall("dialled while it rang"), PlaceCall("05")]


def test_ata_does_not_cut_off_a_connection():
    bench = Bench()
    bench.connect()
    bench.wait(1.5)
    bench.type(b"+++")
    bench.wait(1.5)
    assert b"OK" in bench.out()
    bench.type(b"ATA\r")
    assert b"ERROR" in bench.out()
    assert bench.dce.state is LineState.DATA
    assert bench.actions == []


@pytest.mark.parametrize("by", ["DTR", "the page"])
def test_whoever_hangs_up_ends_the_repeating_too(by):
    bench = Bench(b"AT&D2\r")
    bench.type(b"ATDT05\r")
    bench.wait(3)
    bench.dce.progress(Progress.BUSY, bench.now)
    bench.type(b"A>")
    bench.wait(3)
    if by == "DTR":
        bench.dce.set_dtr(False, bench.now)
    else:
        bench.dce.hang_up("hung up on the page", bench.now)
    bench.wait(1)
    assert bench.dce.state is LineState.ON_HOOK
    placed = bench.actions.count(PlaceCall("05"))
    bench.wait(60)
    assert bench.actions.count(PlaceCall("05")) == placed
