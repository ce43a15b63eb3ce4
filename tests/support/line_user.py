"""A stand-in for the modem on a line: echoes audio, records what the line says."""

import asyncio
from collections.abc import Callable
from threading import RLock

from ansam.call.party import Echo, Party
from ansam.dce.causes import Source
from ansam.dce.progress import Progress
from ansam.units import Audio, Samples


class FakeUser:
    """Implements `LineUser`."""

    def __init__(self, busy: bool = False, party: Party | None = None) -> None:
        self.lock = RLock()
        self.busy = busy
        self.said: list[object] = []
        self.noticed: list[str] = []
        self.frames: list[tuple[Samples, int, bool]] = []
        self.changed = asyncio.Event()
        self.party = party or Echo()
        self._loop = asyncio.get_running_loop()

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        self.frames.append((now, len(rx), erased))
        return self.party.process(rx, now, erased)

    def _say(self, what: object) -> None:
        self.said.append(what)
        self.changed.set()

    def media_started(self) -> Samples:
        self._say("media started")
        return 1000

    def media_stopped(self) -> None:
        self._say("media stopped")

    def frame_done(self) -> None:
        self._loop.call_soon_threadsafe(self.changed.set)

    def line_ready(self, ready: bool) -> None:
        self._say(("ready", ready))

    def incoming(self, caller: str, name: str = "") -> bool:
        self._say(("incoming", caller))
        return not self.busy

    def incoming_stopped(self) -> None:
        self._say("incoming stopped")

    def progress(self, progress: Progress) -> None:
        self._say(progress)

    def far_end_hung_up(self) -> None:
        self._say("hung up")

    def observed(self, source: Source, text: str, clause: str = "") -> None:
        self.noticed.append(f"{source.value}: {text}")

    def line_not_ready(self, why: str) -> None:
        self.noticed.append(why)
        self.line_ready(False)

    async def until(self, condition: Callable[[], bool], within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def hears(self, what: object, within: float = 10.0) -> None:
        await self.until(lambda: what in self.said, within)
