"""A modem on a call without audio: speeds, the escape, the end; in virtual time."""

import pytest

from ansam.at.nvram import Profile
from ansam.at.personalities import load
from ansam.dce.dce import Dce, LineState
from ansam.dce.progress import EndCall, PlaceCall, Stream
from ansam.units import SAMPLE_RATE


class Bench:
    """A modem with its network by hand."""

    def __init__(self, *commands: str, make: str = "usr-56k") -> None:
        self.dce = Dce(Profile(personality=load(make)))
        self.now = 0
        for command in ("ATE0", *commands):
            self.type(command)

    def type(self, line: str) -> str:
        self.dce.receive_dte(line.encode() + b"\r", self.now)
        return self.says()

    def says(self) -> str:
        return self.dce.take_dte().decode("latin-1").replace("\r\n", "|").strip("|")

    def wait(self, seconds: float) -> str:
        end = self.now + round(seconds * SAMPLE_RATE)
        said = ""
        while (due := self.dce.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.dce.handle_timer(self.now)
            said += self.says()
        self.now = end
        self.dce.handle_timer(self.now)
        return said + self.says()

    def connect(self, stream: Stream | None = None) -> str:
        self.type("ATDT1")
        self.wait(2.3)
        assert self.dce.take_actions() == [PlaceCall("1")]
        self.dce.stream_connected(stream or Stream(), self.now)
        return self.says()


@pytest.mark.parametrize(
    ("commands", "stream", "words"),
    [
        ((), Stream(), "CONNECT 33600/ARQ/TCP"),
        (("AT&N3",), Stream("TELNET"), "CONNECT 2400/ARQ/TELNET"),
        (("AT&N1",), Stream(), "CONNECT/ARQ/TCP"),
        (("AT&N6&U4",), Stream(rate=4800), "CONNECT 4800/ARQ/TCP"),
        ((), Stream(rate=5000), "CONNECT 4800/ARQ/TCP"),
        (("AT&N6",), Stream(rate=2400), "NO CARRIER"),
        (("AT&A0X1",), Stream("SSH"), "CONNECT 33600"),
        (("AT&N3",), Stream(paced=False), "CONNECT 115200/ARQ/TCP"),
        (("AT&N3S70=1",), Stream(), "CONNECT 115200/ARQ/TCP"),
        (("ATS70.0=1&N6",), Stream(rate=2400), "NO CARRIER"),
        (("ATX0&A0",), Stream(), "CONNECT"),
        (("ATV0&N3",), Stream(), "16"),
        (("AT+MS=V22B",), Stream(), "CONNECT 2400/ARQ/TCP"),
    ],
)
def test_connect_says_the_speed(commands: tuple[str, ...], stream: Stream, words: str) -> None:
    assert Bench(*commands).connect(stream).strip("\r") == words


def test_both_ways_at_the_speed() -> None:
    bench = Bench("AT&N3")
    bench.connect()
    assert bench.dce.stream_offer(b"d" * 500, bench.now) == 256
    assert bench.dce.receive_dte(b"u" * 500, bench.now) == 256
    assert not bench.dce.circuits.circuit_106
    assert bench.dce.circuits.circuit_109
    heard = bench.wait(0.5)
    sent = bench.dce.stream_take(1000, bench.now)
    assert len(heard) == pytest.approx(120, abs=5)
    assert len(sent) == pytest.approx(120, abs=5)


@pytest.mark.parametrize("make", ["usr-56k", "courier-v34", "wifi"])
def test_s70_takes_the_speed_off_and_is_stored(make: str) -> None:
    bench = Bench("ATS70=1&WS70=0Z", "ATE0", make=make)
    bench.connect()
    assert bench.dce.stream_offer(b"d" * 5000, bench.now) == 5000
    assert len(bench.says()) == 5000


def test_s30_of_a_wifi_modem_ends_a_call_without_data() -> None:
    bench = Bench("ATS30=2", make="wifi")
    bench.connect()
    assert bench.wait(115) == ""
    assert bench.wait(10) == "NO CARRIER"


def test_commands_while_the_far_end_talks() -> None:
    bench = Bench("ATS12=10")
    bench.connect()
    bench.wait(0.3)
    bench.dce.receive_dte(b"+++", bench.now)
    assert bench.wait(0.3) == "OK"
    bench.dce.stream_offer(b"meanwhile", bench.now)
    assert bench.wait(0.5) == ""
    assert bench.type("ATO") == "CONNECT 33600/ARQ/TCP|meanwhile"
    assert bench.dce.stream_take(100, bench.now) == b"+++"


def test_a_hang_up_lets_the_last_words_go() -> None:
    bench = Bench("AT&N3S12=5")
    bench.connect()
    bench.dce.receive_dte(b"x" * 200, bench.now)
    bench.dce.set_dtr(False, bench.now)
    sent = b""
    for _ in range(100):
        bench.wait(0.02)
        sent += bench.dce.stream_take(100, bench.now)
    assert len(sent) == 200
    assert [type(action) for action in bench.dce.take_actions()] == [EndCall]
    assert bench.dce.state is LineState.ON_HOOK
    assert bench.dce.disconnect_reason == "DTR dropped"


def test_the_end_names_itself_and_statistics_stay() -> None:
    bench = Bench()
    bench.connect(Stream("TELNET"))
    bench.dce.stream_offer(b"bye", bench.now)
    bench.dce.stream_ended("the far end closed the connection", bench.now)
    assert bench.wait(1) == "byeNO CARRIER"
    screen = bench.type("ATI6")
    assert "Disconnect Reason is the far end closed the connection" in screen
    assert "Protocol               TELNET" in screen
    assert "Chars Received                 3" in screen
    assert bench.dce.stream_offer(b"late", bench.now) == 0
    assert bench.dce.stream_take(10, bench.now) == b""


def test_a_stream_nobody_asked_for_is_ignored() -> None:
    bench = Bench()
    bench.dce.stream_connected(Stream(), 0)
    bench.dce.stream_ended("gone", 0)
    assert bench.says() == ""
    assert bench.dce.state is LineState.ON_HOOK


def test_a_wifi_modem_stores_and_dials_a_host() -> None:
    bench = Bench("AT&Z0=bbs.example.org:6400", make="wifi")
    bench.type("ATDS0")
    bench.wait(0.2)
    assert bench.dce.take_actions() == [PlaceCall("bbs.example.org:6400")]
    bench.dce.stream_connected(Stream(rate=9600), bench.now)
    assert bench.says() == "CONNECT 9600"
