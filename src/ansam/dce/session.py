"""One connection of a modem: the modulation and, once it is ready, the link on top of it."""

from dataclasses import dataclass, replace

import numpy as np

from ansam.at.results import Connect
from ansam.link.base import Link, LinkEvent, LinkUp
from ansam.link.v14 import CharacterFormat, StartStop
from ansam.link.v42.link import V42Link, V42Options
from ansam.modulation.automode import Automode
from ansam.modulation.base import (
    BitSource,
    CarrierDetected,
    CarrierLost,
    Failed,
    Marks,
    ModulationOptions,
    PhaseEntered,
    Ready,
    Renegotiating,
    Retraining,
    Role,
    SignalReport,
    StepMissed,
)
from ansam.modulation.registry import MODULATIONS
from ansam.trace import Sink, null_sink
from ansam.units import Audio, Bits, Samples

RETRAIN_BEGINS: Samples = 400
"""After the beginning of a retrain nothing that is heard is measured or learnt from for so long: 50 ms."""


class _Source:
    """The transmitter's bits: marks until a link takes over."""

    def __init__(self) -> None:
        self.link: BitSource = Marks()

    def pull(self, count: int) -> Bits:
        return self.link.pull(count)


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is over.

    Attributes:
        reason: The step that ended it, and what it missed.
        clause: Where that stands.
    """

    reason: str
    clause: str = ""


SessionEvent = (
    Ready
    | Retraining
    | Renegotiating
    | PhaseEntered
    | CarrierDetected
    | StepMissed
    | LinkEvent
    | Disconnected
)


class Session:
    """Runs from the talking path to its end.

    Args:
        role: Calling or answering.
        options: Rates, levels and times in force.
        allowed: Names in the modulation registry, best first.
        error_control: What V.42 shall do, or None for a link without it. Start-stop modulations have none:
            V.42 (03/2002) §1 is for synchronous ones.
        character: Characters on the line where nothing frames them.
        trace: Sink of the modulation's events.
        unprotected: Modulations that get no error control.
    """

    def __init__(
        self,
        role: Role,
        options: ModulationOptions,
        allowed: tuple[str, ...],
        error_control: V42Options | None = None,
        character: CharacterFormat | None = None,
        trace: Sink = null_sink,
        unprotected: frozenset[str] = frozenset(),
    ) -> None:
        self.role = role
        self._unprotected = unprotected
        self.link: Link | None = None
        self.ready: Ready | None = None
        self._error_control = error_control
        self._character = character
        self._retraining_since: Samples | None = None
        self._disturbable_until: Samples = 0
        self._source = _Source()
        self._modulation = Automode(role, options, allowed, self._source, trace)
        self._events: list[SessionEvent] = []
        self._trace = trace

    def delay_may_change(self, now: Samples) -> bool:
        """Return whether a retrain has just begun, so that a jump of what is heard does no harm."""
        return now < self._disturbable_until

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
            if self._retraining_since is None:
                self.link.handle_timer(now + len(rx))
            self._events.extend(self.link.take_events())
        return np.asarray(tx, np.float32)

    def _on_modulation(self, event: object, now: Samples) -> None:
        self._trace(now, f"dce.{self.role.value}", type(event).__name__, event=event)
        if isinstance(event, Ready):
            self.ready = event
            self._events.append(event)
            if self.link is None:
                self._start_link(event, now)
            else:
                self.link.set_rate(event.tx_rate, event.rx_rate)
                if self._retraining_since is not None:
                    self.link.suspend(now - self._retraining_since)
            self._retraining_since = None
        elif isinstance(event, Retraining | Renegotiating):
            if isinstance(event, Retraining):
                self._disturbable_until = now + RETRAIN_BEGINS
            if self._retraining_since is None:
                self._retraining_since = now
            self._events.append(event)
        elif isinstance(event, CarrierLost | Failed):
            self._events.append(Disconnected(event.reason, event.clause))
        elif isinstance(event, PhaseEntered | CarrierDetected | StepMissed):
            self._events.append(event)

    def _start_link(self, ready: Ready, now: Samples) -> None:
        spec, _ = MODULATIONS[ready.modulation]
        link: Link
        if self._error_control is None or spec.start_stop or ready.modulation in self._unprotected:
            link = StartStop(self._character, start_stop=spec.start_stop)
        else:
            originator = self.role is Role.CALLING
            options = replace(self._error_control, round_trip=self._modulation.report().round_trip)
            link = V42Link(originator, options, ready.tx_rate, self._trace)
        link.set_rate(ready.tx_rate, ready.rx_rate)
        link.start(now)
        self.link = self._source.link = link

    @property
    def carries_data(self) -> bool:
        """Whether user bits flow: not while training, retraining or renegotiating."""
        return self.ready is not None and self._retraining_since is None

    @property
    def modulation(self) -> str:
        """Name of the modulation agreed on, or ""."""
        return self.ready.modulation if self.ready else ""

    def connect(self, link: LinkUp) -> Connect:
        """Return what the CONNECT result says; the modulation is ready."""
        assert self.ready is not None
        ready, (spec, _) = self.ready, MODULATIONS[self.ready.modulation]
        return Connect(
            ready.rx_rate, spec.connect_name, link.protocol, link.compression, spec.ms_name, ready.tx_rate
        )

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
