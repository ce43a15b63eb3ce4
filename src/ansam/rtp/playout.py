"""Playout with a fixed delay, for receivers that must not be helped.

A telephone hides loss and follows the network: it stretches, repeats and drops samples. A modem's receiver
loses its symbol clock over a single such slip. So here a sample has one place for ever: the first packet of
a source is played `delay` after it came, and every other sample stands where its sequence number and
timestamp put it relative to that.

```
 timestamp ──► position on the local sample clock
   ├────────────────── AHEAD_LIMIT ──────────────────┤
   read ►[ played ][ .......... delay .......... ][newest packet]
```

What has not come when its turn comes is a *marked erasure* of exactly its samples, filled with the law's
silence. The delay never adapts by itself: `change_delay` is for moments at which nobody listens. Drift
between the two clocks is taken out by pacing our frames by the far end's (`ansam.call.drift`). Only where
nothing has been playable for half a second (the far end restarted its timestamps, a route changed by more
than the delay) the source is anchored anew; that is counted, as every slip must be.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ansam.errors import ConfigError
from ansam.rtp.sequence import Order
from ansam.units import FRAME, Codewords, Samples

DEFAULT_DELAY: Samples = 480
"""60 ms."""

AHEAD_LIMIT: Samples = 16000
"""Furthest ahead of the read position a sample may stand; the buffer is this long and never grows."""

STUCK_SAMPLES: Samples = 4000
"""After half a second of nothing but unplayable packets the source is anchored anew."""

MISSING, PRESENT, SILENT = 0, 1, 2


@dataclass(slots=True)
class PlayoutCounters:
    """What became of the packets.

    Attributes:
        late: Packets whose turn was over (wholly or in part) when they came.
        early: Packets further ahead than the buffer reaches.
        timestamp_jumps: Packets whose timestamp contradicted their sequence number; the latter was believed.
        resyncs: Times the source was anchored anew: slips.
        erased_samples: Samples played as erasures, from the turn of the first packet on.
        erased_frames: Frames in which at least one sample was an erasure.
        delay_changes: Times the delay was made longer or shorter.
    """

    late: int = 0
    early: int = 0
    timestamp_jumps: int = 0
    resyncs: int = 0
    erased_samples: int = 0
    erased_frames: int = 0
    delay_changes: int = 0


class Playout:
    """Puts payloads in their place and hands out frames.

    Args:
        silence: The law's octet for a sample of zero.
        delay: From arrival of the first packet to its turn, samples; at least one frame.
        start: Instant of the first frame that will be pulled.

    Attributes:
        counters: What became of the packets.
        delay: From arrival of the first packet to its turn, samples.
        margin: How long before its turn the last packet came, samples; None before the first.

    Raises:
        ConfigError: The delay is out of range.
    """

    def __init__(self, silence: int, delay: Samples = DEFAULT_DELAY, start: Samples = 0) -> None:
        if not FRAME <= delay <= AHEAD_LIMIT // 2:
            limit = AHEAD_LIMIT // 16
            raise ConfigError(f"playout delay of {delay / 8:g} ms", f"choose 20 to {limit} ms")
        self.delay = delay
        self.counters = PlayoutCounters()
        self.margin: float | None = None
        self._silence = silence
        self._octets = np.full(AHEAD_LIMIT, silence, np.uint8)
        self._state = np.full(AHEAD_LIMIT, MISSING, np.uint8)
        self._read: Samples = start
        self._begun = False
        self._first: Samples = start
        self._newest = 0
        self._newest_timestamp = 0
        self._newest_start: Samples = 0
        self._newest_size = FRAME
        self._unplayable: Samples = 0

    def restart(self) -> None:
        """Forget the source: the next packet is anchored as a first one (announced by signalling)."""
        self._begun = False
        self._state[:] = MISSING
        self._octets[:] = self._silence

    def change_delay(self, delay: Samples) -> Samples:
        """Make the delay longer or shorter by whole frames, now: what waits moves along.

        A longer one leaves a gap of marked erasures, a shorter one leaves samples out.

        Args:
            delay: The new one, samples; kept within what the buffer can hold.

        Returns:
            By how much it changed.
        """
        frames = round((max(FRAME, min(delay, AHEAD_LIMIT // 2)) - self.delay) / FRAME)
        change = frames * FRAME
        if not change:
            return 0
        self.delay += change
        self.counters.delay_changes += 1
        if self._begun:
            self._move(change)
        return change

    def _move(self, change: Samples) -> None:
        """Give every waiting sample a place that is later by `change`."""
        waits = np.arange(self._read, self._read + AHEAD_LIMIT) % AHEAD_LIMIT
        octets, state = self._octets[waits], self._state[waits]
        if change > 0:
            octets[change:], state[change:] = octets[:-change].copy(), state[:-change].copy()
            octets[:change], state[:change] = self._silence, MISSING
        else:
            octets[:change], state[:change] = octets[-change:].copy(), state[-change:].copy()
            octets[change:], state[change:] = self._silence, MISSING
        self._octets[waits], self._state[waits] = octets, state
        self._newest_start += change
        self._first += change
        if self.margin is not None:
            self.margin += change

    def receive(self, number: int, order: Order, timestamp: int, payload: bytes, now: float) -> None:
        """Put a packet's samples in their place.

        Args:
            number: Extended sequence number.
            order: What the sequence tracker said; duplicates and strays are not given here.
            timestamp: 32-bit RTP timestamp.
            payload: One octet per sample, 1..AHEAD_LIMIT of them.
            now: Instant of arrival on the local sample clock (fractions count), never before the last frame.
        """
        size = len(payload)
        if not self._begun or order is Order.RESTART:
            self._anchor(number, timestamp, size, now, first=not self._begun)
        start = self._place(number, timestamp, size)
        if order is Order.NEXT:
            self._announce_silence(start)
        if number >= self._newest:
            self._newest, self._newest_timestamp = number, timestamp
            self._newest_start, self._newest_size = start, size
        self.margin = start - now
        if start < self._read or start + size > self._read + AHEAD_LIMIT:
            self.counters.late += start < self._read
            self.counters.early += start >= self._read
            self._unplayable += size
            if self._unplayable >= STUCK_SAMPLES:
                self._anchor(number, timestamp, size, now, first=False)
                start = self._newest_start
        else:
            self._unplayable = 0
        self._store(start, payload)

    def recover(self, timestamp: int, payload: bytes) -> bool:
        """Put samples that another packet repeats where they are still missing.

        Args:
            timestamp: 32-bit RTP timestamp of the first of them.
            payload: One octet per sample.

        Returns:
            True if a hole was filled that would have become an erasure.
        """
        step = (timestamp - self._newest_timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        start = self._newest_start + step
        end = start + len(payload)
        if not self._begun or start < max(self._read, self._first) or end > self._read + AHEAD_LIMIT:
            return False
        index = np.arange(start, end) % AHEAD_LIMIT
        missing = self._state[index] == MISSING
        if not missing.any():
            return False
        self._octets[index[missing]] = np.frombuffer(payload, np.uint8)[missing]
        self._state[index] = PRESENT
        return True

    def pull(self, now: Samples) -> tuple[Codewords, bool]:
        """Return the next frame and whether any of it is an erasure.

        Args:
            now: Start of the frame on the local sample clock.

        Returns:
            Codewords of shape (160,), and the mark.
        """
        runs = self.pull_runs(now)
        return np.concatenate([octets for octets, _ in runs]), any(erased for _, erased in runs)

    def pull_runs(self, now: Samples) -> list[tuple[Codewords, bool]]:
        """Return the next frame cut where erasures begin and end; the pieces add up to 160 samples."""
        self._read = now + FRAME
        index = np.arange(now, now + FRAME) % AHEAD_LIMIT
        octets = self._octets[index]
        missing = self._state[index] == MISSING
        self._octets[index] = self._silence
        self._state[index] = MISSING
        if self._begun and (lost := int(np.count_nonzero(missing[max(0, self._first - now) :]))):
            self.counters.erased_samples += lost
            self.counters.erased_frames += 1
        cuts = [0, *(np.flatnonzero(np.diff(missing)) + 1).tolist(), FRAME]
        return [(octets[a:b], bool(missing[a])) for a, b in pairwise(cuts)]

    def _anchor(self, number: int, timestamp: int, size: int, now: float, *, first: bool) -> None:
        """Let this packet be played `delay` from now."""
        self.counters.resyncs += not first
        self._begun = True
        self._unplayable = 0
        self._newest, self._newest_timestamp, self._newest_size = number, timestamp, size
        # On a frame boundary, so that a lost 20 ms packet is one erased frame and not two halves; rounding
        # up, as the delay is a promise to late packets.
        self._newest_start = self._read + -(-int(now + self.delay - self._read) // FRAME) * FRAME
        if first:
            self._first = self._newest_start
        else:
            self._state[:] = MISSING
            self._octets[:] = self._silence

    def _place(self, number: int, timestamp: int, size: int) -> Samples:
        """Return the position of a packet's first sample."""
        ahead = number - self._newest
        step = (timestamp - self._newest_timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        start = self._newest_start + step
        backwards = (ahead > 0 and step <= 0) or (ahead < 0 and step >= 0)
        if not backwards and not (ahead > 0 and start + size > self._read + AHEAD_LIMIT):
            return start
        self.counters.timestamp_jumps += 1
        if ahead > 0:
            return self._newest_start + self._newest_size * ahead
        return self._newest_start + size * ahead

    def _announce_silence(self, start: Samples) -> None:
        """Mark a gap in time without a gap in numbers: the sender had nothing to say (RFC 3551 §4.1)."""
        first = max(self._newest_start + self._newest_size, self._read)
        last = min(start, self._read + AHEAD_LIMIT)
        if first < last:
            self._state[np.arange(first, last) % AHEAD_LIMIT] = SILENT

    def _store(self, start: Samples, payload: bytes) -> None:
        skip = max(0, self._read - start)
        end = min(len(payload), self._read + AHEAD_LIMIT - start)
        if skip >= end:
            return
        index = np.arange(start + skip, start + end) % AHEAD_LIMIT
        self._octets[index] = np.frombuffer(payload, np.uint8)[skip:end]
        self._state[index] = PRESENT
