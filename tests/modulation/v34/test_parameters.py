"""Tables 8, 9 and 10 as they stand in the text of the Recommendation, against what the formulas give."""

import pytest
from tests.support import v34_tables

from ansam.errors import LocalProtocolError
from ansam.modulation.v34.constants import SYMBOL_RATES, symbol_rate
from ansam.modulation.v34.parameters import Parameters


def parameters(name: int, aggregate: int, expanded: bool = False) -> Parameters:
    auxiliary = aggregate % 2400 == 200
    return Parameters(symbol_rate(name), aggregate - 200 * auxiliary, auxiliary, expanded)


def hexadecimal(pattern: tuple[int, ...]) -> int:
    return int("".join(map(str, pattern)), 2)


def test_table_8() -> None:
    count = 0
    for aggregate, row in v34_tables.TABLE_8.items():
        for name, cell in row.items():
            p = parameters(name, aggregate)
            assert (p.b, hexadecimal(p.swp)) == cell, (name, aggregate)
            count += 1
    assert count == 2 * sum(len(rate.rates) for rate in SYMBOL_RATES) == 130


def test_table_9() -> None:
    for name, (w, period, amp) in v34_tables.TABLE_9.items():
        p = parameters(name, 5000)
        assert p.symbol_rate.auxiliary_bits == w
        assert p.symbol_rate.mapping_frames == period
        assert hexadecimal(p.amp) == amp
        assert not any(parameters(name, 4800).amp)


def test_table_10() -> None:
    assert len(v34_tables.TABLE_10) == 130
    for (name, aggregate), (k, m, expanded, points, points_expanded) in v34_tables.TABLE_10.items():
        p, e = parameters(name, aggregate), parameters(name, aggregate, expanded=True)
        assert (p.k, p.rings, e.rings, p.points, e.points) == (k, m, expanded, points, points_expanded)


def test_a_data_frame_holds_its_bits() -> None:
    for name, aggregate in v34_tables.TABLE_10:
        p = parameters(name, aggregate)
        frames = p.symbol_rate.mapping_frames
        assert sum(p.b - 1 + high for high in p.swp) == p.data_frame_bits
        assert p.swp[-1] == 1
        assert p.data_frame_bits * p.symbol_rate.data_frames * 100 == aggregate * 28
        assert sum(p.amp) == p.auxiliary * p.symbol_rate.auxiliary_bits
        assert p.superframe == frames * p.symbol_rate.data_frames
        assert p.superframe * 8 == p.symbol_rate.baud * 28 / 100


def test_a_rate_that_does_not_exist_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="33600 bit/s at 3200"):
        Parameters(symbol_rate(3200), 33600)
    with pytest.raises(LocalProtocolError):
        Parameters(symbol_rate(3429), 2400)


def test_carriers() -> None:
    nominal = [round(rate.carrier_hz(high)) for rate in SYMBOL_RATES for high in (False, True)]
    assert nominal == [1600, 1800, 1646, 1829, 1680, 1867, 1800, 2000, 1829, 1920, 1959, 1959]
