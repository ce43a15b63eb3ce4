"""When an end's next frame is due: what `Call` and the pacer do for a live call, in virtual time."""

from ansam.call.drift import DriftLoop
from ansam.line import Circuit, End
from ansam.units import FRAME, SAMPLE_RATE, Samples


class Pace:
    """Slaves the frames of one end to the packets of the other.

    Args:
        circuit: The circuit.
        end: Whose frames.
        follows: False for an adaptor that only knows its own clock.
    """

    def __init__(self, circuit: Circuit, end: End, *, follows: bool) -> None:
        self._circuit = circuit
        self._end = end
        self._loop = DriftLoop() if follows else None
        self._talking = False

    @property
    def skew_ppm(self) -> float | None:
        """How much faster the far end's packets come than this end's quartz says; None: nobody measures."""
        return None if self._loop is None else self._loop.skew_ppm

    def frame(self, now: Samples) -> None:
        """A frame of a call begins."""
        if self._loop is None:
            return
        arrived = self._circuit.arrived(self._end, now)
        # What came before there was a talking path lies nobody knows how long in the socket.
        for arrival, place in arrived if self._talking else []:
            self._loop.update(place - arrival, arrival)
        self._talking = True
        self._loop.advance(now)
        self._circuit.set_pace(self._end, now, FRAME / SAMPLE_RATE / self._loop.frame_seconds())
