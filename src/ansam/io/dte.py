"""The terminal's end of the cable: what an endpoint is, and the pump that moves bytes without losing one.

Back-pressure runs both ways. The modem takes fewer bytes than offered: the pump keeps the rest (at most one
chunk) and stops reading, so the kernel's buffer fills and the terminal waits, as it would for circuit 106
(CTS). The terminal does not read: the pump stops taking from the modem, whose own buffers stop the far end.
"""

import asyncio
import contextlib
import os
import select
from collections.abc import Callable
from typing import Protocol

from ansam.dte.circuits import Circuits
from ansam.dte.wire import (
    BreakSent,
    BreakSet,
    DtrSet,
    Purged,
    RateSet,
    RawWire,
    RtsSet,
    Wire,
    WireEvent,
)

CHUNK = 4096
"""Bytes moved at once, and the most a pump holds in each direction."""

CHECK = 0.05
"""Seconds between looks at a descriptor that is not being read."""

DRAIN = 5.0
"""Seconds the last bytes of a terminal that has gone may take before DTR drops anyway (a serial driver's
closing_wait)."""

GONE = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0x2000)


class DtePort(Protocol):
    """The modem as an endpoint sees it."""

    def offer(self, data: bytes) -> int:
        """Give bytes of the terminal; return how many were taken. `DteEndpoint.resume` announces room."""

    def take(self, limit: int) -> bytes:
        """Return at most `limit` bytes for the terminal; b"" when there are none."""

    def set_dtr(self, on: bool) -> None:
        """Follow circuit 108/2."""

    def set_rts(self, on: bool) -> None:
        """Follow circuit 105; a port that has none leaves it ON."""

    def set_port_rate(self, rate: int) -> None:
        """The port runs at `rate` bit/s; 0 where it has no speed."""

    def receive_break(self, milliseconds: int) -> None:
        """The terminal sent a break."""

    def claim(self) -> bool:
        """Ask for the modem; False: another port of it is in use."""

    def release(self) -> None:
        """Leave it to others."""


class DteEndpoint(Protocol):
    """Where a terminal attaches. All methods run on the event loop's thread."""

    @property
    def name(self) -> str:
        """For people: what to point a terminal at."""

    async def open(self, port: DtePort) -> None:
        """Make the endpoint available; raises `ResourceError`."""

    def resume(self) -> None:
        """Offer again what the modem had no room for; harmless when there is nothing."""

    def output_ready(self) -> None:
        """The modem may have bytes to take."""

    def show(self, circuits: Circuits) -> None:
        """The modem's circuits are these now; a port that can not carry them lets it be."""

    def set_rate(self, rate: int) -> None:
        """The port goes on at `rate` bit/s (&B0), where it has a speed."""

    def send_break(self, milliseconds: int) -> None:
        """Hand the terminal a break, where that is possible."""

    async def close(self) -> None:
        """Give everything back."""


class PlainEndpoint:
    """An endpoint without control lines, speed and breaks towards the terminal."""

    def show(self, circuits: Circuits) -> None:
        """See `DteEndpoint.show`."""

    def set_rate(self, rate: int) -> None:
        """See `DteEndpoint.set_rate`."""

    def send_break(self, milliseconds: int) -> None:
        """See `DteEndpoint.send_break`."""


class PumpedEndpoint(PlainEndpoint):
    """An endpoint whose octets a pump moves while somebody is there, and nothing otherwise."""

    _port: "DtePort | None" = None
    _pump: "FdPump | None" = None

    def resume(self) -> None:
        """See `DteEndpoint.resume`."""
        if self._pump is not None:
            self._pump.resume()

    def output_ready(self) -> None:
        """See `DteEndpoint.output_ready`; what nobody listens to is lost, as on a cable."""
        if self._pump is not None:
            self._pump.output_ready()
        elif self._port is not None:
            while self._port.take(CHUNK):
                pass

    def _stop_pump(self) -> None:
        """Move no octets any more."""
        if self._pump is not None:
            self._pump.stop()
            self._pump = None


class PortLines:
    """What a wire's terminal does besides sending data, for the modem.

    Args:
        port: The modem.
    """

    def __init__(self, port: DtePort) -> None:
        self._port = port
        self._break_since: float | None = None

    def follow(self, event: WireEvent, now: float) -> None:
        """Pass one event on.

        Args:
            event: Of the wire.
            now: Seconds, monotonic.
        """
        match event:
            case DtrSet(on):
                self._port.set_dtr(on)
            case RtsSet(on):
                self._port.set_rts(on)
            case RateSet(rate):
                self._port.set_port_rate(rate)
            case BreakSent(milliseconds):
                self._port.receive_break(milliseconds)
            case BreakSet(True):
                self._break_since = now
            case BreakSet():
                if self._break_since is not None:
                    self._port.receive_break(max(1, round((now - self._break_since) * 1000)))
                self._break_since = None
            case Purged():
                pass


