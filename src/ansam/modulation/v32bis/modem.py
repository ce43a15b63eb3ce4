"""V.32bis and V.32 as modulations: lock-step full duplex over `modulation.base`.

::

    rx ─ echo canceller ─ receiver ─ bits
             ↑                 │ heard
    tx ──────┴── transmitter ◄─┴─ procedure

A call of `process` is cut at the grid of the procedure's decisions, counted from the first sample, so that
nothing depends on how the stream was cut.
"""

import numpy as np

from ansam.dsp.echo import EchoCanceller
from ansam.modulation.base import (
    BitSource,
    ModulationEvent,
    ModulationOptions,
    ModulationSpec,
    Role,
    SignalReport,
)
from ansam.modulation.telemetry import EchoPath, ReceiverState, Telemetry
from ansam.modulation.v32bis.constants import BAUD, CARRIER_HZ, V32_SPEC, V32BIS_SPEC
from ansam.modulation.v32bis.procedure import Procedure
from ansam.modulation.v32bis.receiver import Receiver
from ansam.modulation.v32bis.steps import State
from ansam.modulation.v32bis.transmitter import Transmitter
from ansam.trace import Sink, null_sink
from ansam.units import Audio, Bits, Samples

MAX_BITS = 65536
"""Received bits kept for `take_bits`; beyond it the newest are dropped, since nobody is listening."""


class V32bis:
    """One V.32bis modem in one role for one call.

    Args:
        role: Calling: begins with AA; answering: with AC, so `start` it after the answer tone.
        options: Rates, level, S10.
        bits: User bits to send, pulled from `Ready` on.
        trace: Takes the phases.
    """

    spec: ModulationSpec = V32BIS_SPEC

    def __init__(
        self, role: Role, options: ModulationOptions, bits: BitSource, trace: Sink = null_sink
    ) -> None:
        self._options = options
        self._tx = Transmitter(role, options.tx_level_dbm0, bits)
        self._rx = Receiver(role)
        self._echo = EchoCanceller()
        self._procedure = Procedure(self.spec, role, options, self._tx, self._rx, self._echo, trace)
        self._telemetry = Telemetry(trace, f"modulation.v32bis.{role.value}")
        self._clock: Samples = 0
        self._bits: list[Bits] = []
        self._size = 0

    @property
    def far_end_seen(self) -> bool:
        """Whether the far end's AC (calling) or AA (answering) was heard for long enough to be certain."""
        return self._procedure.far_end_seen

    def start(self, now: Samples) -> None:
        """Begin start-up (see `Modulation.start`)."""
        self.listen(now)
        self.speak(now)

    def listen(self, now: Samples) -> None:
        """Hear without being heard (see `SilentStart.listen`)."""
        self._procedure.listen(self._clock)

    def speak(self, now: Samples) -> None:
        """Send AA or AC from now on (see `SilentStart.speak`)."""
        self._procedure.speak(self._clock)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Take received samples and return as many to send (see `Modulation.process`)."""
        rx = np.ascontiguousarray(rx, np.float32)
        out = np.zeros(rx.size, np.float32)
        done = 0
        while done < rx.size:
            grid = self._procedure.grid
            size = min(rx.size - done, grid - self._clock % grid)
            piece = self._echo.cancel(rx[done : done + size], erased)
            self._keep(self._rx.process(piece, erased))
            sent = out[done : done + size]
            self._tx.process(sent)
            self._echo.sent(sent)
            done += size
            self._clock += size
            if self._clock % grid == 0:
                self._procedure.decide(self._clock)
        if self._procedure.state is State.DATA:
            self._telemetry.update(now + rx.size, self._state)
        else:
            self._telemetry.pause()
        return out

    def _keep(self, bits: Bits) -> None:
        bits = bits[: MAX_BITS - self._size]
        if bits.size:
            self._bits.append(bits)
            self._size += bits.size

    def take_bits(self) -> Bits:
        """Return the user bits received since the last call; none before `Ready`."""
        if not self._procedure.ready or not self._bits:
            return np.zeros(0, np.uint8)
        out = np.concatenate(self._bits)
        self._bits.clear()
        self._size = 0
        return out

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call, in order."""
        return self._procedure.take_events()

    def retrain(self, now: Samples) -> None:
        """Ask for a retrain (V.32bis (02/91) §7)."""
        self._procedure.retrain(self._clock)

    def clear_down(self, now: Samples) -> None:
        """Stop sending."""
        self._procedure.clear_down(self._clock)

    def _state(self) -> ReceiverState:
        return ReceiverState(
            equaliser=self._rx.equaliser,
            mse=self._rx.mse,
            timing_ppm=self._rx.timing_offset_ppm,
            carrier_hz=self._rx.carrier_offset_hz,
            echo=tuple(
                EchoPath(path.start, path.taps, -path.level_db, path.offset_hz)
                for path in sorted(self._echo.report.paths, key=lambda path: path.delay)
                if not path.lost
            ),
        )

    def report(self) -> SignalReport:
        """Return what the receiver knows about the line now."""
        procedure, rx = self._procedure, self._rx
        trained = rx.fit is not None
        echo = self._echo.report
        coding = procedure.coding
        code = "8S-2D" if coding.trellis else "NONE"
        return SignalReport(
            rx_level_dbm0=rx.level_dbm0,
            tx_level_dbm0=self._options.tx_level_dbm0,
            snr_db=rx.snr_db,
            carrier_offset_hz=rx.carrier_offset_hz if trained else None,
            timing_offset_ppm=rx.timing_offset_ppm if trained else None,
            round_trip=None if procedure.round_trip is None else round(procedure.round_trip),
            symbol_rate=float(BAUD),
            tx_symbol_rate=float(BAUD),
            carriers_hz=(CARRIER_HZ, CARRIER_HZ),
            rates=(coding.rate, coding.rate) if procedure.ready else None,
            trellis=(code, code) if procedure.ready else None,
            near_echo_loss_db=_loss(echo.near_db),
            far_echo_loss_db=_loss(echo.far_db),
            retrains_requested=procedure.retrains[0],
            retrains_granted=procedure.retrains[1],
            constellation=rx.constellation(),
        )


def _loss(level_db: float | None) -> float | None:
    return None if level_db is None else -level_db


class V32(V32bis):
    """V.32: the same modem at 4800 and 9600 bit/s, with and without a trellis."""

    spec = V32_SPEC
