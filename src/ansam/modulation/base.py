"""The interface every modulation has, and its events.

A modulation is a full-duplex signal converter in lock step: `process` takes the samples that arrived and
returns as many to send. It knows neither wall clock nor packets; `now` is the sample clock of the call.
Bits to send come from a `BitSource` (a link protocol) that never blocks; received bits are drained by
`take_bits`, and everything else that happened by `take_events`. Status never rides in the bit stream.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, runtime_checkable

import numpy as np

from ansam.trace import Sink, null_sink
from ansam.units import Audio, Bits, Samples


class Role(Enum):
    """Who placed the call. Never "master" or "client": V.22bis channel 1 belongs to the calling modem."""

    CALLING = "calling"
    ANSWERING = "answering"

    @property
    def other(self) -> "Role":
        """The far end's role."""
        return Role.ANSWERING if self is Role.CALLING else Role.CALLING


class Opening(Enum):
    """How a modulation's own start-up begins, seen from automode."""

    ANSWERING = "the answering modem's signal, which a caller waits for (unscrambled ones, a mark)"
    CALLING = "the caller's signal, sent into the answer tone once that has lasted 1 s (AA of V.32bis)"
    V8 = "there is none: only V.8 leads to it (V.34)"


class BitSource(Protocol):
    """Where a transmitter gets its bits: a link protocol, which fills with marks or flags of its own."""

    def pull(self, count: int) -> Bits:
        """Return exactly `count` bits, at once."""


class Marks:
    """The bit source of a modem with nothing to say: binary 1 without end."""

    def pull(self, count: int) -> Bits:
        """Return `count` ones."""
        return np.ones(count, np.uint8)


@dataclass(frozen=True, slots=True)
class ModulationSpec:
    """What a modulation is, for the registry, AT commands and result codes.

    Attributes:
        name: As people say it, ``V.22bis``.
        recommendation: With edition, ``V.22bis (11/88)``; ``Bell 103`` has none.
        ms_name: The name `+MS` uses, ``V22B`` (V.250).
        connect_name: What result codes show between the rate and the link protocol (``V32``, ``V34``), or "".
        data_rates: In bit/s, rising. The same both ways for all specs so far.
        symbol_rates: In baud, one per data rate.
        carriers_hz: Nominal carrier (or FSK centre) sent per role.
        start_stop: True where characters cross the line with their own timing (FSK), so that the link must
            not delete stop bits (V.14 has no place there).
        opening: Who begins; automode puts candidates on the line by it.
        least_ceiling: Lowest `max_rate` with which it is offered, bit/s.
    """

    name: str
    recommendation: str
    ms_name: str
    data_rates: tuple[int, ...]
    symbol_rates: tuple[float, ...]
    carriers_hz: dict[Role, float]
    connect_name: str = ""
    start_stop: bool = False
    opening: Opening = Opening.ANSWERING
    least_ceiling: int = 0

    def suits(self, options: "ModulationOptions") -> bool:
        """Return whether there is a data rate in the window, and the ceiling is not below what is needed."""
        high_enough = not options.max_rate or options.max_rate >= self.least_ceiling
        return high_enough and any(map(options.allows, self.data_rates))


V34_SYMBOL_RATES = (2400, 2743, 2800, 3000, 3200, 3429)
"""Nominal symbol rates of V.34 (10/96) Table 1, baud."""


