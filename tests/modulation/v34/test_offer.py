import pytest

from ansam.modulation.base import ModulationOptions, Role
from ansam.modulation.v34.constants import SYMBOL_RATES, Trellis, symbol_rate
from ansam.modulation.v34.offer import MARGIN_DB, clearing_mp, receivable, wanted_coding
from ansam.modulation.v34.precoder import NO_PRECODING
from ansam.modulation.v34.receiver import Whitening

ANY = ModulationOptions()
FAST = symbol_rate(3429)


@pytest.mark.parametrize("symbols", SYMBOL_RATES, ids=lambda rate: str(rate.name))
def test_every_rate_has_its_es_n0(symbols: object) -> None:
    rate = next(rate for rate in SYMBOL_RATES if rate is symbols)
    for bits in rate.rates:
        needed = wanted_coding(bits, rate, Role.CALLING, ANY, None).needed_es_n0_db() + MARGIN_DB
        assert receivable(needed + 0.01, rate, Role.CALLING, ANY) == bits
        lower = [r for r in rate.rates if r < bits]
        assert receivable(needed - 0.01, rate, Role.CALLING, ANY) == max(lower, default=bits)


def test_only_what_is_allowed() -> None:
    options = ModulationOptions(min_rate=9600, max_rate=28800)
    assert receivable(60.0, FAST, Role.CALLING, options) == 28800
    floor = wanted_coding(9600, FAST, Role.CALLING, options, None).needed_es_n0_db()
    assert receivable(floor - 2.9, FAST, Role.CALLING, options) == 9600
    assert receivable(floor - 3.1, FAST, Role.CALLING, options) == 0
    assert receivable(-20.0, FAST, Role.CALLING, ANY) == 4800
    assert receivable(60.0, FAST, Role.CALLING, ModulationOptions(min_rate=40000, max_rate=50000)) == 0


def test_what_a_precoder_gains_counts() -> None:
    whitening = Whitening((8000, 0, 0, 0, 0, 0), 3.0)
    coding = wanted_coding(33600, FAST, Role.CALLING, ANY, whitening)
    assert coding.precoding == whitening.coefficients
    just = coding.needed_es_n0_db() + MARGIN_DB - 2.9
    assert receivable(just, FAST, Role.CALLING, ANY) < 33600
    assert receivable(just, FAST, Role.CALLING, ANY, whitening) == 33600


def test_the_coding_is_what_the_registers_allow() -> None:
    options = ModulationOptions(v34_trellis_states=(16,), v34_nonlinear=False, v34_shaping=False)
    coding = wanted_coding(28800, FAST, Role.ANSWERING, options, None)
    assert coding.trellis is Trellis.STATES_16
    assert not coding.nonlinear
    assert not coding.parameters.expanded
    assert coding.precoding == NO_PRECODING
    assert wanted_coding(28800, FAST, Role.ANSWERING, ANY, None).trellis is Trellis.STATES_64


def test_the_mp_of_a_cleardown() -> None:
    assert clearing_mp().clears_down
