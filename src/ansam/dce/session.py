"""One connection of a modem: the modulation and, once it is ready, the link on top of it."""

from dataclasses import dataclass

import numpy as np

from ansam.link.base import Link, LinkEvent
from ansam.link.v14 import CharacterFormat, StartStop
from ansam.modulation.automode import Automode
from ansam.modulation.base import (
    BitSource,
    CarrierLost,
    Failed,
    Marks,
    ModulationOptions,
    Ready,
    Retraining,
    Role,
    SignalReport,
)
from ansam.modulation.registry import MODULATIONS
from ansam.trace import Sink, null_sink
from ansam.units import Audio, Bits, Samples


class _Source:
    """The transmitter's bits: marks until a link takes over."""

    def __init__(self) -> None:
        self.link: BitSource = Marks()

    def pull(self, count: int) -> Bits:
        return self.link.pull(count)


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is over; `reason` names the step that ended it."""

    reason: str


SessionEvent = Ready | Retraining | LinkEvent | Disconnected


class Session:
    """Runs from the talking path to its end.

    Args:
        role: Calling or answering.
        options: Rates, levels and times in force.
        allowed: Names in the modulation registry, best first.
        character: Format of characters where no error control frames them.
        trace: Sink of the modulation's events.
    """

    def __init__(
        self,
        role: Role,
        options: ModulationOptions,
        allowed: tuple[str, ...],
        character: CharacterFormat | None = None,
        trace: Sink = null_sink,
    ) -> None:
        self.role = role
        self.link: Link | None = None
        self.ready: Ready | None = None
        self._character = character or CharacterFormat()
        self._source = _Source()
        self._modulation = Automode(role, options, allowed, self._source, trace)
        self._events: list[SessionEvent] = []
        self._trace = trace

    def start(self, now: Samples) -> None:
        """The talking path exists: begin."""
        self._modulation.start(now)

    def process(self, rx: Audio, now: Samples, erased: bool) -> Audio:
        """Run one stretch of audio through modulation and link; see `Modulation.process`."""
        tx = self._modulation.process(rx, now, erased)
        bits = self._modulation.take_bits()
        for event in self._modulation.take_events():
            self._on_modulation(event, now)
        if self.link is not None:
            if len(bits):
                self.link.receive_bits(bits, now)
            due = self.link.deadline()
            if due is not None and due <= now + len(rx):
                self.link.handle_timer(now + len(rx))
            self._events.extend(self.link.take_events())
        return np.asarray(tx, np.float32)

    def _on_modulation(self, event: object, now: Samples) -> None:
        self._trace(now, f"dce.{self.role.value}", type(event).__name__, event=event)
        if isinstance(event, Ready):
            first = self.ready is None
            self.ready = event
            self._events.append(event)
            if first:
                self._start_link(event, now)
        elif isinstance(event, Retraining):
            self._events.append(event)
        elif isinstance(event, CarrierLost | Failed):
            self._events.append(Disconnected(event.reason))

    def _start_link(self, ready: Ready, now: Samples) -> None:
        spec, _ = MODULATIONS[ready.modulation]
        link = StartStop(self._character, start_stop=spec.start_stop)
        link.set_rate(ready.tx_rate)
        link.start(now)
        self.link = self._source.link = link

    def retrain(self, now: Samples) -> None:
        """Ask for a retrain."""
        self._modulation.retrain(now)

    def clear_down(self, now: Samples) -> None:
        """Stop the signal."""
        self._modulation.clear_down(now)

    def report(self) -> SignalReport:
        """Return what the receiver knows about the line."""
        return self._modulation.report()

    def take_events(self) -> list[SessionEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events
