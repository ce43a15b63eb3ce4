import math

import numpy as np
import pytest
from scipy.stats import ncx2
from tests.support.fsk_wave import characters, read_8n1, wave

from ansam.dsp import fsk
from ansam.dsp.fsk import FskChannel, FskReceiver, FskSender, band_filter, error_rate
from ansam.units import SAMPLE_RATE

CHANNELS = [
    FskChannel(980, 1180, 300),
    FskChannel(1650, 1850, 300),
    FskChannel(1270, 1070, 300),
    FskChannel(2225, 2025, 300),
]
channels = pytest.mark.parametrize("channel", CHANNELS, ids=lambda c: f"{c.mark_hz}")
BIT = SAMPLE_RATE / 300


def modulate(channel: FskChannel, bits: np.ndarray, rms: float = 0.1) -> np.ndarray:
    """All of the bits but the last, which only begins."""
    sender = FskSender(channel, rms)
    count = math.ceil(len(bits) * SAMPLE_RATE / channel.bit_rate)
    return sender.send(bits[: sender.bits_wanted(count)], count)


def random_bits(seed: int, count: int = 2000) -> np.ndarray:
    bits = np.random.default_rng(seed).integers(0, 2, count).astype(np.uint8)
    bits[:30] = 1
    return bits


def errors(sent: np.ndarray, got: np.ndarray) -> int:
    """Wrong bits after the first 60, at the best lag of a few bits."""
    count = min(len(sent), len(got)) - 80
    return min(int(np.count_nonzero(sent[60:count] != got[60 + lag : count + lag])) for lag in range(-4, 5))


@channels
def test_round_trip(channel: FskChannel) -> None:
    bits = random_bits(1)
    assert errors(bits, FskReceiver(channel).receive(modulate(channel, bits))) == 0


def test_other_rates_are_a_table_away() -> None:
    for channel in (FskChannel(1300, 2100, 1200), FskChannel(1300, 1700, 600), FskChannel(390, 450, 75)):
        bits = random_bits(2, 600)
        assert errors(bits, FskReceiver(channel).receive(modulate(channel, bits))) == 0


def test_sender_is_phase_continuous_and_level() -> None:
    x = modulate(CHANNELS[0], random_bits(3), rms=0.2)
    assert np.sqrt(np.mean(x.astype(float) ** 2)) == pytest.approx(0.2, rel=0.01)
    # A sine of at most 1180 Hz turns by 0.93 rad per sample; a phase step would move it faster.
    assert np.abs(np.diff(x)).max() <= 0.2 * math.sqrt(2) * 0.927


def test_sender_does_not_depend_on_the_cut() -> None:
    bits = random_bits(4, 100)
    whole = modulate(CHANNELS[1], bits)
    sender, at, parts, left = FskSender(CHANNELS[1], 0.1), 0, [], len(whole)
    while left:
        count = min(left, 7)
        wanted = sender.bits_wanted(count)
        parts.append(sender.send(bits[at : at + wanted], count))
        at += wanted
        left -= count
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_receiver_does_not_depend_on_the_cut() -> None:
    x = modulate(CHANNELS[1], random_bits(5)) + np.random.default_rng(5).normal(0, 0.1, 53334).astype(
        np.float32
    )
    x = x.astype(np.float32)
    whole = FskReceiver(CHANNELS[1]).receive(x)
    receiver = FskReceiver(CHANNELS[1])
    parts = [receiver.receive(x[k : k + 13]) for k in range(0, len(x), 13)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("gap", [0.0, 0.2, 0.35, 0.5, 0.65, 0.9])
def test_constant_fractional_gaps_cost_no_bit(gap: float) -> None:
    data = np.random.default_rng(6).integers(0, 256, 300).astype(np.uint8).tobytes()
    bits = FskReceiver(CHANNELS[1]).receive(wave(CHANNELS[1], characters(data, BIT, lambda: gap)))
    assert read_8n1(bits) == data


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("longest", [1, 5, 40])
def test_start_edges_at_any_phase_cost_no_bit(seed: int, longest: int) -> None:
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 256, 300).astype(np.uint8).tobytes()
    x = wave(CHANNELS[0], characters(data, BIT, lambda: longest * rng.random()))
    x = (x + rng.normal(0, 0.06, len(x))).astype(np.float32)  # Eb/N0 15.7 dB
    assert read_8n1(FskReceiver(CHANNELS[0]).receive(x)[10:]) == data


@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_terminal_3_percent_off_in_speed(factor: float) -> None:
    data = np.random.default_rng(7).integers(0, 256, 300).astype(np.uint8).tobytes()
    x = wave(CHANNELS[2], characters(data, BIT * factor, lambda: 0.0))
    assert read_8n1(FskReceiver(CHANNELS[2]).receive(x)) == data


def test_a_glitch_in_the_mark_is_no_start_bit() -> None:
    runs = [(1, 30 * BIT), (0, 0.3 * BIT), (1, 30 * BIT), (0, 0.3 * BIT), (1, 30 * BIT)]
    assert FskReceiver(CHANNELS[0]).receive(wave(CHANNELS[0], runs)).all()


