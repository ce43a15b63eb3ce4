import os
import socket
import threading
import time

from ansam.io.clock import FramePacer, Histogram
from ansam.io.line_clock import LineClock


class Item:
    """Counts its frames."""

    def __init__(self, seconds: float = 0.005, fail_at: int = -1) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.seconds = seconds
        self.fail_at = fail_at
        self.deadlines: list[float] = []
        self.ran: list[float] = []
        self.packets: list[bytes] = []
        self.progressed = threading.Condition()
        self.gone = threading.Event()
        self.stall = 0.0
        self.broken = False

    def fileno(self) -> int:
        return self.sock.fileno()

    def readable(self, at: float) -> None:
        with self.progressed:
            self.packets.append(self.sock.recv(100))
            self.progressed.notify_all()

    def tick(self, at: float) -> float:
        if self.stall:
            threading.Event().wait(self.stall)
            self.stall = 0.0
        with self.progressed:
            self.deadlines.append(at)
            self.ran.append(time.monotonic())
            self.progressed.notify_all()
        if len(self.deadlines) == self.fail_at:
            raise ValueError("broken party")
        return self.seconds

    def failed(self) -> None:
        self.broken = True

    def removed(self) -> None:
        self.sock.close()
        self.gone.set()

    def until(self, condition) -> None:  # type: ignore[no-untyped-def]
        with self.progressed:
            assert self.progressed.wait_for(condition, 10)


def test_deadlines_are_absolute_and_packets_are_served_between() -> None:
    pacer = FramePacer()
    pacer.start()
    item = Item()
    pacer.add(item)
    item.until(lambda: len(item.deadlines) >= 3)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.sendto(b"x", item.sock.getsockname())
    sender.close()
    item.until(lambda: item.packets)
    item.until(lambda: len(item.deadlines) >= 40)
    pacer.remove(item)
    assert item.gone.wait(5)
    pacer.stop()
    steps = {round((b - a) * 1e6) for a, b in zip(item.deadlines, item.deadlines[1:], strict=False)}
    assert steps == {5000}
    assert all(ran >= due for ran, due in zip(item.ran, item.deadlines, strict=True))
    assert pacer.lateness.count >= 40
    assert pacer.calls == 0


def test_a_stall_is_made_up_for_without_a_burst() -> None:
    pacer = FramePacer()
    pacer.start()
    item = Item(0.02)
    pacer.add(item)
    item.until(lambda: len(item.deadlines) >= 2)
    item.stall = 0.2
    item.until(lambda: len(item.deadlines) >= 20)
    pacer.remove(item)
    assert item.gone.wait(5)
    pacer.stop()
    gaps = [b - a for a, b in zip(item.ran, item.ran[1:], strict=False)]
    assert max(gaps) > 0.15
    after = gaps[gaps.index(max(gaps)) + 1 :]
    assert min(after) > 0.003
    steps = {round((b - a) * 1e6) for a, b in zip(item.deadlines, item.deadlines[1:], strict=False)}
    assert steps == {20000}


def test_one_broken_call_does_not_end_the_others() -> None:
    pacer = FramePacer()
    pacer.start()
    broken, sound = Item(fail_at=3), Item()
    pacer.add(broken)
    pacer.add(sound)
    assert broken.gone.wait(5)
    count = len(sound.deadlines)
    sound.until(lambda: len(sound.deadlines) > count + 5)
    pacer.stop()
    assert (broken.broken, sound.broken) == (True, False)
    assert sound.gone.is_set()


def test_removal_of_a_stranger_closes_it() -> None:
    pacer = FramePacer()
    item = Item()
    pacer.remove(item)
    pacer.stop()
    assert item.gone.is_set()


def test_no_descriptor_is_left_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    pacer = FramePacer()
    pacer.start()
    pacer.start()
    pacer.stop()
    assert len(os.listdir("/proc/self/fd")) == before


def test_histogram_quantiles() -> None:
    histogram = Histogram()
    for k in range(1000):
        histogram.add(k / 1e5)
    assert abs(histogram.quantile(0.99) - 0.0099) < 0.0002
    histogram.add(5.0)
    assert histogram.worst == histogram.quantile(1.0) == 5.0
    assert Histogram().quantile(0.99) == 0.0


class Wall:
    """A clock the test turns."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_line_clock_runs_with_the_wall_on_hook_and_with_the_frames_on_a_call() -> None:
    wall = Wall()
    clock = LineClock(wall)
    wall.time += 1
    assert clock.now() == 8000
    assert clock.at(16000) == 102
    start = clock.begin_call()
    assert start == 8000
    wall.time += 5
    assert clock.now() == 8159
    clock.advance_to(8160)
    assert clock.now() == 8160
    wall.time += 0.01
    assert clock.now() == 8240
    clock.end_call()
    wall.time += 1
    assert clock.now() == 16240
    clock.advance_to(100)
    assert clock.now() == 16240
