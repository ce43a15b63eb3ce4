"""The terminal's side of the modem: circuits, flow control, parity, breaks, port rate, DTR."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.terminal_bench import BufferSession, TerminalBench

from ansam.at.nvram import Profile
from ansam.at.personalities import names, packaged
from ansam.dce import line_side as module
from ansam.dce.dce import Dce, LineState, TerminalBreak, TerminalRate
from ansam.dce.options import error_control
from ansam.dce.progress import Progress
from ansam.dte.parity import PortParity, with_parity
from ansam.modulation.base import Role

XON, XOFF, ENQ, ACK = b"\x11", b"\x13", b"\x05", b"\x06"


@pytest.fixture(autouse=True, scope="module")
def _buffers():  # type: ignore[no-untyped-def]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Session", BufferSession)
        yield


# -- nothing is lost ------------------------------------------------------------------------------------


class Terminal:
    """A terminal that obeys what the modem says, and says XOFF and XON at random."""

    def __init__(self, bench: TerminalBench, h: int, i: int, rng: random.Random) -> None:
        self.bench, self.dce, self.h, self.i, self.rng = bench, bench.dce, h, i, rng
        self.storms = i in (1, 2) or (i == 5 and BufferSession.protocol == "LAPM")
        self.waiting = b""
        self.stopped = False
        self.sent = self.got = b""
        self.asked = 0

    def offer(self, size: int) -> None:
        if not self.waiting and not self._held():
            self.waiting = self._text(size)
        if self.storms and self.rng.random() < 0.4:
            self.waiting += self.rng.choice((XON, XOFF, XOFF + XON, XOFF * 3))
        self.waiting = self.waiting[self.dce.receive_dte(self.waiting, self.bench.now) :]

    def _held(self) -> bool:
        if self.h in (1, 3) and not self.dce.circuits.circuit_106:
            return True
        return self.stopped

    def _text(self, size: int) -> bytes:
        data = self.rng.randbytes(size)
        if self.storms:
            data = data.replace(XON, b"").replace(XOFF, b"")
        if self.i in (3, 4):
            data = data.replace(ENQ, b"").replace(ACK, b"")
        self.sent += data
        return data

    def read(self, limit: int) -> None:
        data = self.dce.take_dte(limit)
        assert len(data) <= limit
        for octet in data if self.h >= 2 or self.i == 4 else ():
            self.stopped = octet == XOFF[0] if octet in XON + XOFF and self.h >= 2 else self.stopped
            self.asked += octet == ENQ[0] and self.i == 4
        self.got += data
        if self.asked and self.rng.random() < 0.5:
            self.asked -= 1
            assert self.dce.receive_dte(ACK, self.bench.now) in (0, 1)

    def received(self) -> bytes:
        data = self.got
        if self.h >= 2:
            data = data.translate(None, XON + XOFF)
        return data.translate(None, ENQ) if self.i == 4 else data


@settings(max_examples=30, deadline=None)
@given(
    h=st.integers(0, 3),
    i=st.sampled_from([0, 1, 2, 4, 5]),
    protocol=st.sampled_from(["LAPM", "NONE"]),
    seed=st.integers(0, 1 << 32),
    sizes=st.lists(st.sampled_from([1, 1, 1, 60, 700, 4096, 30000]), min_size=5, max_size=30),
)
def test_no_octet_is_lost_or_out_of_order(h: int, i: int, protocol: str, seed: int, sizes: list[int]) -> None:
    """1-byte writes, bursts, slow readers, XON/XOFF storms: all of &H and &I, with and without ARQ."""
    rng = random.Random(seed)
    bench = TerminalBench(b"ATE0&H%d&I%d" % (h, i), protocol)
    link = bench.connect()
    terminal = Terminal(bench, h, i, rng)
    line, far = b"", b""
    drop = (XON + XOFF if h >= 2 or (i == 5 and protocol == "NONE") else b"") + (ENQ if i == 4 else b"")
    for size in sizes:
        terminal.offer(size)
        line += _move(link, rng.choice((0, 1, 100, 5000)))
        if len(link.received) < 20000:
            data = rng.randbytes(rng.choice((0, 1, 500, 9000))).translate(None, drop)
            far += data
            link.received += data
        terminal.read(rng.choice((1, 10, 600, 4096)))
    if terminal.storms:
        terminal.waiting += XON
    for _ in range(20000):
        if not (terminal.waiting or link.queue or link.received or len(terminal.received()) < len(far)):
            break
        terminal.waiting = terminal.waiting[bench.dce.receive_dte(terminal.waiting, bench.now) :]
        line += _move(link, 4096)
        terminal.read(4096)
    sent = line.translate(None, XON + XOFF) if i == 1 else line
    assert sent == terminal.sent
    assert terminal.received() == far


def _move(link, count: int) -> bytes:  # type: ignore[no-untyped-def]
    out = bytes(link.queue[:count])
    del link.queue[:count]
    return out


def test_one_megabyte_at_once() -> None:
    bench = TerminalBench(b"ATE0&H1")
    link = bench.connect()
    data = random.Random(3).randbytes(1_000_000)
    rest, line = data, b""
    while rest or link.queue:
        rest = rest[bench.dce.receive_dte(rest, bench.now) :]
        line += _move(link, 1500)
    assert line == data


# -- flow control of sent data: &H ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("h", "cts", "xoff"), [(0, True, False), (1, False, False), (2, True, True), (3, False, True)]
)
def test_a_full_modem_says_so_as_h_has_it(h: int, cts: bool, xoff: bool) -> None:
    bench = TerminalBench(b"ATE0&H%d" % h)
    link = bench.connect()
    assert bench.dce.receive_dte(bytes(5000), bench.now) == 2048
    assert bench.dce.circuits.circuit_106 is cts
    assert bench.dce.take_dte() == (XOFF if xoff else b"")
    del link.queue[:1000]
    assert bench.dce.take_dte() == b""
    link.queue.clear()
    assert bench.dce.circuits.circuit_106
    assert bench.dce.take_dte() == (XON if xoff else b"")


def test_registers_choose_the_characters_and_the_end_of_a_call_lets_the_terminal_go_on() -> None:
    bench = TerminalBench(b"ATE0&H2S22=1S23=3")
    bench.connect()
    bench.dce.receive_dte(bytes(5000), bench.now)
    assert bench.dce.take_dte() == b"\x03"
    bench.dce.far_end_hung_up(bench.now)
    assert bench.dce.take_dte() == b"\x01\r\nNO CARRIER\r\n"


# -- flow control of received data: &I, &R --------------------------------------------------------------


@pytest.mark.parametrize(
    ("i", "protocol", "obeys", "passes"),
    [
        (0, "LAPM", False, True),
        (1, "LAPM", True, True),
        (2, "LAPM", True, False),
        (5, "LAPM", True, False),
        (5, "NONE", False, True),
    ],
)
def test_xoff_of_the_terminal(i: int, protocol: str, obeys: bool, passes: bool) -> None:
    bench = TerminalBench(b"ATE0&H1&I%d" % i, protocol)
    link = bench.connect()
    assert bench.dce.receive_dte(b"ab" + XOFF + b"c", bench.now) == 4
    assert bytes(link.queue) == (b"ab" + XOFF + b"c" if passes else b"abc")
    link.received += b"far"
    assert bench.dce.take_dte() == (b"" if obeys else b"far")
    bench.dce.receive_dte(XON, bench.now)
    assert bench.dce.take_dte() == (b"far" if obeys else b"")


def test_xoff_counts_although_the_data_before_it_finds_no_room() -> None:
    bench = TerminalBench(b"ATE0&I2")
    link = bench.connect()
    bench.dce.receive_dte(bytes(2048), bench.now)
    assert bench.dce.receive_dte(b"x" + XOFF, bench.now) == 0
    link.received += b"far"
    assert bench.dce.take_dte() == b""
    assert bench.dce.receive_dte(b"x" + XOFF + XON, bench.now) == 0
    assert bench.dce.take_dte() == b"far"


def test_a_terminal_that_comes_anew_has_not_said_xoff() -> None:
    bench = TerminalBench(b"ATE0&I2&D0")
    link = bench.connect()
    bench.dce.receive_dte(XOFF, bench.now)
    link.received += b"far"
    assert bench.dce.take_dte() == b""
    bench.dce.set_dtr(True, bench.now)
    assert bench.dce.take_dte() == b"far"


def test_link_flow_control_without_error_control() -> None:
    bench = TerminalBench(b"ATE0&I5", "NONE")
    link = bench.connect()
    assert bench.dce.receive_dte(bytes(100), bench.now) == 64
    link.queue.clear()
    link.received += b"a" + XOFF + b"b"
    assert bench.dce.take_dte() == b"ab"
    assert bench.dce.receive_dte(b"held", bench.now) == 0
    assert not bench.dce.circuits.circuit_106
    link.received += XON
    bench.dce.take_dte()
    assert bench.dce.receive_dte(b"held", bench.now) == 4


def test_hewlett_packards_enq_and_ack() -> None:
    bench = TerminalBench(b"ATE0&I3")
    link = bench.connect()
    assert bench.dce.receive_dte(b"block" + ENQ + b"next" + ENQ, bench.now) == 11
    assert bytes(link.queue) == b"blocknext"
    assert bench.dce.take_dte() == ACK * 2
    bench = TerminalBench(b"ATE0&I4")
    link = bench.connect()
    link.received += bytes(100)
    first = bench.dce.take_dte()
    # The words of CONNECT were part of the first block.
    assert first.endswith(bytes(40) + ENQ)
    assert len(first) <= 80
    assert bench.dce.take_dte() == b""
    assert bench.dce.receive_dte(b"x" + ACK, bench.now) == 2
    assert bytes(link.queue) == b"x"
    assert bench.dce.take_dte() == bytes(101 - len(first))


@pytest.mark.parametrize(("r", "cts", "data"), [(0, False, b"far"), (1, True, b"far"), (2, True, b"")])
def test_rts(r: int, cts: bool, data: bytes) -> None:
    bench = TerminalBench(b"ATE0&R%dS26=10" % r)
    link = bench.connect()
    bench.dce.set_rts(False, bench.now)
    assert bench.dce.circuits.circuit_106
    bench.wait(0.09)
    assert bench.dce.circuits.circuit_106
    bench.wait(0.02)
    assert bench.dce.circuits.circuit_106 is cts
    link.received += b"far"
    assert bench.dce.take_dte() == data
    bench.dce.set_rts(True, bench.now)
    bench.wait(0.11)
    assert bench.dce.circuits.circuit_106
    assert bench.dce.take_dte() == (b"" if data else b"far")


# -- circuits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("s", "idle", "training", "data", "lost", "later"),
    [
        (0, (1, 1), (1, 1), (1, 1), (1, 1), (1, 1)),
        (1, (0, 1), (1, 1), (1, 1), (0, 1), (0, 1)),
        (2, (1, 0), (1, 0), (1, 1), (0, 0), (1, 0)),
        (3, (1, 1), (1, 1), (1, 1), (0, 1), (1, 1)),
        (4, (0, 1), (0, 1), (1, 1), (0, 1), (0, 1)),
        (5, (1, 0), (1, 0), (1, 1), (1, 0), (1, 0)),
    ],
)
def test_dsr_and_cts_by_s(s: int, idle, training, data, lost, later) -> None:  # type: ignore[no-untyped-def]
    """(DSR, CTS) before a call, while modems train, in data, at the loss of carrier, and S24 later."""
    bench = TerminalBench(b"ATE0&S%dS24=10" % s)

    def now() -> tuple[int, int]:
        circuits = bench.dce.circuits
        return int(circuits.circuit_107), int(circuits.circuit_106)

    assert now() == idle
    bench.dce.receive_dte(b"ATDT05\r", bench.now)
    bench.wait(5)
    bench.dce.progress(Progress.CONNECTED, bench.now)
    assert now() == training
    bench.talk(0.02)
    assert now() == data
    bench.dce.far_end_hung_up(bench.now)
    assert now() == lost
    bench.wait(0.19)
    assert now() == lost
    bench.wait(0.02)
    assert now() == later


@pytest.mark.parametrize("c", [0, 1])
def test_dcd(c: int) -> None:
    bench = TerminalBench(b"AT&C%d" % c)
    assert bench.dce.circuits.circuit_109 is (c == 0)
    bench.connect()
    assert bench.dce.circuits.circuit_109
    bench.dce.far_end_hung_up(bench.now)
    assert bench.dce.circuits.circuit_109 is (c == 0)


def test_ri_follows_the_ringing_and_its_edges_are_deadlines() -> None:
    bench = TerminalBench()
    bench.dce.incoming_call("07", bench.now)
    edges = []
    ringing = True
    for _ in range(8):
        due = bench.dce.deadline()
        assert due is not None
        bench.now = due
        bench.dce.handle_timer(due)
        if bench.dce.circuits.circuit_125 is not ringing:
            ringing = not ringing
            edges.append(due / 8000)
    assert edges == [2.0, 6.0, 8.0, 12.0, 14.0, 18.0, 20.0, 24.0][: len(edges)]
    assert len(edges) >= 4


# -- DTR ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("d", "answers"), [(0, True), (1, False), (2, False)])
def test_no_answer_without_dtr(d: int, answers: bool) -> None:
    """The contract of TBBS: DTR low means that nobody is there; it rings all the same."""
    bench = TerminalBench(b"ATS0=1&D%d" % d)
    bench.dce.set_dtr(False, bench.now)
    bench.wait(1)
    bench.dce.take_dte()
    bench.dce.incoming_call("07", bench.now)
    assert b"RING" in bench.dce.take_dte()
    assert (bench.dce.state is LineState.ANSWERING) is answers
    bench.dce.set_dtr(True, bench.now)
    bench.wait(6.1)
    assert bench.dce.state is LineState.ANSWERING


@pytest.mark.parametrize(
    ("make", "d", "takes"),
    [
        ("usr-56k", 2, False),
        ("usr-56k", 3, False),
        ("usr-56k", 0, True),
        ("usr-56k", 1, True),
        ("wifi", 2, True),
    ],
)
def test_commands_without_dtr(make: str, d: int, takes: bool) -> None:
    """Courier V.34 manual p. B-7: the computer must provide DTR for the modem to accept commands."""
    bench = TerminalBench(b"AT&D%d&W" % d, make=make)
    bench.dce.set_dtr(False, bench.now)
    bench.dce.receive_dte(b"AT\r", bench.now)
    assert b"OK" in bench.dce.take_dte()  # for less than S25 is nothing
    bench.wait(0.3)
    bench.dce.take_dte()
    assert bench.dce.receive_dte(b"ATS7=1\r", bench.now) == 7
    assert bench.dce.take_dte() == (b"ATS7=1\r\r\nOK\r\n" if takes else b"")
    assert (bench.dce.settings.s[7] == 1) is takes
    bench.dce.set_dtr(True, bench.now)
    bench.dce.receive_dte(b"AT\r", bench.now)
    assert bench.dce.take_dte() == b"AT\r\r\nOK\r\n"


def test_s38_lets_data_get_across_before_the_hang_up() -> None:
    bench = TerminalBench(b"ATS38=5")
    link = bench.connect()
    bench.dce.receive_dte(b"last words", bench.now)
    bench.dce.set_dtr(False, bench.now)
    bench.talk(2)
    assert bench.dce.state is LineState.DATA
    link.queue.clear()
    bench.talk(0.04)
    assert link.ended
    bench = TerminalBench(b"ATS38=5")
    link = bench.connect()
    bench.dce.receive_dte(b"last words", bench.now)
    bench.dce.set_dtr(False, bench.now)
    bench.talk(5.1)
    assert not link.ended
    bench.talk(0.2)
    assert link.ended
    assert bench.dce.take_dte() == b"\r\nNO CARRIER\r\n"


def test_s25_is_how_long_dtr_has_to_be_low() -> None:
    bench = TerminalBench(b"ATS25=100")
    link = bench.connect()
    bench.dce.set_dtr(False, bench.now)
    bench.talk(0.96)
    assert not link.ended
    bench.talk(0.1)
    assert link.ended


def test_s13_resets_on_dtr_drop_and_dials_on_dtr() -> None:
    bench = TerminalBench(b"ATS13=1S7=33&D0")
    bench.dce.set_dtr(False, bench.now)
    bench.wait(1)
    assert bench.dce.settings.s[7] == 60
    bench = TerminalBench(b"AT&Z0=05")
    bench.dce.receive_dte(b"ATS13=8\r", bench.now)
    bench.dce.set_dtr(False, bench.now)
    bench.wait(1)
    bench.dce.take_dte()
    bench.dce.set_dtr(True, bench.now)
    bench.wait(5)
    assert bench.dce.state is LineState.CALLING
    assert bench.dce.take_dte() == b""


def test_s13_dials_at_power_on_once_the_line_is_there() -> None:
    bench = TerminalBench(b"AT&Z0=05")
    bench.dce.receive_dte(b"ATS13=16\r", bench.now)
    bench.dce.line_ready(False, bench.now)
    bench.wait(1)
    assert bench.dce.state is LineState.ON_HOOK
    bench.dce.line_ready(True, bench.now)
    bench.wait(5)
    assert (bench.dce.state, bench.dce.peer) == (LineState.CALLING, "05")
    bench.dce.hang_up("enough", bench.now)
    bench.dce.line_ready(True, bench.now)
    bench.wait(5)
    assert bench.dce.state is LineState.ON_HOOK


def test_s13_dials_at_power_on_when_the_terminal_is_there_too() -> None:
    bench = TerminalBench(b"ATS13=16&Z0=05")
    bench.dce.set_dtr(False, bench.now)
    bench.dce.line_ready(True, bench.now)
    bench.wait(5)
    assert bench.dce.state is LineState.ON_HOOK
    bench.dce.set_dtr(True, bench.now)
    bench.wait(5)
    assert bench.dce.state is LineState.CALLING
    bench.dce.hang_up("enough", bench.now)
    bench.dce.set_dtr(False, bench.now)
    bench.dce.set_dtr(True, bench.now)
    bench.wait(5)
    assert bench.dce.state is LineState.ON_HOOK


@pytest.mark.parametrize(("init", "said"), [(b"", "Enabled"), (b"ATS15.1=1", "Disabled")])
def test_ati6_says_whether_the_rate_may_fall_back(init: bytes, said: str) -> None:
    bench = TerminalBench(init)
    bench.connect()
    bench.dce.hang_up("enough", bench.now)
    bench.dce.take_dte()
    bench.dce.receive_dte(b"ATI6\r", bench.now)
    assert f"Fallback               {said}\r\n".encode() in bench.dce.take_dte()


def test_s13_lets_the_escape_hang_up() -> None:
    bench = TerminalBench(b"ATS13=128")
    link = bench.connect()
    bench.talk(1.1)
    bench.dce.receive_dte(b"+++", bench.now)
    bench.talk(1.1)
    assert link.ended
    assert bench.dce.take_dte() == b"\r\nNO CARRIER\r\n"


# -- parity, rate, break --------------------------------------------------------------------------------


@pytest.mark.parametrize("letters", [b"AT", b"at"])
@pytest.mark.parametrize("parity", list(PortParity))
def test_the_modem_answers_in_the_parity_it_is_spoken_to(parity: PortParity, letters: bytes) -> None:
    bench = TerminalBench()
    bench.dce.set_port_rate(9600, bench.now)
    line = letters + b"I4\r"
    assert bench.dce.receive_dte(with_parity(line, parity), bench.now) == len(line)
    answer = bench.dce.take_dte()
    shown = PortParity.NONE if parity is PortParity.SPACE else parity
    assert answer == with_parity(answer, shown)
    bits = 8 if shown is PortParity.NONE else 7
    words = bytes(octet & 0x7F for octet in answer).split()
    assert {b"BAUD=9600", b"PARITY=" + shown.value.encode(), b"WORDLEN=%d" % bits} <= set(words)


def test_seven_bits_even_parity_go_through_and_flow_control_has_parity_too() -> None:
    bench = TerminalBench()
    even = PortParity.EVEN
    bench.dce.receive_dte(with_parity(b"ATE0&H2&I2\r", even), bench.now)
    bench.dce.take_dte()
    bench.dce.receive_dte(with_parity(b"ATDT05\r", even), bench.now)
    bench.wait(5)
    bench.dce.progress(Progress.CONNECTED, bench.now)
    bench.talk(0.02)
    words = bench.dce.take_dte()
    assert words == with_parity(words, even)
    link = BufferSession.made[-1].link
    assert link is not None
    every = with_parity(bytes(c for c in range(128) if c not in XON + XOFF), even)
    bench.dce.receive_dte(every + with_parity(XOFF, even), bench.now)
    assert bytes(link.queue) == every
    link.received += every
    assert bench.dce.take_dte() == b""
    bench.dce.receive_dte(with_parity(XON, even), bench.now)
    assert bench.dce.take_dte() == every


@pytest.mark.parametrize("make", names())
@pytest.mark.parametrize("parity", [PortParity.EVEN, PortParity.ODD, PortParity.MARK])
def test_every_make_speaks_seven_bits_and_lets_them_through(make: str, parity: PortParity) -> None:
    """As Kermit with ``set parity`` at both ends has it."""
    bench = TerminalBench(make=make)
    bench.dce.set_port_rate(2400, bench.now)
    bench.dce.receive_dte(with_parity(b"ATE1Q0V1&D2&C1\r", parity), bench.now)
    said = bench.dce.take_dte()
    assert said == with_parity(b"ATE1Q0V1&D2&C1\r\r\nOK\r\n", parity)
    bench.dce.receive_dte(with_parity(b"ATDT05\r", parity), bench.now)
    bench.wait(5)
    bench.dce.progress(Progress.CONNECTED, bench.now)
    bench.talk(0.02)
    words = bench.dce.take_dte()
    assert b"CONNECT" in bytes(octet & 0x7F for octet in words)
    assert words == with_parity(words, parity)
    link = BufferSession.made[-1].link
    assert link is not None
    every = with_parity(bytes(c for c in range(128) if c not in XON + XOFF), parity)
    assert bench.dce.receive_dte(every, bench.now) == len(every)
    assert bytes(link.queue) == every
    link.received += every
    bench.talk(0.02)
    assert bench.dce.take_dte() == every
    bench.wait(2)
    bench.dce.receive_dte(with_parity(b"+++", parity), bench.now)
    bench.wait(2)
    assert with_parity(b"\r\nOK\r\n", parity) in bench.dce.take_dte()


@pytest.mark.parametrize(
    ("b", "protocol", "answering", "follows"),
    [
        (0, "LAPM", False, True),
        (1, "NONE", True, False),
        (2, "LAPM", True, False),
        (2, "NONE", True, True),
        (2, "NONE", False, False),
    ],
)
def test_port_rate_by_b(b: int, protocol: str, answering: bool, follows: bool) -> None:
    bench = TerminalBench(b"AT&B%d" % b, protocol, answering=answering)
    bench.dce.set_port_rate(57600, bench.now)
    events: list[object] = []
    real = bench.dce.take_events
    bench.dce.take_events = lambda: events.extend(real()) or []  # type: ignore[method-assign,func-returns-value]
    bench.connect()
    bench.dce.far_end_hung_up(bench.now)
    bench.dce.take_events()
    rates = [event for event in events if isinstance(event, TerminalRate)]
    assert rates == ([TerminalRate(2400), TerminalRate(57600)] if follows else [])


def test_breaks_cross_the_line_both_ways() -> None:
    from ansam.link.base import BreakReceived

    bench = TerminalBench(b"ATS21=30")
    bench.dce.receive_break(100, bench.now)
    link = bench.connect()
    bench.dce.receive_break(250, bench.now)
    assert link.breaks == [250]
    BufferSession.made[-1].events.append(BreakReceived(120))
    bench.talk(0.02)
    assert bench.dce.take_events() == [TerminalBreak(300)]
    bench = TerminalBench(b"ATS21=30", "NONE")
    bench.connect()
    BufferSession.made[-1].events.append(BreakReceived(120))
    bench.talk(0.02)
    assert bench.dce.take_events() == [TerminalBreak(120)]


def test_small_buffer_without_error_control() -> None:
    bench = TerminalBench(b"ATS15=8", "NONE")
    bench.connect()
    assert bench.dce.receive_dte(bytes(500), bench.now) == 128


@pytest.mark.parametrize(
    ("line", "compresses"),
    [(b"AT&B1&K1", True), (b"AT&B0&K1", False), (b"AT&B0&K2", True), (b"AT&B1&K0", False)],
)
def test_automatic_compression_needs_a_fixed_port_rate(line: bytes, compresses: bool) -> None:
    options = error_control(TerminalBench(line).dce.settings, Role.CALLING)
    assert options is not None
    assert bool(options.v42bis) is compresses
    assert compresses or options.v44 is None


def test_every_make_has_a_terminal_side() -> None:
    for name in names():
        dce = Dce(Profile(packaged(name)))
        dce.set_rts(False, 0)
        dce.receive_dte(b"AT\r", 0)
        assert dce.circuits.circuit_109 in (False, True)
        dce.set_rts(True, 0)
        dce.handle_timer(8000)
        assert dce.take_dte()
