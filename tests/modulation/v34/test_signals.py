import numpy as np
import pytest

from ansam.coding.scrambler import Descrambler
from ansam.modulation.base import Role
from ansam.modulation.v34 import signals
from ansam.modulation.v34.constants import SCRAMBLER_TAPS
from ansam.modulation.v34.mp import J, Mp
from ansam.modulation.v34.signals import SCALE_4, WordSender, pp_signal, s_signal


def turned(symbols: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Turn back anticlockwise."""
    return symbols * 1j**turns


def read(symbols: np.ndarray, role: Role, sixteen: bool, before: int | None) -> np.ndarray:
    """Return descrambled bits, with all of §10.1.3.8 and §10.1.3.9 the other way about.

    Args:
        before: Turns of the symbol before, for differential decoding, or None for TRN.
    """
    points = [1 + 1j, -3 + 1j, 1 - 3j, -3 - 3j][: 4 if sixteen else 1]
    scale = np.sqrt(10 if sixteen else 2)
    candidates = np.array([p * (-1j) ** k for k in range(4) for p in points])
    nearest = np.abs(symbols[:, None] * scale - candidates).argmin(axis=1)
    turns, labels = np.divmod(nearest, len(points))
    i = turns if before is None else np.diff(turns, prepend=before) % 4
    columns = [i & 1, i >> 1] + ([labels & 1, labels >> 1] if sixteen else [])
    line = np.stack(columns, axis=1).ravel().astype(np.uint8)
    return Descrambler(*SCRAMBLER_TAPS[role]).process(line)


def test_s_and_s_bar() -> None:
    s, bar = s_signal(128) / SCALE_4, s_signal(16, bar=True) / SCALE_4
    assert (s[0], s[1], s[-1]) == pytest.approx((1 + 1j, -1 + 1j, -1 + 1j))
    assert (bar[0], bar[1], bar[-1]) == pytest.approx((-1 - 1j, 1 - 1j, 1 - 1j))
    assert np.array_equal(s[:16], -bar)
    assert s_signal(0).size == 0


def test_pp() -> None:
    pp = pp_signal()
    assert pp.size == 288
    assert np.abs(pp) == pytest.approx(np.ones(288))
    assert pp[48:] == pytest.approx(pp[:-48])
    # 10-1 by hand: k = 1, I = 1 is i = 5; k = 2, I = 3 is i = 11.
    assert pp[0] == pytest.approx(1)
    assert pp[5] == pytest.approx(np.exp(5j * np.pi / 6))
    assert pp[11] == pytest.approx(np.exp(1j * np.pi))
    correlation = np.abs(np.fft.ifft(np.abs(np.fft.fft(pp[:48])) ** 2))
    assert correlation[1:] == pytest.approx(np.zeros(47), abs=1e-9)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("sixteen", [False, True])
def test_trn_is_ones_and_words_follow_its_last_symbol(role: Role, sixteen: bool) -> None:
    sender = WordSender(role)
    sender.sixteen = sixteen
    trn = sender.trn(512)
    assert np.mean(np.abs(trn) ** 2) == pytest.approx(1, abs=0.06)
    mp = np.tile(Mp(28800, 28800).to_bits(), 2)
    words = sender.words(mp)
    assert words.size * sender.bits_per_symbol == mp.size
    assert read(trn, role, sixteen, None).all()
    last = int(np.argmin(np.abs(np.angle(turned(trn[-1] * np.ones(4), np.arange(4)) / (1 + 1j)))))
    if sixteen:
        # The point's own angle is not that of (1, 1): find the turn from all sixteen.
        points = [1 + 1j, -3 + 1j, 1 - 3j, -3 - 3j]
        candidates = np.array([p * (-1j) ** k for k in range(4) for p in points])
        last = int(np.abs(trn[-1] * np.sqrt(10) - candidates).argmin()) // 4
    line = read(np.concatenate([trn[-60:], words]), role, sixteen, None)
    assert line.size
    got = read(words, role, sixteen, last)
    assert np.array_equal(got[23:], mp[23:])


def test_a_turn_of_the_carrier_does_not_matter_to_words() -> None:
    sender = WordSender(Role.CALLING)
    sender.trn(16)
    bits = np.tile(J.SIXTEEN.to_bits(), 4)
    symbols = sender.j(bits)
    for turns in range(4):
        assert np.array_equal(read(symbols * 1j**turns, Role.CALLING, False, 0)[25:], bits[25:])


def test_restart_and_cuts() -> None:
    a, b = WordSender(Role.ANSWERING), WordSender(Role.ANSWERING)
    whole = a.trn(100)
    pieces = [b.trn(n) for n in (1, 0, 60, 39)]
    assert np.array_equal(np.concatenate(pieces), whole)
    a.restart()
    assert np.array_equal(a.trn(20), whole[:20])


def test_md_is_a_signal_of_four_points() -> None:
    md = WordSender(Role.CALLING).md(64)
    assert np.abs(md) == pytest.approx(np.ones(64))
    assert len(set(np.round(md, 6).tolist())) == 4


def test_compiled_and_interpreted_kernels_agree() -> None:
    bits = np.random.default_rng(1).integers(0, 2, 64).astype(np.uint8)
    for sixteen in (False, True):
        for differential in (False, True):
            a, b = WordSender(Role.CALLING), WordSender(Role.CALLING)
            x, y = np.zeros(16, np.complex128), np.zeros(16, np.complex128)
            signals.map_words(a.state, bits, sixteen, differential, x)
            signals.map_words.py_func(b.state, bits, sixteen, differential, y)
            assert np.array_equal(x, y)
            assert a.state.tobytes() == b.state.tobytes()
