"""All modems of a machine: those of this process, or those of worker processes behind their sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from ansam.errors import AnsamError
from ansam.io.control.base import ModemControl, PanelState
from ansam.io.control.client import RemoteModem, names

LOOK = 0.5
"""Seconds between looks for modems that have come or gone, and between tries to reach a worker."""


class LocalHub:
    """See `ControlHub`: modems of this process.

    Args:
        modems: In the order in which they are shown.
    """

    def __init__(self, modems: Sequence[ModemControl] = ()) -> None:
        self._modems = list(modems)

    def modems(self) -> Sequence[ModemControl]:
        """See `ControlHub.modems`."""
        return tuple(self._modems)

    def find(self, name: str) -> ModemControl | None:
        """See `ControlHub.find`."""
        return next((modem for modem in self.modems() if modem.id == name), None)

    async def panel(self) -> AsyncIterator[PanelState]:
        """See `ControlHub.panel`."""
        states: asyncio.Queue[PanelState] = asyncio.Queue(1000)
        pumps: dict[str, asyncio.Task[None]] = {}

        async def pump(modem: ModemControl) -> None:
            with contextlib.suppress(AnsamError):
                async for state in modem.panel():
                    await states.put(state)

        try:
            while True:
                for modem in self.modems():
                    if modem.id not in pumps or pumps[modem.id].done():
                        pumps[modem.id] = asyncio.create_task(pump(modem))
                try:
                    # Not `wait_for`: cancelled as a state comes, Python 3.11's forgets that it was.
                    async with asyncio.timeout(LOOK):
                        state = await states.get()
                except TimeoutError:
                    continue
                yield state
        finally:
            for task in pumps.values():
                task.cancel()


class SocketHub(LocalHub):
    """See `ControlHub`: modems of workers, found again when a worker is started anew.

    Args:
        paths: Of the workers' sockets, in the order in which their modems are shown.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__()
        self._found: dict[Path, list[ModemControl]] = {path: [] for path in paths}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Look for the workers, on the running loop."""
        self._tasks = [asyncio.create_task(self._keep(path)) for path in self._found]

    async def stop(self) -> None:
        """Let go of them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def modems(self) -> Sequence[ModemControl]:
        """See `ControlHub.modems`."""
        return tuple(modem for found in self._found.values() for modem in found)

    async def _keep(self, path: Path) -> None:
        while True:
            with contextlib.suppress(AnsamError):
                connection, ids = await names(path)
                self._found[path] = [RemoteModem(path, name) for name in ids]
                try:
                    while await connection.frame() is not None:
                        pass
                finally:
                    self._found[path] = []
                    connection.close()
            await asyncio.sleep(LOOK)
