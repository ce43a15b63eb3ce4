"""One direction of a circuit, from one modem's samples to the other's.

```
 modem ─► resampler ─► shift ─► + noise ─► gain ─► law ─► gateways ─► packets ─► jitter buffer ─►┐
  own      (skew)     offset                                                                     │
  clock ──┴────────────────── adaptor's clock ──────────────────┴──────── adaptor's clock ───────┤
                                                          own clock ── modem ◄── resampler (skew) ◄┘
```

The adaptors' 20 ms ticks have no life of their own: they are caught up with whenever a modem pushes or
pulls, which gives the same result as an event queue because everything they need has an earlier instant.
"""

import math
from itertools import pairwise

import numpy as np

from ansam.line.meddle import Meddler
from ansam.line.packets import PacketPath, Relay
from ansam.line.parameters import PathParameters
from ansam.line.resampler import TAPS, Resampler
from ansam.line.shift import FrequencyShift
from ansam.units import FRAME, Audio, rms_from_dbm0

Run = tuple[Audio, bool]
"""Samples and whether they are an erasure."""

TAIL_DELAY = FRAME + TAPS // 2 + 8.0
"""What a modem behind an adaptor of another clock waits for: a whole frame, and the interpolator."""


def _silence() -> Audio:
    return np.zeros(FRAME, np.float32)


class _Front:
    """What happens to the signal before it becomes packets."""

    def __init__(self, parameters: PathParameters, rng: np.random.Generator) -> None:
        self._law = parameters.law
        self._gain = np.float32(10 ** (parameters.gain_db / 20))
        self._shift = FrequencyShift(parameters.offset_hz) if parameters.offset_hz else None
        self._noise = np.float32(0)
        if parameters.snr_db is not None:
            self._noise = np.float32(rms_from_dbm0(parameters.signal_dbm0 - parameters.snr_db))
        self._rng = rng

    def process(self, x: Audio) -> Audio:
        if self._shift is not None:
            x = self._shift.process(x)
        if self._noise:
            x = x + self._noise * self._rng.standard_normal(len(x), np.float32)
        return self._law.through(x * self._gain)


class _Gateways:
    """What stands between the first coder and the packets."""

    def __init__(self, parameters: PathParameters, rng: np.random.Generator) -> None:
        self._law = parameters.law
        self._meddlers: list[Meddler] = [
            meddling.make(parameters.law, child)
            for meddling, child in zip(parameters.meddling, rng.spawn(len(parameters.meddling)), strict=True)
        ]

    def process(self, x: Audio, other: Audio) -> Audio:
        for meddler in self._meddlers:
            x = self._law.through(meddler.process(x, other))
        return x


class Direction:
    """One direction.

    Args:
        parameters: What it does to the signal.
        seeds: Sources of chance for noise, for packets and for gateways; apart, so that a lost packet does
            not change the noise.
        source: Sample rates of the sending modem and its adaptor, as multiples of the calling end's.
        sink: The same of the receiving end.
        box: The same of a box in the middle that re-clocks the packets, or None.

    Attributes:
        packets: The network.
        carried: The frame that reached the gateways last, shape (160,).
        opposite: The other direction, which gateways may listen to.
    """

    def __init__(
        self,
        parameters: PathParameters,
        seeds: tuple[np.random.Generator, np.random.Generator, np.random.Generator],
        source: tuple[float, float],
        sink: tuple[float, float],
        box: float | None = None,
    ) -> None:
        self.packets: PacketPath | Relay
        self.packets = PacketPath(parameters, seeds[1]) if box is None else Relay(parameters, seeds[1], box)
        self.carried = _silence()
        self.opposite: Direction | None = None
        self._front = _Front(parameters, seeds[0])
        self._gateways = _Gateways(parameters, seeds[2])
        self._source_modem, self._source_adaptor = source
        self._sink_modem, self._sink_adaptor = sink
        self._source_tail: Resampler | None = None
        self._source_tick = 0
        self._sink_tail: Resampler | None = None
        self._sink_tick = 0

    def push(self, frame: Audio, t: float) -> None:
        """Take 160 samples the sending modem sends from instant `t` on."""
        if self._source_modem == self._source_adaptor:
            self._send(frame, t)
            return
        if self._source_tail is None:
            self._source_tick = math.ceil(t * self._source_adaptor / FRAME)
            first = self._source_tick * FRAME / self._source_adaptor
            step = self._source_modem / self._source_adaptor
            self._source_tail = Resampler(step, TAIL_DELAY - (first - t) * self._source_modem)
        self._source_tail.push(frame)
        self._catch_up(t)

    def _send(self, frame: Audio, t: float) -> None:
        """Let the sending adaptor make a packet."""
        self.carried = self._front.process(frame)
        other = _silence() if self.opposite is None else self.opposite.carried
        self.packets.send(self._gateways.process(self.carried, other), t)

    def _catch_up(self, t: float) -> None:
        """Let the sending adaptor make the packets it has made by `t`."""
        tail = self._source_tail
        if tail is None:
            return
        while (tick := self._source_tick * FRAME / self._source_adaptor) <= t and tail.ready(FRAME):
            self._send(tail.pull(FRAME)[0], tick)
            self._source_tick += 1

    def arrived(self, t: float) -> list[tuple[float, int]]:
        """Return the packets that came since the last `pull`; see `PacketPath.arrived`."""
        self._catch_up(t)
        return self.packets.arrived(t)

    def pull(self, t: float) -> list[Run]:
        """Return the 160 samples the receiving modem hears from instant `t` on, cut where erasures begin."""
        self._catch_up(t)
        if self._sink_modem == self._sink_adaptor:
            frame = self.packets.play(t)
            return [(_silence(), True)] if frame is None else [(frame, False)]
        if self._sink_tail is None:
            self._sink_tick = math.floor(t * self._sink_adaptor / FRAME)
            first = self._sink_tick * FRAME / self._sink_adaptor
            step = self._sink_adaptor / self._sink_modem
            self._sink_tail = Resampler(step, TAIL_DELAY - (t - first) * self._sink_adaptor)
        while (tick := self._sink_tick * FRAME / self._sink_adaptor) <= t:
            self._catch_up(tick)
            frame = self.packets.play(tick)
            self._sink_tail.push(_silence() if frame is None else frame, frame is None)
            self._sink_tick += 1
        audio, marks = self._sink_tail.pull(FRAME)
        cuts = [0, *(np.flatnonzero(np.diff(marks)) + 1).tolist(), FRAME]
        return [(audio[a:b], bool(marks[a])) for a, b in pairwise(cuts)]
