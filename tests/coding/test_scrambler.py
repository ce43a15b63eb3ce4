import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.coding import scrambler
from ansam.coding.scrambler import Descrambler, Scrambler, descramble_bit, scramble_bit

bit_lists = st.lists(st.integers(0, 1), max_size=400)


@given(bit_lists, st.integers(0, 64))
def test_descrambling_undoes_scrambling_however_it_is_cut(bits: list[int], cut: int) -> None:
    x = np.array(bits, np.uint8)
    sender, receiver = Scrambler(14, 17, 64), Descrambler(14, 17, 64)
    line = np.concatenate([sender.process(x[:cut]), sender.process(x[cut:])])
    assert np.array_equal(Scrambler(14, 17, 64).process(x), line)
    assert np.array_equal(receiver.process(line), x)


def test_the_first_ones_follow_the_polynomial() -> None:
    # By hand from V.22bis §5.1: fourteen ones, then bit 14 has x^-14 = 1, and from bit 17 x^-17 joins in.
    out = Scrambler(14, 17).process(np.ones(20, np.uint8))
    assert out.tolist() == [1] * 14 + [0] * 3 + [1] * 3


def test_one_line_error_becomes_three() -> None:
    x = np.random.default_rng(1).integers(0, 2, 200).astype(np.uint8)
    line = Scrambler(14, 17).process(x)
    line[50] ^= 1
    wrong = np.flatnonzero(Descrambler(14, 17).process(line) != x)
    assert wrong.tolist() == [50, 64, 67]


def test_the_guard_breaks_a_lock_up_and_the_receiver_undoes_it() -> None:
    sender, receiver = Scrambler(14, 17, 64), Descrambler(14, 17, 64)
    # A register of ones with a message of ones stays at ones: 1 ^ 1 ^ 1.
    sender._state[0] = receiver._state[0] = (1 << 17) - 1
    message = np.ones(300, np.uint8)
    line = sender.process(message)
    assert line[:64].all()
    assert line[64] == 0
    assert np.array_equal(receiver.process(line), message)
    unguarded = Scrambler(14, 17)
    unguarded._state[0] = (1 << 17) - 1
    assert unguarded.process(message).all()


@pytest.mark.parametrize("guard", [0, 5])
def test_compiled_and_interpreted_kernels_agree(guard: int) -> None:
    register = run = 0
    register2 = run2 = 0
    for bit in np.random.default_rng(2).integers(0, 2, 200).tolist() + [1] * 50:
        for kernel in (scramble_bit, descramble_bit):
            assert kernel(register, run, bit, 5, 23, guard) == kernel.py_func(
                register, run, bit, 5, 23, guard
            )
        _, register, run = scramble_bit(register, run, bit, 5, 23, guard)
        _, register2, run2 = descramble_bit(register2, run2, bit, 5, 23, guard)
    state = np.array([3, 1], np.int64)
    for descramble in (False, True):
        a = np.random.default_rng(3).integers(0, 2, 100).astype(np.uint8)
        b, state_b = a.copy(), state.copy()
        state_a = state.copy()
        scrambler._run_bits(a, state_a, 14, 17, 64, descramble)
        scrambler._run_bits.py_func(b, state_b, 14, 17, 64, descramble)
        assert np.array_equal(a, b)
        assert np.array_equal(state_a, state_b)
