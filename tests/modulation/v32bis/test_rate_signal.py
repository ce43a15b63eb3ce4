import numpy as np
import pytest

from ansam.modulation.base import ModulationOptions
from ansam.modulation.v32bis import rate_signal
from ansam.modulation.v32bis.constants import Coding
from ansam.modulation.v32bis.rate_signal import (
    CLEARDOWN,
    DETECTOR,
    Found,
    RateDetector,
    RateSignal,
    common,
    offer,
    word_bits,
)
from ansam.units import Bits

ALL = offer(True, lambda rate: True)
V32 = offer(False, lambda rate: True)
V32_PLAIN = RateSignal(frozenset({4800, 9600}), bis=False)
ONLY_14400 = RateSignal.of(Coding.TRELLIS_14400, bis=True)


def test_the_words_of_a_real_modem() -> None:
    """R1, R3 and E as a V.32bis hardware modem sent them."""
    assert f"{ALL.word:016b}" == "0000111111111001"
    assert f"{ONLY_14400.word:016b}" == "0000100110011001"
    assert f"{ONLY_14400.end_word:016b}" == "1111100110011001"
    assert RateSignal.parse(0b0000111111111001) == ALL
    assert RateSignal.parse(0b1111100110011001).best is Coding.TRELLIS_14400


@pytest.mark.parametrize(
    ("signal", "word"),
    [
        (RateSignal(frozenset({4800}), True), "0000110110010001"),
        (RateSignal(frozenset({9600}), True), "0000101110010001"),
        (RateSignal(frozenset({7200}), True), "0000100111010001"),
        (RateSignal(frozenset({12000}), True), "0000100110110001"),
        (V32, "0000011110010001"),
        (V32_PLAIN, "0000011100010001"),
        (RateSignal.of(Coding.UNCODED_4800, False), "0000010100010001"),
        (RateSignal.of(Coding.UNCODED_9600, False), "0000001100010001"),
        (RateSignal.of(Coding.TRELLIS_9600, False), "0000001110010001"),
        (CLEARDOWN, "0000000100010001"),
    ],
)
def test_words_of_tables_5_and_6(signal: RateSignal, word: str) -> None:
    assert f"{signal.word:016b}" == word
    assert f"{signal.end_word:016b}" == "1111" + word[4:]
    assert RateSignal.parse(signal.word) == signal
    # B13 and B14 are ignored (table 5, note 2).
    assert RateSignal.parse(signal.word | 0b110) == signal
    assert "".join(map(str, word_bits(signal.word))) == word


def test_codings_and_the_highest_rate() -> None:
    assert ALL.codings == (
        Coding.UNCODED_4800,
        Coding.TRELLIS_7200,
        Coding.TRELLIS_9600,
        Coding.TRELLIS_12000,
        Coding.TRELLIS_14400,
    )
    assert V32.codings == (Coding.UNCODED_4800, Coding.TRELLIS_9600)
    assert V32_PLAIN.codings == (Coding.UNCODED_4800, Coding.UNCODED_9600)
    assert CLEARDOWN.best is None
    assert CLEARDOWN.cleardown
    window = ModulationOptions(min_rate=7200, max_rate=12000)
    assert ALL.limited(window.allows).best is Coding.TRELLIS_12000
    assert V32_PLAIN.limited(window.allows).codings == (Coding.UNCODED_9600,)
    assert offer(True, ModulationOptions(min_rate=19200).allows).cleardown


def test_what_both_ends_have() -> None:
    assert common(ALL, ONLY_14400) == ONLY_14400
    assert common(ALL, V32) == common(V32, ALL) == V32
    assert common(ALL, V32_PLAIN) == common(V32, V32_PLAIN) == V32_PLAIN
    assert common(ONLY_14400, V32).cleardown
    assert common(ALL, CLEARDOWN).cleardown
    # Table 5, note 1: either bit zero means V.32.
    for missing in (1 << 11, 1 << 7):
        assert not RateSignal.parse(ALL.word & ~missing).bis


