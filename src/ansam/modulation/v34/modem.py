"""V.34 as a modulation: lock-step full duplex over `modulation.base`.

::

    rx ─┬─ phase 2 ────────────────┐
        └─ echo canceller ─ receiver ─ bits
                 ↑             │ heard
    tx ──────────┴─ phase 2 or transmitter ◄── phases 3, 4, data

Phase 2 begins it, at start-up as at a retrain; then, with the symbol rates it has chosen, a transmitter and a
receiver are made for the rest. A call of `process` is cut at the grid of the procedure's decisions, counted
from the first sample, so that nothing depends on how the stream was cut.
"""

import numpy as np

from ansam.dsp.echo import EchoCanceller
from ansam.modulation.base import (
    BitSource,
    CarrierDetected,
    Failed,
    ModulationEvent,
    ModulationOptions,
    ModulationSpec,
    Opening,
    Role,
    SignalReport,
)
from ansam.modulation.telemetry import EchoPath, ReceiverState, Telemetry
from ansam.modulation.v34.constants import SYMBOL_RATES, TOP_RATE
from ansam.modulation.v34.phase2 import Phase2
from ansam.modulation.v34.phase2_core import Phase2Result
from ansam.modulation.v34.probing import TONES_HZ
from ansam.modulation.v34.procedure import Procedure
from ansam.modulation.v34.receiver import Receiver
from ansam.modulation.v34.training_steps import GRID, State
from ansam.modulation.v34.transmitter import Transmitter
from ansam.trace import Sink, null_sink
from ansam.units import Audio, Bits, Samples

_RATES = tuple(range(2400, TOP_RATE + 1, 2400))
V34_SPEC = ModulationSpec(
    name="V.34",
    recommendation="V.34 (10/96)",
    ms_name="V34",
    data_rates=_RATES,
    symbol_rates=tuple(
        float(min((s for s in SYMBOL_RATES if rate in s.rates), key=lambda s: -s.index).baud)
        for rate in _RATES
    ),
    carriers_hz={role: SYMBOL_RATES[-1].carrier_hz(False) for role in Role},
    connect_name="V34",
    opening=Opening.V8,
    # 2400 bit/s exists at 2400 Bd alone, and INFO0 can not say that nothing else will do (Table 14: 3000 and
    # 3200 Bd are mandatory).
    least_ceiling=4800,
)
MAX_BITS = 131072
"""Received bits kept for `take_bits`; beyond it the newest are dropped, since nobody is listening."""


def _rise_db(index: int) -> float:
    """Return by how much a pre-emphasis filter raises the end of the band (Tables 3 and 4: α, or β + γ)."""
    return 2.0 * index if index <= 5 else 1.5 * (index - 5)