@dataclass(frozen=True, slots=True)
class ModulationOptions:
    """Settings from AT commands and S-registers, fixed for the duration of one call.

    Attributes:
        min_rate: Lowest data rate to accept, bit/s (0: no floor).
        max_rate: Highest data rate to use, bit/s (0: no ceiling).
        tx_level_dbm0: Mean level sent. V.2 limits data to -13 dBm0 mean on switched circuits.
        guard_tone_hz: 0, 550 or 1800; sent by an answering V.22/V.22bis modem (&G).
        carrier_detect: Carrier must be there this long before circuit 109 goes ON (S9), samples.
        carrier_loss: Carrier must be gone this long before `CarrierLost` (S10), samples.
        bell: Answer with 2225 Hz and prefer Bell 103 and 212A over V.21 and V.22 (B1).
        answer_tone: False leaves out the 2100 Hz tone (S27 bit 3).
        v8: Negotiate by V.8 where the far end speaks it.
        v8_ci: A calling modem sends V.8's call indicator while it waits.
        lapm: Error control is on: V.8 offers LAPM.
        fallback: The rate may change after the first `Ready` (False: S15 bit 1): neither we nor our answers
            to the far end move it. Retrains at the same rate take place.
        renegotiation: We may begin a rate renegotiation (False: S13 bit 6, "no quick retrain"); the far
            end's is always answered.
        ac_time: How long an answering modem without V.8 offers AC of V.32 to a caller that has sent no AA,
            samples (S28, 3 s at least); 0: not at all.
        trellis: V.32 at 9600 bit/s may be trellis coded (False: S27 bit 1 or S55 bit 0; V.32bis is then not
            allowed at all, since it is all trellis).
        v34_symbol_rates: V.34 symbol rates that may be used, either way (S54 bits 0 to 5), nominal baud.
        v34_trellis_states: States of the trellis codes that V.34's receiver may ask for (S55 bits 1 to 3).
        v34_nonlinear: V.34's receiver may ask for non-linear encoding (S56 bit 0).
        v34_level_deviation: V.34 may reduce its level as the far end asks (S56 bit 1); False also asks for
            no reduction.
        v34_preemphasis: V.34's receiver may ask for pre-emphasis (S56 bit 2).
        v34_precoding: V.34's receiver may ask for precoding (S56 bit 3).
        v34_shaping: V.34's receiver may ask for the expanded constellation (S56 bit 4).
    """

    min_rate: int = 0
    max_rate: int = 0
    tx_level_dbm0: float = -13.0
    guard_tone_hz: int = 0
    carrier_detect: Samples = 4800
    carrier_loss: Samples = 5600
    bell: bool = False
    answer_tone: bool = True
    v8: bool = True
    v8_ci: bool = False
    lapm: bool = True
    fallback: bool = True
    renegotiation: bool = True
    ac_time: Samples = 24000
    trellis: bool = True
    v34_symbol_rates: tuple[int, ...] = V34_SYMBOL_RATES
    v34_trellis_states: tuple[int, ...] = (16, 32, 64)
    v34_nonlinear: bool = True
    v34_level_deviation: bool = True
    v34_preemphasis: bool = True
    v34_precoding: bool = True
    v34_shaping: bool = True

    def allows(self, rate: int) -> bool:
        """Return whether a data rate lies in the window [min_rate, max_rate]."""
        return self.min_rate <= rate <= (self.max_rate or rate)


@dataclass(frozen=True, slots=True)
class CarrierDetected:
    """The far modem's signal is there and is that of this modulation."""

    modulation: str


@dataclass(frozen=True, slots=True)
class PhaseEntered:
    """A step of the start-up procedure began.

    Attributes:
        name: As the Recommendation names the signal or phase (``S1``, ``scrambled ones``).
        clause: Where it stands.
    """

    name: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """Start-up (or a retrain) is over: user bits flow both ways from the next bit on.

    Attributes:
        modulation: Name in the registry.
        tx_rate: Bit/s we send.
        rx_rate: Bit/s we receive.
    """

    modulation: str
    tx_rate: int
    rx_rate: int


@dataclass(frozen=True, slots=True)
class Retraining:
    """A retrain began; user bits stop until the next `Ready`.

    Attributes:
        by_us: True where this end asked for it.
    """

    by_us: bool


@dataclass(frozen=True, slots=True)
class Renegotiating:
    """A rate renegotiation began; user bits stop until the next `Ready`, which comes also at unchanged rates.

    Where it turns into a retrain, `Retraining` follows first.

    Attributes:
        by_us: True where this end asked for it.
    """

    by_us: bool


