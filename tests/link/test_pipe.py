"""Characters at the speed of a modem, without one."""

import random

import pytest

from ansam.link.base import LinkDown, LinkUp
from ansam.link.pipe import END_PATIENCE, LEAST_LIMIT, Pipe
from ansam.units import SAMPLE_RATE


def run(
    pipe: Pipe, until: int, feed: bytes, step: int, limit: int | None = None
) -> tuple[bytes, bytes, int, int]:
    """Feed both directions as fast as they take; return what came out, and what is left to feed."""
    sent = received = b""
    up = down = 0
    now = 0
    while now < until:
        now += step
        pipe.handle_timer(now)
        up += pipe.send(feed[up:])
        down += pipe.offer_stream(feed[down:])
        sent += pipe.take_stream(1 << 20)
        received += pipe.take_data(limit)
    return sent, received, up, down


@pytest.mark.parametrize("rate", [300, 1200, 2400, 9600, 33600])
@pytest.mark.parametrize("step", [40, 160, 161, 800])
def test_both_ways_at_ten_bits_a_character(rate: int, step: int) -> None:
    pipe = Pipe(rate, "TCP")
    pipe.start(0)
    assert pipe.take_events() == [LinkUp("TCP")]
    feed = random.Random(rate).randbytes(40000)
    sent, received, up, down = run(pipe, 10 * SAMPLE_RATE, feed, step)
    for out in (sent, received):
        assert out == feed[: len(out)]
        assert len(out) == pytest.approx(rate, rel=0.02, abs=2)
    assert up - len(sent) <= max(LEAST_LIMIT, rate // 10)
    assert down - len(received) <= max(LEAST_LIMIT, rate // 10)


def test_without_a_rate_nothing_is_held_up() -> None:
    pipe = Pipe(0, "TCP")
    pipe.start(0)
    assert pipe.send(bytes(10000)) == 10000
    assert len(pipe.take_stream(10000)) == 10000
    assert pipe.offer_stream(bytes(20000)) == 16384
    assert len(pipe.take_data()) == 16384


def test_a_pause_is_not_made_up_for() -> None:
    pipe = Pipe(2400, "TCP")
    pipe.start(0)
    pipe.handle_timer(60 * SAMPLE_RATE)
    pipe.send(bytes(200))
    assert len(pipe.take_stream(200)) <= 5
    pipe.handle_timer(60 * SAMPLE_RATE + SAMPLE_RATE // 2)
    assert len(pipe.take_stream(200)) == pytest.approx(120, abs=3)


def test_the_deadline_moves_what_waits_in_time() -> None:
    pipe = Pipe(1200, "TCP")
    pipe.start(0)
    pipe.send(bytes(120))
    out, wakes = len(pipe.take_stream(999)), 0
    while pipe.pending():
        due = pipe.deadline()
        assert due is not None
        pipe.handle_timer(due)
        out += len(pipe.take_stream(999))
        wakes += 1
    assert out == 120
    assert due == pytest.approx(SAMPLE_RATE, rel=0.05)
    assert wakes <= 60
    assert pipe.deadline() is None


def test_what_arrived_last_reaches_the_terminal_before_the_end() -> None:
    pipe = Pipe(300, "TCP")
    pipe.start(0)
    pipe.take_events()
    pipe.offer_stream(b"x" * 60)
    pipe.end_stream("far end closed")
    got = b""
    now = 0
    while not (events := pipe.take_events()):
        now += 160
        got += pipe.take_data()
        pipe.handle_timer(now)
    assert events == [LinkDown("far end closed")]
    assert got == b"x" * 60
    assert now == pytest.approx(2 * SAMPLE_RATE, rel=0.05)
    pipe.handle_timer(now + 9999)
    assert pipe.take_events() == []


def test_a_terminal_that_does_not_read_does_not_keep_a_dead_call() -> None:
    pipe = Pipe(0, "TCP")
    pipe.start(0)
    pipe.take_events()
    pipe.offer_stream(b"x")
    pipe.end_stream("gone")
    pipe.handle_timer(END_PATIENCE - 1)
    assert pipe.take_events() == []
    assert pipe.deadline() is not None
    pipe.handle_timer(END_PATIENCE)
    assert pipe.take_events() == [LinkDown("gone")]


def test_a_hang_up_waits_for_the_network_only() -> None:
    pipe = Pipe(2400, "TCP")
    pipe.start(0)
    pipe.take_events()
    pipe.send(bytes(48))
    pipe.offer_stream(b"never read")
    pipe.disconnect(0)
    assert pipe.room() == 0
    assert pipe.take_events() == []
    for now in range(0, SAMPLE_RATE, 160):
        pipe.take_stream(100)
        pipe.handle_timer(now)
    assert pipe.take_events() == [LinkDown("disconnected")]
    assert pipe.statistics().octets_sent == 48
