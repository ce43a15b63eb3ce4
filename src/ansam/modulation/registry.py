"""Every modulation by name. Adding one is its module or folder, its line here, its tests and `docs/spec/`."""

from ansam.modulation.base import ModulationFactory, ModulationSpec
from ansam.modulation.bell103 import BELL103_SPEC, Bell103
from ansam.modulation.v21 import V21, V21_SPEC
from ansam.modulation.v22bis import V22, V22_SPEC, V22BIS_SPEC, V22bis
from ansam.modulation.v32bis import V32, V32_SPEC, V32BIS_SPEC, V32bis
from ansam.modulation.v34 import V34, V34_SPEC

MODULATIONS: dict[str, tuple[ModulationSpec, ModulationFactory]] = {
    spec.name: (spec, factory)
    for spec, factory in (
        (V21_SPEC, V21),
        (BELL103_SPEC, Bell103),
        (V22_SPEC, V22),
        (V22BIS_SPEC, V22bis),
        (V32_SPEC, V32),
        (V32BIS_SPEC, V32bis),
        (V34_SPEC, V34),
    )
}
"""Slowest first."""