@dataclass(frozen=True, slots=True)
class StepMissed:
    """A step did not get what it waits for, and the procedure recovers: it repeats, retrains or begins again.

    Attributes:
        reason: Which step missed what, or what made a retrain necessary.
        clause: Where it stands.
    """

    reason: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class CarrierLost:
    """The far signal has been gone for longer than S10 allows (or the far end cleared down).

    Attributes:
        reason: Which step missed what.
        clause: Where it stands.
    """

    reason: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Start-up can not succeed any more.

    Attributes:
        reason: Which step missed what.
        clause: Where it stands.
    """

    reason: str
    clause: str = ""


ModulationEvent = (
    CarrierDetected | PhaseEntered | Ready | Retraining | Renegotiating | StepMissed | CarrierLost | Failed
)


@dataclass(slots=True)
class SignalReport:
    """What a running modem knows about the line; a field it can not know is None.

    A pair is (receive, transmit): what the far end sends, what we send.
    """

    rx_level_dbm0: float | None = None
    tx_level_dbm0: float | None = None
    snr_db: float | None = None
    carrier_offset_hz: float | None = None
    timing_offset_ppm: float | None = None
    round_trip: Samples | None = None
    symbol_rate: float | None = None
    """Of what is received, baud."""
    tx_symbol_rate: float | None = None
    """Of what is sent, where it may be another one (V.34)."""
    carriers_hz: tuple[float, float] | None = None
    rates: tuple[int, int] | None = None
    """Data rates in force, bit/s."""
    trellis: tuple[str, str] | None = None
    """Codes in force, as US Robotics writes them: ``8S-2D``, ``16S-4D``, ``32S-4D``, ``64S-4D``, ``NONE``."""
    nonlinear: tuple[bool, bool] | None = None
    precoding: tuple[bool, bool] | None = None
    shaping: tuple[bool, bool] | None = None
    """Expanded constellation in V.34's shell mapping."""
    preemphasis_db: tuple[float, float] | None = None
    near_echo_loss_db: float | None = None
    """What is sent by its near echo as received, both at the line."""
    far_echo_loss_db: float | None = None
    frequency_response: list[tuple[float, float]] = field(default_factory=list)
    """What line probing found: (hertz, decibels against the strongest), by rising frequency."""
    retrains_requested: int = 0
    retrains_granted: int = 0
    constellation: list[complex] = field(default_factory=list)
    """The last received points after equalisation, decision scale, newest last."""


class Modulation(Protocol):
    """One modulation in one role for one call."""

    @property
    def spec(self) -> ModulationSpec:
        """What this modulation is."""

    @property
    def far_end_seen(self) -> bool:
        """Whether the far end is certain to have this modulation (automode chooses by it)."""

    def start(self, now: Samples) -> None:
        """Begin start-up; the line is off hook and a talking path exists."""

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Take the next received samples and return as many to send.

        Args:
            rx: Shape (n,), any n; results do not depend on how the stream is cut.
            now: Instant of the first sample of `rx`; the calls are gapless.
            erased: These samples never arrived (their values mean nothing): freeze loops, mark decisions.

        Returns:
            Shape (n,) float32, for the same instants.
        """

    def take_bits(self) -> Bits:
        """Return the user bits received since the last call (only after `Ready`)."""

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call, in order."""

    def retrain(self, now: Samples) -> None:
        """Ask the far end for a retrain, where the modulation has one; otherwise nothing."""

    def clear_down(self, now: Samples) -> None:
        """Stop sending."""

    def report(self) -> SignalReport:
        """Return what the receiver knows about the line now."""


@runtime_checkable
class SilentStart(Protocol):
    """What a modulation has beside `Modulation` where automode must be able to keep it silent.

    V.21 and Bell 103 have it, and every one whose `Opening` is `CALLING`. `start` is then `listen`, and
    `speak` where a modem of the role begins without having heard anything.
    """

    def listen(self, now: Samples) -> None:
        """Begin to hear without being heard; `far_end_seen` tells when the far end is certain.

        V.32bis awaits AC as calling, AA as answering modem. The latter sends nothing and takes no step of its
        procedure before `speak`; a calling modem may begin by itself once the far end has been seen.
        """

    def speak(self, now: Samples) -> None:
        """Send from now on what the Recommendation begins with: AA, AC, binary 1; again does nothing.

        V.32bis goes on with it until the far end answers, however long that takes.
        """


class ModulationFactory(Protocol):
    """How the registry makes a modulation."""

    def __call__(
        self, role: Role, options: ModulationOptions, bits: BitSource, trace: Sink = null_sink
    ) -> Modulation:
        """Return a fresh modulation that has not been started."""