def stream(*words: int, before: Bits | None = None) -> Bits:
    return np.concatenate([np.zeros(0, np.uint8) if before is None else before, *map(word_bits, words)])


def noise(count: int, seed: int = 1) -> Bits:
    return np.random.default_rng(seed).integers(0, 2, count).astype(np.uint8)


@pytest.mark.parametrize("lead", range(40))
@pytest.mark.parametrize("signal", [ALL, ONLY_14400, V32, V32_PLAIN, CLEARDOWN])
@pytest.mark.parametrize("repeats", [2, 4])
def test_signal_and_end_at_any_alignment(lead: int, signal: RateSignal, repeats: int) -> None:
    best = signal.best
    ended = signal if best is None else RateSignal.of(best, signal.bis)
    bits = stream(*[signal.word] * 6, ended.end_word, before=noise(lead, lead))
    bits = np.concatenate([bits, np.ones(64, np.uint8)])
    found = RateDetector(repeats).process(bits)
    assert found == [
        Found(signal, False, lead + 16 * repeats),
        Found(ended, True, lead + 16 * 7),
    ]


def test_the_cut_changes_nothing() -> None:
    bits = stream(*[ALL.word] * 3, *[ONLY_14400.word] * 3, ONLY_14400.end_word, before=noise(5))
    detector = RateDetector()
    found = []
    for i in range(bits.size):
        found += [(i + 1, f.signal, f.end) for f in detector.process(bits[i : i + 1])]
    assert found == [(f.position, f.signal, f.end) for f in RateDetector().process(bits)]
    assert [f[1] for f in found] == [ALL, ONLY_14400, ONLY_14400]


def test_end_without_the_repetitions_needs_a_word_it_is_part_of() -> None:
    assert [f.end for f in RateDetector(4).process(stream(ALL.word, ONLY_14400.end_word))] == [True]
    assert RateDetector(4).process(stream(V32.word, ONLY_14400.end_word)) == []
    assert RateDetector(4).process(stream(0xFFFF, ONLY_14400.end_word)) == []


def test_end_after_a_damaged_word_keeps_the_place() -> None:
    words = [ALL.word, ALL.word, ALL.word ^ 0x4020, ONLY_14400.end_word]
    found = RateDetector().process(stream(*words, before=noise(3)))
    assert [(f.end, f.position) for f in found] == [(False, 35), (True, 67)]
    # At another place it is not E.
    damaged = np.concatenate([stream(ALL.word, ALL.word), noise(3), stream(ONLY_14400.end_word)])
    assert not any(f.end for f in RateDetector().process(damaged))


def test_a_changed_word_begins_a_new_count() -> None:
    found = RateDetector(3).process(stream(ALL.word, ALL.word, V32.word, ALL.word, ALL.word))
    assert found == []


def test_ones_zeros_and_random_bits_are_no_rate_signal() -> None:
    assert RateDetector().process(np.ones(100_000, np.uint8)) == []
    assert RateDetector().process(np.zeros(100_000, np.uint8)) == []
    # Expected in 2 000 000 random bits: one for each 2^23 with two repetitions, hardly ever with three.
    assert [f for f in RateDetector(3).process(noise(2_000_000)) if not f.end] == []


def test_reset_forgets_the_alignment() -> None:
    detector = RateDetector()
    assert detector.process(stream(ALL.word, ALL.word))
    detector.reset()
    assert detector.process(stream(ONLY_14400.end_word)) == []


def test_compiled_and_interpreted_kernels_agree() -> None:
    bits = stream(*[ALL.word] * 3, ONLY_14400.end_word, before=noise(7))
    results = []
    for restart, detect in (
        (rate_signal.restart_detector, rate_signal.detect_bit),
        (rate_signal.restart_detector.py_func, rate_signal.detect_bit.py_func),
    ):
        state = np.zeros(1, DETECTOR).view(np.recarray)
        restart(state, 2)
        results.append([detect(state, int(bit)) for bit in bits])
    assert results[0] == results[1]