def test_clock_keeps_its_place_in_noise() -> None:
    """At an error rate of 1e-4 a long stream neither loses nor gains a bit: HDLC would lose frames by it."""
    bits = random_bits(8, 30000)
    noise = math.sqrt(0.1**2 / 300 / 10**1.4 * SAMPLE_RATE / 2)
    x = modulate(CHANNELS[1], bits)
    x = (x + np.random.default_rng(8).normal(0, noise, len(x))).astype(np.float32)
    assert errors(bits, FskReceiver(CHANNELS[1]).receive(x)) <= 9


def test_erasure_keeps_the_count_of_bits_and_the_averages() -> None:
    bits = random_bits(9)
    x = modulate(CHANNELS[1], bits)
    receiver = FskReceiver(CHANNELS[1])
    first = receiver.receive(x[:16000])
    quality, level = receiver.quality, receiver.level_dbm0
    gone = receiver.receive(np.full(160, 0.5, np.float32), erased=True)
    assert (receiver.quality, receiver.level_dbm0) == (quality, level)
    got = np.concatenate((first, gone, receiver.receive(x[16160:])))
    assert abs(len(got) - len(bits)) <= 2
    assert errors(bits, got) <= 8, "only the six bits of the packet and their neighbours"


def test_silence_is_mark() -> None:
    receiver = FskReceiver(CHANNELS[1])
    receiver.receive(modulate(CHANNELS[1], random_bits(10)))
    assert receiver.receive(np.zeros(4000, np.float32))[3:].all()


def test_quality_tells_signal_from_noise() -> None:
    receiver = FskReceiver(CHANNELS[1])
    receiver.receive(modulate(CHANNELS[1], random_bits(11)))
    assert receiver.quality > 0.95
    rng = np.random.default_rng(11)
    high = 0.0
    for _ in range(1000):
        receiver.receive(rng.normal(0, 0.1, 160).astype(np.float32))
        high = max(high, receiver.quality) if _ > 50 else 0.0
    assert high < 0.72


def test_level() -> None:
    receiver = FskReceiver(CHANNELS[0])
    receiver.receive(modulate(CHANNELS[0], random_bits(12), rms=10 ** (-43.14 / 20) / math.sqrt(2)))
    assert receiver.level_dbm0 == pytest.approx(-40, abs=0.5)


@channels
def test_band_filter_passes_its_channel_and_stops_the_other(channel: FskChannel) -> None:
    taps = band_filter(channel)

    def gain_db(frequency: float) -> float:
        turn = np.exp(2j * np.pi * frequency * np.arange(len(taps)) / SAMPLE_RATE)
        return 20 * math.log10(abs(np.sum(taps * turn)) / 2)

    for offset in (-250, 0, 250):
        assert gain_db(channel.centre_hz + offset) == pytest.approx(0, abs=0.1)
    for offset in (-520, 520, -770):
        assert gain_db(channel.centre_hz + offset) < -55


def test_theory_agrees_with_the_noncentral_chi_square() -> None:
    """Q1(a, b) = P(χ'²(2, a²) > b²); and orthogonal tones give ½·exp(-Eb/2N0)."""
    channel = CHANNELS[0]
    rho = abs(np.sinc(200 / 300))
    for db in (6, 10, 14):
        snr = 10 ** (db / 10)
        a2, b2 = (snr / 2 * (1 + sign * math.sqrt(1 - rho**2)) for sign in (-1, 1))
        tail = ncx2.sf(b2, 2, a2) - 0.5 * math.exp(-(a2 + b2) / 2) * np.i0(math.sqrt(a2 * b2))
        assert error_rate(channel, db) == pytest.approx(tail, rel=1e-6)
    orthogonal = FskChannel(1000, 1300, 300)
    assert error_rate(orthogonal, 10) == pytest.approx(0.5 * math.exp(-5), rel=1e-9)


def test_compiled_and_interpreted_kernels_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = random_bits(13, 60)
    x = modulate(CHANNELS[0], bits)
    compiled = FskReceiver(CHANNELS[0])
    expected = [
        compiled.receive(x[:800]),
        compiled.receive(x[800:900], erased=True),
        compiled.receive(x[900:]),
    ]
    for name in ("_filter", "_magnitude", "_mean_square", "_move_clock", "_receive", "_send"):
        monkeypatch.setattr(fsk, name, getattr(fsk, name).py_func)
    np.testing.assert_allclose(modulate(CHANNELS[0], bits), x, atol=1e-6)
    plain = FskReceiver(CHANNELS[0])
    state = plain._state.view(np.recarray)
    plain._state = state
    got = [plain.receive(x[:800]), plain.receive(x[800:900], erased=True), plain.receive(x[900:])]
    for a, b in zip(expected, got, strict=True):
        np.testing.assert_array_equal(a, b)
