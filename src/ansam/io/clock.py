"""The pacer: one thread that gives every call of the process its frames at absolute deadlines.

asyncio's timers are as late as the slowest callback; a modem's packets may not be. So frames run in a
thread that sleeps in `epoll` until the next deadline or packet. A deadline is the one before plus a frame:
a late frame does not delay the following ones. After a stall the frames that were missed follow at 5 ms
intervals, so that neither our engines lose samples nor the network gets a burst.

Nothing may hog the interpreter in a process that runs a pacer (design decision 6).
"""

import contextlib
import os
import select
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Protocol

import structlog

CATCH_UP_SPACING = 0.005
"""Between frames that make up for a stall: four times real time."""

GIVE_UP = 10.0
"""A stall of more seconds than this (a suspended machine) is not made up for."""

SWITCH_INTERVAL = 0.0005
"""How long another thread may keep the interpreter from the pacer, seconds (Python's default: 5 ms)."""

SPIN = 0.0012
"""`epoll` counts in whole milliseconds: the last bit before a deadline is slept away precisely."""

STAGGER = 0.02
GOLDEN = 0.618034
"""Calls that begin at once get first deadlines spread over a frame, or each would wait for all before it."""

_log = structlog.get_logger("ansam.io.clock")


class Paced(Protocol):
    """A call as the pacer sees it. All methods run in the pacer's thread and must not block."""

    def fileno(self) -> int:
        """Return the descriptor of the media socket."""

    def readable(self, at: float) -> None:
        """Read the packets that wait; `at` is the monotonic time."""

    def tick(self, at: float) -> float:
        """Exchange a frame that was due at `at`; return the seconds from this deadline to the next."""

    def failed(self) -> None:
        """Learn that `tick` or `readable` raised: there will be no further frame."""

    def removed(self) -> None:
        """Learn that the pacer has let go: the socket may be closed."""


class Histogram:
    """How late frames ran: counts in steps of 0.1 ms up to 100 ms, later ones in the last.

    Attributes:
        count: Frames.
        worst: The latest, seconds.
    """

    STEP = 0.0001
    BINS = 1000

    def __init__(self) -> None:
        self.count = 0
        self.worst = 0.0
        self._bins = [0] * (self.BINS + 1)

    def add(self, seconds: float) -> None:
        """Count one frame."""
        self.count += 1
        self.worst = max(self.worst, seconds)
        self._bins[min(self.BINS, int(seconds / self.STEP))] += 1

    def quantile(self, q: float) -> float:
        """Return the lateness in seconds that a share `q` (0..1) of the frames did not exceed."""
        rank, seen = q * self.count, 0
        for step, count in enumerate(self._bins):
            seen += count
            if count and seen >= rank and step < self.BINS:
                return min((step + 1) * self.STEP, self.worst)
        return self.worst


