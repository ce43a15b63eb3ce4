import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.v32bis_line import STATES, descrambled, dibits, letters

from ansam.modulation.base import Role
from ansam.modulation.v32bis import signals
from ansam.modulation.v32bis.constants import SCALE, Coding
from ansam.modulation.v32bis.rate_signal import CLEARDOWN, RateSignal, offer, word_bits
from ansam.modulation.v32bis.signals import (
    Segment,
    Signal,
    SymbolSource,
    conditioning,
    ending,
    preamble,
    rate,
)
from ansam.modulation.v32bis.trellis import Decoder
from ansam.units import Bits

NONE = np.zeros(0, np.uint8)
ALL = offer(True, lambda rate: True)
FIRST_OF_TRN = {
    Role.CALLING: "CCCCCCCCCAAACCC",
    Role.ANSWERING: "CCCAACCCAACCACC",
}
"""§5.2.3."""
SEGMENTS = (
    Segment(Signal.TRN, 300),
    rate(ALL, 80),
    Segment(Signal.DATA, 100, coding=Coding.TRELLIS_14400),
)


def symbols(
    source: SymbolSource, segment: Segment, count: int | None = None, bits: Bits = NONE
) -> NDArray[np.complex128]:
    """Return a segment's symbols in the units of figure 2-5."""
    out = np.zeros(segment.symbols or count or 0, np.complex128)
    source.begin(segment)
    source.make(bits, out)
    return out / SCALE / 2


@pytest.mark.parametrize(
    ("signal", "row"),
    [
        (Signal.AA, "AAAAAA"),
        (Signal.CC, "CCCCCC"),
        (Signal.AC, "ACACAC"),
        (Signal.CA, "CACACA"),
        (Signal.S, "ABABAB"),
        (Signal.S_BAR, "CDCDCD"),
    ],
)
def test_alternating_states(signal: Signal, row: str) -> None:
    points = symbols(SymbolSource(Role.CALLING), Segment(signal, 6))
    assert np.allclose(points, [STATES[name] for name in row])


@pytest.mark.parametrize("role", list(Role))
def test_trn(role: Role) -> None:
    points = symbols(SymbolSource(role), Segment(Signal.TRN, 1300))
    row = letters(points)
    assert np.allclose(points, [STATES[name] for name in row])
    assert row.startswith(FIRST_OF_TRN[role])
    assert set(row[:256]) == {"A", "C"}
    # From symbol 256 on, table 4: the dibits themselves, which descramble to ones.
    pairs = {"A": (0, 0), "B": (0, 1), "C": (1, 1), "D": (1, 0)}
    bits = np.array([bit for name in row[256:] for bit in pairs[name]])
    assert set(descrambled(bits, role is Role.CALLING)[23:]) == {1}


@pytest.mark.parametrize("role", list(Role))
def test_rate_signal_and_end_run_on_from_trn(role: Role) -> None:
    """The scrambler continues, the differential encoder begins at TRN's last symbol (§5.3)."""
    source = SymbolSource(role)
    trn = letters(symbols(source, Segment(Signal.TRN, 1280)))
    row = letters(symbols(source, rate(ALL, 24)))
    last = ending(ALL)[0]
    row += letters(symbols(source, last))
    bits = np.array(dibits(row, trn[-1]))
    pairs = {"A": (0, 0), "B": (0, 1), "C": (1, 1), "D": (1, 0)}
    before = [bit for name in trn[-12:] for bit in pairs[name]]
    heard = descrambled(bits, role is Role.CALLING, before[::-1][:23])
    assert heard == [*np.tile(word_bits(ALL.word), 3), *word_bits(last.word)]
    assert last.word == 0b1111100110011001


@pytest.mark.parametrize("role", list(Role))
def test_renegotiation_begins_with_an_empty_scrambler(role: Role) -> None:
    """§8: after the preamble a zero scrambler, and the differential encoder from the last symbol."""
    source = SymbolSource(role)
    # Data before it leave anything in the scrambler.
    symbols(source, Segment(Signal.B1, 50, coding=Coding.TRELLIS_14400))
    tone, turned = preamble(role)
    row = letters(symbols(source, tone)) + letters(symbols(source, turned))
    assert row == ("A" * 56 + "C" * 8 if role is Role.CALLING else "AC" * 28 + "CA" * 4)
    words = letters(symbols(source, rate(ALL, 64)))
    heard = descrambled(np.array(dibits(words, row[-1])), role is Role.CALLING)
    assert heard == [*np.tile(word_bits(ALL.word), 8)]


