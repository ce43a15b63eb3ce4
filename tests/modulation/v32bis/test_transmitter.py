import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.v32bis_line import descrambled, dibits, letters, points_of

from ansam.errors import LocalProtocolError
from ansam.modulation.base import Role
from ansam.modulation.v32bis.constants import SCALE, Coding
from ansam.modulation.v32bis.rate_signal import RateDetector, RateSignal, offer
from ansam.modulation.v32bis.signals import Segment, Signal, conditioning, ending, preamble, rate
from ansam.modulation.v32bis.transmitter import Transmitter
from ansam.modulation.v32bis.trellis import Decoder
from ansam.units import Bits, dbm0_from_power, rms_from_dbm0

LEVEL = -12.0
ALL = offer(True, lambda rate: True)
FAST = RateSignal.of(Coding.TRELLIS_14400, True)


class Tape:
    """A fixed stream of bits, the same however it is asked for."""

    def __init__(self) -> None:
        self.stream = np.random.default_rng(5).integers(0, 2, 2_000_000).astype(np.uint8)
        self.position = 0

    def pull(self, count: int) -> Bits:
        self.position += count
        return self.stream[self.position - count : self.position]


def modem(role: Role = Role.CALLING) -> Transmitter:
    return Transmitter(role, LEVEL, Tape())


def run(tx: Transmitter, count: int, piece: int = 160) -> NDArray[np.float32]:
    out = np.zeros(count, np.float32)
    for i in range(0, count, piece):
        tx.process(out[i : i + piece])
    return out


def read(x: NDArray[np.float32], first: int, count: int) -> NDArray[np.complex128]:
    return points_of(x / np.float32(rms_from_dbm0(LEVEL)), first, count)


