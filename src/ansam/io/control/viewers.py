"""Who looks at a stream: each has a bounded queue of its own, so that no one holds another up."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from ansam.errors import AnsamError

FRAMES = 20
"""Frames that wait for a viewer: two seconds. The oldest goes first."""

EVENTS = 2000
"""Events that wait for a viewer; what comes then is counted."""

Item = str | bytes

encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
"""Returns an object as JSON text on one line."""

SEPARATOR = ",\n"
"""Between the objects of an array, and nowhere in one of them: an array can be taken apart unread."""


class Viewer:
    """One of them: iterate over it; what has gathered since the last time comes at once."""

    def __init__(self) -> None:
        self._queue: deque[tuple[bool, Item]] = deque()
        self._frames = 0
        self._missed = 0
        self._changed = asyncio.Event()
        self._over = False
        self._fault: AnsamError | None = None

    def event(self, text: str) -> None:
        """Queue what must not be missed without a word."""
        if len(self._queue) - self._frames >= EVENTS:
            self._missed += 1
            return
        self._queue.append((False, text))
        self._changed.set()

    def frame(self, item: Item) -> None:
        """Queue what the next one makes up for."""
        if self._frames >= FRAMES:
            oldest = next(i for i, (is_frame, _) in enumerate(self._queue) if is_frame)
            del self._queue[oldest]
            self._frames -= 1
        self._queue.append((True, item))
        self._frames += 1
        self._changed.set()

    def end(self, fault: AnsamError | None) -> None:
        """Let it end when it has had what is queued, with a fault where there is one."""
        self._over, self._fault = True, fault
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[list[Item]]:
        """Yield all that is queued, for ever or until it ends.

        Raises:
            AnsamError: The fault.
        """
        while True:
            if self._queue:
                items = [item for _, item in self._queue]
                if self._missed:
                    items.append(_left_out(self._missed))
                self._queue.clear()
                self._frames = self._missed = 0
                yield items
            elif self._over:
                break
            else:
                self._changed.clear()
                await self._changed.wait()
        if self._fault is not None:
            raise self._fault


def _left_out(count: int) -> str:
    note = {"type": "event", "kind": "note", "name": "scope", "text": f"{count} events left out", "t": None}
    return encode(note | {"side": "both", "clause": ""})


def array(texts: list[Item]) -> str:
    """Return JSON texts as one."""
    return f"[{SEPARATOR.join(map(str, texts))}]"


class Viewers:
    """All viewers of a stream; False while there is none."""

    def __init__(self) -> None:
        self._viewers: list[Viewer] = []

    def __len__(self) -> int:
        return len(self._viewers)

    @contextmanager
    def viewer(self) -> Iterator[Viewer]:
        """Be one of them."""
        viewer = Viewer()
        self._viewers.append(viewer)
        try:
            yield viewer
        finally:
            if viewer in self._viewers:
                self._viewers.remove(viewer)

    def end(self, fault: AnsamError | None) -> None:
        """Let all of them end; whoever comes after is not among them."""
        for viewer in self._viewers:
            viewer.end(fault)
        self._viewers.clear()

    def event(self, text: str) -> None:
        """Give all of them an event."""
        for viewer in self._viewers:
            viewer.event(text)

    def frame(self, item: Item) -> None:
        """Give all of them a frame."""
        for viewer in self._viewers:
            viewer.frame(item)
