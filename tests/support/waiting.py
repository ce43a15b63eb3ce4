"""Waiting, in real time, for what tells nobody that it has come."""

import asyncio
from collections.abc import Callable
from pathlib import Path

LONG = 30.0
"""Seconds: nothing that works takes so long, however busy the machine."""


async def until(met: Callable[[], object], within: float = LONG) -> None:
    async with asyncio.timeout(within):
        while not met():  # noqa: ASYNC110 - what is watched has no event
            await asyncio.sleep(0.01)


def listens(port: int) -> bool:
    """Return whether somebody on this machine has this UDP port."""
    return f":{port:04X} " in Path("/proc/net/udp").read_text()
