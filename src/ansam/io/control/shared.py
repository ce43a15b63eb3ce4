"""One connection to a modem's scope for all of this process who look at it.

What comes is written once by the modem and read once here. Those who come late get the events of the call so
far from here as well, so that they see the same as the first.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from ansam.errors import AnsamError
from ansam.io.control.viewers import SEPARATOR, Viewers, array, encode
from ansam.scope.events import CallEvents

if TYPE_CHECKING:
    from ansam.io.control.client import Connection

_FRAME = encode({"type": "frame"})[:-1]
"""With which a frame begins; to read all of it only to know would take longer than to pass it on."""


class SharedScope:
    """Holds the connection while anybody looks.

    Args:
        connect: Asks for the scope.
    """

    def __init__(self, connect: Callable[[], "Awaitable[Connection]"]) -> None:
        self._connect = connect
        self._viewers = Viewers()
        self._events = CallEvents()
        self._task: asyncio.Task[None] | None = None

    async def messages(self) -> AsyncIterator[str]:
        """See `ModemControl.scope`.

        Raises:
            AnsamError: The modem can not be reached.
        """
        try:
            with self._viewers.viewer() as viewer:
                if self._task is None or self._task.done():
                    self._events = CallEvents()
                    self._task = asyncio.create_task(self._pass_on())
                for event in self._events:
                    viewer.event(encode(event))
                async for texts in viewer:
                    yield array(texts)
        finally:
            if not self._viewers and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _pass_on(self) -> None:
        """Give all what comes, until it ends."""
        fault: AnsamError | None = None
        try:
            connection = await self._connect()
            try:
                while (data := await connection.frame()) is not None:
                    self._take(data.decode())
            finally:
                connection.close()
        except AnsamError as error:
            fault = error
        self._viewers.end(fault)

    def _take(self, text: str) -> None:
        for part in text[1:-1].split(SEPARATOR):
            if part.startswith(_FRAME):
                self._viewers.frame(part)
            else:
                self._events.add(json.loads(part))
                self._viewers.event(part)
