"""Modulations of tones only, with the openings of V.32bis and V.34: for automode and the modem around them.

Each sends its tones, "trains" for 0.3 s once it hears those of the far end, and hands its user bits to the
far end's instance directly, at the full rate: the line decides who connects, not what arrives.
"""

from dataclasses import replace

import numpy as np

from ansam.dsp.goertzel import HOP, ToneMeter, ToneWatch
from ansam.dsp.nco import Oscillator
from ansam.modulation.base import (
    Failed,
    ModulationSpec,
    Opening,
    PhaseEntered,
    Ready,
    Renegotiating,
    Retraining,
    Role,
    SignalReport,
)
from ansam.trace import null_sink
from ansam.units import SAMPLE_RATE, rms_from_dbm0, samples

TRAINING = samples(0.3)
SEEN_HOPS = 6
AA_AND_AC = {Role.CALLING: (1800.0,), Role.ANSWERING: (600.0, 3000.0)}
TONES_B_AND_A = {Role.CALLING: (1200.0,), Role.ANSWERING: (2400.0,)}


class FakeModem:
    """See the module. `made`: all that were made, newest last."""

    spec: ModulationSpec
    tones: dict[Role, tuple[float, ...]]
    made: "list[FakeModem]" = []  # noqa: RUF012

    def __init__(self, role, options, bits, trace=null_sink):
        self.role, self.options, self._bits = role, options, bits
        self._far = ToneMeter(self.tones[role.other])
        self._watches = [ToneWatch(self._far, i, 15.0) for i in range(len(self.tones[role.other]))]
        level = rms_from_dbm0(options.tx_level_dbm0) / len(self.tones[role]) ** 0.5
        self._near = [Oscillator(f, level) for f in self.tones[role]]
        self.far_end_seen = self.speaking = self.down = False
        self._trained = 0
        self._owed = 0.0
        self.ready = None
        self.retrains = 0
        self._events, self.arrived = [], []
        self._rates = {rate for rate in self.spec.data_rates if options.allows(rate)}
        FakeModem.made.append(self)

    def start(self, now):
        self.speak(now)

    def speak(self, now):
        if not self.speaking:
            self.speaking = True
            self._events.append(PhaseEntered(f"{self.spec.name} speaks"))

    def process(self, rx, now, erased=False):
        tx = np.zeros(len(rx), np.float32)
        at = 0
        while at < len(rx):
            piece = np.ascontiguousarray(rx[at : at + self._far.room()], np.float32)
            if self.speaking and not self.down:
                for tone in self._near:
                    tone.add_to(tx[at : at + len(piece)])
            self._exchange_bits(len(piece))
            at += len(piece)
            if self._far.feed(piece, erased):
                self._decide(now + at)
        return tx

    def _exchange_bits(self, count):
        if self.ready is None or self.down:
            return
        self._owed += count * self.ready.tx_rate / SAMPLE_RATE
        bits = self._bits.pull(int(self._owed))
        self._owed -= len(bits)
        far = self._far_end()
        if far:
            far.arrived.append(bits)

    def _far_end(self):
        """Return the far end's instance; None where tones come from elsewhere."""
        ends = (m for m in reversed(FakeModem.made) if m.role is self.role.other and m.speaking)
        return next(ends, None)

    def _decide(self, now):
        for watch in self._watches:
            watch.update()
        heard = all(watch.hops >= SEEN_HOPS for watch in self._watches)
        self.far_end_seen |= heard
        if not (self.speaking and heard) or self.ready:
            return
        self._trained += HOP
        if self._trained == TRAINING:
            self._settle()

    def _settle(self):
        far = self._far_end()
        common = self._rates & far._rates if far else self._rates
        if common:
            self.ready = Ready(self.spec.name, max(common), max(common))
        self._events.append(self.ready or Failed("no rate in common"))

    def take_bits(self):
        bits = np.concatenate([*self.arrived, np.zeros(0, np.uint8)])
        self.arrived.clear()
        return bits

    def take_events(self):
        events, self._events = self._events, []
        return events

    def retrain(self, now):
        self.retrains += 1
        self._events += [Retraining(by_us=True), self.ready]

    def change_rates(self, tx, rx, by_us=True):
        """Make it look as if rates had been renegotiated."""
        self.ready = replace(self.ready, tx_rate=tx, rx_rate=rx)
        self._events += [Renegotiating(by_us), self.ready]

    def fail(self, reason):
        self._events.append(Failed(reason))

    def clear_down(self, now):
        self.down = True

    def report(self):
        return SignalReport(
            tx_level_dbm0=self.options.tx_level_dbm0,
            symbol_rate=self.spec.symbol_rates[-1],
            trellis=("64S-4D", "16S-4D"),
            constellation=[1 + 1j, -1 - 1j],
        )


class FakeV32bis(FakeModem):
    """The caller is silent until it is told to send AA or hears AC; the answerer begins with AC."""

    tones = AA_AND_AC
    spec = ModulationSpec(
        name="V.32bis",
        recommendation="V.32bis (02/91)",
        ms_name="V32B",
        data_rates=(4800, 7200, 9600, 12000, 14400),
        symbol_rates=(2400.0,) * 5,
        carriers_hz=dict.fromkeys(Role, 1800.0),
        connect_name="V32",
        opening=Opening.CALLING,
    )

    def listen(self, now):
        assert not self.speaking

    def start(self, now):
        if self.role is Role.ANSWERING:
            self.speak(now)

    def _decide(self, now):
        super()._decide(now)
        if self.far_end_seen and self.role is Role.CALLING:
            self.speak(now)


class FakeV32(FakeV32bis):
    spec = replace(
        FakeV32bis.spec, name="V.32", ms_name="V32", data_rates=(4800, 9600), symbol_rates=(2400.0,) * 2
    )


class FakeV34(FakeModem):
    """Both ends send at once."""

    tones = TONES_B_AND_A
    spec = ModulationSpec(
        name="V.34",
        recommendation="V.34 (10/96)",
        ms_name="V34",
        data_rates=tuple(range(2400, 33601, 2400)),
        symbol_rates=(3429.0,) * 14,
        carriers_hz=dict.fromkeys(Role, 1959.0),
        connect_name="V34",
        opening=Opening.V8,
    )


def register(monkeypatch, modulations):
    """Put the fakes into the registry for one test."""
    for fake in (FakeV32, FakeV32bis, FakeV34):
        monkeypatch.setitem(modulations, fake.spec.name, (fake.spec, fake))
    monkeypatch.setattr(FakeModem, "made", [])
