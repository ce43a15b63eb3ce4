"""What a scope tells of whole calls, in virtual time."""

from typing import cast

import numpy as np
import pytest

from ansam.dce.dce import Dce
from ansam.line import End
from ansam.modulation.base import SignalReport
from ansam.scope.live import CallTrace, Message, frame
from ansam.sim.call import Simulation
from ansam.sim.options import SimOptions
from ansam.sim.recording import Recording

V8_CALLER = ["ringing", "connected", "ANS", "ANSam", "silence T_e", "CM", "CJ"]
V42_CALLER = ["ODP", "ADP received", "XID", "XID received", "SABME", "link", "DISC"]
V42_ANSWERER = ["waiting for ODP", "ODP received", "ADP", "XID received", "link"]


class Scopes:
    """Stands where a recording of the simulator would: a scope at each end."""

    def __init__(self) -> None:
        self.traces = {end: CallTrace() for end in End}
        self.events: dict[End, list[Message]] = {end: [] for end in End}
        self.reports: dict[End, SignalReport | None] = {}
        for end in End:
            self.traces[end].listener = self.events[end].append

    def sink(self, end: End) -> CallTrace:
        return self.traces[end]

    def audio(self, *of_no_use: object) -> None:
        pass

    def constellation(self, end: End, report: SignalReport | None) -> None:
        self.reports[end] = report

    def ladder(self, end: End) -> list[Message]:
        return [event for event in self.events[end] if event["kind"] == "phase"]


def call(*lines: str, answering: tuple[str, ...] | None = None) -> Scopes:
    scopes = Scopes()
    options = SimOptions(calling=lines, answering=lines if answering is None else answering, seconds=0.1)
    Simulation(options, cast(Recording, scopes)).run()
    return scopes


def in_order(wanted: list[str], ladder: list[Message]) -> bool:
    names = iter(event["name"] for event in ladder)
    return all(any(name == one for one in names) for name in wanted)


LADDERS = {
    "AT&M0&N1B1": (["connected", "Bell 103 ready", "link"], ["binary 1", "Bell 103 ready", "link"]),
    "AT&M0+MS=V21": ([*V8_CALLER, "binary 1", "V.21 ready", "link"], ["ANSam", "JM", "binary 1", "link"]),
    "AT+MS=V22": ([*V8_CALLER, "V.22 ready", *V42_CALLER], ["JM", "unscrambled ones", *V42_ANSWERER]),
    "AT+MS=V22B": ([*V8_CALLER, "S1", "16-way decisions", *V42_CALLER], ["JM", "S1 in reply", *V42_ANSWERER]),
    "AT+MS=V32": (["AA", "CC", "R2", "E, B1", *V42_CALLER], ["AC", "CA", "R1", *V42_ANSWERER]),
    "AT+MS=V32B": (["AA", "CC", "R2", "V.32bis ready", *V42_CALLER], ["AC", "CA", "R1", *V42_ANSWERER]),
    "AT+MS=V34": (["INFO0c", "INFO1c", "MP", *V42_CALLER], ["INFO0a", "INFO1a", "J", "MP", *V42_ANSWERER]),
}  # fmt: skip
QUICK = ("AT&M0+MS=V21", "AT+MS=V22", "AT+MS=V22B")


@pytest.mark.parametrize(
    "line", [pytest.param(line, marks=() if line in QUICK else pytest.mark.bench) for line in LADDERS]
)
def test_every_step_of_a_call_is_named_and_explained(line: str) -> None:
    scopes = call(line)
    for end, wanted in zip((End.CALLING, End.ANSWERING), LADDERS[line], strict=True):
        ladder = scopes.ladder(end)
        assert in_order(wanted, ladder), [event["name"] for event in ladder]
        bare = [event["name"] for event in ladder if not event["name"] or len(event["text"]) < 12]
        assert not bare
        assert [event["name"] for event in scopes.events[end] if event["kind"] == "note"][-1] == "over"


@pytest.mark.bench
def test_points_of_v34_lie_on_its_grid() -> None:
    """V.34 (10/96) §9.1: odd numbers on both axes, at some scale."""
    report = call("AT&N6").reports[End.CALLING]
    assert report is not None
    assert report.rates == (9600, 9600)
    points = np.array(report.constellation)
    axes = np.concatenate((points.real, points.imag))

    def off_grid(scale: float) -> float:
        odd = 2 * np.rint((axes * scale - 1) / 2) + 1
        return float(np.sqrt(np.mean((axes * scale - odd) ** 2)))

    assert min(map(off_grid, np.geomspace(1.5, 15, 2000))) < 0.3  # points anywhere: 0.58


def test_no_error_control_says_so() -> None:
    scopes = call("AT+MS=V22B", answering=("AT&M0",))
    (note,) = [event for event in scopes.events[End.CALLING] if event["name"] == "no error control"]
    assert "no ADP came in answer to ODP" in note["text"]
    assert note["clause"] == "V.42 (03/2002) §7.2.1.2, T400"
    assert "as they are" in scopes.ladder(End.CALLING)[-1]["text"]


def test_a_busy_number() -> None:
    trace = CallTrace()
    trace(0, "dce", "call", number="05")
    trace(8000, "dce", "progress", progress="BUSY")
    (event,) = trace.events()
    assert (event["t"], event["name"], event["text"]) == (1.0, "busy", "The far end is busy.")


def test_a_new_call_begins_with_the_command_that_made_it() -> None:
    trace = CallTrace()
    trace(0, "dce", "call", number="05")
    trace(100, "dce", "ended", reason="over")
    trace(16000, "at", "command", line="DT06")
    trace(16000, "dce", "call", number="06")
    trace(24000, "dce", "progress", progress="CONNECTED")
    assert [(e["t"], e["name"]) for e in trace.events()] == [(0.0, "command"), (1.0, "connected")]


def test_frames_of_error_control_are_passed_on_and_not_kept() -> None:
    trace = CallTrace()
    heard: list[Message] = []
    trace.listener = heard.append
    trace(0, "link.v42", "frame", octets=b"\x03\x7f", sent=True, originator=True)
    trace(0, "link.v42", "frame", octets=b"\x03\xff\x00", sent=False, originator=True)
    assert [(event["kind"], event["name"], event["side"]) for event in heard] == [
        ("lapm", "SABME", "near"),
        ("lapm", "?", "far"),
    ]
    assert trace.events() == []


def test_a_frame_without_a_call_is_empty() -> None:
    made = frame(Dce(None), CallTrace(), 0, None, 0.0)
    assert made["constellation"] == made["equaliser"] == made["echo"] == []
    assert made["snr"] is None
    assert made["rtp"] == {"loss": 0.0, "jitter": None, "skew": None}
