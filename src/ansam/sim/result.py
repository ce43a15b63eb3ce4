"""The outcome of a simulated call: the keys of `ansam sim --json`."""

from dataclasses import asdict, dataclass, field
from typing import Generic, TypeVar

from ansam.modulation.base import SignalReport

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BothWays(Generic[T]):
    """A figure per direction.

    Attributes:
        up: From the calling to the answering end.
        down: From the answering to the calling end.
    """

    up: T
    down: T


@dataclass(frozen=True, slots=True)
class Signal:
    """What a receiver knew about the line at the end of the data; None where it cannot know."""

    rx_level_dbm0: float | None = None
    snr_db: float | None = None
    carrier_offset_hz: float | None = None
    timing_offset_ppm: float | None = None

    @classmethod
    def of(cls, report: SignalReport | None) -> "Signal":
        """Return the part of a report that is shown."""
        if report is None:
            return cls()
        values = (getattr(report, name) for name in cls.__dataclass_fields__)
        return cls(*(None if value is None else round(float(value), 3) for value in values))


@dataclass(frozen=True, slots=True)
class SimResult:
    """A call.

    Attributes:
        connected: Both modems gave a CONNECT.
        connect: Result code of the calling modem to the dial command, as its terminal saw it.
        connect_answering: The same of the answering modem; "" where the call was never answered.
        connect_seconds: From the answerer's off-hook to the calling modem's CONNECT; None without one.
        rate_tx: Bit/s the calling modem sends, 0 without a connection.
        rate_rx: Bit/s the calling modem receives.
        modulation: Name in the registry, such as ``V.22bis``.
        error_control: ``NONE`` or ``LAPM``.
        compression: ``NONE``, ``V42BIS`` or ``V44``.
        bytes_sent: Bytes the terminals gave their modems.
        bytes_received: Bytes the terminals got.
        bytes_wrong: Received bytes that are not what was sent there (changed or invented).
        bytes_lost: Sent bytes for which none came.
        throughput_bps: Right bytes · 8 by the time from the first to send to the last to arrive.
        retrains: Retrains asked for by either modem.
        renegotiations: Rate renegotiations asked for by either modem.
        frames_resent: Frames of the error control sent again by either modem.
        slips: Times a jitter buffer dropped or repeated time.
        disconnect_reason: What ended the call, as the modem says that it ended at first; the calling one
            where the calling terminal hung up.
        causes: What led to that, the root first and `disconnect_reason` last: ``at_seconds`` since the dial
            command, ``source``, ``text`` and ``clause``.
        line_seconds: Virtual time from the dial command to both modems on hook.
        talk_seconds: The part of it with the answerer off hook.
        cpu_seconds: Process CPU time for `line_seconds`: both modems, both terminals and the line.
        packets_lost: Fraction of packets that never came.
        packets_late: Fraction that came after their turn.
        signal: What the receivers measured; up is the answering modem's.
        findings: What meddled with the audio (`path.Finding.as_dict`), each with its ``direction``: up or
            down.
        seed: Of this call.
    """

    connected: bool
    connect: str
    connect_answering: str
    connect_seconds: float | None
    rate_tx: int
    rate_rx: int
    modulation: str
    error_control: str
    compression: str
    bytes_sent: BothWays[int]
    bytes_received: BothWays[int]
    bytes_wrong: BothWays[int]
    bytes_lost: BothWays[int]
    throughput_bps: BothWays[float]
    retrains: int
    renegotiations: int
    frames_resent: int
    slips: int
    disconnect_reason: str
    line_seconds: float
    talk_seconds: float
    cpu_seconds: float
    packets_lost: BothWays[float] = field(default_factory=lambda: BothWays(0.0, 0.0))
    packets_late: BothWays[float] = field(default_factory=lambda: BothWays(0.0, 0.0))
    signal: BothWays[Signal] = field(default_factory=lambda: BothWays(Signal(), Signal()))
    findings: list[dict[str, object]] = field(default_factory=list)
    seed: int = 1
    causes: list[dict[str, object]] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """Return the JSON object."""
        return asdict(self)

    @property
    def clean(self) -> bool:
        """Connected, and every byte arrived right."""
        errors = (self.bytes_wrong, self.bytes_lost)
        return self.connected and not any(e.up or e.down for e in errors)
