"""Standard input and output as the terminal. End of input is a drop of DTR."""

import asyncio
import contextlib
import os
import termios
import tty

from ansam.io.dte import DtePort, FdPump, PumpedEndpoint

IFLAG, OFLAG, LFLAG = 0, 1, 3
"""Indices in what `termios.tcgetattr` returns."""


class StdioDte(PumpedEndpoint):
    """A DTE endpoint on two descriptors of this process.

    A terminal there is made raw, except that ^C still ends the program; `close` restores it.

    Args:
        source: Descriptor to read from.
        sink: Descriptor to write to.

    Attributes:
        name: ``stdio``.
        finished: Set when the input has ended.
    """

    def __init__(self, source: int = 0, sink: int = 1) -> None:
        self.name = "stdio"
        self.finished = asyncio.Event()
        self._source = source
        self._sink = sink
        self._saved: list[object] | None = None

    async def open(self, port: DtePort) -> None:
        """Begin; see `DteEndpoint.open`."""
        self._port = port
        if os.isatty(self._source):
            self._saved = list(termios.tcgetattr(self._source))
            tty.setraw(self._source)
            mode = termios.tcgetattr(self._source)
            mode[LFLAG] |= termios.ISIG
            termios.tcsetattr(self._source, termios.TCSANOW, mode)
        port.claim()
        self._pump = FdPump(port, self._source, self._sink, self._gone, blocking=True)
        port.set_dtr(True)
        self._pump.start()

    async def close(self) -> None:
        """See `DteEndpoint.close`."""
        self._stop_pump()
        if self._saved is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._source, termios.TCSANOW, self._saved)  # type: ignore[arg-type]
            self._saved = None

    def _gone(self) -> None:
        if self._port is not None:
            self._port.set_dtr(False)
        self.finished.set()