@pytest.mark.parametrize("coding", list(Coding))
@pytest.mark.parametrize("role", list(Role))
def test_ones_and_data(coding: Coding, role: Role) -> None:
    """B1 begins with a zero trellis encoder and goes over into data; the decoder is tested elsewhere."""
    source = SymbolSource(role)
    trn = letters(symbols(source, Segment(Signal.TRN, 1280)))
    b1 = symbols(source, Segment(Signal.B1, 128, coding=coding))
    user = np.random.default_rng(1).integers(0, 2, 500 * coding.bits).astype(np.uint8)
    data = symbols(source, Segment(Signal.DATA, coding=coding), 500, user)
    label = {"A": 0, "B": 1, "C": 3, "D": 2}[trn[-1]]
    decoder = Decoder(coding, depth=0, known=True, previous=label)
    values = decoder.process(np.concatenate([b1, data]) * SCALE * 2)[:, 0]
    bits = (values[:, None] >> np.arange(coding.bits - 1, -1, -1)) & 1
    heard = np.array(descrambled(bits.ravel(), role is Role.CALLING))
    ones = heard[23 : 128 * coding.bits]
    assert set(ones.tolist()) == {1}
    assert np.array_equal(heard[128 * coding.bits :], user)


def test_the_programmes_of_clauses_5_and_8() -> None:
    assert [(s.signal, s.symbols) for s in conditioning(2000)] == [
        (Signal.S, 256),
        (Signal.S_BAR, 16),
        (Signal.TRN, 2000),
    ]
    only = RateSignal.of(Coding.TRELLIS_12000, True)
    assert [(s.signal, s.symbols, s.coding.rate) for s in ending(only, 24)[1:]] == [
        (Signal.B1, 24, 12000),
        (Signal.DATA, None, 12000),
    ]
    assert [(s.signal, s.symbols) for s in ending(CLEARDOWN)] == [(Signal.END, None)]


@pytest.mark.parametrize(("signal", "length"), [(Signal.AC, 3), (Signal.RATE, 12), (Signal.AA, -1)])
def test_a_signal_lasts_whole_units(signal: Signal, length: int) -> None:
    with pytest.raises(ValueError, match="symbols of"):
        Segment(signal, length)


def test_silence_is_nothing() -> None:
    assert not symbols(SymbolSource(Role.CALLING), Segment(Signal.SILENCE, 10)).any()


def test_the_cut_changes_nothing() -> None:
    bits = np.random.default_rng(2).integers(0, 2, 600).astype(np.uint8)
    for segment in (
        Segment(Signal.TRN, 300),
        rate(ALL, 80),
        Segment(Signal.DATA, 100, 0, Coding.TRELLIS_14400),
    ):
        whole = symbols(SymbolSource(Role.CALLING), segment, None, bits)
        source = SymbolSource(Role.CALLING)
        source.begin(segment)
        out = np.zeros(whole.size, np.complex128)
        for i in range(out.size):
            source.make(bits[6 * i : 6 * i + 6], out[i : i + 1])
        assert np.array_equal(out / SCALE / 2, whole)


def test_compiled_and_interpreted_kernels_agree() -> None:
    bits = np.random.default_rng(3).integers(0, 2, 600).astype(np.uint8)
    for segment in (
        Segment(Signal.TRN, 300),
        rate(ALL, 80),
        Segment(Signal.DATA, 60, 0, Coding.TRELLIS_14400),
    ):
        results = []
        for kernel in (signals._make, signals._make.py_func):
            source = SymbolSource(Role.ANSWERING)
            source.begin(segment)
            out = np.zeros(segment.symbols or 0, np.complex128)
            kernel(source._state, bits, out)
            results.append(out)
        assert np.array_equal(*results)
