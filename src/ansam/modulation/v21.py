"""V.21 (11/88): 300 bit/s duplex by two pairs of tones. The smallest complete modem: read this one first.

The calling modem sends 980 Hz for 1 and 1180 Hz for 0 (channel 1), the answering one 1650 and 1850 Hz
(channel 2); each hears the other through a band filter, so both talk at once over two wires. Nothing is
trained: there is no clock on the line, and the receiver finds each bit by the edges of the tones. What
remains is to agree that the other is there at all, which circuit 109 says (V.24), and from when on user
bits may flow (circuit 106)::

    answering   mark ─────────────────────────────────────────┬─ data
                  │                 109 ON, S9 after the mark ─┘
                  ▼                     ▲
    calling     silent ──── 109 ON ──► mark ──── 106 ON ──────── data
                S9 after the far mark    CLEAR_TO_SEND later

A modem that sends its mark cannot know whether the far end has heard it long enough, so 106 follows only
after S9 and a margin: what the terminal sends is not lost on a far receiver that is still closed. Bits that
arrive meanwhile are kept and handed over with `Ready`.

`FskModem` is all of it; a modulation is an `FskPlan`: the tones per role, a table. Bell 103 is another such
table.

How an engine keeps `process` independent of how the stream is cut: decisions are taken only at the hops of
the tone meter, every 80 samples from `start` on, and the samples between two hops are sent in one and the
same state.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from ansam.dsp.fsk import FskChannel, FskReceiver, FskSender
from ansam.dsp.goertzel import HOP, ToneMeter, ToneWatch
from ansam.modulation.base import (
    BitSource,
    CarrierDetected,
    CarrierLost,
    ModulationEvent,
    ModulationOptions,
    ModulationSpec,
    PhaseEntered,
    Ready,
    Role,
    SignalReport,
)
from ansam.trace import Sink, null_sink
from ansam.units import SAMPLE_RATE, Audio, Bits, Samples, rms_from_dbm0, samples

MARK_HOPS = 15
"""Hops (150 ms) of steady mark before the far end counts as seen; noise never holds a tone for 100 ms."""

STEADY = 0.995
"""Coherence of the mark from which on its frequency is worth reporting: the line idles."""

CLEAR_TO_SEND = samples(0.4)
"""From circuit 109's delay at the far end (S9, taken to be ours) to circuit 106. Unclear: V.21's own delay of
106 on switched lines is 400 … 1000 ms as far as is known; the Recommendation is not at hand."""

ON_DBM0, OFF_DBM0 = -44.0, -48.0
"""Circuit 109: ON above -43 dBm (with 1 dB for the meter), OFF below -48 dBm."""

ON_QUALITY, OFF_QUALITY = 0.72, 0.65
"""Circuit 109: the share of the band's power that must be the two tones. Noise has 0.50 ± 0.05; a signal at
an error rate of 1e-2 has 0.87."""

CLAMP_HOPS = 3
"""Hops without signal before circuit 104 is clamped to binary 1."""

MAX_BITS = 8192
"""Received bits kept for `take_bits`; beyond it the newest are dropped, since nobody is listening."""


@dataclass(frozen=True, slots=True)
class FskPlan:
    """A modulation as a table.

    Attributes:
        spec: For the registry.
        channels: What each role sends.
        mark_tolerance_hz: How far the far mark may lie from nominal.
        source: What trace events and phases cite.
    """

    spec: ModulationSpec
    channels: dict[Role, FskChannel]
    mark_tolerance_hz: float
    source: str


class Phase(Enum):
    """Where a call stands."""

    IDLE = "not started"
    LISTENING = "silent, listening for the far mark"
    MARK = "sending binary 1"
    DATA = "data"
    DOWN = "cleared down"


class FskModem:
    """One frequency-shift modem in one role for one call (see `Modulation`).

    Args:
        plan: Which one.
        role: Calling: silent until the far mark is heard. Answering: sends mark from `start` on.
        options: Level, S9 and S10 are used.
        bits: User bits to send, pulled from `Ready` on.
        trace: Takes the phases.
    """

    def __init__(
        self,
        plan: FskPlan,
        role: Role,
        options: ModulationOptions,
        bits: BitSource,
        trace: Sink = null_sink,
    ) -> None:
        self.spec = plan.spec
        self._plan, self._role, self._options, self._bits, self._trace = plan, role, options, bits, trace
        self._sender = FskSender(plan.channels[role], rms_from_dbm0(options.tx_level_dbm0))
        far = plan.channels[role.other]
        self._receiver = FskReceiver(far)
        self._meter = ToneMeter([far.mark_hz])
        self._mark = ToneWatch(self._meter, 0, plan.mark_tolerance_hz, ON_DBM0)
        self._phase = Phase.IDLE
        self._far_end_seen = False
        self._mark_heard = 0
        self._circuit_109 = False
        self._lost = False
        self._heard_for: Samples = 0
        self._missing_for: Samples = 0
        self._sent_for: Samples = 0
        self._mark_offset_hz: float | None = None
        self._held: list[Bits] = []
        self._held_count = 0
        self._events: list[ModulationEvent] = []

    @property
    def far_end_seen(self) -> bool:
        """Whether the far mark has been heard steadily enough to be certain of it."""
        return self._far_end_seen

    def start(self, now: Samples) -> None:
        """Begin: the answering modem with its mark, the calling one with silence."""
        self.listen(now)
        if self._role is Role.ANSWERING:
            self.speak(now)

    def listen(self, now: Samples) -> None:
        """Only listen, in either role, until `speak` or until circuit 109 goes ON."""
        self._enter(Phase.LISTENING, now)
        self._sent_for = 0

    def speak(self, now: Samples) -> None:
        """Send mark without waiting for the far one.

        A calling modem that has no other modulation does so when the answer tone has ended (V.25 (10/96) §5).
        """
        if self._phase is Phase.LISTENING:
            self._enter(Phase.MARK, now)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Take received samples and return as many to send (see `Modulation.process`)."""
        rx = np.ascontiguousarray(rx, np.float32)
        tx = np.zeros(len(rx), np.float32)
        at = 0
        while at < len(rx):
            piece = rx[at : at + self._meter.room()]
            tx[at : at + len(piece)] = self._send(len(piece))
            self._keep(self._receiver.receive(piece, erased))
            at += len(piece)
            if self._meter.feed(piece, erased):
                self._decide(now + at)
        return tx

    def _send(self, count: int) -> Audio:
        if self._phase is Phase.DATA:
            return self._sender.send(self._bits.pull(self._sender.bits_wanted(count)), count)
        if self._phase is Phase.MARK:
            return self._sender.send(np.ones(self._sender.bits_wanted(count), np.uint8), count)
        return np.zeros(count, np.float32)

    def _keep(self, bits: Bits) -> None:
        """Keep what the terminal will get: nothing before circuit 109, marks while the signal is away."""
        if not self._circuit_109 or self._lost:
            return
        if self._missing_for >= CLAMP_HOPS * HOP:
            bits = np.ones_like(bits)
        bits = bits[: MAX_BITS - self._held_count]
        self._held.append(bits)
        self._held_count += len(bits)

    def _decide(self, now: Samples) -> None:
        """Everything that is decided once per hop."""
        self._mark.update()
        if not self._mark.hops:
            self._mark_heard = 0
        elif not self._meter.frozen:
            self._mark_heard += 1  # a lost packet proves no mark: what it hides may be V.8's CM
        if self._mark_heard >= MARK_HOPS:
            self._far_end_seen = True
        if self._mark.hops and self._meter.coherence[0] >= STEADY:
            self._mark_offset_hz = float(self._meter.offset_hz[0])
        if not self._meter.frozen:
            if self._circuit_109:
                self._watch_carrier()
            else:
                self._await_carrier()
        if self._phase is Phase.LISTENING and self._circuit_109:
            self._enter(Phase.MARK, now)
        elif self._phase is Phase.MARK:
            self._sent_for += HOP
            if self._circuit_109 and self._sent_for >= self._options.carrier_detect + CLEAR_TO_SEND:
                self._enter(Phase.DATA, now)

    def _await_carrier(self) -> None:
        """Circuit 109 OFF: it goes ON when the far end has been heard for S9, beginning with its mark."""
        signal = (
            self._far_end_seen
            and self._receiver.quality >= ON_QUALITY
            and self._receiver.level_dbm0 >= ON_DBM0
        )
        self._heard_for = self._heard_for + HOP if self._mark.hops or signal else 0
        if self._far_end_seen and self._heard_for >= self._options.carrier_detect:
            self._circuit_109 = True
            self._events.append(CarrierDetected(self.spec.name))

    def _watch_carrier(self) -> None:
        """Circuit 109 ON: the signal may be away for S10."""
        if self._receiver.quality >= OFF_QUALITY and self._receiver.level_dbm0 >= OFF_DBM0:
            self._missing_for = 0
            return
        self._missing_for += HOP
        if self._missing_for >= self._options.carrier_loss and not self._lost:
            self._lost = True
            missing = self._missing_for * 1000 // SAMPLE_RATE
            self._events.append(
                CarrierLost(
                    f"{self.spec.name}, {self._phase.value}: no signal for {missing} ms (S10)",
                    self._plan.source,
                )
            )

    def _enter(self, phase: Phase, now: Samples) -> None:
        self._phase = phase
        self._trace(now, f"modulation.{self.spec.name}", "phase", phase=phase.value)
        if phase is Phase.MARK:
            self._events.append(PhaseEntered("binary 1", self._plan.source))
        elif phase is Phase.DATA:
            rate = self.spec.data_rates[0]
            self._events.append(Ready(self.spec.name, rate, rate))

    def take_bits(self) -> Bits:
        """Return the user bits received since the last call; none before `Ready`."""
        if self._phase is not Phase.DATA or not self._held:
            return np.zeros(0, np.uint8)
        bits = np.concatenate(self._held)
        self._held.clear()
        self._held_count = 0
        return bits

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call, in order."""
        events, self._events = self._events, []
        return events

    def retrain(self, now: Samples) -> None:
        """Nothing to train."""

    def clear_down(self, now: Samples) -> None:
        """Stop sending."""
        self._enter(Phase.DOWN, now)

    def report(self) -> SignalReport:
        """Return what the receiver knows about the line now."""
        near, far = self._plan.channels[self._role], self._plan.channels[self._role.other]
        return SignalReport(
            rx_level_dbm0=self._receiver.level_dbm0 if self._circuit_109 else None,
            tx_level_dbm0=self._options.tx_level_dbm0,
            carrier_offset_hz=self._mark_offset_hz,
            symbol_rate=self.spec.symbol_rates[0],
            carriers_hz=(far.centre_hz, near.centre_hz),
        )


V21_PLAN = FskPlan(
    spec=ModulationSpec(
        name="V.21",
        recommendation="V.21 (11/88)",
        ms_name="V21",
        data_rates=(300,),
        symbol_rates=(300.0,),
        carriers_hz={Role.CALLING: 1080.0, Role.ANSWERING: 1750.0},
        start_stop=True,
    ),
    channels={
        Role.CALLING: FskChannel(mark_hz=980, space_hz=1180, bit_rate=300),
        Role.ANSWERING: FskChannel(mark_hz=1650, space_hz=1850, bit_rate=300),
    },
    # The senders' ±6 Hz and the line's ±7 Hz (V.21), with room for the meter's error in noise.
    mark_tolerance_hz=20,
    source="V.21 (11/88)",
)

V21_SPEC = V21_PLAN.spec


class V21(FskModem):
    """V.21 in one role for one call; arguments as `ModulationFactory`."""

    def __init__(
        self, role: Role, options: ModulationOptions, bits: BitSource, trace: Sink = null_sink
    ) -> None:
        super().__init__(V21_PLAN, role, options, bits, trace)
