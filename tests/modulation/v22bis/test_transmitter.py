import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.v22bis_line import RandomBits

from ansam.modulation.base import Role
from ansam.modulation.v22bis import transmitter
from ansam.modulation.v22bis.transmitter import Signal, Transmitter
from ansam.units import Bits, dbm0_from_power

CARRIER = {Role.CALLING: 1200, Role.ANSWERING: 2400}


def sent(
    role: Role, signal: Signal, seconds: float = 4.0, guard: int = 0, level: float = -13.0
) -> NDArray[np.float64]:
    modem = Transmitter(role, level, guard, RandomBits(1))
    modem.send(signal)
    out = np.zeros(round(8000 * seconds), np.float32)
    modem.process(out)
    return out.astype(np.float64)


def spectrum(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return power per bin of 10 Hz, averaged."""
    blocks = np.lib.stride_tricks.sliding_window_view(x[400:], 800)[::200]
    return np.asarray(np.mean(np.abs(np.fft.rfft(blocks * np.hanning(800), axis=1)) ** 2, axis=0))


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("signal", [Signal.DATA_1200, Signal.DATA_2400])
def test_the_spectrum_keeps_to_figure_1(role: Role, signal: Signal) -> None:
    power = spectrum(sent(role, signal, 120))
    centre = CARRIER[role] // 10
    reference = power[centre - 12 : centre + 13].mean()
    upper = ([0, 125, 300, 400, 450, 550], [0.75, 0.75, -2, -5, -9, -20])
    lower = ([0, 125, 300, 400, 475], [-0.75, -0.75, -4, -9, -20])
    for side in (-1, 1):
        for offset in range(0, 560, 10):
            level = 10 * np.log10(power[centre + side * offset // 10] / reference)
            assert level < np.interp(offset, *upper) + 0.5, (side, offset)
            if offset <= 470:
                assert level > np.interp(offset, *lower) - 0.5, (side, offset)


@pytest.mark.parametrize("role", list(Role))
def test_the_other_channel_stays_clean(role: Role) -> None:
    power = spectrum(sent(role, Signal.DATA_2400, 20))
    centre = CARRIER[role.other] // 10
    other = power[centre - 45 : centre + 46].sum()
    assert 10 * np.log10(other / power.sum()) < -50


@pytest.mark.parametrize(("guard", "below"), [(0, 0), (550, 3), (1800, 6)])
@pytest.mark.parametrize("role", list(Role))
def test_level_and_guard_tone(role: Role, guard: int, below: float) -> None:
    x = sent(role, Signal.DATA_2400, 60, guard, -10)
    assert dbm0_from_power(float(np.mean(x**2))) == pytest.approx(-10, abs=0.2)
    tone = (
        2
        * np.abs(np.mean(x[400:] * np.exp(-2j * np.pi * (guard or 550) / 8000 * np.arange(400, x.size)))) ** 2
    )
    total = float(np.mean(x**2))
    if guard and role is Role.ANSWERING:
        assert 10 * np.log10((total - tone) / tone) == pytest.approx(below, abs=0.3)
    else:
        assert tone < 1e-4 * total


def test_unscrambled_ones_are_a_line_150_hz_below_the_carrier() -> None:
    power = spectrum(sent(Role.ANSWERING, Signal.UNSCRAMBLED_ONES))
    assert int(np.argmax(power)) == 225
    assert 10 * np.log10(power[225] / power[285]) == pytest.approx(11.5, abs=1)


def test_s1_is_the_carrier_with_lines_300_hz_to_either_side() -> None:
    power = spectrum(sent(Role.CALLING, Signal.S1))
    lines = sum(power[at - 2 : at + 3].sum() for at in (90, 120, 150))
    assert lines > 0.999 * power.sum()
    assert 10 * np.log10(power[120] / power[90]) == pytest.approx(3, abs=0.5)
    assert 10 * np.log10(power[120] / power[150]) == pytest.approx(3, abs=0.5)


def test_silence_is_silent_and_pulls_nothing() -> None:
    bits = RandomBits(1)
    modem = Transmitter(Role.ANSWERING, -13, 1800, bits)
    out = np.ones(1000, np.float32)
    modem.process(out)
    assert not out.any()
    assert not bits.sent


class Tape:
    """A fixed stream of bits, the same however it is asked for."""

    def __init__(self) -> None:
        self.stream = np.random.default_rng(5).integers(0, 2, 4000).astype(np.uint8)
        self.position = 0

    def pull(self, count: int) -> Bits:
        self.position += count
        return self.stream[self.position - count : self.position]


@pytest.mark.parametrize("signal", [Signal.DATA_1200, Signal.DATA_2400])
def test_the_cut_changes_neither_samples_nor_bits(signal: Signal) -> None:
    whole = Transmitter(Role.CALLING, -13, 0, tape := Tape())
    pieces = Transmitter(Role.CALLING, -13, 0, other := Tape())
    whole.send(signal)
    pieces.send(signal)
    a, b = np.zeros(4000, np.float32), np.zeros(4000, np.float32)
    whole.process(a)
    rng = np.random.default_rng(4)
    done = 0
    while done < 4000:
        n = min(int(rng.integers(0, 40)), 4000 - done)
        pieces.process(b[done : done + n])
        done += n
    assert np.array_equal(a, b)
    assert tape.position == other.position == 300 * signal.value[1]


def test_compiled_and_interpreted_kernels_agree() -> None:
    outputs = []
    for kernel in (transmitter._transmit, transmitter._transmit.py_func):
        modem = Transmitter(Role.ANSWERING, -13, 550, RandomBits(1))
        modem.send(Signal.DATA_2400)
        out = np.zeros(400, np.float32)
        bits = np.random.default_rng(1).integers(0, 2, 400).astype(np.uint8)
        kernel(modem._state, modem._line, bits, out)
        outputs.append(out)
    assert np.abs(outputs[0] - outputs[1]).max() < 1e-6