class FdPump:
    """Moves bytes between file descriptors and a modem.

    Args:
        port: The modem.
        source: Descriptor to read from.
        sink: Descriptor to write to (may be the same).
        on_gone: Called once when the other side has closed and its last bytes are delivered. Output still
            goes out until `stop`.
        blocking: The descriptors are shared with other programs and stay in blocking mode (stdio).
        wire: What stands on the connection besides data; nothing by default.
    """

    def __init__(
        self,
        port: DtePort,
        source: int,
        sink: int,
        on_gone: Callable[[], None],
        *,
        blocking: bool = False,
        wire: Wire | None = None,
    ) -> None:
        self._wire: Wire = wire or RawWire()
        self._lines = PortLines(port)
        self._port = port
        self._source = source
        self._sink = sink
        self._on_gone = on_gone
        self._blocking = blocking
        self._loop = asyncio.get_running_loop()
        self._from_dte = b""
        self._to_dte = b""
        self._reading = self._writing = self._stopped = False
        self._check: asyncio.TimerHandle | None = None
        self._gone_since: float | None = None
        if not blocking:
            os.set_blocking(source, False)
            os.set_blocking(sink, False)

    def start(self) -> None:
        """Begin to move bytes."""
        self._wire.connected()
        self._follow_wire()
        self._read_on()
        self.output_ready()

    def stop(self) -> None:
        """Move nothing any more; the descriptors stay open."""
        self._stopped = True
        self._read_off()
        self._write_off()

    # -- terminal to modem -----------------------------------------------------------------------------------

    def resume(self) -> None:
        """Offer the rest again and, where all of it was taken, read on."""
        if self._stopped or not self._from_dte:
            return
        self._offer(self._from_dte)

    def _readable(self) -> None:
        if self._from_dte or self._stopped:
            return
        try:
            data = os.read(self._source, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # EIO: the last user of a pty closed it; ECONNRESET: a TCP client vanished.
        if not data:
            self._gone()
            return
        data = self._wire.receive(data)
        # A rate or DTR that is set goes before the command typed next; a drop of DTR takes its time (S25).
        self._follow_wire()
        if data and not self._stopped:
            self._offer(data)

    def _follow_wire(self) -> None:
        """Do what the terminal said besides data, and send what the wire answers."""
        for event in self._wire.take_events():
            if isinstance(event, Purged):
                self._purge(event)
            else:
                self._lines.follow(event, self._loop.time())
        self.output_ready()

    def _purge(self, purged: Purged) -> None:
        if purged.from_dte and self._from_dte:
            self._from_dte = b""
            self._read_on()
        if purged.to_dte:
            # What is encoded already stays: it may be half of an escape sequence.
            while self._port.take(CHUNK):
                pass

    def _offer(self, data: bytes) -> None:
        # The modem may close us from within (never does today): look at the state afterwards only.
        self._from_dte = data[self._port.offer(data) :]
        if self._stopped:
            return
        if self._from_dte:
            self._read_off()
            self._check = self._loop.call_later(CHECK, self._look)
        else:
            self._read_on()

    def _look(self) -> None:
        """While reading rests for lack of room: has the terminal gone? Its bytes may still be on the way."""
        if self._stopped or self._reading:
            return
        poll = select.poll()
        poll.register(self._source, GONE)
        if poll.poll(0):
            now = self._loop.time()
            self._gone_since = self._gone_since or now
            if now - self._gone_since >= DRAIN:
                self._gone()
                return
        self._check = self._loop.call_later(CHECK, self._look)

    def _read_on(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None
        if self._reading:
            return
        self._reading = True
        try:
            self._loop.add_reader(self._source, self._readable)
        except PermissionError:
            # epoll does not take regular files (stdin from a file): they are always readable.
            self._loop.call_soon(self._read_file)

    def _read_file(self) -> None:
        if self._reading and not self._stopped:
            self._readable()
            if self._reading and not self._stopped:
                self._loop.call_soon(self._read_file)

    def _read_off(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None
        if self._reading:
            self._reading = False
            with contextlib.suppress(PermissionError):
                self._loop.remove_reader(self._source)

    def _gone(self) -> None:
        self._from_dte = b""
        self._read_off()
        self._on_gone()

    # -- modem to terminal -----------------------------------------------------------------------------------

    def output_ready(self) -> None:
        """Write what the modem has, as far as the terminal takes it."""
        while not self._stopped and not self._writing:
            if not self._to_dte:
                self._to_dte = self._wire.take_replies() + self._next_data()
                if not self._to_dte:
                    return
            if not self._write():
                self._write_on()

    def _next_data(self) -> bytes:
        """Return the modem's next bytes as they cross the wire, unless the terminal wants none."""
        if self._wire.suspended:
            return b""
        return self._wire.encode(self._port.take(CHUNK))

    def _write(self) -> bool:
        """Write once; False where the terminal takes nothing now."""
        try:
            if self._blocking:
                # A pipe that polls as writable takes PIPE_BUF octets without blocking.
                if not select.select([], [self._sink], [], 0)[1]:
                    return False
                count = os.write(self._sink, self._to_dte[: select.PIPE_BUF])
            else:
                count = os.write(self._sink, self._to_dte)
        except BlockingIOError:
            return False
        except OSError:
            # The terminal is gone; the reader finds out. What it did not read is lost with it.
            count = len(self._to_dte)
        self._to_dte = self._to_dte[count:]
        return True

    def _writable(self) -> None:
        self._write_off()
        self.output_ready()

    def _write_on(self) -> None:
        self._writing = True
        self._loop.add_writer(self._sink, self._writable)

    def _write_off(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._sink)
