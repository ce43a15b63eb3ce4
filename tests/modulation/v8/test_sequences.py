"""The sequence receiver: what it must find, and what it must not take for a menu."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.modulation.v8.menu import CJ, SYNC_CI, SYNC_V92, sequence
from ansam.modulation.v8.sequences import KEPT, MAX_OCTETS, Kind, SequenceReceiver
from ansam.units import Bits

CM = bytes.fromhex("C1 45 13 94 2A 0D")
rest = st.lists(
    st.integers(1, 255).filter(lambda octet: octet & 0x10 == 0 or octet & 0x38 == 0x10), max_size=12
)
octets = st.builds(lambda function, rest: bytes([0x01 | function << 5, *rest]), st.integers(0, 7), rest)
"""What §5 allows: call function first; a category octet has b4 = 0, an extension has b3 = b5 = 0."""


def repeated(menu: bytes, times: float) -> Bits:
    one = sequence(menu)
    return np.resize(one, round(times * len(one)))


def read(bits: Bits, receiver: SequenceReceiver | None = None) -> list[bytes]:
    return [s.octets for s in (receiver or SequenceReceiver()).receive(bits) if s.repeated]


@given(octets, st.lists(st.integers(0, 1), max_size=60))
def test_any_menu_that_came_twice_is_read_whatever_came_before(menu: bytes, before: list[int]) -> None:
    bits = np.concatenate((np.array(before, np.uint8), repeated(menu, 4)))
    found = read(bits)
    assert found
    assert set(found) == {menu}


@given(octets)
def test_twice_is_enough_and_once_is_not(menu: bytes) -> None:
    receiver = SequenceReceiver()
    assert not read(repeated(menu, 2)[:-1], receiver)
    assert receiver.syncs == 2
    assert read(repeated(menu, 2)) == [menu]


@given(octets, st.data())
def test_the_cut_does_not_matter(menu: bytes, data: st.DataObject) -> None:
    bits = repeated(menu, 4)
    receiver, found, at = SequenceReceiver(), [], 0
    while at < len(bits):
        size = data.draw(st.integers(1, 40))
        found += receiver.receive(bits[at : at + size])
        at += size
    assert found == SequenceReceiver().receive(bits)


@given(octets, st.data())
def test_a_wrong_bit_costs_one_sequence(menu: bytes, data: st.DataObject) -> None:
    bits = repeated(menu, 5)
    bits[data.draw(st.integers(0, len(bits) - 1))] ^= 1
    assert set(read(bits)) == {menu}


@given(st.lists(st.integers(0, 1), max_size=3000), st.integers(0, 3000))
def test_any_bits_do_no_harm(bits: list[int], erase_at: int) -> None:
    receiver = SequenceReceiver()
    for found in receiver.receive(np.array(bits[:erase_at], np.uint8)):
        assert 1 <= len(found.octets) <= MAX_OCTETS
    receiver.erase()
    receiver.receive(np.array(bits[erase_at:], np.uint8))


def test_noise_is_no_menu() -> None:
    """Ten minutes of random bits: no sequence twice, and no CJ."""
    receiver = SequenceReceiver()
    noise = np.random.default_rng(1).integers(0, 2, 300 * 600).astype(np.uint8)
    assert not read(noise, receiver)
    assert receiver.terminators == 0


def test_silence_in_the_middle_makes_no_shorter_menu() -> None:
    """A packet replaced by silence reads as ones, wherever it lies."""
    one = sequence(CM)
    for at in range(len(one)):
        for lost in (12, 24):
            bits = np.tile(one, 6)
            bits[2 * len(one) + at : 2 * len(one) + at + lost] = 1
            assert set(read(bits)) <= {CM}, at


def test_a_change_of_menu_is_followed() -> None:
    longer = CM + b"\x27"
    bits = np.concatenate((repeated(CM, 3), repeated(longer, 3)))
    assert read(bits)[-1] == longer


def test_lost_bits_end_a_sequence() -> None:
    receiver = SequenceReceiver()
    one = sequence(CM)
    receiver.receive(one)
    receiver.receive(one[:45])
    receiver.erase()
    assert not receiver.receive(one[45:])
    assert {s.octets for s in receiver.receive(repeated(CM, 2))} == {CM}


def test_twice_need_not_be_in_a_row() -> None:
    receiver = SequenceReceiver()
    others = [bytes([0xC1, 0x05, 0x10 | k]) for k in (1, 2)]
    stream = np.concatenate([sequence(m) for m in (CM, *others, CM)])
    assert len(others) < KEPT
    assert read(stream, receiver) == [CM]


@pytest.mark.parametrize(("sync", "kind"), [(SYNC_CI, Kind.CI), (SYNC_V92, Kind.V92)])
def test_other_kinds_are_told_apart(sync: tuple[int, ...], kind: Kind) -> None:
    found = SequenceReceiver().receive(np.tile(sequence(b"\xc1", sync), 3))
    assert {(s.kind, s.octets) for s in found} == {(kind, b"\xc1")}


@pytest.mark.parametrize("at", [0.0, 0.3, 0.62, 0.95])
def test_terminator(at: float) -> None:
    """CJ follows any complete octet of a CM."""
    bits = repeated(CM, 2 + at)
    bits = bits[: len(bits) // 10 * 10]
    receiver = SequenceReceiver()
    receiver.receive(bits)
    assert receiver.terminators == 0
    receiver.receive(CJ)
    assert receiver.terminators == 1


def test_terminator_with_a_wrong_bit_counts_and_with_two_does_not() -> None:
    for wrong in (1, 2):
        receiver = SequenceReceiver()
        cj = CJ.copy()
        cj[4 : 4 + 11 * wrong : 11] ^= 1
        receiver.receive(np.concatenate((repeated(CM, 2), cj)))
        assert receiver.terminators == (wrong == 1)


def test_terminator_without_a_menu_is_none() -> None:
    receiver = SequenceReceiver()
    receiver.receive(np.concatenate((np.ones(400, np.uint8), CJ)))
    assert receiver.terminators == 0


def test_a_sequence_without_end_is_given_up() -> None:
    endless = sequence(b"\x01" * 5000)
    receiver = SequenceReceiver()
    assert not receiver.receive(endless)
    assert set(read(repeated(CM, 3), receiver)) == {CM}
