"""V.22bis and V.22 as a modulation: lock-step full duplex over `modulation.base`.

A call of `process` runs the receiver up to the next happening or deadline, then the transmitter over the same
samples, then the procedure; so every change falls on the same sample however the stream was cut, and with
nothing happening there is one kernel call each way.
"""

import numpy as np

from ansam.errors import ConfigError
from ansam.modulation.base import (
    BitSource,
    ModulationEvent,
    ModulationOptions,
    ModulationSpec,
    Role,
    SignalReport,
)
from ansam.modulation.telemetry import ReceiverState, Telemetry
from ansam.modulation.v22bis.constants import (
    BAUD,
    GUARD_TONE_BELOW_DATA_DB,
    TX_CARRIER_HZ,
    V22_SPEC,
    V22BIS_SPEC,
)
from ansam.modulation.v22bis.receiver import Heard, Receiver
from ansam.modulation.v22bis.startup import Procedure
from ansam.modulation.v22bis.steps import Input
from ansam.modulation.v22bis.transmitter import Transmitter
from ansam.trace import Sink, null_sink
from ansam.units import Audio, Bits, Samples

MAX_BITS = 8192
"""Received bits kept for `take_bits`; beyond it the newest are dropped, since nobody is listening."""
_INPUTS = tuple(happened for happened in Input if happened is not Input.TIMEOUT)


class _BitQueue:
    """At most `MAX_BITS` bits."""

    def __init__(self) -> None:
        self._parts: list[Bits] = []
        self._size = 0

    def put(self, bits: Bits) -> None:
        bits = bits[: MAX_BITS - self._size]
        if bits.size:
            self._parts.append(bits)
            self._size += bits.size

    def take(self) -> Bits:
        out = np.concatenate(self._parts) if self._parts else np.zeros(0, np.uint8)
        self._parts.clear()
        self._size = 0
        return out


class V22bis:
    """One V.22bis modem in one role for one call.

    Args:
        role: Calling: sends at 1200 Hz and stays silent until it hears unscrambled ones; answering: sends at
            2400 Hz and begins with unscrambled ones, so `start` it after the answer tone.
        options: Rates, level, guard tone, S10.
        bits: User bits to send, pulled from `Ready` on.
        trace: Takes the phases.

    Raises:
        ConfigError: The guard tone is none of 0, 550, 1800.
    """

    spec: ModulationSpec = V22BIS_SPEC

    def __init__(
        self, role: Role, options: ModulationOptions, bits: BitSource, trace: Sink = null_sink
    ) -> None:
        if options.guard_tone_hz and options.guard_tone_hz not in GUARD_TONE_BELOW_DATA_DB:
            raise ConfigError(f"guard tone of {options.guard_tone_hz} Hz", "use 0, 550 or 1800")
        self._options = options
        self._role = role
        self._tx = Transmitter(role, options.tx_level_dbm0, options.guard_tone_hz, bits)
        self._rx = Receiver(role, options.carrier_loss)
        self._procedure = Procedure(self.spec, role, options, self._tx, self._rx, trace)
        self._telemetry = Telemetry(trace, f"modulation.v22bis.{role.value}")
        self._early = _BitQueue()
        self._user = _BitQueue()

    @property
    def far_end_seen(self) -> bool:
        """Whether the far end is certain to be one of the V.22 family.

        Calling: unscrambled ones recognised. Answering: S1, or scrambled ones for 270 ms, recognised.
        """
        return self._procedure.far_end_seen

    def start(self, now: Samples) -> None:
        """Begin start-up (see `Modulation.start`)."""
        self._procedure.start(now)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        """Take received samples and return as many to send (see `Modulation.process`)."""
        rx = np.ascontiguousarray(rx, np.float32)
        out = np.zeros(rx.size, np.float32)
        done = 0
        while True:
            deadline = self._procedure.deadline
            if deadline is not None and deadline <= now + done:
                self._procedure.handle(Input.TIMEOUT, now + done)
                self._sort_bits()
                continue
            if done == rx.size:
                self._observe(now + done)
                return out
            end = rx.size if deadline is None else min(rx.size, deadline - now)
            taken, heard, bits = self._rx.process(rx[done:end], erased)
            self._tx.process(out[done : done + taken])
            done += taken
            (self._user if self._procedure.ready else self._early).put(bits)
            if heard:
                self._tell(heard, now + done)
                self._sort_bits()

    def take_bits(self) -> Bits:
        """Return the user bits received since the last call; none before `Ready`."""
        return self._user.take()

    def take_events(self) -> list[ModulationEvent]:
        """Return the events since the last call, in order."""
        return self._procedure.take_events()

    def retrain(self, now: Samples) -> None:
        """Ask for a retrain at 2400 bit/s (V.22bis (11/88) §6.4); V.22 has none."""
        self._procedure.retrain(now)

    def clear_down(self, now: Samples) -> None:
        """Stop sending."""
        self._procedure.clear_down(now)

    def report(self) -> SignalReport:
        """Return what the receiver knows about the line now."""
        heard = self._rx.level_dbm0 is not None and self.far_end_seen
        return SignalReport(
            rx_level_dbm0=self._rx.level_dbm0,
            tx_level_dbm0=self._options.tx_level_dbm0,
            snr_db=self._rx.snr_db,
            carrier_offset_hz=self._rx.carrier_offset_hz if heard else None,
            timing_offset_ppm=self._rx.timing_offset_ppm if heard else None,
            symbol_rate=float(BAUD),
            carriers_hz=(TX_CARRIER_HZ[self._role.other], TX_CARRIER_HZ[self._role]),
            retrains_requested=self._procedure.retrains_requested,
            retrains_granted=self._procedure.retrains_granted,
            constellation=self._rx.constellation(),
        )

    def _observe(self, now: Samples) -> None:
        """Let the trace know once a second how the receiver stands."""
        if self._procedure.ready:
            self._telemetry.update(now, self._state)
        else:
            self._telemetry.pause()

    def _state(self) -> ReceiverState:
        rx = self._rx
        return ReceiverState(rx.equaliser, rx.mse, rx.timing_offset_ppm, rx.carrier_offset_hz)

    def _sort_bits(self) -> None:
        """Bits from circuit 109 ON until `Ready` wait; if training fails after all, they are void."""
        if self._procedure.ready:
            self._user.put(self._early.take())
        elif not self._procedure.receiving:
            self._early.take()

    def _tell(self, heard: Heard, now: Samples) -> None:
        """Hand what was heard to the procedure, until it changes state: the rest is then void."""
        state = self._procedure.state
        for happened in _INPUTS:
            if happened.value in heard:
                self._procedure.handle(happened, now)
                if self._procedure.state is not state:
                    return


class V22(V22bis):
    """V.22: the same modem, 1200 bit/s only, without S1."""

    spec = V22_SPEC
