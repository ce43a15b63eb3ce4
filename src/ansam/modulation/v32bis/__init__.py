"""V.32bis and V.32: 4800 to 14 400 bit/s, both directions in one band, told apart by an echo canceller."""

from ansam.modulation.v32bis.constants import V32_SPEC, V32BIS_SPEC
from ansam.modulation.v32bis.modem import V32, V32bis

__all__ = ["V32", "V32BIS_SPEC", "V32_SPEC", "V32bis"]
