"""What gateways do to audio that they should leave alone, for tests and `ansam sim --meddle`."""

from ansam.line.meddle.base import Meddler
from ansam.line.meddle.catalogue import MEDDLERS, Meddling

__all__ = ["MEDDLERS", "Meddler", "Meddling"]
