import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.modulation.base import Role
from ansam.modulation.v34.constants import Trellis, symbol_rate
from ansam.modulation.v34.mp import ALL_RATES, J, JReader, Mp, MpReader, agree
from ansam.modulation.v34.precoder import NO_PRECODING

PRECODING = (-32768, 32767, 1, -1, 12345, -12345)
SOME = Mp(
    call_to_answer=28800,
    answer_to_call=33600,
    rates=(4800, 28800, 33600),
    trellis=Trellis.STATES_64,
    expanded=True,
    asymmetric=True,
)

rates = st.sampled_from((0, *ALL_RATES))
parts = st.integers(-32768, 32767)
sequences = st.builds(
    Mp,
    call_to_answer=rates,
    answer_to_call=rates,
    rates=st.sets(st.sampled_from(ALL_RATES)).map(lambda s: tuple(sorted(s))),
    auxiliary=st.booleans(),
    trellis=st.sampled_from(Trellis),
    nonlinear=st.booleans(),
    expanded=st.booleans(),
    acknowledge=st.booleans(),
    asymmetric=st.booleans(),
    precoding=st.one_of(st.none(), st.tuples(parts, parts, parts, parts, parts, parts)),
)


def field(bits: np.ndarray, first: int, last: int) -> int:
    return sum(int(bit) << n for n, bit in enumerate(bits[first : last + 1]))


def test_bits_stand_where_table_20_has_them() -> None:
    bits = SOME.to_bits()
    assert bits.size == 88
    assert bits[:17].all()
    assert not bits[[17, 18, 19, 34, 49, 51, 68, 85, 86, 87]].any()
    assert field(bits, 20, 23) == 12
    assert field(bits, 24, 27) == 14
    assert field(bits, 28, 28) == 0
    assert field(bits, 29, 30) == 2
    assert (bits[31], bits[32], bits[33]) == (0, 1, 0)
    assert field(bits, 35, 49) == 1 << 1 | 1 << 11 | 1 << 13
    assert bits[50] == 1
    assert field(bits, 52, 67) == 0
    prime = SOME.acknowledged.to_bits()
    assert prime[33] == 1
    assert (prime != bits)[:69].sum() == 1


def test_bits_stand_where_table_21_has_them() -> None:
    bits = Mp(2400, 4800, precoding=PRECODING, auxiliary=True, nonlinear=True).to_bits()
    assert bits.size == 188
    assert bits[18] == bits[28] == bits[31] == 1
    assert not bits[range(17, 171, 17)].any()
    assert bits[187] == 0
    for n, part in enumerate(PRECODING):
        assert field(bits, 52 + 17 * n, 67 + 17 * n) == part & 0xFFFF
    assert field(bits, 154, 169) == 0


@given(st.lists(sequences, max_size=4), st.integers(0, 60), st.lists(st.booleans(), max_size=40))
def test_sequences_are_read_from_any_stream(sent: list[Mp], trn: int, junk: list[bool]) -> None:
    stream = [*map(int, junk), *[1] * trn, *itertools.chain(*(mp.to_bits().tolist() for mp in sent))]
    reader = MpReader()
    found = [mp for bit in stream if (mp := reader.push(bit))]
    assert found[-len(sent) :] == sent if sent else True
    assert reader.ended is False
    if sent:
        for n in range(20):
            assert not reader.ended, n
            assert reader.push(1) is None
        assert reader.ended


@given(sequences, st.integers(0, 200))
def test_a_wrong_bit_spoils_a_sequence_and_no_other(mp: Mp, place: int) -> None:
    good = mp.to_bits()
    bad = good.copy()
    check = 187 if mp.precoding is not None else 85
    place = 17 + place % (check - 17)
    bad[place] ^= 1
    reader = MpReader()
    found = reader.take(np.concatenate([good, bad, good]))
    assert found[0] == mp
    # A wrong type bit makes a type 0 long enough to swallow the next sequence's start.
    assert found[-1] == mp
    assert len(found) == 2 or place == 18
    assert reader.errors <= 1


@given(st.lists(st.booleans(), max_size=500))
def test_no_stream_breaks_the_readers(bits: list[bool]) -> None:
    reader, j = MpReader(), JReader()
    for bit in bits:
        reader.push(int(bit))
        j.push(int(bit))


