"""libspandsp 0.0.6's V.42 against ours, both roles: detection, XID, SABME, data, loss, busy, DISC.

Its known faults and what they mean here are in docs/spec/v42.md: it answers I frames by RR with F = 1, knows
neither SREJ nor breaks nor V.42bis at this level, and its retransmission limit is 5.
"""

import numpy as np
import pytest
from tests.support import spandsp_v42 as spandsp
from tests.support.v42_pair import Pipe, noise

from ansam.link.base import LinkDown, LinkUp
from ansam.link.v42.link import V42Link, V42Options
from ansam.link.v42.xid import Compression

pytestmark = pytest.mark.peer("libspandsp2")

RATE = 28800  # What libspandsp times its timers by.
roles = pytest.mark.parametrize("originator", [True, False], ids=["we call", "we answer"])


class Bridge:
    """Our link and theirs, 20 ms at a time."""

    def __init__(self, originator, *, detect=True, delay_steps=2, ber=0.0, seed=1, options=None):
        self.ours = V42Link(originator, options or V42Options(detection=detect), RATE)
        self.theirs = spandsp.V42(not originator, detect)
        rng = np.random.default_rng(seed)
        self.pipes = Pipe(delay_steps, ber, 0, rng), Pipe(delay_steps, ber, 0, rng)
        self.now = 0
        self.events, self.got, self.waiting = [], bytearray(), bytearray()
        self.reading = True
        self.ours.start(0)

    def run(self, seconds):
        for _ in range(round(50 * seconds)):
            sent = self.pipes[0].carry(self.ours.pull(RATE // 50))
            received = self.pipes[1].carry(self.theirs.pull(RATE // 50))
            self.theirs.receive_bits(sent)
            self.ours.receive_bits(received, self.now)
            self.ours.handle_timer(self.now)
            self.events += self.ours.take_events()
            if self.reading:
                self.got += self.ours.take_data()
            if self.events:
                del self.waiting[: self.ours.send(bytes(self.waiting[:2048]))]
            self.now += 160

    def connect(self, seconds=5):
        self.run(seconds)
        assert [event.protocol for event in self.events] == ["LAPM"]
        assert self.theirs.status[-1] == spandsp.LINK_CONNECTED
        return self


@pytest.fixture
def bridge():
    made = []

    def make(*args, **settings):
        made.append(Bridge(*args, **settings))
        return made[-1]

    yield make
    for each in made:
        each.theirs.close()


@roles
@pytest.mark.parametrize("detect", [True, False], ids=["detection", "no detection"])
def test_connects_with_what_both_know(bridge, originator, detect):
    line = bridge(originator, detect=detect).connect(2)
    assert line.events == [LinkUp("LAPM", "V42BIS")]
    agreed = line.ours.parameters
    assert (agreed.n401, agreed.k) == ((128, 128), (15, 15))
    assert not agreed.srej
    assert not agreed.fcs32
    # It offers, and answers any offer by, P0 = 1, 512 codewords, strings of 6; it compresses nothing.
    assert agreed.v42bis == Compression(1, 512, 6)


@roles
def test_data_both_ways_at_once(bridge, originator):
    line = bridge(originator, options=V42Options(v42bis=0)).connect()
    up, down = noise(40_000, 1), noise(40_000, 2)
    line.waiting += up
    line.theirs.to_send += down
    line.run(20)
    assert line.theirs.got == up
    assert line.got == down
    assert line.ours.counters.blocks_resent == 0


@roles
@pytest.mark.parametrize("direction", ["from us", "to us"])
def test_one_way_data_never_stalls(bridge, originator, direction):
    """By its source, two of libspandsp stall here after k frames: it takes no RR with F = 1."""
    line = bridge(originator, options=V42Options(v42bis=0)).connect()
    data = noise(20_000, 3)
    if direction == "from us":
        line.waiting += data
    else:
        line.theirs.to_send += data
    line.run(10)
    assert (line.theirs.got if direction == "from us" else line.got) == data
    assert line.ours.counters.link_timeouts == 0


@roles
@pytest.mark.parametrize("seed", range(2))
def test_bit_errors(bridge, originator, seed):
    line = bridge(originator, ber=3e-5, seed=seed, options=V42Options(v42bis=0)).connect(15)
    up, down = noise(20_000, 1), noise(20_000, 2)
    line.waiting += up
    line.theirs.to_send += down
    line.run(60)
    assert line.theirs.got == up
    assert line.got == down
    assert line.ours.counters.blocks_resent > 0


@roles
def test_our_terminal_does_not_read(bridge, originator):
    line = bridge(originator, options=V42Options(v42bis=0)).connect()
    data = noise(60_000, 4)
    line.reading = False
    line.theirs.to_send += data
    line.run(20)
    assert len(line.ours._received) < 20_000
    line.reading = True
    line.run(30)
    assert line.got == data


@roles
def test_our_disc_ends_both(bridge, originator):
    line = bridge(originator).connect()
    line.ours.disconnect(line.now)
    line.run(1)
    assert line.events[1:] == [LinkDown("DISC acknowledged", "V.42 (03/2002) §8.7.2")]
    assert line.theirs.status[-1] == spandsp.LINK_DISCONNECTED


@roles
def test_its_disc_ends_both(bridge, originator):
    line = bridge(originator).connect()
    line.theirs.stop()
    line.run(1)
    assert line.events[1:] == [LinkDown("DISC received", "V.42 (03/2002) §8.7.2")]
