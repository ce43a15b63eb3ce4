"""Types at a modem as a person would, and waits for what it says: expect for our own ports."""

import asyncio
import random
from collections.abc import Callable

from ansam.errors import RemoteProtocolError
from ansam.io.terminal_port import Port

KEY_TIME = (0.03, 0.12)
"""Shortest and longest time between the keys of somebody who types well, seconds."""

SHOWN = 64
"""Octets of what came instead, in an error."""


class ScriptFailed(RemoteProtocolError):
    """What was waited for did not come."""


class Typist:
    """A person at a port.

    Args:
        port: Open.
        show: Gets every octet the modem says, for a transcript.
        rng: Decides how long each key takes.
        key_time: Shortest and longest time between keys, seconds.
    """

    def __init__(
        self,
        port: Port,
        show: Callable[[bytes], None],
        rng: random.Random,
        key_time: tuple[float, float] = KEY_TIME,
    ) -> None:
        self._port = port
        self._show = show
        self._rng = rng
        self._key_time = key_time
        self._seen = bytearray()

    async def types(self, text: str) -> None:
        """Type a text key by key, then Enter."""
        for key in text.encode() + b"\r":
            await asyncio.sleep(self._rng.uniform(*self._key_time))
            await self._port.write(bytes([key]))

    async def sees(self, text: bytes, seconds: float, what: str = "") -> bytes:
        """Wait until a text comes.

        Args:
            text: What to wait for.
            seconds: At most.
            what: How an error names it; the text itself by default.

        Returns:
            Everything since the last call, up to and with the text.

        Raises:
            ScriptFailed: It did not come in time, or the port closed.
        """
        name = what or repr(text.decode("ascii", "replace"))
        try:
            async with asyncio.timeout(seconds):
                while (at := self._seen.find(text)) < 0:
                    data = await self._port.read()
                    if not data:
                        raise ScriptFailed(f"the port closed while {name} was awaited", "", self._tail())
                    self._show(data)
                    self._seen += data
        except TimeoutError:
            end = self._tail().decode("ascii", "replace")
            raise ScriptFailed(
                f"{name} did not come within {seconds:.0f} s; the last was {end!r}", "", self._tail()
            ) from None
        end_of_text = at + len(text)
        got = bytes(self._seen[:end_of_text])
        del self._seen[:end_of_text]
        return got

    def _tail(self) -> bytes:
        return bytes(self._seen[-SHOWN:])