def spectrum(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return power per bin of 10 Hz, averaged."""
    blocks = np.lib.stride_tricks.sliding_window_view(x[1000:].astype(np.float64), 800)[::400]
    return np.asarray(np.mean(np.abs(np.fft.rfft(blocks * np.blackman(800), axis=1)) ** 2, axis=0))


@pytest.mark.parametrize("coding", [Coding.UNCODED_4800, Coding.TRELLIS_14400])
def test_the_spectrum_of_scrambled_ones(coding: Coding) -> None:
    """§2.2: 4.5 ± 2.5 dB down at 600 and 3000 Hz."""
    tx = modem()
    tx.send(Segment(Signal.B1, coding=coding))
    power = spectrum(run(tx, 8000 * 60, 8000))
    # Noise of the estimate aside, the middle of the band is flat: its mean is the maximum.
    reference = power[80:281].mean()
    for bin_ in (60, 300):
        assert -7 < 10 * np.log10(power[bin_] / reference) < -2
    assert 10 * np.log10(power[100:261].min() / reference) > -1
    assert 10 * np.log10(power[:20].max() / reference) < -45
    assert 10 * np.log10(power[341:].max() / reference) < -45


@pytest.mark.parametrize(
    ("coding", "more"),
    [(Coding.UNCODED_4800, 0.0), (Coding.UNCODED_9600, 0.0), (Coding.TRELLIS_14400, 0.107)],
)
def test_the_level(coding: Coding, more: float) -> None:
    tx = modem()
    tx.send(Segment(Signal.DATA, coding=coding))
    x = run(tx, 8000 * 30, 8000)[1000:].astype(np.float64)
    assert dbm0_from_power(float(np.mean(x**2))) == pytest.approx(LEVEL + more, abs=0.04)


@pytest.mark.parametrize(
    ("signal", "lines"), [(Signal.AA, [180]), (Signal.AC, [60, 300]), (Signal.S, [60, 180, 300])]
)
def test_the_tones(signal: Signal, lines: list[int]) -> None:
    """§6.1, §6.2: AA is a tone of 1800 Hz, AC are tones of 600 and 3000 Hz."""
    tx = modem()
    tx.send(Segment(signal))
    power = spectrum(run(tx, 8000))
    inside = sum(power[at - 3 : at + 4].sum() for at in lines)
    assert inside > 0.9999 * power.sum()
    assert all(power[at] > 0.1 * power.max() for at in lines)


@pytest.mark.parametrize("role", list(Role))
def test_a_start_up_read_from_the_line(role: Role) -> None:
    """Every signal is where it should be, to the symbol, and says what it should."""
    tx = modem(role)
    tone, turned = (Signal.AA, Signal.CC) if role is Role.CALLING else (Signal.AC, Signal.CA)
    tx.send(Segment(tone, 64), Segment(turned, 64), Segment(Signal.SILENCE, 40), *conditioning(1280))
    tx.then(rate(ALL))
    x = run(tx, 6000)
    tx.send(*ending(FAST), at=tx.symbols + 3)
    x = np.concatenate([x, run(tx, 4000)])
    names = [(s.signal, at) for s, at in tx.take_begun()]
    assert names[:7] == [
        (tone, 0),
        (turned, 64),
        (Signal.SILENCE, 128),
        (Signal.S, 168),
        (Signal.S_BAR, 424),
        (Signal.TRN, 440),
        (Signal.RATE, 1720),
    ]
    end = names[7][1]
    assert names[7:] == [(Signal.END, end), (Signal.B1, end + 8), (Signal.DATA, end + 136)]
    assert (end - 1720) % 8 == 0
    assert 1800 + 3 <= end < 1800 + 3 + 8
    points = read(x, 20, 2500)
    row = letters(points[: end + 8 - 20])
    expected = {Signal.AA: "AA", Signal.CC: "CC", Signal.AC: "AC", Signal.CA: "CA"}
    assert row[:44] == (expected[tone] * 22)
    assert row[44:108] == (expected[turned] * 32)
    assert np.abs(points[112:140]).max() < 0.7
    assert row[148:420] == "AB" * 128 + "CD" * 8
    trn = row[420:1700]
    pairs = {"A": (0, 0), "B": (0, 1), "C": (1, 1), "D": (1, 0)}
    bits = np.array([bit for name in trn[256:] for bit in pairs[name]])
    assert set(descrambled(bits, role is Role.CALLING)[23:]) == {1}
    words = np.array(dibits(row[1700:], trn[-1]))
    heard = descrambled(words, role is Role.CALLING, list(bits[::-1][:23]))
    found = RateDetector().process(np.array(heard, np.uint8))
    assert [(f.signal, f.end, f.position) for f in found] == [
        (ALL, False, 32),
        (FAST, True, 2 * (end + 8 - 1720)),
    ]
    # B1 and data through the decoder, whose round trip test_trellis proves.
    label = {"A": 0, "B": 1, "C": 3, "D": 2}[row[-1]]
    decoder = Decoder(Coding.TRELLIS_14400, depth=24, previous=label)
    values = decoder.process(points[end + 8 - 20 :] * SCALE * 2)[24:, 0]
    bits = ((values[:, None] >> np.arange(5, -1, -1)) & 1).ravel()
    heard = descrambled(bits, role is Role.CALLING, list(words[::-1][:23]))
    assert set(heard[: 128 * 6]) == {1}
    user = np.array(heard[128 * 6 :])
    assert user.size > 2000
    assert np.array_equal(user, Tape().stream[: user.size])


def test_the_error_of_the_points_is_small() -> None:
    """Pulse, window and timing leave interference of less than -38 dB."""
    tx = modem()
    tx.send(Segment(Signal.TRN))
    points = read(run(tx, 4000), 30, 1000)
    states = np.array([-3 - 1j, 1 - 3j, 3 + 1j, -1 + 3j])
    error = np.abs(points[:, None] - states).min(axis=1)
    assert 10 * np.log10(np.mean(error**2) / 10) < -38


def test_renegotiation_out_of_data() -> None:
    """§8.1: at once from data; E not before R4 has lasted 64 T."""
    tx = modem()
    tx.send(Segment(Signal.DATA, coding=Coding.TRELLIS_14400))
    run(tx, 333)
    at = tx.symbols
    tx.send(*preamble(Role.CALLING), rate(ALL))
    run(tx, 333)
    assert tx.segment.signal is Signal.RATE
    assert tx.began == at + 64
    tx.send(*ending(RateSignal.of(Coding.TRELLIS_7200, True), 24), at=tx.began + 64)
    run(tx, 1000)
    assert [(s.signal, n - at) for s, n in tx.take_begun()[1:]] == [
        (Signal.AA, 0),
        (Signal.CC, 56),
        (Signal.RATE, 64),
        (Signal.END, 128),
        (Signal.B1, 136),
        (Signal.DATA, 160),
    ]


def test_changes_wait_for_the_end_of_a_unit() -> None:
    tx = modem(Role.ANSWERING)
    tx.send(Segment(Signal.AC))
    run(tx, 100)
    assert tx.sent == 30
    tx.send(Segment(Signal.CA), at=33)
    run(tx, 10)
    assert (tx.segment.signal, tx.sent) == (Signal.AC, 33)
    run(tx, 10)
    assert (tx.segment.signal, tx.began, tx.sent) == (Signal.CA, 34, 2)


def test_a_programme_may_end_before_a_change() -> None:
    tx = modem()
    tx.send(Segment(Signal.AA, 10), Segment(Signal.CC, 0), Segment(Signal.S, 10))
    run(tx, 10)
    tx.send(Segment(Signal.CC, 5), at=25)
    run(tx, 200)
    assert [(s.signal, n) for s, n in tx.take_begun()] == [
        (Signal.AA, 0),
        (Signal.CC, 10),
        (Signal.S, 10),
        (Signal.SILENCE, 20),
        (Signal.CC, 25),
        (Signal.SILENCE, 30),
    ]


def test_nothing_follows_a_signal_without_end() -> None:
    tx = modem()
    tx.then(Segment(Signal.AA))
    with pytest.raises(LocalProtocolError, match="has no end"):
        tx.then(Segment(Signal.CC))
    run(tx, 10)
    with pytest.raises(LocalProtocolError, match="has no end"):
        tx.then(Segment(Signal.CC))
    tx.send()
    tx.then(Segment(Signal.CC))
    run(tx, 10)
    assert tx.segment.signal is Signal.CC


def test_silence_is_silent_and_pulls_nothing() -> None:
    tape = Tape()
    tx = Transmitter(Role.CALLING, LEVEL, tape)
    assert not run(tx, 1000).any()
    tx.send(Segment(Signal.DATA, 30, coding=Coding.TRELLIS_14400))
    run(tx, 1000)
    assert tape.position == 30 * 6
    assert not run(tx, 100).any()


def test_instants() -> None:
    tx = modem()
    assert tx.peak(0) == 30
    assert tx.peak(3) == 40
    assert [tx.symbol_at(t) for t in (0, 30, 30.5, 40, 41)] == [0, 0, 1, 3, 4]
    run(tx, 161)
    assert (tx.samples, tx.symbols) == (161, 49)
    # The first symbol of CC is the first one turned round.
    tx.send(Segment(Signal.AA, 100), Segment(Signal.CC))
    x = np.concatenate([np.zeros(161, np.float32), run(tx, 900)])
    turned = tx.take_begun()[1][1]
    n = np.arange(x.size)
    base = x.astype(np.float64) * np.exp(-2j * np.pi * n * 1800 / 8000)
    smooth = np.convolve(base, np.ones(40) / 40, "same")
    along = (smooth * smooth[300].conj()).real
    crossing = 300 + int(np.argmax(along[300:] < 0))
    assert crossing == pytest.approx(float(tx.peak(turned)) - 10 / 6, abs=1.5)


def test_the_cut_changes_neither_samples_nor_bits() -> None:
    outputs = []
    for piece in (4000, 160, 1, 7):
        tape = Tape()
        tx = Transmitter(Role.ANSWERING, LEVEL, tape)
        tx.send(Segment(Signal.AC, 100), *conditioning(100), rate(ALL, 80), *ending(FAST))
        outputs.append((run(tx, 4000, piece), tape.position))
    for x, position in outputs[1:]:
        assert np.array_equal(x, outputs[0][0])
        assert position == outputs[0][1]
