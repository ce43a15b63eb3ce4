from ansam.modulation.base import Marks, ModulationOptions, Role
from ansam.modulation.registry import MODULATIONS


def test_names_are_keys_and_ms_names_are_unique() -> None:
    assert set(MODULATIONS) >= {"V.21", "Bell 103", "V.22", "V.22bis"}
    assert len({spec.ms_name for spec, _ in MODULATIONS.values()}) == len(MODULATIONS)
    for name, (spec, factory) in MODULATIONS.items():
        assert spec.name == name
        assert factory(Role.CALLING, ModulationOptions(), Marks()).spec == spec


def test_slowest_first() -> None:
    fastest = [max(spec.data_rates) for spec, _ in MODULATIONS.values()]
    assert fastest == sorted(fastest)
