"""What a simulated circuit does to a call, in the units people use for it.

All values are checked here, once, so that a wrong one is named before anything runs.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from ansam.codec import Law
from ansam.errors import ConfigError
from ansam.line.meddle import Meddling

NOMINAL_DBM0 = -13.0
"""Level modems send (V.2 (11/88) §2: at most -13 dBm0 mean on switched circuits)."""

MAX_MS = 5000.0
"""Longest delay, jitter or playout: bounds the packets in flight."""

MAX_SKEW_PPM = 5000.0


class End(Enum):
    """One end of a circuit."""

    CALLING = "calling"
    ANSWERING = "answering"

    @property
    def other(self) -> "End":
        """The end across."""
        return End.ANSWERING if self is End.CALLING else End.CALLING


def _check(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ConfigError(f"{name} of {value:g}{unit}", f"choose {low:g} to {high:g}{unit}")


@dataclass(frozen=True, slots=True)
class PathParameters:
    """One direction of a circuit.

    Attributes:
        law: Coding of the packets' samples.
        snr_db: White Gaussian noise over 0–4 kHz, its power this far below that of a signal of
            `signal_dbm0`. It is added before `gain_db`, so a receiver has this ratio whatever the gain.
            None: no noise (that of the law remains).
        signal_dbm0: Level `snr_db` refers to: the nominal one, not measured, so that noise does not come
            and go with the signal.
        gain_db: Level at the far end against that sent.
        offset_hz: Every frequency rises by this, as in an analogue carrier system.
        delay_ms: One way, of the network alone; `playout_ms` and the wait for the sink's next 20 ms frame
            come on top.
        loss: Fraction of packets that never arrive.
        loss_burst: Losses come this many packets in a row.
        jitter_ms: Each packet is late by its own amount, even between 0 and this.
        playout_ms: Fixed playout delay: a packet later than this is an erasure.
        meddling: What gateways do to the coded audio on the way, in order; each codes it anew.
    """

    law: Law = Law.ALAW
    snr_db: float | None = None
    signal_dbm0: float = NOMINAL_DBM0
    gain_db: float = 0.0
    offset_hz: float = 0.0
    delay_ms: float = 20.0
    loss: float = 0.0
    loss_burst: int = 1
    jitter_ms: float = 0.0
    playout_ms: float = 60.0
    meddling: tuple[Meddling, ...] = ()

    def __post_init__(self) -> None:
        if self.snr_db is not None:
            _check("snr", self.snr_db, -40, 120, " dB")
        _check("gain", self.gain_db, -80, 40, " dB")
        _check("offset", self.offset_hz, -200, 200, " Hz")
        _check("delay", self.delay_ms, 0, MAX_MS, " ms")
        _check("loss", self.loss, 0, 1, "")
        _check("loss-burst", self.loss_burst, 1, 1000, " packets")
        _check("jitter", self.jitter_ms, 0, MAX_MS, " ms")
        _check("playout", self.playout_ms, 0, MAX_MS, " ms")


@dataclass(frozen=True, slots=True)
class Echo:
    """What an end hears of its own signal.

    Attributes:
        level_db: Level heard against that sent, 0 or less.
        delay_ms: From sending to hearing. What is sent in a frame can be heard in the next one at the
            earliest, so anything below 20 ms counts as 20 ms.
        offset_hz: Shift on the way there and back, for the echo of a far hybrid.
    """

    level_db: float
    delay_ms: float = 20.0
    offset_hz: float = 0.0

    def __post_init__(self) -> None:
        _check("echo", self.level_db, -100, 0, " dB")
        _check("echo-delay", self.delay_ms, 0, 2 * MAX_MS, " ms")
        _check("offset", self.offset_hz, -200, 200, " Hz")


@dataclass(frozen=True, slots=True)
class CircuitParameters:
    """A circuit between two ends.

    Attributes:
        up: From the calling to the answering end.
        down: From the answering to the calling end.
        echoes: What each end hears of itself.
        skew_ppm: How much faster the answering modem's sample clock runs than its adaptor's. The samples
            between them are interpolated, as a real modem's converters do; no packet is lost by it. Each
            direction becomes 24 ms longer.
        adaptor_skew_ppm: How much faster that adaptor's clock runs than the calling end's. Nothing
            interpolates between packets: unless the calling end follows (`Circuit.set_pace`), jitter buffers
            slip now and then.
        box_skew_ppm: How much faster a box in the middle runs that re-clocks the packets; None: there is no
            such box.
    """

    up: PathParameters = field(default_factory=PathParameters)
    down: PathParameters = field(default_factory=PathParameters)
    echoes: Mapping[End, Sequence[Echo]] = field(default_factory=dict)
    skew_ppm: float = 0.0
    adaptor_skew_ppm: float = 0.0
    box_skew_ppm: float | None = None

    def __post_init__(self) -> None:
        _check("skew", self.skew_ppm, -MAX_SKEW_PPM, MAX_SKEW_PPM, " ppm")
        _check("adaptor-skew", self.adaptor_skew_ppm, -MAX_SKEW_PPM, MAX_SKEW_PPM, " ppm")
        if self.box_skew_ppm is not None:
            _check("pbx-skew", self.box_skew_ppm, -MAX_SKEW_PPM, MAX_SKEW_PPM, " ppm")