def _raise_priority() -> None:
    """Let this thread run before others of the machine, as far as the system allows.

    It sleeps nearly always; where it does not, Linux keeps 5 % of each core for the rest.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -10)


@dataclass(slots=True, eq=False)
class _Entry:
    item: Paced
    deadline: float
    fd: int
    alive: bool = True


class FramePacer:
    """Runs the frames of all calls of a process.

    `add` and `remove` may be called from any thread, also while a lock is held that `tick` takes: they only
    post a request. An item whose `tick` or `readable` raises is removed.

    Attributes:
        lateness: How late frames ran.
        calls: Items being paced.
    """

    def __init__(self) -> None:
        self.lateness = Histogram()
        self.calls = 0
        self._requests: deque[tuple[Paced, bool]] = deque()
        self._heap: list[tuple[float, int, _Entry]] = []
        self._entries: dict[int, _Entry] = {}
        self._by_fd: dict[int, _Entry] = {}
        self._order = 0
        self._phase = 0.0
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)

    def start(self) -> None:
        """Start the thread; a second call does nothing."""
        if self._thread is None:
            sys.setswitchinterval(SWITCH_INTERVAL)
            self._thread = threading.Thread(target=self._run, name="frame pacer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let go of all items and end the thread; the pacer can not be used again."""
        self._stopping = True
        self._poke()
        if self._thread is not None:
            self._thread.join(5)
        self._drop_all()
        self._epoll.close()
        os.close(self._wake)

    def add(self, item: Paced) -> None:
        """Pace `item` from now on; its first frame is due within 20 ms."""
        self._requests.append((item, True))
        self._poke()

    def remove(self, item: Paced) -> None:
        """Let go of `item` soon; `item.removed` tells when. Unknown items are told at once."""
        self._requests.append((item, False))
        self._poke()

    # -- the thread ------------------------------------------------------------------------------------------

    def _poke(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        _raise_priority()
        while not self._stopping:
            self._serve_requests()
            self._wait()
            self._run_due()

    def _serve_requests(self) -> None:
        while self._requests:
            item, wanted = self._requests.popleft()
            if wanted:
                self._phase = (self._phase + GOLDEN) % 1.0
                entry = _Entry(item, time.monotonic() + STAGGER * self._phase, item.fileno())
                self._entries[id(item)] = self._by_fd[entry.fd] = entry
                self._epoll.register(entry.fd, select.EPOLLIN)
                self._push(entry, entry.deadline)
            elif (entry_or_none := self._entries.get(id(item))) is not None:
                self._let_go(entry_or_none)
            else:
                item.removed()
            self.calls = len(self._entries)

    def _push(self, entry: _Entry, due: float) -> None:
        self._order += 1
        heappush(self._heap, (due, self._order, entry))

    def _wait(self) -> None:
        """Sleep until a deadline, serving packets and requests that come before it."""
        while not self._stopping:
            left = self._heap[0][0] - time.monotonic() if self._heap else None
            if left is not None and left <= 0:
                # Packets that wait go before the frame: theirs may be among them.
                self._serve(0)
                return
            if left is not None and left <= SPIN:
                time.sleep(left)
                continue
            self._serve(-1 if left is None else left - SPIN)
            if self._requests:
                return

    def _serve(self, timeout: float) -> None:
        for fd, _ in self._epoll.poll(timeout):
            if fd == self._wake:
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_read(self._wake)
                continue
            entry = self._by_fd.get(fd)
            if entry is not None:
                try:
                    entry.item.readable(time.monotonic())
                except Exception as error:
                    self._failed(entry, error)

    def _run_due(self) -> None:
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            _, _, entry = heappop(self._heap)
            if not entry.alive:
                continue
            started = time.monotonic()
            self.lateness.add(started - entry.deadline)
            try:
                entry.deadline += entry.item.tick(entry.deadline)
            except Exception as error:
                self._failed(entry, error)
                continue
            now = time.monotonic()
            if entry.deadline < now - GIVE_UP:
                _log.warning("frames skipped after a stall", seconds=round(now - entry.deadline, 1))
                entry.deadline = now
            behind = entry.deadline <= now
            self._push(entry, now + CATCH_UP_SPACING if behind else entry.deadline)

    def _failed(self, entry: _Entry, error: Exception) -> None:
        """A bug in one call may not end the others."""
        _log.error("a call failed", error=repr(error), exc_info=error)
        self._let_go(entry)
        self.calls = len(self._entries)
        entry.item.failed()

    def _let_go(self, entry: _Entry) -> None:
        entry.alive = False
        self._entries.pop(id(entry.item), None)
        self._by_fd.pop(entry.fd, None)
        with contextlib.suppress(OSError, ValueError):
            self._epoll.unregister(entry.fd)
        entry.item.removed()

    def _drop_all(self) -> None:
        for entry in list(self._entries.values()):
            self._let_go(entry)
        while self._requests:
            item, _ = self._requests.popleft()
            item.removed()
        self.calls = 0
