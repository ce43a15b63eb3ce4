from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from ansam.dsp.shaper import Shaper
from ansam.errors import LocalProtocolError
from ansam.modulation.programme import ProgrammeTransmitter


@dataclass(frozen=True)
class Piece:
    name: str
    symbols: int | None = None
    unit: int = 1


REST = Piece("silence")


class Recorder(ProgrammeTransmitter[Piece]):
    """Notes for every symbol what it belonged to."""

    def __init__(self) -> None:
        super().__init__(Shaper(Fraction(2400), Fraction(1800), -13.0, 0.1, 8, 3.0), REST)
        self.made = ""
        self.begun: list[str] = []

    def _start(self, segment: Piece) -> None:
        self.begun.append(segment.name)

    def _make(self, out: NDArray[np.complex128]) -> None:
        out[:] = 0 if self.segment is REST else 1
        self.made += ("." if self.segment is REST else self.segment.name) * out.size

    def run(self, samples: int, piece: int = 50) -> NDArray[np.float32]:
        out = np.zeros(samples, np.float32)
        for at in range(0, samples, piece):
            self.process(out[at : at + piece])
        return out


def test_one_segment_after_the_other_and_silence_at_the_end() -> None:
    tx = Recorder()
    tx.send(Piece("a", 10), Piece("b", 4), Piece("c", 7))
    tx.run(200)
    assert tx.made.rstrip(".") == "a" * 10 + "b" * 4 + "c" * 7
    assert tx.segment is REST
    assert [(s.name, n) for s, n in tx.take_begun()] == [("a", 0), ("b", 10), ("c", 14), ("silence", 21)]
    assert not tx.take_begun()


def test_a_change_waits_for_the_end_of_a_unit() -> None:
    tx = Recorder()
    tx.send(Piece("j", None, 8))
    tx.run(100)
    before = tx.symbols
    tx.send(Piece("x"))
    tx.run(100)
    changed = tx.made.index("x")
    assert before <= changed < before + 8
    assert changed % 8 == 0


def test_a_change_at_a_symbol_to_come() -> None:
    tx = Recorder()
    tx.send(Piece("t"))
    tx.run(100)
    tx.send(Piece("x"), at=77)
    tx.run(400)
    assert tx.made.index("x") == 77
    assert tx.began == 77
    assert tx.sent == tx.symbols - 77


def test_then_follows_what_is_planned() -> None:
    tx = Recorder()
    tx.send(Piece("a", 5))
    tx.then(Piece("b"))
    with pytest.raises(LocalProtocolError, match="has no end"):
        tx.then(Piece("c"))
    tx.run(50)
    assert tx.made.startswith("aaaaabbb")


def test_nothing_depends_on_the_cut() -> None:
    outputs = []
    for piece in (1, 7, 50, 400):
        tx = Recorder()
        tx.send(Piece("a", 9, 3), Piece("b"))
        outputs.append((tx.run(400, piece), tx.made[:110]))
    for out, made in outputs[1:]:
        np.testing.assert_array_equal(out, outputs[0][0])
        assert made == outputs[0][1]


def test_when_a_symbol_passes_the_line() -> None:
    tx = Recorder()
    assert tx.peak(0) == 8 * Fraction(10, 3)
    assert tx.symbol_at(float(tx.peak(30)) - 0.01) == 30
    assert tx.symbol_at(float(tx.peak(30)) + 0.01) == 31
    assert tx.symbol_at(0.0) == 0
    tx.process(np.zeros(0, np.float32))
    assert tx.samples == 0
