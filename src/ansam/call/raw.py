"""A call over a raw line: G.711 octets both ways in lock step, without packets, loss or jitter."""

import numpy as np

from ansam.call.party import Party
from ansam.codec.g711 import Law
from ansam.units import Samples


class RawCall:
    """The media of one call over a raw line.

    Args:
        law: What the octets are.
        party: Who speaks and listens.
        start: Sample clock at the first frame.

    Attributes:
        now: Instant of the next frame.
        frames: Frames exchanged.
    """

    def __init__(self, law: Law, party: Party, start: Samples = 0) -> None:
        self.law = law
        self.now = start
        self.frames = 0
        self._party = party

    def exchange(self, octets: bytes, erased: bool = False) -> bytes:
        """Take a frame and return the one to send for the same time.

        Args:
            octets: Any number of G.711 octets.
            erased: They stand for nothing: the far side has not sent any yet.
        """
        rx = self.law.decode(np.frombuffer(octets, np.uint8))
        tx = self.law.encode(self._party.process(rx, self.now, erased))
        self.now += len(octets)
        self.frames += 1
        return tx.tobytes()