def test_take_stops_at_the_end_of_e() -> None:
    reader = MpReader()
    b1 = [1] * 30
    bits = iter([*[1] * 40, *SOME.to_bits(), *SOME.acknowledged.to_bits(), *[1] * 20, *b1])
    assert reader.take(bits) == [SOME, SOME.acknowledged]
    assert reader.ended
    assert len(list(bits)) == 30


def test_a_reserved_trellis_is_not_understood() -> None:
    words = [3 << 11, 0, 0]
    assert Mp.from_words(words) is None


@pytest.mark.parametrize("j", [J.FOUR, J.SIXTEEN])
def test_j_is_found_at_any_bit(j: J) -> None:
    rng = np.random.default_rng(1)
    for junk in range(20):
        stream = [*rng.integers(0, 2, junk).tolist(), *j.to_bits().tolist() * 3, *J.PRIME.to_bits(), *[1] * 9]
        reader = JReader()
        found = [(n, seen) for n, bit in enumerate(stream) if (seen := reader.push(bit))]
        assert found == [(junk + 31, j), (junk + 47, j), (junk + 63, J.PRIME)]


def test_j_prime_alone_is_not_believed() -> None:
    reader = JReader()
    stream = [*[1, 0] * 20, *J.PRIME.to_bits(), *[1] * 40]
    assert not any(reader.push(bit) for bit in stream)


HIGH, LOW = symbol_rate(3429), symbol_rate(3200)


def test_symmetric_rates_are_the_least_of_all_four() -> None:
    call = Mp(33600, 28800, asymmetric=True)
    answer = Mp(31200, 33600)
    found = agree(call, answer, HIGH, HIGH)
    assert found is not None
    assert found.call_to_answer.parameters.rate == found.answer_to_call.parameters.rate == 28800


def test_asymmetric_rates_need_both() -> None:
    call = Mp(33600, 28800, asymmetric=True)
    answer = Mp(31200, 33600, asymmetric=True)
    found = agree(call, answer, HIGH, HIGH)
    assert found is not None
    assert found.sent_by(Role.CALLING).parameters.rate == 31200
    assert found.sent_by(Role.ANSWERING).parameters.rate == 28800


def test_only_rates_that_both_enable_and_the_symbol_rates_have() -> None:
    call = Mp(33600, 33600, rates=(14400, 28800, 33600), asymmetric=True)
    answer = Mp(33600, 33600, asymmetric=True)
    found = agree(call, answer, HIGH, LOW)
    assert found is not None
    assert found.call_to_answer.parameters.rate == 33600
    assert found.answer_to_call.parameters.rate == 28800
    symmetric = agree(Mp(33600, 33600), Mp(33600, 33600), HIGH, symbol_rate(2400))
    assert symmetric is not None
    assert symmetric.call_to_answer.parameters.rate == 21600
    assert agree(Mp(33600, 33600, rates=(2400,)), answer, HIGH, HIGH) is None
    assert agree(Mp(33600, 33600, rates=()), answer, HIGH, HIGH) is None


def test_each_receiver_chooses_how_it_is_sent_to() -> None:
    call = Mp(28800, 28800, auxiliary=True, trellis=Trellis.STATES_64, nonlinear=True, precoding=PRECODING)
    answer = Mp(28800, 28800, auxiliary=True, trellis=Trellis.STATES_32, expanded=True)
    found = agree(call, answer, HIGH, LOW, kept=((1, 2, 3, 4, 5, 6), NO_PRECODING))
    assert found is not None
    up, down = found.call_to_answer, found.answer_to_call
    assert (up.sender, up.trellis, up.nonlinear) == (Role.CALLING, Trellis.STATES_32, False)
    assert (up.parameters.expanded, up.parameters.symbol_rate.name) == (True, 3429)
    assert up.precoding == (1, 2, 3, 4, 5, 6)
    assert (down.sender, down.trellis, down.nonlinear) == (Role.ANSWERING, Trellis.STATES_64, True)
    assert (down.parameters.expanded, down.precoding) == (False, PRECODING)
    assert up.parameters.auxiliary
    assert down.parameters.auxiliary
    alone = agree(call, Mp(28800, 28800), HIGH, LOW)
    assert alone is not None
    assert not alone.call_to_answer.parameters.auxiliary


def test_zeros_clear_down() -> None:
    end = Mp(0, 0)
    assert end.clears_down
    assert not SOME.clears_down
    assert agree(end, SOME, HIGH, HIGH) is None
    assert agree(SOME, Mp(33600, 0, asymmetric=True), HIGH, HIGH) is None
