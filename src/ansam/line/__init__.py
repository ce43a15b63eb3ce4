"""The simulated circuit between two ends: pure, seeded, two sample clocks."""

from ansam.line.circuit import Circuit, Run
from ansam.line.meddle import Meddling
from ansam.line.parameters import CircuitParameters, Echo, End, PathParameters

__all__ = ["Circuit", "CircuitParameters", "Echo", "End", "Meddling", "PathParameters", "Run"]
