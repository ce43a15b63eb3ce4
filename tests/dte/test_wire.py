import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.dte.circuits import Circuits
from ansam.dte.wire import BreakSent, DtrSet, Ip232Wire, MarkedWire, RawWire


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(st.lists(st.one_of(st.binary(max_size=20), st.booleans())), st.integers(1, 7))
def test_ip232_decodes_what_the_far_end_coded_however_cut(parts: list[bytes | bool], size: int) -> None:
    wire, far = Ip232Wire(), Ip232Wire()
    coded = b"".join(bytes((255, part)) if isinstance(part, bool) else far.encode(part) for part in parts)
    data = b"".join(wire.receive(piece) for piece in cut(coded, size))
    assert data == b"".join(part for part in parts if isinstance(part, bytes))
    assert wire.take_events() == [DtrSet(part) for part in parts if isinstance(part, bool)]


def test_ip232_tells_dcd_and_ri_once() -> None:
    wire = Ip232Wire()
    for circuits in (Circuits(), Circuits(), Circuits(circuit_109=True, circuit_106=False)):
        wire.show(circuits)
    wire.show(Circuits(circuit_109=True, circuit_125=True))
    assert wire.take_replies() == b"\xff\x00\xff\x01\xff\x03"
    assert wire.take_replies() == b""


@given(st.binary(), st.integers(1, 5))
def test_marked_lines_give_every_octet(data: bytes, size: int) -> None:
    wire = MarkedWire()
    marked = data.replace(b"\xff", b"\xff\xff")
    assert b"".join(wire.receive(piece) for piece in cut(marked, size)) == data
    assert wire.take_events() == []


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_breaks_and_bad_characters_of_marked_lines(size: int) -> None:
    wire = MarkedWire()
    data = b"".join(wire.receive(piece) for piece in cut(b"a\xff\x00\x00b\xff\x00x\xff\xffc", size))
    assert data == b"abx\xffc"
    assert wire.take_events() == [BreakSent()]


def test_a_raw_wire_is_nothing() -> None:
    wire = RawWire()
    wire.connected()
    wire.show(Circuits())
    wire.set_rate(300)
    wire.send_break(10)
    assert wire.receive(b"\xff\x00") == wire.encode(b"\xff\x00") == b"\xff\x00"
    assert (wire.take_replies(), wire.take_events()) == (b"", [])
