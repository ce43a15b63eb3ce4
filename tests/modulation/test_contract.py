import pytest
from tests.modulation import contract
from tests.support.modem_line import Way

from ansam.modulation.base import Opening, Role
from ansam.modulation.registry import MODULATIONS

NAMES = [name for name in MODULATIONS if name != "V.32"]
"""V.32 is V.32bis's modem with fewer rates: they are tried, the lines are not."""
SLOW = {("V.34", rate) for rate in range(4800, 33600, 2400) if rate not in (4800, 14400, 28800)}
"""`make bench` has all of them."""
RATES = [
    pytest.param(name, rate, marks=pytest.mark.bench if (name, rate) in SLOW else ())
    for name, (spec, _) in MODULATIONS.items()
    for rate in spec.data_rates
]
ROLES = list(Role)

SHARED = [name for name in NAMES if contract.shares_band(name)]
QUIET = [name for name in NAMES if MODULATIONS[name][0].opening is not Opening.V8]

names = pytest.mark.parametrize("name", NAMES)
roles = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.value)


@pytest.mark.parametrize(("name", "rate"), RATES)
def test_every_rate_connects_and_carries_data(name: str, rate: int) -> None:
    contract.at_rate(name, rate)


@names
@roles
def test_result_does_not_depend_on_how_the_stream_is_cut(name: str, role: Role) -> None:
    contract.same_however_cut(name, role, seed=3)


@names
@pytest.mark.parametrize("offset_hz", [-7.0, 7.0])
def test_frequency_offset(name: str, offset_hz: float) -> None:
    contract.over(name, Way(offset_hz=offset_hz, law=True), Way(offset_hz=-offset_hz, law=True, seed=1))


@names
@pytest.mark.parametrize("ppm", [-300.0, 300.0])
def test_clock_skew(name: str, ppm: float) -> None:
    contract.over(name, Way(skew_ppm=ppm), Way(skew_ppm=-ppm, seed=1))


@names
@pytest.mark.parametrize("gain_db", [10.0, -12.0, -30.0])
def test_level_range_over_a_law(name: str, gain_db: float) -> None:
    contract.over(name, Way(gain_db=gain_db, law=True), Way(gain_db=gain_db, law=True, seed=1))


@names
def test_no_bit_wrong_at_30_db(name: str) -> None:
    contract.over(name, Way(noise_dbm0=-43, law=True), Way(noise_dbm0=-43, law=True, seed=1), seconds=20)


@names
def test_own_echo_10_db_above_the_far_signal(name: str) -> None:
    contract.over(name, Way(gain_db=-22, law=True), Way(gain_db=-22, law=True, seed=1), echo_db=-12)


@pytest.mark.parametrize(
    ("name", "echo_delay"), [(n, d) for n in NAMES for d in contract.demands(n).echo_delays if d != 20]
)
def test_late_echo(name: str, echo_delay: int) -> None:
    delay = max(160, echo_delay // 2)  # no echo is later than the round trip, which V.34 measures
    contract.over(
        name,
        Way(gain_db=-6, law=True, noise_dbm0=-60, delay=delay),
        Way(gain_db=-6, law=True, noise_dbm0=-60, seed=1, delay=delay),
        echo_db=-16,
        echo_delay=echo_delay,
    )


@pytest.mark.parametrize(("name", "delay"), [(n, d) for n in NAMES for d in contract.demands(n).delays])
def test_delay(name: str, delay: int) -> None:
    contract.over(name, Way(delay=delay), Way(delay=delay, seed=1))


@names
@pytest.mark.parametrize("erased", [True, False], ids=["erased", "silent"])
@pytest.mark.parametrize(
    "frames",
    [
        pytest.param((0,), marks=pytest.mark.bench),
        (0, 1, 2),
        pytest.param((0, 5, 9), marks=pytest.mark.bench),
    ],
    ids=str,
)
def test_recovers_from_lost_packets(name: str, frames: tuple[int, ...], erased: bool) -> None:
    contract.survives(name, frames, erased)


@names
def test_a_marked_dropout_needs_no_retrain(name: str) -> None:
    contract.rides_through(name, contract.demands(name).erased_ms)


@pytest.mark.parametrize("name", SHARED)
@roles
def test_retrain(name: str, role: Role) -> None:
    contract.retrains(name, role)


@names
def test_end_of_the_far_signal_is_carrier_loss(name: str) -> None:
    contract.reports_loss(name)


@names
def test_clear_down_is_noticed(name: str) -> None:
    contract.clears_down(name)


@pytest.mark.parametrize("name", QUIET)
def test_quiet_until_the_far_end_is_heard(name: str) -> None:
    contract.keeps_quiet(name)


@names
@roles
@pytest.mark.parametrize("level", [-13.0, -20.0])
def test_level_and_spectrum_sent(name: str, role: Role, level: float) -> None:
    contract.sends_clean(name, role, level)


@names
def test_same_seeds_same_call(name: str) -> None:
    contract.repeats_itself(name)


@names
def test_report(name: str) -> None:
    contract.reports(name)


@pytest.mark.parametrize("name", MODULATIONS)
def test_spec_is_complete(name: str) -> None:
    spec = MODULATIONS[name][0]
    assert spec.name == name
    assert len(spec.data_rates) == len(spec.symbol_rates)
    assert list(spec.data_rates) == sorted(spec.data_rates)
    assert set(spec.carriers_hz) == set(Role)
    assert spec.ms_name
