"""S19 ends an idle connection; caller identification reaches the terminal."""

import numpy as np
import pytest

from ansam.at.results import Connect
from ansam.dce import line_side as module
from ansam.dce.dce import Dce
from ansam.dce.disconnect import usr_reason
from ansam.dce.idle import IdleWatch
from ansam.dce.progress import Progress
from ansam.link.base import LinkUp
from ansam.link.v14 import StartStop
from ansam.modulation.base import Ready, SignalReport

FRAME = np.zeros(160, np.float32)


class QuickSession:
    """Is connected at once; nothing comes from its far end."""

    modulation = "V.22bis"

    def __init__(self, *given):
        self.link = StartStop()
        self.ready = Ready("V.22bis", 2400, 2400)
        self.events = [self.ready, LinkUp("NONE")]

    def start(self, now):
        pass

    def process(self, rx, now, erased):
        self.link.pull(48)
        return rx

    def connect(self, link):
        return Connect(2400)

    def clear_down(self, now):
        pass

    def report(self):
        return SignalReport()

    def take_events(self):
        events, self.events = self.events, []
        return events


def test_the_watch() -> None:
    watch = IdleWatch()
    watch.follow((0, 0), 100)
    assert watch.due(0) is None
    assert watch.due(60) == 100 + 480_000
    watch.follow((0, 0), 5000)
    assert watch.due(60) == 100 + 480_000
    watch.follow((0, 1), 5000)
    assert watch.due(60) == 5000 + 480_000


@pytest.mark.parametrize(("minutes", "busy", "ends"), [(1, False, True), (1, True, False), (0, False, False)])
def test_s19(monkeypatch, minutes: int, busy: bool, ends: bool) -> None:
    monkeypatch.setattr(module, "Session", QuickSession)
    dce, now = Dce(), 0
    dce.receive_dte(f"ATE0X3S6=0S19={minutes}DT5\r".encode(), now)
    while dce.deadline() is not None and not dce.take_actions():
        now = dce.deadline()
        dce.handle_timer(now)
    dce.progress(Progress.CONNECTED, now)
    output = b""
    for index in range(50 * 65):
        if busy and index % 1000 == 500:
            dce.receive_dte(b"x", now)
        dce.process(FRAME, now)
        now += len(FRAME)
        output += dce.take_dte()
    assert (b"NO CARRIER" in output) is ends
    if ends:
        assert usr_reason(dce.disconnect_reason) == "Inactivity Timeout"


def test_who_calls() -> None:
    dce = Dce()
    dce.receive_dte(b"ATE0#CID=1\r", 0)
    dce.take_dte()
    assert dce.incoming_call("07", 0, "VISITOR", "11280230")
    assert dce.take_dte() == (
        b"\r\nRING\r\n\r\nDATE = 1128\r\nTIME = 0230\r\nNMBR = 07\r\nNAME = VISITOR\r\n"
    )
    dce.handle_timer(6 * 8000)
    assert dce.take_dte() == b"\r\nRING\r\n"
