"""I frames as they arrive: in order, or kept and asked for where one is missing (V.42 (03/2002) §8.5.1)."""

from collections.abc import Callable

from ansam.link.v42.events import Counters
from ansam.link.v42.frames import MODULUS, Frame, Kind
from ansam.units import Samples


class Arrivals:
    """The receiver's sequence of one connection.

    Args:
        window: I frames the peer may have unacknowledged: its k.
        srej: Frames are asked for one by one and kept meanwhile, instead of all from the first lost one on.
        counters: Of the link.
        urge: Takes a frame that leaves before data.

    Attributes:
        expected: V(R), counted without wrapping.
        acknowledge: The peer is owed an N(R).
    """

    def __init__(self, window: int, srej: bool, counters: Counters, urge: Callable[[Frame], None]) -> None:
        self.expected = 0
        self.acknowledge = False
        self._window = window
        self._srej = srej
        self._counters = counters
        self._urge = urge
        self._held: dict[int, bytes] = {}
        self._asked: dict[int, Samples] = {}
        self._rejecting = False

    @property
    def nr(self) -> int:
        """N(R) as frames carry it."""
        return self.expected % MODULUS

    def receive(self, frame: Frame, now: Samples, patience: Samples) -> list[bytes]:
        """Take an I frame; return the information fields that are in order with it.

        Args:
            frame: With N(S) modulo 128.
            now: Time.
            patience: After how long a frame asked for must have come.
        """
        number = self.expected + (frame.ns - self.expected) % MODULUS
        if number == self.expected:
            return self._in_order(frame.information, now, patience)
        if number - self.expected < self._window:
            self._out_of_order(number, frame.information, now, patience)
        else:
            # One we have: our acknowledgement was lost or late.
            self.acknowledge = True
        return []

    def suspend(self, samples: Samples) -> None:
        """Push the times out by the length of a retrain."""
        self._asked = {number: asked + samples for number, asked in self._asked.items()}

    def _in_order(self, information: bytes, now: Samples, patience: Samples) -> list[bytes]:
        got = [information]
        self.expected += 1
        while self.expected in self._held:
            got.append(self._held.pop(self.expected))
            self.expected += 1
        self._counters.octets_received += sum(map(len, got))
        self._rejecting = False
        self._asked = {n: t for n, t in self._asked.items() if n >= self.expected}
        self.acknowledge = True
        self._ask_again(now, patience)
        return got

    def _out_of_order(self, number: int, information: bytes, now: Samples, patience: Samples) -> None:
        if not self._srej:
            if not self._rejecting:
                self._rejecting = True
                self._counters.naks_sent += 1
                self._urge(Frame(Kind.REJ, False, nr=self.nr))
            return
        self._held[number] = information
        for missing in range(self.expected, number):
            if missing not in self._held and missing not in self._asked:
                self._ask(missing, now)
        self._ask_again(now, patience)

    def _ask(self, number: int, now: Samples) -> None:
        self._asked[number] = now
        self._counters.naks_sent += 1
        self._urge(Frame(Kind.SREJ, False, nr=number % MODULUS))

    def _ask_again(self, now: Samples, patience: Samples) -> None:
        """Repeat an SREJ whose answer must have been lost.

        §8.5.1 allows it when received frames show that the retransmission took place: any frame that
        comes in later than a round trip and a longest frame after the request was sent after it.
        """
        for number, asked in list(self._asked.items()):
            if number not in self._held and now - asked > patience:
                self._ask(number, now)
