import numpy as np
import pytest
from numpy.typing import NDArray

from ansam.modulation.base import Marks, Role
from ansam.modulation.v34.constants import symbol_rate
from ansam.modulation.v34.hearing import Hearing
from ansam.modulation.v34.phase2_choice import Direction
from ansam.modulation.v34.training import S_HEARD, SWatch
from ansam.modulation.v34.transmitter import Segment, Signal, Transmitter, pp, s_and_bar

LEVEL = -20.0


def direction(baud: int) -> Direction:
    return Direction(symbol_rate(baud), False, 0, 0, 33600)


def line(baud: int, silence: int = 800) -> tuple[NDArray[np.float32], float]:
    """Return silence, S, S-bar, PP and TRN, with noise 40 dB down, and when S-bar ended."""
    tx = Transmitter(Role.ANSWERING, direction(baud), LEVEL, Marks())
    out = np.zeros(6000, np.float32)
    tx.process(out[:silence])
    tx.send(*s_and_bar(), pp(), Segment(Signal.TRN))
    tx.process(out[silence:])
    first = next(symbol for segment, symbol in tx.take_begun() if segment.signal is Signal.PP)
    return out + np.random.default_rng(1).normal(0, 5e-4, out.size).astype(np.float32), float(tx.peak(first))


def hear(
    x: NDArray[np.float32], baud: int, lost: range = range(0), piece: int = 10
) -> tuple[Hearing, tuple[float, float] | None]:
    """Return the hearing, and where it found the end of S-bar; `lost` samples are marked."""
    hearing, watch, found = Hearing(Role.CALLING, direction(baud)), SWatch(), None
    for at in range(0, x.size, piece):
        hearing.feed(x[at : at + piece], at in lost)
        found = found or watch.over(hearing, at + piece, 8000 / float(symbol_rate(baud).baud))
    return hearing, found


@pytest.mark.parametrize("baud", [2400, 2743, 2800, 3000, 3200, 3429])
def test_where_s_bar_ends(baud: int) -> None:
    x, at = line(baud)
    _, found = hear(x, baud)
    assert found is not None
    assert found[0] <= at <= found[1]


def test_a_lost_packet_hides_the_reversal() -> None:
    x, at = line(3429)
    turned = int(at) - 37
    _, found = hear(x, 3429, range(turned // 10 * 10 - 60, turned + 100))
    assert found is not None
    assert found[0] <= at <= found[1]


def test_all_of_s_is_lost() -> None:
    """What came out of silence is known all the same."""
    x, at = line(3429)
    hearing, found = hear(x, 3429, range(700, 1220))
    assert found is None
    assert hearing.onset is not None
    lasted = 144 * 8000 / 3428.57
    assert hearing.onset[0] + lasted <= at <= hearing.onset[1] + lasted


def test_noise_is_no_onset() -> None:
    noise = np.random.default_rng(2).normal(0, 0.002, 8000).astype(np.float32)
    hearing, found = hear(noise, 3200)
    assert hearing.onset is None
    assert found is None


@pytest.mark.parametrize("role", Role)
def test_the_tone_of_a_retrain(role: Role) -> None:
    hearing = Hearing(role, direction(3200))
    hz = 2400.0 if role is Role.CALLING else 1200.0
    n = np.arange(1600)
    tone = (0.05 * np.cos(2 * np.pi * hz * n / 8000)).astype(np.float32)
    for at in range(0, n.size, 160):
        hearing.feed(tone[at : at + 160], False)
    assert 1400 <= hearing.tone <= 1600
    assert hearing.s_windows < S_HEARD
    hearing.forget()
    assert hearing.tone == 0


def test_data_are_neither_tone_nor_silence() -> None:
    x, _ = line(3429)
    hearing = Hearing(Role.CALLING, direction(3429))
    for at in range(1500, 6000, 150):
        hearing.feed(x[at : at + 150], False)
    assert (hearing.tone, hearing.quiet, hearing.s_windows) == (0, 0, 0)
    assert hearing.level == pytest.approx(float(np.mean(x[1500:] ** 2)), rel=0.3)


def test_silence() -> None:
    hearing = Hearing(Role.CALLING, direction(3429))
    for _ in range(20):
        hearing.feed(np.zeros(160, np.float32), False)
    assert hearing.quiet >= 3000
    hearing.feed(np.zeros(160, np.float32), True)
    assert hearing.quiet < 3200, "what never arrived is no silence"
