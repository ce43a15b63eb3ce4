"""A connection without a modulation: the characters of a network stream, at the speed of a modem."""

from ansam.at.results import Connect
from ansam.at.settings import Settings
from ansam.dce.options import allowed_modulations
from ansam.dce.progress import Stream
from ansam.dce.session import SessionEvent
from ansam.link.base import LinkUp
from ansam.link.pipe import Pipe
from ansam.modulation.base import SignalReport
from ansam.modulation.registry import MODULATIONS
from ansam.units import Samples

UNPACED_RATE = 115200
"""What CONNECT shows where nothing holds the characters up: the fastest port there is."""

S70_AT_NO_RATE = 1


def stream_rate(settings: Settings, stream: Stream) -> int:
    """Return the highest rate in bit/s that both ends allow, 0 for none.

    Args:
        settings: As they leave it to a modulation: &N, &U, +MS, the registers.
        stream: As the phone book caps it.
    """
    low, high = settings.rate_window
    ceilings = [limit for limit in (high, stream.rate) if limit]
    offered = (rate for name in allowed_modulations(settings) for rate in MODULATIONS[name][0].data_rates)
    return max((rate for rate in offered if low <= rate <= min(ceilings, default=rate)), default=0)


def paced(settings: Settings, stream: Stream) -> bool:
    """Return whether characters take the time of a modem: neither the line nor S70 says otherwise."""
    return stream.paced and not settings.s.usr(70) & S70_AT_NO_RATE


class StreamSession:
    """Runs from the connection to its end; the counterpart of `Session` for a call without audio.

    Args:
        stream: What the line knows about the call.
        rate: Bit/s, both ways, 0 for no limit; see `stream_rate`.

    Attributes:
        link: The stream's queues.
    """

    def __init__(self, stream: Stream, rate: int) -> None:
        self._rate = rate or UNPACED_RATE
        self.link = Pipe(rate, stream.protocol)
        self.modulation = ""

    def start(self, now: Samples) -> None:
        """Begin."""
        self.link.start(now)

    def connect(self, link: LinkUp) -> Connect:
        """Return what the CONNECT result says."""
        return Connect(self._rate, protocol=link.protocol, tx_rate=self._rate)

    def retrain(self, now: Samples) -> None:
        """There is nothing to train."""

    def clear_down(self, now: Samples) -> None:
        """There is no signal to stop."""

    def report(self) -> SignalReport:
        """Return that nothing is known about a line."""
        return SignalReport()

    def take_events(self) -> list[SessionEvent]:
        """Return the events since the last call, in order."""
        return [*self.link.take_events()]
