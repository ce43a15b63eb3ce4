"""V.34: 2400 to 33 600 bit/s, both directions in one band, as much as the line carries."""

from ansam.modulation.v34.modem import V34, V34_SPEC

__all__ = ["V34", "V34_SPEC"]
