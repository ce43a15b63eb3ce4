"""INFO sequences: their fields where the tables have them, their CRC, and finding them in a stream."""

from dataclasses import replace

import numpy as np
import pytest

from ansam.modulation.v34.info import (
    REGISTER,
    SYNC,
    Info,
    Info0,
    Info0d,
    Info1a,
    Info1c,
    PcmInfo1a,
    RateResult,
    decode,
    fill_erased,
    find_frame,
)
from ansam.units import Bits

EXAMPLES: list[Info] = [
    Info0(),
    Info0(False, True, False, True, False, False, True, False, False, 3, True, False, 2, True),
    Info0d(nominal_power=9, max_power=30, a_law=False),
    Info1c(3, 2, 100, tuple(RateResult(k % 2 == 1, k + 3, 2 * k + 1) for k in range(6)), -511),
    Info1a(1, 7, 127, True, 10, 14, 5, 3, 511),
    PcmInfo1a(9, 79, 5),
]
LENGTHS = {Info0: 49, Info0d: 62, Info1c: 109, Info1a: 70, PcmInfo1a: 70}


def search(bits: Bits) -> list[Info]:
    """Find what the receiver's kernel finds."""
    register, valid, found = np.zeros(REGISTER, np.uint8), 0, []
    for bit in bits:
        register[:-1] = register[1:].copy()
        register[-1] = bit
        valid += 1
        span = find_frame(register, valid)
        if span:
            info = decode(register[-span:])
            assert info is not None
            found.append(info)
            valid = 0
    return found


@pytest.mark.parametrize("info", EXAMPLES, ids=lambda info: type(info).__name__)
def test_round_trip(info: Info) -> None:
    bits = info.encode()
    assert len(bits) == LENGTHS[type(info)]
    assert bits[:4].all()
    assert bits[-4:].all()
    assert tuple(bits[4:12]) == SYNC
    assert decode(bits[4:-4]) == info


def test_fields_stand_where_the_tables_say() -> None:
    none = Info0(*[False] * 9, rate_difference=0, points_1664=False)
    for name, number in (
        ("supports_2743", 12),
        ("may_send_3429", 19),
        ("points_1664", 25),
        ("acknowledge", 28),
    ):
        bits = replace(none, **{name: True}).encode()
        assert np.flatnonzero(bits[12:29]).tolist() == [number - 12]
    bits = Info1c(rates=(RateResult(),) * 5 + (RateResult(True, 8, 1),), frequency_offset=-512).encode()
    assert np.flatnonzero(bits[12:89] != 0).tolist() == [n - 12 for n in (70, 74, 75, 88)]
    bits = Info1a(rate_to_call=4, rate_to_answer=1, frequency_offset=1).encode()
    assert np.flatnonzero(bits[12:50]).tolist() == [n - 12 for n in (36, 37, 40)]
    bits = PcmInfo1a(ucode=64).encode()
    assert bits[31] == 1
    assert bits[37:40].tolist() == [0, 1, 1]


def test_a_wrong_bit_is_noticed() -> None:
    whole = Info1a(1, 2, 3, True, 4, 5, 4, 4, 100).encode()[4:-4]
    for k in range(len(whole)):
        bad = whole.copy()
        bad[k] ^= 1
        assert decode(bad) is None


def test_values_that_do_not_exist_are_refused() -> None:
    assert decode(replace(Info1a(), pre_emphasis=11).encode()[4:-4]) is None
    assert decode(replace(Info1a(), rate_to_call=6).encode()[4:-4]) is None
    assert decode(Info0(rate_difference=6).encode()[4:-4]) is None
    assert decode(np.zeros(7, np.uint8)) is None
    with pytest.raises(ValueError, match="md_length of 128"):
        Info1a(md_length=128).encode()
    with pytest.raises(ValueError, match="frequency_offset of -513"):
        Info1a(frequency_offset=-513).encode()


@pytest.mark.parametrize("filler", [0, 1])
def test_found_in_a_stream(filler: int) -> None:
    rng = np.random.default_rng(1)
    parts = [np.full(20, filler, np.uint8)]
    for info in EXAMPLES:
        parts += [info.encode(), np.full(int(rng.integers(0, 60)), filler, np.uint8)]
    # After a sequence tone (zeros) may stand in place of its last fill bits.
    assert search(np.concatenate(parts)) == EXAMPLES
    cut = [part[:-4] if k % 2 else np.zeros(70, np.uint8) for k, part in enumerate(parts)]
    assert search(np.concatenate(cut)) == EXAMPLES


def test_repeated_without_a_gap() -> None:
    bits = Info0().encode()
    assert search(np.concatenate([bits[9:], bits, bits, bits[:30]])) == [Info0()] * 2


def test_random_bits_hold_few() -> None:
    bits = np.random.default_rng(3).integers(0, 2, 100_000).astype(np.uint8)
    assert len(search_any(bits)) <= 1


def search_any(bits: Bits) -> list[int]:
    register, found = np.zeros(REGISTER, np.uint8), []
    for n, bit in enumerate(bits):
        register[:-1] = register[1:].copy()
        register[-1] = bit
        span = find_frame(register, min(n, REGISTER))
        if span and decode(register[-span:]) is not None:
            found.append(n)
    return found


def test_names_for_people() -> None:
    assert Info1a(rate_to_call=5).as_dict()["rate_to_call"] == 5
    assert RateResult(max_rate=14).bit_rate == 33600
    ours = Info0(low_3200=False, may_send_3429=False, supports_2800=False)
    assert [ours.can_send(k, high=False) for k in range(6)] == [True, True, False, True, False, False]
    assert ours.can_send(4, high=True)
    assert [ours.can_receive(k) for k in range(6)] == [True, True, False, True, True, True]


@pytest.mark.parametrize("info", [Info1c(3, 2, 100), Info1a(1, 7, 127, True, 10, 14, 5, 3, 511)])
def test_up_to_16_lost_bits_follow_from_the_check(info: Info) -> None:
    rng = np.random.default_rng(1)
    bits = info.encode()[:-4]
    register = np.zeros(REGISTER, np.uint8)
    register[-len(bits) :] = bits
    span = len(bits) - 4
    for count in (1, 12, 16):
        for first in range(REGISTER - span + 8, REGISTER - count + 1):
            erased = np.zeros(REGISTER, np.uint8)
            erased[first : first + count] = 1
            damaged = register.copy()
            damaged[erased > 0] = rng.integers(0, 2, count)
            assert fill_erased(damaged, erased, span)
            assert np.array_equal(damaged, register)


def test_what_can_not_be_filled() -> None:
    bits = Info1a().encode()[:-4]
    register = np.zeros(REGISTER, np.uint8)
    register[-66:] = bits
    erased = np.zeros(REGISTER, np.uint8)
    assert not fill_erased(register, erased, 62)
    erased[60:77] = 1
    assert not fill_erased(register, erased, 62)
    erased[:] = 0
    erased[60:68] = 1
    wrong = register.copy()
    wrong[-3] ^= 1
    assert not fill_erased(wrong, erased, 62)
    no_fill = register.copy()
    no_fill[-64] = 0
    assert not fill_erased(no_fill, erased, 62)
