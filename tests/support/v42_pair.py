"""Two V.42 links joined by bit pipes in virtual time: delay, bit errors, bursts and cuts from a seed."""

import random

import numpy as np

from ansam.link.base import LinkDown, LinkUp
from ansam.link.v42.link import V42Link, V42Options

STEP = 160


class Pipe:
    """One direction."""

    def __init__(self, delay_steps, ber, burst, rng):
        self.queue = [np.ones(0, np.uint8)] * delay_steps
        self.ber, self.burst, self.rng = ber, burst, rng
        self.cut = False

    def carry(self, bits):
        if self.cut:
            bits = np.ones(len(bits), np.uint8)
        elif self.burst and self.rng.random() < self.burst:
            bits = self.rng.integers(0, 2, len(bits), dtype=np.uint8)
        elif self.ber:
            bits = bits ^ (self.rng.random(len(bits)) < self.ber).astype(np.uint8)
        self.queue.append(bits)
        return self.queue.pop(0)


class Pair:
    """Both ends; `a` is the originator."""

    def __init__(self, rate=2400, delay=0.1, ber=0.0, burst=0.0, seed=1, a=None, b=None, far=None):
        rng = np.random.default_rng(seed)
        steps = round(delay * 8000 / STEP)
        self.rate, self.now, self._carry = rate, 0, 0
        self.a = V42Link(True, a or V42Options(), rate)
        self.b = far or V42Link(False, b or a or V42Options(), rate)
        self.ends = (self.a, self.b)
        self.pipes = (Pipe(steps, ber, burst, rng), Pipe(steps, ber, burst, rng))
        self.got = {self.a: bytearray(), self.b: bytearray()}
        self.events = {self.a: [], self.b: []}
        self.sent = {self.a: bytearray(), self.b: bytearray()}
        self.reading = {self.a: True, self.b: True}
        for end in self.ends:
            end.start(0)

    def step(self):
        self._carry += self.rate * STEP
        count, self._carry = divmod(self._carry, 8000)
        bits = [pipe.carry(end.pull(count)) for end, pipe in zip(self.ends, self.pipes, strict=True)]
        for end, received in zip(self.ends, reversed(bits), strict=True):
            end.receive_bits(received, self.now)
            end.handle_timer(self.now)
            self.events[end] += end.take_events()
            if self.reading[end]:
                self.got[end] += end.take_data()
        self.now += STEP

    def run(self, seconds):
        for _ in range(round(seconds * 8000 / STEP)):
            self.step()

    def until(self, condition, seconds=600):
        end = self.now + seconds * 8000
        while not condition() and self.now < end:
            self.step()
        return condition()

    def connect(self, seconds=30):
        assert self.until(lambda: self.up(self.a) and self.up(self.b), seconds), self.events
        return self

    def up(self, end):
        return next((e for e in self.events[end] if isinstance(e, LinkUp)), None)

    def down(self, end):
        return next((e for e in self.events[end] if isinstance(e, LinkDown)), None)

    def send(self, end, data):
        """Hand data to an end; return how much it took. What it took is expected at the other."""
        taken = end.send(data)
        self.sent[end] += data[:taken]
        return taken

    def arrived(self):
        """Return whether both ends got exactly what the other took."""
        return self.got[self.b] == self.sent[self.a] and self.got[self.a] == self.sent[self.b]

    def exchange(self, to_b, to_a=b"", seconds=3600):
        """Send both ways at once until all has arrived; return whether everything ever sent arrived whole."""
        waiting = {self.a: to_b, self.b: to_a}

        def moved():
            for end in self.ends:
                waiting[end] = waiting[end][self.send(end, waiting[end][:2048]) :]
            lengths = [
                len(self.got[self.b]) >= len(self.sent[self.a]),
                len(self.got[self.a]) >= len(self.sent[self.b]),
            ]
            return (not any(waiting.values()) and all(lengths)) or bool(
                self.down(self.a) or self.down(self.b)
            )

        return self.until(moved, seconds) and self.arrived()


def noise(count, seed=1):
    return random.Random(seed).randbytes(count)