class V34:
    """One V.34 modem in one role for one call; V.8 has come before.

    Args:
        role: Calling or answering.
        options: Rates, level, S10, what may be asked for.
        bits: User bits to send, pulled from `Ready` on.
        trace: Takes the phases.
    """

    spec = V34_SPEC

    def __init__(
        self, role: Role, options: ModulationOptions, bits: BitSource, trace: Sink = null_sink
    ) -> None:
        self._role, self._options, self._source = role, options, bits
        self._echo = EchoCanceller()
        self._phase2 = Phase2(role, options, trace)
        self._procedure = Procedure(role, options, self._echo, trace)
        self._telemetry = Telemetry(trace, f"modulation.v34.{role.value}")
        self._tx: Transmitter | None = None
        self._rx: Receiver | None = None
        self._result: Phase2Result | None = None
        self._clock: Samples = 0
        self._base: Samples = 0
        self._running = False
        self._seen = False
        self._words: list[Bits] = []
        self._bits: list[Bits] = []
        self._size = 0
        self._events: list[ModulationEvent] = []

    @property
    def far_end_seen(self) -> bool:
        """Whether an INFO0 of the far end was received."""
        return self._phase2.far_end_seen

    def start(self, now: Samples) -> None:
        """Begin with the silence that ends phase 1 (see `Modulation.start`): INFO0 may come during it."""
        if not any(map(self._options.allows, _RATES)):
            low, high = self._options.min_rate, self._options.max_rate
            self._events.append(
                Failed(f"V.34: no data rate lies between {low} and {high} bit/s", "V.34 (10/96) Table 1")
            )
            return
        self._running = True
        self._phase2.start(self._clock)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Take received samples and return as many to send (see `Modulation.process`)."""
        rx = np.ascontiguousarray(rx, np.float32)
        out = np.zeros(rx.size, np.float32)
        done = 0
        while done < rx.size:
            grid = self._procedure.grid if self._procedure.state is not State.PHASE_2 else GRID
            size = min(rx.size - done, grid - self._clock % grid)
            piece, sent = rx[done : done + size], out[done : done + size]
            rest = self._echo.cancel(piece, erased)
            if not self._running:
                pass
            elif self._procedure.state is State.PHASE_2:
                sent[:] = self._phase2.process(piece, self._clock, erased)
            else:
                self._exchange(rest, sent, erased)
            self._echo.sent(sent)
            done += size
            self._clock += size
            if self._clock % grid == 0 and self._running:
                self._decide()
        if self._procedure.state is State.DATA:
            self._telemetry.update(now + rx.size, self._state)
        else:
            self._telemetry.pause()
        return out

    def _exchange(self, rest: Audio, sent: Audio, erased: bool) -> None:
        """Let receiver and transmitter have a piece."""
        assert self._rx is not None
        assert self._tx is not None
        words = not self._rx.in_data
        bits = self._rx.process(rest, erased)
        if words and not self._rx.in_data:
            self._words.append(bits)
        else:
            # Where E ended within the piece, the bits before it are words that nobody misses.
            self._keep(bits if not words else bits[:0])
        self._tx.process(sent)

    def _keep(self, bits: Bits) -> None:
        bits = bits[: MAX_BITS - self._size]
        if bits.size:
            self._bits.append(bits)
            self._size += bits.size

    def _decide(self) -> None:
        """Take the decisions of one grid point."""
        procedure = self._procedure
        if not self._seen and self._phase2.far_end_seen:
            self._seen = True
            self._events.append(CarrierDetected("V.34"))
        if procedure.state is State.PHASE_2:
            if self._phase2.over:
                self._leave_phase2()
        else:
            words = np.concatenate(self._words) if self._words else np.zeros(0, np.uint8)
            self._words.clear()
            procedure.decide(self._clock - self._base, words)
            self._events += procedure.take_events()
            if procedure.entry is not None:
                self._phase2.start(self._clock, procedure.entry)
            elif procedure.down:
                self._running = False
        self._events += self._phase2.take_events()
        self._events += procedure.take_events()

    def _leave_phase2(self) -> None:
        result = self._phase2.result
        if result is None:
            self._events.append(Failed(self._phase2.failure, self._phase2.failure_clause))
            self._running = False
            return
        self._result = result
        self._base = self._clock
        self._tx = Transmitter(self._role, result.send, self._options.tx_level_dbm0, self._source)
        self._rx = Receiver(self._role, result.receive)
        self._bits.clear()
        self._size = 0
        self._procedure.begin(self._base, result, self._tx, self._rx)

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
        out, self._events = self._events, []
        return out

    def retrain(self, now: Samples) -> None:
        """Ask for a retrain (V.34 (10/96) §11.5)."""
        if not self._procedure.ready:
            return
        self._procedure.retrain(self._clock - self._base)
        if self._procedure.entry is not None:
            self._phase2.start(self._clock, self._procedure.entry)

    def renegotiate(self, now: Samples, rate: int | None = None) -> None:
        """Begin a rate renegotiation (V.34 (10/96) §11.6), in data mode.

        Args:
            now: The instant.
            rate: The most to ask for, bit/s; None for what the line seems to carry.
        """
        if self._procedure.ready:
            self._procedure.renegotiate(self._clock - self._base, rate)

    def clear_down(self, now: Samples) -> None:
        """Stop sending."""
        self._procedure.clear_down(self._clock - self._base)
        self._running = False

    def _state(self) -> ReceiverState:
        assert self._rx is not None
        paths = tuple(EchoPath(p.delay, p.taps, -p.level_db, p.offset_hz) for p in self._echo.report.paths)
        return ReceiverState(
            equaliser=self._rx.equaliser,
            mse=self._rx.mse,
            timing_ppm=self._rx.timing_offset_ppm,
            carrier_hz=self._rx.carrier_offset_hz,
            echo=paths,
        )

    def report(self) -> SignalReport:
        """Return what the receiver knows about the line now."""
        report = SignalReport(
            tx_level_dbm0=self._options.tx_level_dbm0,
            retrains_requested=self._procedure.retrains[0],
            retrains_granted=self._procedure.retrains[1],
        )
        line, rx, result, procedure = self._phase2.line, self._rx, self._result, self._procedure
        if line is not None:
            top = max(line.tones_dbm0)
            report.frequency_response = [
                (float(hz), level - top) for hz, level in zip(TONES_HZ, line.tones_dbm0, strict=True)
            ]
        if rx is None or result is None:
            return report
        report.rx_level_dbm0 = rx.level_dbm0
        report.snr_db = rx.snr_db
        report.round_trip = result.round_trip
        report.symbol_rate = float(result.receive.symbol_rate.baud)
        report.tx_symbol_rate = float(result.send.symbol_rate.baud)
        report.carriers_hz = (result.receive.carrier_hz, result.send.carrier_hz)
        report.preemphasis_db = (_rise_db(result.receive.pre_emphasis), _rise_db(result.send.pre_emphasis))
        report.constellation = rx.constellation()
        if rx.fit is not None:
            report.carrier_offset_hz = rx.carrier_offset_hz
            report.timing_offset_ppm = rx.timing_offset_ppm
        echo = self._echo.report
        report.near_echo_loss_db = None if echo.near_db is None else -echo.near_db
        report.far_echo_loss_db = None if echo.far_db is None else -echo.far_db
        if procedure.ready and procedure.agreement is not None:
            pair = [procedure.agreement.sent_by(role) for role in (self._role.other, self._role)]
            report.rates = (pair[0].parameters.rate, pair[1].parameters.rate)
            report.trellis = (f"{pair[0].trellis.states}S-4D", f"{pair[1].trellis.states}S-4D")
            report.nonlinear = (pair[0].nonlinear, pair[1].nonlinear)
            report.precoding = (pair[0].precoded, pair[1].precoded)
            report.shaping = (pair[0].parameters.expanded, pair[1].parameters.expanded)
        return report
