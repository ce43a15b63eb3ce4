"""Tells systemd how a service fares, sd_notify(3): a datagram to ``$NOTIFY_SOCKET``, nothing elsewhere."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

READY = "READY=1"
STOPPING = "STOPPING=1"
WATCHDOG = "WATCHDOG=1"


def notify(state: str) -> None:
    """Say one thing, such as `READY`, where systemd listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        # A manager that does not read may not hold up calls: what its queue has no room for is left out.
        sock.setblocking(False)
        sock.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def watchdog_period() -> float | None:
    """Return how often systemd wants to hear from this process, seconds: half of what it allows.

    None where it does not ask (``WatchdogSec=``, sd_watchdog_enabled(3)), or asks another process.
    """
    allowed, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not allowed.isdecimal() or int(allowed) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(allowed) / 2e6


@asynccontextmanager
async def service() -> AsyncIterator[None]:
    """Be a running service while the context lasts: ready, alive while the event loop turns, then ending."""
    period = watchdog_period()
    beating = asyncio.create_task(_beat(period)) if period is not None else None
    notify(READY)
    try:
        yield
    finally:
        notify(STOPPING)
        if beating is not None:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


async def _beat(period: float) -> None:
    while True:
        notify(WATCHDOG)
        await asyncio.sleep(period)
