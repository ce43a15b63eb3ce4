import numpy as np
import pytest
from numpy.typing import NDArray

from ansam.modulation.base import Role
from ansam.modulation.v34.coding import Coding
from ansam.modulation.v34.constants import SYMBOL_RATES, symbol_rate
from ansam.modulation.v34.mp import J, Mp
from ansam.modulation.v34.parameters import Parameters
from ansam.modulation.v34.phase2_choice import Direction
from ansam.modulation.v34.transmitter import Segment, Signal, Transmitter, ending, j, mp, pp, s_and_bar
from ansam.units import Bits, dbm0_from_power

LEVEL = -13.0


class Tape:
    """A fixed stream of bits, the same however it is asked for."""

    def __init__(self) -> None:
        self.stream = np.random.default_rng(5).integers(0, 2, 1_000_000).astype(np.uint8)
        self.position = 0

    def pull(self, count: int) -> Bits:
        self.position += count
        return self.stream[self.position - count : self.position]


def modem(
    baud: int = 3429, high: bool = False, emphasis: int = 0, reduction: int = 0
) -> tuple[Transmitter, Tape]:
    tape = Tape()
    direction = Direction(symbol_rate(baud), high, emphasis, reduction, 33600)
    return Transmitter(Role.CALLING, direction, LEVEL, tape), tape


def run(tx: Transmitter, count: int, piece: int = 160) -> NDArray[np.float32]:
    out = np.zeros(count, np.float32)
    for at in range(0, count, piece):
        tx.process(out[at : at + piece])
    return out


def power_db(x: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies and power per bin in decibels, averaged."""
    blocks = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), 800)[::400] * np.blackman(800)
    power = np.mean(np.abs(np.fft.rfft(blocks)) ** 2, axis=0)
    return np.fft.rfftfreq(800, 1 / 8000), np.asarray(10 * np.log10(power + 1e-12))


@pytest.mark.parametrize("baud", [rate.name for rate in SYMBOL_RATES])
@pytest.mark.parametrize("high", [False, True])
def test_spectrum_is_flat_within_the_band(baud: int, high: bool) -> None:
    """§5.4: within 1 dB as far as 0.45 symbol rates from the carrier, and little beyond."""
    tx, _ = modem(baud, high)
    rate = symbol_rate(baud)
    tx.send(Segment(Signal.TRN))
    hz, power = power_db(run(tx, 80000))
    off = np.abs(hz - rate.carrier_hz(high)) / float(rate.baud)
    middle = np.mean(power[off < 0.3])
    inside = np.convolve(power, np.ones(5) / 5, "same")[off < 0.43]
    assert np.all(np.abs(inside - middle) < 1.0)
    assert np.all(power[off > 0.6] < middle - 25)


@pytest.mark.parametrize(("index", "low_db", "high_db"), [(0, 0, 0), (5, 1.5, 8.5), (10, 0.0, 3.3)])
def test_pre_emphasis(index: int, low_db: float, high_db: float) -> None:
    """Figures 1 and 2, from 0.15 to 0.85 (index 5), and at most 0.99 symbol rates."""
    flat, _ = modem(3200)
    shaped, _ = modem(3200, emphasis=index)
    spectra = []
    for tx in (flat, shaped):
        tx.send(Segment(Signal.TRN))
        hz, power = power_db(run(tx, 80000))
        spectra.append(power)
    gain = np.convolve(spectra[1] - spectra[0], np.ones(9) / 9, "same")
    at = [np.interp(x * 3200, hz, gain) for x in (0.15, 0.85)]
    assert at[1] - at[0] == pytest.approx(high_db - low_db, abs=1.0)


@pytest.mark.parametrize("reduction", [0, 7])
def test_level(reduction: int) -> None:
    tx, _ = modem(3429, reduction=reduction)
    coding = Coding(Parameters(symbol_rate(3429), 33600), Role.CALLING)
    tx.send(*ending(coding, False))
    sent = run(tx, 48000)[4000:].astype(float)
    assert dbm0_from_power(float(np.mean(sent**2))) == pytest.approx(LEVEL - reduction, abs=0.15)


def test_the_programme_of_phase_3_and_4() -> None:
    tx, tape = modem(3200)
    tx.send(*s_and_bar(), pp(), Segment(Signal.TRN, 512), j(J.FOUR))
    run(tx, 4000)
    tx.send(j(J.PRIME, once=True), Segment(Signal.TRN))
    run(tx, 2000)
    sequence = Mp(33600, 33600)
    tx.send(mp(sequence, False))
    run(tx, 2000)
    coding = Coding(Parameters(symbol_rate(3200), 28800), Role.CALLING)
    assert not tx.in_data
    tx.send(*ending(coding, False))
    run(tx, 2000)
    begun = tx.take_begun()
    names = [segment.signal.value for segment, _ in begun]
    assert names == ["S", "S-bar", "PP", "TRN", "J", "J", "TRN", "MP", "E", "B1, data"]
    at = [symbol for _, symbol in begun]
    assert np.diff(at[:5]).tolist() == [128, 16, 288, 512]
    assert (at[5] - at[4]) % 8 == 0, "J ends whole"
    assert at[6] - at[5] == 8
    assert (at[8] - at[7]) % 44 == 0, "MP ends whole"
    assert at[9] - at[8] == 10
    assert tx.in_data
    assert tape.position > 0


def test_sixteen_points() -> None:
    assert mp(Mp(2400, 2400), True).unit == 22
    coding = Coding(Parameters(symbol_rate(3200), 28800), Role.CALLING)
    assert ending(coding, True)[0].symbols == 5
    tx, _ = modem()
    tx.sixteen = True
    assert tx.words.sixteen
    assert tx.sixteen


def test_no_user_bit_before_b1_is_over() -> None:
    tx, tape = modem(3429)
    coding = Coding(Parameters(symbol_rate(3429), 33600), Role.CALLING)
    tx.send(*ending(coding, False))
    while not tx.in_data:
        assert tape.position == 0
        run(tx, 10, 10)
    before = sum(segment.symbols or 0 for segment, _ in tx.take_begun())
    symbols = before + coding.parameters.symbol_rate.mapping_frames * 8
    assert symbols - 8 <= tx.symbols < symbols + 16


def test_nothing_depends_on_the_cut() -> None:
    outs = []
    for piece in (1, 33, 160):
        tx, tape = modem(2800)
        coding = Coding(Parameters(symbol_rate(2800), 16800), Role.CALLING)
        tx.send(*s_and_bar(), *ending(coding, False))
        outs.append(run(tx, 1600, piece))
        assert tape.position
    np.testing.assert_array_equal(outs[0], outs[1])
    np.testing.assert_array_equal(outs[0], outs[2])
