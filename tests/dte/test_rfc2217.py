"""The server of RFC 2217, octet by octet; in `tests/io/test_dte_socket.py` pyserial speaks to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.dte.circuits import Circuits
from ansam.dte.parity import PortParity
from ansam.dte.rfc2217 import SIGNATURE, ComPortWire
from ansam.dte.wire import BreakSent, BreakSet, DtrSet, Purged, RateSet, RtsSet

IAC, DO, WILL, SB, SE = 255, 253, 251, 250, 240


@pytest.fixture
def wire() -> ComPortWire:
    wire = ComPortWire()
    wire.connected()
    assert wire.take_events() == [RateSet(115200)]
    wire.receive(bytes([IAC, WILL, 44, IAC, DO, 0, IAC, WILL, 0]))
    assert bytes([IAC, DO, 44]) in wire.take_replies()
    return wire


def ask(wire: ComPortWire, command: int, value: bytes = b"") -> list[tuple[int, bytes]]:
    """Send a command; return the answers as (command, value)."""
    coded = (bytes([command]) + value).replace(b"\xff", b"\xff\xff")
    wire.receive(bytes([IAC, SB, 44]) + coded + bytes([IAC, SE]))
    answers = wire.take_replies()
    pieces = answers.split(bytes([IAC, SB, 44]))[1:]
    return [(p[0], p[1:-2].replace(b"\xff\xff", b"\xff")) for p in pieces]


def test_signature(wire: ComPortWire) -> None:
    assert ask(wire, 0) == [(100, SIGNATURE)]
    assert ask(wire, 0, b"me") == []


def test_a_rate_of_another_length_is_none(wire: ComPortWire) -> None:
    wire.set_rate(2400)
    wire.receive(b"\xff\xfa\x2c\x01\x01\x00\x00\x00\x00\xff\xf0")
    assert wire.take_events() == []
    assert wire.take_replies().endswith(b"\x65" + (2400).to_bytes(4, "big") + b"\xff\xf0")


@pytest.mark.parametrize("rate", [300, 57600, 921600, 0xFF0102FF])
def test_rate(wire: ComPortWire, rate: int) -> None:
    octets = rate.to_bytes(4, "big")
    assert ask(wire, 1, octets) == [(101, octets)]
    assert ask(wire, 1, bytes(4)) == [(101, octets)]
    assert wire.take_events() == [RateSet(rate)]
    wire.set_rate(2400)
    assert ask(wire, 1, bytes(4))[-1] == (101, (2400).to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("command", "values", "first"), [(2, (5, 6, 7, 8), 8), (3, (1, 2, 3, 4, 5), 1), (4, (1, 2, 3), 1)]
)
def test_format(wire: ComPortWire, command: int, values: tuple[int, ...], first: int) -> None:
    assert ask(wire, command, b"\0") == [(command + 100, bytes([first]))]
    for value in values:
        assert ask(wire, command, bytes([value])) == [(command + 100, bytes([value]))]
        assert ask(wire, command, b"\x63") == [(command + 100, bytes([value]))]


def test_seven_bits(wire: ComPortWire) -> None:
    ask(wire, 2, b"\x07")
    ask(wire, 3, b"\x03")
    assert wire.parity is PortParity.EVEN
    assert wire.receive(b"AT\r") == b"A\xd4\x8d"
    assert wire.encode(b"A\xd4\x8d") == b"AT\r"


@pytest.mark.parametrize(
    ("value", "answer", "event"),
    [
        (0, 3, None),
        (1, 1, None),
        (2, 2, None),
        (17, 17, None),
        (4, 6, None),
        (5, 5, BreakSet(True)),
        (6, 6, BreakSet(False)),
        (7, 8, None),
        (8, 8, DtrSet(True)),
        (9, 9, DtrSet(False)),
        (10, 11, None),
        (11, 11, RtsSet(True)),
        (12, 12, RtsSet(False)),
        (13, 16, None),
        (14, 14, None),
        (15, 15, None),
        (18, 18, None),
    ],
)
def test_control(wire: ComPortWire, value: int, answer: int, event: object) -> None:
    assert ask(wire, 5, bytes([value])) == [(105, bytes([answer]))]
    assert wire.take_events() == ([event] if event else [])


def test_circuits_with_their_changes_and_a_mask(wire: ComPortWire) -> None:
    def told(**circuits: bool) -> list[tuple[int, bytes]]:
        wire.show(Circuits(**circuits))
        return ask(wire, 8)

    told()
    wire.suspended = False
    assert told(circuit_125=True) == [(107, b"\x70")]
    assert told(circuit_109=True) == [(107, b"\xbc")]  # DCD came, RI went
    assert told(circuit_109=True) == []
    assert told(circuit_109=True, circuit_106=False, circuit_107=False) == [(107, b"\x83")]
    assert ask(wire, 11, b"\x80") == [(111, b"\x80"), (107, b"\x80")]
    assert told(circuit_109=True) == []
    assert told() == [(107, b"\x00")]
    assert ask(wire, 7) == [(107, b"\x00")]


def test_suspend_purge_and_breaks(wire: ComPortWire) -> None:
    assert ask(wire, 8) == []
    assert wire.suspended
    ask(wire, 9)
    assert not wire.suspended
    for what, purged in ((1, Purged(True, False)), (2, Purged(False, True)), (3, Purged(True, True))):
        assert ask(wire, 12, bytes([what])) == [(112, bytes([what]))]
        assert wire.take_events() == [purged]
    wire.send_break(100)
    assert wire.take_replies() == b""
    assert ask(wire, 10, b"\x10") == [(110, b"\x10")]
    wire.send_break(100)
    assert ask(wire, 99) == [(106, b"\x10")]
    wire.receive(bytes([IAC, 243]))
    assert wire.take_events() == [BreakSent()]


@given(st.lists(st.binary(max_size=30)))
def test_nothing_a_client_sends_upsets_it(pieces: list[bytes]) -> None:
    wire = ComPortWire()
    wire.connected()
    for piece in pieces:
        wire.receive(bytes([IAC, SB, 44]) + piece + bytes([IAC, SE]))
        wire.show(Circuits(circuit_109=len(piece) % 2 == 0))
        wire.take_replies()
        wire.take_events()
