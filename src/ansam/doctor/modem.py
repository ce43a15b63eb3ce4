"""A call between modems: our ordinary one connects, holds for a while, hangs up; and what it saw.

While nobody has answered the modem keeps silent (V.8 (11/2000) §8.1.1 without CI), so that it can listen from
the first sample on while the doctor still finds out who is there.
"""

from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from ansam.call.modem_party import off_hook
from ansam.dce.dce import Connected, Dce, Ended
from ansam.dce.progress import EndCall
from ansam.modulation.base import SignalReport
from ansam.path import Finding, ModemFacts
from ansam.trace import Sink, null_sink
from ansam.units import SAMPLE_RATE, Audio, Samples, samples

DIAL = b"ATX4&N0S7=60DT0\r"
ANSWER = b"ATX4&N0S7=45A\r"
LOOK: Samples = SAMPLE_RATE
"""Between two looks at the receiver."""
GOODBYE: Samples = samples(4.0)


class Stage(Enum):
    """How far the call is."""

    TRAINING = "training"
    HOLDING = "connected"
    LEAVING = "hanging up"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ModemFindings:
    """What the modem saw.

    Attributes:
        connect: Text of the CONNECT; "" without one.
        modulation: Name in the registry; "" without a connection.
        reason: How the call ended.
        connect_seconds: From the talking path to CONNECT; None without one.
        held_seconds: From CONNECT to the hang-up.
        rates: (receive, transmit) at the end, bit/s.
        first_rates: The same at CONNECT.
        report: What the receiver knew at the end, its SNR being the median of the connection.
        retrains: By either end.
        renegotiations: By either end.
        frames_resent: Of V.42.
        findings: What was done to the received audio.
    """

    connect: str = ""
    modulation: str = ""
    reason: str = ""
    connect_seconds: float | None = None
    held_seconds: float = 0.0
    rates: tuple[int, int] = (0, 0)
    first_rates: tuple[int, int] = (0, 0)
    report: SignalReport = field(default_factory=SignalReport)
    retrains: int = 0
    renegotiations: int = 0
    frames_resent: int = 0
    findings: tuple[Finding, ...] = ()


class ModemTrial:
    """The call.

    Args:
        hold: How long the connection is held, samples.
        trace: Sink of the modem's events.
        answering: We are called.

    Attributes:
        stage: How far it is.
        speaks: Our modem has begun to send: it has recognised something.
    """

    def __init__(self, hold: Samples, trace: Sink = null_sink, answering: bool = False) -> None:
        self.stage = Stage.TRAINING
        self.speaks = False
        self._dce = Dce(trace=trace)
        self._hold = hold
        self._begin = self._now = off_hook(self._dce, ANSWER if answering else DIAL)
        self._connected: Connected | None = None
        self._connected_at: Samples | None = None
        self._left_at: Samples | None = None
        self._first_rates = (0, 0)
        self._next_look: Samples = self._now
        self._snr: list[float] = []
        self._report = SignalReport()
        self._reason = ""

    def process(self, rx: Audio, erased: bool = False) -> Audio:
        """Take samples and return as many to send, shape (n,)."""
        if self.stage is Stage.OVER:
            return np.zeros(len(rx), np.float32)
        tx = self._dce.process(rx, self._now, erased)
        self._now += len(rx)
        self.speaks |= bool(np.any(tx))
        self._dce.take_dte()
        self._look()
        self._follow()
        return tx

    @property
    def held(self) -> Samples:
        """How long the connection has been held, or was."""
        if self._connected_at is None:
            return 0
        return (self._now if self._left_at is None else self._left_at) - self._connected_at

    @property
    def unsent(self) -> int:
        """Octets said that have not reached the far end."""
        return self._dce.pending

    def say(self, data: bytes) -> int:
        """Send octets to the far end; return how many were taken."""
        return self._dce.receive_dte(data, self._now) if self.stage is Stage.HOLDING else 0

    def leave(self) -> None:
        """Hang up before the time is over."""
        if self.stage is Stage.HOLDING:
            self.stage, self._left_at = Stage.LEAVING, self._now
            self._dce.set_dtr(False, self._now)

    def facts(self) -> ModemFacts:
        """Return what helps to judge the audio."""
        carriers = self._report.carriers_hz
        return ModemFacts(
            data_mode=self.stage is Stage.HOLDING,
            modulation=self._connected.modulation if self._connected else "",
            symbol_rate=self._report.symbol_rate,
            carrier_hz=carriers[0] if carriers else None,
            snr_db=self._report.snr_db,
            retrains=self._dce.retrains,
        )

    def far_end_hung_up(self) -> None:
        """The far end ended the call."""
        self._dce.far_end_hung_up(self._now)
        self._follow()
        self._over(self._dce.disconnect_reason)

    def _look(self) -> None:
        """Ask the receiver what it knows, once a second and at CONNECT."""
        if self._now < self._next_look or self.stage not in (Stage.TRAINING, Stage.HOLDING):
            return
        self._next_look = self._now + LOOK
        report = self._dce.report()
        if report is None:
            return
        self._report = report
        if self.stage is Stage.HOLDING and report.snr_db is not None:
            self._snr.append(report.snr_db)

    def _follow(self) -> None:
        for event in self._dce.take_events():
            match event:
                case Connected():
                    self._connected, self._connected_at = event, self._now
                    self._first_rates = (self._dce.call.rx_rate, self._dce.call.tx_rate)
                    self.stage, self._next_look = Stage.HOLDING, self._now
                case Ended(reason):
                    self._over(reason)
                case _:
                    pass
        over = any(isinstance(action, EndCall) for action in self._dce.take_actions())
        if self.held >= self._hold:
            self.leave()
        late = self._left_at is not None and self._now >= self._left_at + GOODBYE
        if self.stage is not Stage.OVER and (over or late):
            self._over(self._dce.disconnect_reason)

    def _over(self, reason: str) -> None:
        if self.stage is Stage.OVER:
            return
        if self.stage is Stage.HOLDING:
            self._left_at = self._now
        self.stage, self._reason = Stage.OVER, reason

    def findings(self, seen: tuple[Finding, ...] = ()) -> ModemFindings:
        """Return what was seen.

        Args:
            seen: What was done to the audio.
        """
        call, report = self._dce.call, self._report
        if self._snr:
            report = replace(report, snr_db=float(np.median(self._snr)))
        connected = self._connected
        if connected is None or self._connected_at is None:
            return ModemFindings(reason=self._reason, report=report, findings=seen)
        left = self._now if self._left_at is None else self._left_at
        return ModemFindings(
            connect=connected.text,
            modulation=connected.modulation,
            reason=self._reason,
            connect_seconds=(self._connected_at - self._begin) / SAMPLE_RATE,
            held_seconds=(left - self._connected_at) / SAMPLE_RATE,
            rates=(call.rx_rate, call.tx_rate),
            first_rates=self._first_rates,
            report=report,
            retrains=self._dce.retrains,
            renegotiations=call.renegotiations,
            frames_resent=self._dce.frames_resent,
            findings=seen,
        )
