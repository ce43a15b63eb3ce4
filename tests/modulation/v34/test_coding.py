import numpy as np
import pytest
from tests.support.v34_link import H, Source, coding, errors, grid, noise

from ansam.modulation.v34.coding import SEARCHED, Coding, code_record
from ansam.modulation.v34.constants import THETA, Trellis
from ansam.modulation.v34.decoder import Decoder

CODES = [
    coding(2400, 2400),
    coding(3429, 9600, expanded=True),
    coding(3200, 28800, expanded=True, nonlinear=True),
    coding(3429, 33600, Trellis.STATES_64, nonlinear=True, h=H),
]


@pytest.mark.parametrize("code", CODES)
def test_mean_energy_is_that_of_what_is_sent(code: Coding) -> None:
    plain = Coding(code.parameters, code.sender, code.trellis, False, code.precoding)
    x = Source(plain).symbols(4000) / float(code_record(plain)[0].scale)
    energy = np.abs(x) ** 2
    assert energy.mean() == pytest.approx(code.mean_energy(), rel=0.01)
    zeta = THETA / code.mean_energy() * energy if code.nonlinear else 0
    power = (energy * (1 + zeta / 6 + zeta**2 / 120) ** 2).mean()
    assert power == pytest.approx(code.mean_power(), rel=0.015)


def test_four_points_have_an_energy_of_2() -> None:
    assert coding(2400, 2400).mean_energy() == pytest.approx(2)


def test_small_constellations_are_searched_unless_precoded() -> None:
    for rate in (2400, 7200, 14400, 21600):
        code = coding(2400, rate)
        points = code.parameters.points
        assert code_record(code)[0].searched == (points if points <= SEARCHED else 0)
        assert code_record(coding(2400, rate, h=H))[0].searched == 0


@pytest.mark.parametrize("trellis", list(Trellis))
@pytest.mark.parametrize(("symbols", "rate"), [(3429, 28800), (2400, 4800)])
def test_the_needed_es_n0_is_a_threshold(symbols: int, rate: int, trellis: Trellis) -> None:
    code = coding(symbols, rate, trellis)
    wrong = []
    for extra in (-2.0, 0.6):
        source = Source(code)
        x = source.symbols(3000)
        got = Decoder(code).decode(grid(code, x + noise(x.size, code.needed_es_n0_db() + extra, 1))[0])[0]
        wrong.append(errors(source.bits, got) / got.size)
    assert wrong[0] > 1e-3
    assert wrong[1] < 1e-4
