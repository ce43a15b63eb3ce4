"""A modem of ours with its DTE in the same process: for answering lines, and for the demo's own terminal."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ansam.at.nvram import Profile
from ansam.dce.dce import Dce, DceEvent
from ansam.io.control.tap import Watch
from ansam.io.inner_port import InnerPort
from ansam.io.line import Line
from ansam.io.modem_host import ModemHost
from ansam.trace import null_sink


def _no_listener(event: DceEvent) -> None:
    """Nobody listens."""


def _not_watched(host: ModemHost) -> None:
    """Nobody watches."""


@asynccontextmanager
async def modem_on(
    line: Line,
    name: str,
    init: str = "",
    listener: Callable[[DceEvent], None] = _no_listener,
    profile: Profile | None = None,
    watch: Watch | None = None,
    watched: Callable[[ModemHost], None] = _not_watched,
) -> AsyncIterator[InnerPort]:
    """Run a modem on a line while the context lasts.

    Args:
        line: Its telephone line.
        name: Of its DTE port, such as ``ttyUSB0``.
        init: Command line it is set up with, or "".
        listener: Told the modem's events.
        profile: Make of modem and what it has stored; None for a USR 56K that keeps nothing.
        watch: Put into the modem, ...
        watched: ... which is handed over when it runs.

    Yields:
        The DTE's end, which knows circuit 109.

    Raises:
        AnsamError: The line can not be had, or the modem refuses `init`.
    """
    dce = Dce(profile, watch.trace if watch else null_sink)

    def carrier() -> bool:
        with host.lock:
            return dce.circuits.circuit_109

    def unsent() -> int:
        with host.lock:
            return dce.pending

    port = InnerPort(name, carrier, unsent)
    sinks = (watch.tape,) if watch else ()
    host = ModemHost(dce, line, port.endpoint, name=name, listener=listener, sinks=sinks)
    if init:
        host.initialise(init)
    await host.start()
    watched(host)
    try:
        yield port
    finally:
        await host.stop()
