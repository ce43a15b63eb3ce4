import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.dte.parity import ParityDetector, PortParity, with_parity


@pytest.mark.parametrize("parity", list(PortParity))
def test_the_top_bit_is_the_parity(parity: PortParity) -> None:
    for octet in range(128):
        top = with_parity(bytes([octet]), parity)[0] >> 7
        ones = octet.bit_count() + top
        expected = {PortParity.EVEN: ones % 2 == 0, PortParity.ODD: ones % 2 == 1, PortParity.MARK: top == 1}
        assert expected.get(parity, top == 0)


@pytest.mark.parametrize("line", [b"AT\r", b"at&f1\r", b"garbage AAT\r", b"a/ATZ\r"])
@pytest.mark.parametrize("parity", list(PortParity))
@pytest.mark.parametrize("cut", [1, 2, 100])
def test_found_from_a_t_and_cr(line: bytes, parity: PortParity, cut: int) -> None:
    detector = ParityDetector()
    sent = with_parity(line, parity)
    for start in range(0, len(sent), cut):
        detector.receive(sent[start : start + cut])
    assert detector.parity is (PortParity.NONE if parity is PortParity.SPACE else parity)
    assert detector.seen == 1


def test_letters_inside_a_line_are_no_new_line() -> None:
    detector = ParityDetector()
    detector.receive(b"AT DT A\xd4 5\r")
    assert detector.parity is PortParity.NONE
    detector.receive(b"A\xd4\x8d")
    assert detector.parity is PortParity.EVEN
    assert detector.seen == 2


def test_petscii_is_no_mark_parity() -> None:
    detector = ParityDetector()
    detector.receive(b"\xc1\xd4")
    assert detector.parity is PortParity.MARK
    detector.receive(b"\xda\r")
    assert detector.parity is PortParity.NONE


def test_mixed_case_is_no_prefix() -> None:
    detector = ParityDetector()
    detector.receive(b"At\xe1\xd4\r")
    assert detector.seen == 0


@given(st.binary())
def test_any_octets_do(data: bytes) -> None:
    whole, single = ParityDetector(), ParityDetector()
    whole.receive(data)
    for octet in data:
        single.receive(bytes([octet]))
    assert (whole.parity, whole.seen) == (single.parity, single.seen)
