"""The dialogue engine on a line: pace, keys that stop and hold, time."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.answer.bbs.screen import Emulation, Look, Screen
from ansam.answer.bbs.steps import Steps
from ansam.answer.bbs.talk import Talk
from ansam.answer.events import RunCommand, StopCommand
from ansam.answer.visit import SessionState

Dialogue = Callable[[Talk], Steps[str]]


class Line:
    """A line that takes what the engine gives, and a clock."""

    def __init__(self, dialogue: Dialogue, connect: str = "2400", idle: float = 0.0) -> None:
        self.now = 0.0
        self.talk = Talk(dialogue, connect, self.now, idle)
        self.said = b""

    def until(self, when: float) -> bytes:
        """Let time pass; return what was said."""
        said = self._drain()
        while (due := self.talk.deadline()) is not None and due <= when:
            self.now = max(self.now, due)
            self.talk.handle_timer(self.now)
            said += self._drain()
        self.now = when
        self.said += said
        return said

    def types(self, data: bytes) -> bytes:
        self.talk.receive(data, self.now)
        return self.until(self.now)

    def _drain(self) -> bytes:
        said = b""
        while data := self.talk.take_output(self.now):
            said += data
        return said


def listing(talk: Talk) -> Steps[str]:
    whole = yield from talk.page((f"line {n:03}" for n in range(200)), stops=False)
    talk.say("whole" if whole else "stopped")
    yield from talk.key()
    return "done"


@pytest.mark.parametrize(("rate", "seconds"), [("300", 66.0), ("2400/NONE", 8.25), ("9600/ARQ/V32", 2.08)])
def test_output_is_paced_at_the_rate_of_the_line(rate: str, seconds: float) -> None:
    """200 lines of 10 octets, ten bits each, arrive in their time; a second of them may be ahead."""
    line = Line(listing, rate)
    line.until(seconds * 0.9 - 1.0)
    assert b"line 199" not in line.said
    line.until(seconds + 1.5)
    assert line.said.endswith(b"line 199\r\nwhole\r\n")


@pytest.mark.parametrize("key", [b" ", b"\x03", b"\x0b", b"\x18"])
def test_a_key_stops_a_listing_within_a_second(key: bytes) -> None:
    line = Line(listing, "300")
    line.until(10.0)
    line.types(key)
    line.until(12.0)
    assert line.said.endswith(b"stopped\r\n")
    assert len(line.said) <= 10 * 30 + 30 + len(b"\r\nstopped\r\n")


def test_other_keys_are_typed_ahead() -> None:
    line = Line(listing, "300")
    line.until(5.0)
    line.types(b"x")
    line.until(80.0)
    assert line.talk.state is SessionState.OVER
    assert line.talk.reason == "done"


def test_xoff_holds_and_xon_goes_on() -> None:
    line = Line(listing, "2400")
    line.until(2.0)
    line.types(b"\x13")
    assert line.until(60.0) == b""
    line.types(b"\x11")
    assert line.until(70.0).endswith(b"whole\r\n")


def test_a_full_screen_asks_for_more() -> None:
    def dialogue(talk: Talk) -> Steps[str]:
        whole = yield from talk.page(f"{n}" for n in range(60))
        talk.say(f"{whole}")
        return "done"

    line = Line(dialogue, "33600")
    assert line.until(1.0).endswith(b"\r\n22\r\nMore? (Y/n/c) ")
    assert b"45\r\nMore?" in line.types(b"\r") + line.until(2.0)
    line.types(b"n")
    assert line.said.endswith(b"False\r\n")
    every = Line(dialogue, "33600")
    every.until(1.0)
    every.types(b"c")
    every.until(3.0)
    assert every.said.endswith(b"59\r\nTrue\r\n")


def ask(talk: Talk) -> Steps[str]:
    text = yield from talk.ask("? ", 20)
    talk.say(f"<{text}>")
    yield from talk.key()
    return "done"


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (b"hello\r", "hello"),
        (b"hello\n", "hello"),
        (b"helpp\b\x7flo\r\n", "hello"),
        (b"junk\x15hello\r", "hello"),
        (b"he\x1b[Dllo\x1b[3~\x1bOA\r", "helloOA"),
        (b"x" * 30 + b"\r", "x" * 20),
        (b"hello\x03", ""),
        (b"h\x00e\x07llo\r", "hello"),
        (b"\x81\r", "ü"),
    ],
)
def test_lines(typed: bytes, text: str) -> None:
    line = Line(ask, "33600")
    line.until(1.0)
    line.types(typed)
    line.until(2.0)
    assert f"<{text}>\r\n".encode("cp437") in line.said


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_it_does_not_matter_how_the_input_was_cut(data: bytes, cuts: list[int]) -> None:
    whole, cut = Line(ask, "33600"), Line(ask, "33600")
    for one in (whole, cut):
        one.until(1.0)
    whole.types(data)
    at = 0
    for end in [*sorted(cuts), len(data)]:
        cut.types(data[at:end])
        at = max(at, end)
    for one in (whole, cut):
        one.types(b"\x11")  # what is held by ^S comes now
        one.until(2.0)
    assert whole.said == cut.said


def test_a_silent_caller_is_warned_and_then_sent_away() -> None:
    line = Line(ask, "2400", idle=240.0)
    line.until(179.0)
    assert b"still there" not in line.said
    line.until(181.0)
    assert b"\a\r\nAre you still there? Press a key.\r\n" in line.said
    line.types(b"a")
    line.until(359.0)
    assert line.talk.state is SessionState.MENU
    line.until(422.0)
    assert line.talk.state is SessionState.OVER
    assert line.talk.reason == "idle"
    assert line.said.endswith(b"No key for 4 minutes. Goodbye.\r\n")


def test_time_runs_out_after_two_warnings() -> None:
    line = Line(ask, "2400")
    line.talk.set_time(600.0)
    line.until(301.0)
    assert b"5 minutes left." in line.said
    line.until(541.0)
    assert b"1 minute left." in line.said
    line.until(602.0)
    assert line.talk.reason == "time is up"
    assert line.talk.state is SessionState.OVER


def test_a_command_has_the_line_and_its_time_is_limited() -> None:
    def dialogue(talk: Talk) -> Steps[str]:
        talk.say("go")
        ending = yield from talk.run(RunCommand(("prog",), {}), 100.0)
        talk.say(f"{ending.in_time}")
        return "done"

    line = Line(dialogue, "2400")
    assert line.until(1.0) == b"go\r\n"
    assert [type(event) for event in line.talk.take_events()] == [RunCommand]
    assert line.talk.receive(b"\x00\xff\x13\x1b", line.now) == 4
    assert line.talk.take_command_input() == b"\x00\xff\x13\x1b"
    line.until(102.0)
    assert [type(event) for event in line.talk.take_events()] == [StopCommand]
    assert line.said.endswith(b"False\r\n")


def test_lost_carrier_stops_a_command_and_closes_the_dialogue() -> None:
    closed = []

    def dialogue(talk: Talk) -> Steps[str]:
        try:
            yield from talk.run(RunCommand(("prog",), {}), 100.0)
        finally:
            closed.append(True)
        return "done"

    line = Line(dialogue)
    line.until(1.0)
    line.talk.take_events()
    line.talk.carrier_lost()
    assert [type(event) for event in line.talk.take_events()] == [StopCommand]
    assert line.talk.state is SessionState.OVER
    assert line.talk.reason == "no carrier"
    assert closed == [True]


def test_an_answer_to_the_cursors_report_shows_ansi() -> None:
    line = Line(ask)
    line.until(1.0)
    line.types(b"\x1b[1;")
    line.types(b"5R")
    assert line.talk.screen.ansi
    line.types(b"x\r")
    assert b"<x>" in line.said


def test_delete_of_a_commodore_shows_one() -> None:
    line = Line(ask)
    line.talk.finds_commodores = True
    line.until(1.0)
    line.types(b"\x14")
    assert line.talk.screen.look == Look(Emulation.PETSCII, 40, 25, "ascii")
    line.types(b"\xc1bc\x14C\r")
    assert Screen(Look(Emulation.PETSCII)).encode("<ABc>") in line.said
