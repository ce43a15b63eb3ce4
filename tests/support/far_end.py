"""A simulated call whose far end does something else than it should, from some instant on."""

from collections.abc import Callable

import numpy as np

from ansam.dce.dce import Dce
from ansam.line import Circuit, End
from ansam.line.direction import Run
from ansam.sim import SimOptions
from ansam.sim.call import Simulation
from ansam.sim.result import SimResult
from ansam.units import FRAME, Audio, Samples

Instead = Callable[[Samples, list[Run]], list[Run]]
"""What is heard instead: given the instant and what the circuit brings."""


class TamperedCircuit(Circuit):
    """A circuit where one end hears something else."""

    def __init__(self, options: SimOptions, end: End, instead: Instead, since: float = 0.0) -> None:
        super().__init__(options.circuit, options.seed)
        self._deaf, self._instead, self._from_then = end, instead, round(since * 8000)

    def pull(self, end: End, now: Samples) -> list[Run]:
        runs = super().pull(end, now)
        return self._instead(now, runs) if end is self._deaf and now >= self._from_then else runs


def silence(now: Samples, runs: list[Run]) -> list[Run]:
    """Packets come, and nothing is in them."""
    return [(np.zeros(FRAME, np.float32), False)]


def nothing(now: Samples, runs: list[Run]) -> list[Run]:
    """No packet comes."""
    return [(np.zeros(FRAME, np.float32), True)]


def sound(generate: Callable[[int], Audio]) -> Instead:
    """Return a far end that makes this sound."""
    return lambda now, runs: [(np.asarray(generate(FRAME), np.float32), False)]


def call(
    instead: Instead, since: float = 0.0, end: End = End.CALLING, **options: object
) -> tuple[SimResult, Dce, Dce]:
    """Do a call; return its result, the calling and the answering modem."""
    chosen = SimOptions(**options)  # type: ignore[arg-type]
    simulation = Simulation(chosen, circuit=TamperedCircuit(chosen, end, instead, since))
    result = simulation.run()
    return result, simulation.modem(End.CALLING), simulation.modem(End.ANSWERING)
