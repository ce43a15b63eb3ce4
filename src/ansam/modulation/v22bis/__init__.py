"""V.22bis (11/88) and V.22 (11/88): 2400 and 1200 bit/s duplex by frequency division."""

from ansam.modulation.v22bis.constants import V22_SPEC, V22BIS_SPEC
from ansam.modulation.v22bis.modem import V22, V22bis

__all__ = ["V22", "V22BIS_SPEC", "V22_SPEC", "V22bis"]
