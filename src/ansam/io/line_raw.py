"""A raw line: a TCP or Unix stream of G.711 octets, 160-octet frames of 20 ms, in lock step.

For every frame that arrives one goes back, so one side is the clock. Foreign modems' helpers usually only
answer; other ansam lines too. So where the far side has not sent a frame within `AUTO_CLOCK` we send the
first and set the pace. Lock step has no loss and no jitter buffer: a late frame stops the modems' time, not
their signal.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import structlog

from ansam.call.line_url import RawLineUrl
from ansam.call.raw import RawCall
from ansam.call.statistics import CallStatistics
from ansam.dce.progress import Progress
from ansam.errors import ResourceError
from ansam.io.line import LineUser
from ansam.io.sockets import bind_socket, remove_dead_socket
from ansam.units import FRAME, SAMPLE_RATE

AUTO_CLOCK = 0.25
"""Seconds the far side has to send the first frame."""

CONNECT_TIMEOUT = 10.0
FRAME_SECONDS = FRAME / SAMPLE_RATE
MAX_UNSENT = 16 * FRAME
"""Octets waiting for a far side that sends but does not read; then the line is dropped."""

MAX_STALL = 1.0
"""A pause of more seconds than this is not made up for by faster frames."""


class RawLine:
    """One raw line.

    Args:
        url: What the person wrote.

    Attributes:
        name: As in the URL.
    """

    def __init__(self, url: RawLineUrl) -> None:
        self.name = str(url)
        self._url = url
        self._log: Any = structlog.get_logger("ansam.line").bind(line=self.name)
        self._user: LineUser | None = None
        self._server: asyncio.Server | None = None
        self._stream: _Stream | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, user: LineUser) -> None:
        """Listen, where the URL says so; see `Line.open`."""
        self._user = user
        if self._url.listen:
            loop = asyncio.get_running_loop()
            if isinstance(self._url.address, str):
                remove_dead_socket(self._url.address, "raw line")
                self._server = await loop.create_unix_server(self._accept, self._url.address)
            else:
                sock = bind_socket(socket.SOCK_STREAM, *self._url.address, "raw line")
                self._server = await loop.create_server(self._accept, sock=sock)
        user.line_ready(not self._url.listen)

    @property
    def address(self) -> tuple[str, int] | str:
        """Where it listens or connects to, with the real port once open."""
        if self._server is not None and not isinstance(self._url.address, str):
            host, port = self._server.sockets[0].getsockname()[:2]
            return host, port
        return self._url.address

    def place_call(self, number: str) -> None:
        """Connect; see `Line.place_call`."""
        assert self._user is not None
        if self._url.listen or self._stream is not None or self._task is not None:
            self._user.progress(Progress.REFUSED)
            return
        self._task = asyncio.get_running_loop().create_task(self._connect(self._user))

    def accept_call(self) -> None:
        """Take the connection that rings; see `Line.accept_call`."""
        if self._stream is not None and self._user is not None:
            self._user.progress(Progress.CONNECTED)
            self._stream.go_off_hook(self._user)

    def end_call(self, reason: str) -> None:
        """Close the connection; see `Line.end_call`."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._drop()

    def statistics(self) -> CallStatistics | None:
        """Return None: nothing is lost on a raw line."""
        return None

    async def close(self) -> None:
        """See `Line.close`."""
        self.end_call("shut down")
        if self._server is not None:
            self._server.close()
            self._server = None
            if isinstance(self._url.address, str):
                with suppress(ResourceError):  # somebody else's by now
                    remove_dead_socket(self._url.address, "raw line")
        await asyncio.sleep(0)

    async def _connect(self, user: LineUser) -> None:
        loop = asyncio.get_running_loop()
        stream = _Stream(self)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                if isinstance(self._url.address, str):
                    await loop.create_unix_connection(lambda: stream, self._url.address)
                else:
                    await loop.create_connection(lambda: stream, *self._url.address)
        except (OSError, TimeoutError, UnicodeError) as error:
            self._log.warning("nobody at the other end", error=str(error))
            user.progress(Progress.UNREACHABLE)
            return
        finally:
            if self._task is asyncio.current_task():  # else it was ended, and the next may be under way
                self._task = None
        self._stream = stream
        user.progress(Progress.CONNECTED)
        stream.go_off_hook(user)

    def _accept(self) -> asyncio.Protocol:
        return _Stream(self)

    def _rings(self, stream: "_Stream") -> bool:
        """A connection was accepted: does it find the line free?"""
        if self._stream is not None or self._user is None:
            return False
        self._stream = stream
        if not self._user.incoming(""):
            self._stream = None
            return False
        return True

    def _lost(self, stream: "_Stream") -> None:
        """The far side closed the connection."""
        if self._stream is not stream or self._user is None:
            return
        was_up = stream.call is not None
        self._drop()
        if was_up:
            self._user.far_end_hung_up()
        else:
            self._user.incoming_stopped()

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        was_up = stream.call is not None
        stream.close()
        if was_up and self._user is not None:
            self._user.media_stopped()


class _Stream(asyncio.Protocol):
    """One connection of a raw line."""

    def __init__(self, line: RawLine) -> None:
        self.call: RawCall | None = None
        self._line = line
        self._user: LineUser | None = None
        self._transport: asyncio.Transport | None = None
        self._partial = b""
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._clock_here = False
        self._heard = False
        self._deadline = 0.0

    # -- connection ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._line._url.listen and not self._line._rings(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._line._lost(self)

    def close(self) -> None:
        """Close the connection."""
        self._stop_timer()
        self.call = None
        if self._transport is not None:
            self._transport.close()

    def go_off_hook(self, user: LineUser) -> None:
        """Join the modem to the line."""
        self._user = user
        self.call = RawCall(self._line._url.law, user, user.media_started())
        clock = self._line._url.clock
        if clock == "here":
            self._become_clock()
        elif clock == "auto" and not self._heard:
            self._timer = self._loop.call_later(AUTO_CLOCK, self._become_clock)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- frames ----------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if not self._heard:
            self._heard = True
            if not self._clock_here:
                self._stop_timer()
        data = self._partial + data
        whole = len(data) - len(data) % FRAME
        self._partial = data[whole:]
        for at in range(0, whole, FRAME):
            self._frame(data[at : at + FRAME])

    def _frame(self, octets: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if not self._clock_here:
            self._send(self._exchange(octets, erased=False))
            return
        # Our frame has been answered: the next one goes at its deadline, or now if that has passed.
        now = self._loop.time()
        self._deadline += FRAME_SECONDS
        if self._deadline < now - MAX_STALL:
            self._deadline = now
        self._timer = self._loop.call_at(self._deadline, self._next, octets)

    def _next(self, octets: bytes) -> None:
        self._timer = None
        self._send(self._exchange(octets, erased=False))

    def _become_clock(self) -> None:
        self._clock_here = True
        self._deadline = self._loop.time()
        self._timer = None
        silence = bytes([self._line._url.law.silence]) * FRAME
        self._send(self._exchange(silence, erased=True))

    def _exchange(self, octets: bytes, *, erased: bool) -> bytes:
        if self.call is None or self._user is None:
            return bytes([self._line._url.law.silence]) * len(octets)
        with self._user.lock:
            out = self.call.exchange(octets, erased)
        self._user.frame_done()
        return out

    def _send(self, octets: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(octets)
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self._line._log.warning("the far side sends but does not read: dropped")
            self._transport.abort()
