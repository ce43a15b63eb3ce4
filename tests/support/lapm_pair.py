"""Two LAPM entities joined by pipes of whole frames, event by event in virtual time.

A pipe loses, duplicates, delays and reorders frames from a seed. Flags, FCS and bits are left out, so a
megabyte takes a second.
"""

import heapq
import itertools
import random

from ansam.link.v42 import xid
from ansam.link.v42.events import Established, Released
from ansam.link.v42.frames import decode
from ansam.link.v42.lapm import Lapm
from ansam.link.v42.timing import RoundTrip

OCTETS_AROUND = 3
"""FCS and flag of a frame on the line."""


class Feed:
    """A source of data that never ends before its bytes do."""

    def __init__(self, data=b""):
        self.data, self.position = data, 0

    def add(self, data):
        self.data += data

    def take(self, limit):
        out = self.data[self.position : self.position + limit]
        self.position += len(out)
        return out

    def waiting(self):
        return self.position < len(self.data)


class Faults:
    """What one direction does to frames.

    Args:
        loss: Probability that a frame is lost.
        duplicate: Probability that a copy of it follows, up to `depth` frames later.
        reorder: Probability that up to `depth` frames overtake it.
        depth: Frames.
        jitter: Probability that it and all behind it come up to a second later.
        seed: Of all of it.
    """

    def __init__(self, loss=0.0, duplicate=0.0, reorder=0.0, depth=2, jitter=0.0, seed=1):
        self.loss, self.duplicate, self.reorder, self.depth = loss, duplicate, reorder, depth
        self.jitter = jitter
        self.rng = random.Random(seed)
        self.cut = False
        self.drop = None
        """Called with each decoded frame; True loses it."""
        self._kept = []

    def carry(self, octets):
        """Yield what comes out when a frame goes in."""
        if self.cut:
            self._kept.clear()
            return
        self._kept = [(count - 1, kept) for count, kept in self._kept]
        if self.rng.random() >= self.loss:
            if self.rng.random() < self.reorder:
                self._kept.append((self.rng.randint(1, self.depth), octets))
            else:
                yield octets
            if self.rng.random() < self.duplicate:
                self._kept.append((self.rng.randint(1, self.depth), octets))
        for count, kept in self._kept:
            if count <= 0:
                yield kept
        self._kept = [(count, kept) for count, kept in self._kept if count > 0]

    def delay(self):
        return self.rng.randrange(8000) if self.rng.random() < self.jitter else 0


class End:
    """One entity with its side of the line."""

    def __init__(self, originator, offer, rate, faults):
        self.originator, self.rate, self.faults = originator, rate, faults
        self.feed = Feed()
        self.lapm = Lapm(originator, self.feed, offer, RoundTrip(rate))
        self.free = self.arrival = 0
        self.got = bytearray()
        self.events = []
        self.frames = []

    @property
    def released(self):
        return next((e for e in self.events if isinstance(e, Released)), None)


class LapmPair:
    """`a` is the originator."""

    def __init__(self, *, rates=(33600, 33600), delay=0.05, offer=None, other=None, faults=None, seed=1):
        offer = offer or xid.Parameters(n401=(256, 256), k=(63, 63), srej=True)
        faults = faults or {}
        made = [Faults(**faults, seed=seed), Faults(**faults, seed=seed + 1000)]
        self.a = End(True, offer, rates[0], made[0])
        self.b = End(False, other or offer, rates[1], made[1])
        self.ends = (self.a, self.b)
        self.delay = round(8000 * delay)
        self.now = 0
        self._heap, self._order = [], itertools.count()

    def other(self, end):
        return self.b if end is self.a else self.a

    def connect(self, seconds=30):
        self.a.lapm.negotiate(self.now)
        self.until(
            lambda: all(any(isinstance(e, Established) for e in end.events) for end in self.ends), seconds
        )
        assert all(any(isinstance(e, Established) for e in end.events) for end in self.ends)
        return self

    def disturb(self, **faults):
        """Begin or change the faults of both directions."""
        for end in self.ends:
            for name, value in faults.items():
                setattr(end.faults, name, value)

    def until(self, condition, seconds=3600):
        """Run until the condition holds or the time is over; return whether it holds."""
        finish = self.now + round(seconds * 8000)
        self._transmit()
        while not condition():
            due = [self._heap[0][0]] if self._heap else []
            due += [t for end in self.ends if (t := end.lapm.deadline()) is not None]
            due += [end.free for end in self.ends if end.free > self.now]
            at = min(due, default=finish)
            if at >= finish:
                self.now = finish
                return condition()
            self.now = max(self.now, at)
            self._arrivals()
            for end in self.ends:
                end.lapm.handle_timer(self.now)
                self._collect(end)
            self._transmit()
        return True

    def run(self, seconds):
        self.until(lambda: False, seconds)

    def exchange(self, to_b, to_a=b"", seconds=36000):
        """Send both ways; return whether all of it arrived as it was."""
        self.a.feed.add(to_b)
        self.b.feed.add(to_a)

        def over():
            whole = len(self.b.got) >= len(self.a.feed.data) and len(self.a.got) >= len(self.b.feed.data)
            return whole or self.a.released or self.b.released

        self.until(over, seconds)
        return self.arrived()

    def arrived(self):
        return self.b.got == self.a.feed.data and self.a.got == self.b.feed.data

    def inject(self, end, octets):
        """Hand octets to an end as if the other had sent them."""
        end.lapm.receive_frame(octets, self.now)
        self._collect(end)
        self._transmit()

    def _collect(self, end):
        end.got += b"".join(end.lapm.take_data())
        end.events += end.lapm.take_events()

    def _arrivals(self):
        while self._heap and self._heap[0][0] <= self.now:
            _, _, end, octets = heapq.heappop(self._heap)
            end.lapm.receive_frame(octets, self.now)
            self._collect(end)

    def _transmit(self):
        for end in self.ends:
            if end.free > self.now:
                continue
            octets = end.lapm.next_frame(self.now)
            if octets is None:
                continue
            end.free = self.now + max(1, (len(octets) + OCTETS_AROUND) * 8 * 8000 // end.rate)
            self._carry(end, octets)

    def _carry(self, end, octets):
        frame = decode(octets, end.originator)
        end.frames.append(frame)
        if end.faults.drop is not None and end.faults.drop(frame):
            return
        end.arrival = max(end.arrival, end.free + self.delay + end.faults.delay())
        for out in end.faults.carry(octets):
            heapq.heappush(self._heap, (end.arrival, next(self._order), self.other(end), out))
