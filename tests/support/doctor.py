"""An examination over the simulated circuit, as `ansam doctor sim:` makes it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ansam.call.party import Party
from ansam.codec.g711 import Law
from ansam.doctor import Diagnosis, Examination, diagnose
from ansam.sim import SimOptions
from ansam.sim.doctor import examine
from ansam.units import Audio, Samples


class Changed:
    """An echo that changes what it returns."""

    def __init__(self, change: Callable[[Audio, Samples], Audio]) -> None:
        self._change = change

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        return np.zeros(len(rx), np.float32) if erased else self._change(rx, now)


def diagnosis(far: Party | None = None, seconds: float = 2.0, **options: Any) -> Diagnosis:
    """Examine; an echo test answers by default."""
    law = options.get("law", Law.ALAW)
    examination = Examination(law, seconds)
    media = examine(SimOptions(**options), examination, far)
    assert examination.done
    return diagnose(examination.findings(), law, media)
