"""RTP and RTCP sockets: ports from a range, and the skin that lets the pacer drive a `Call`."""

import contextlib
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock

from ansam.call.call import Call
from ansam.errors import ConfigError, ResourceError
from ansam.io.sockets import bind_socket
from ansam.units import FRAME, SAMPLE_RATE

DATAGRAMS_AT_ONCE = 64
"""Packets of one call read in one go."""

PAIR_TRIES = 16
"""Ports the system is asked for until one is even and the one above it is free too."""

RTCP_TYPES = range(192, 224)
"""Second octets that tell RTCP from RTP on a shared port (RFC 5761 §4)."""

SILENT_FRAMES = 1500
"""Frames without a packet after which the far end is believed dead (30 s)."""


@dataclass(frozen=True, slots=True)
class CallSockets:
    """The sockets of one call.

    Attributes:
        rtp: For its packets.
        control: For RTCP, on the port above; None: there is none.
    """

    rtp: socket.socket
    control: socket.socket | None = None

    def close(self) -> None:
        """Close both."""
        self.rtp.close()
        if self.control is not None:
            self.control.close()


class RtpPorts:
    """Hands out RTP sockets on even ports (RFC 3550 §11) of a range.

    Args:
        low: First port; 0 lets the system choose.
        high: Last port.

    Raises:
        ConfigError: The range holds no even port.
    """

    def __init__(self, low: int = 0, high: int = 0) -> None:
        self._ports = list(range(low + low % 2, high + 1, 2)) if low else []
        if low and not self._ports:
            raise ConfigError(f"RTP port range {low} to {high} is empty", "give at least one even port")
        self._next = 0
        self._high = high or 65535

    def open(self, host: str) -> socket.socket:
        """Return a non-blocking socket bound to `host`.

        Raises:
            ResourceError: No port of the range is free, or the address is not ours.
        """
        if not self._ports:
            return bind_socket(socket.SOCK_DGRAM, host, 0, "RTP")
        for _ in self._ports:
            port = self._ports[self._next]
            # The next call takes another one: late packets of the call before find nobody.
            self._next = (self._next + 1) % len(self._ports)
            with contextlib.suppress(ResourceError):
                return bind_socket(socket.SOCK_DGRAM, host, port, "RTP")
        first, last = self._ports[0], self._ports[-1]
        raise ResourceError(f"no free RTP port on {host} from {first} to {last}", "widen the range")

    def open_pair(self, host: str) -> CallSockets:
        """Return a socket as `open` does, and one for RTCP on the port above it unless that is taken.

        Raises:
            ResourceError: See `open`.
        """
        for last in (False,) * (PAIR_TRIES - 1) + (True,):
            rtp = self.open(host)
            port = rtp.getsockname()[1] + 1
            if port % 2 and port <= self._high:
                with contextlib.suppress(ResourceError):
                    return CallSockets(rtp, bind_socket(socket.SOCK_DGRAM, host, port, "RTCP"))
            if last or self._ports:
                break
            rtp.close()
        return CallSockets(rtp)


class PacedCall:
    """A `Call` on its socket, as the pacer wants it.

    Args:
        call: The media; touched only while `lock` is held.
        sockets: Its sockets, closed when the pacer lets go.
        lock: The modem line's lock.
        frame_done: Called in the pacer's thread after each frame, without the lock.
        gave_up: Called in the pacer's thread with the reason why the call can not go on: no packet has come
            for `SILENT_FRAMES`, or an error of ours.
    """

    def __init__(
        self,
        call: Call,
        sockets: CallSockets,
        lock: RLock,
        frame_done: Callable[[], None],
        gave_up: Callable[[str], None],
    ) -> None:
        self.call = call
        self._sock, self._control = sockets.rtp, sockets.control
        self._both: select.epoll | None = None
        if self._control is not None:
            # An epoll is readable when one of its members is: one descriptor for the pacer.
            self._both = select.epoll()
            for member in (self._sock, self._control):
                self._both.register(member, select.EPOLLIN)
        self._lock = lock
        self._frame_done = frame_done
        self._gave_up = gave_up
        self._last_deadline: float | None = None
        self._stopped = False

    def stop(self) -> None:
        """Exchange no further frame; for the thread that holds the lock."""
        self._stopped = True
        if self.call.control is not None:
            self._report(self.call.control.bye(self.call.now - FRAME))

    def fileno(self) -> int:
        """See `Paced.fileno`."""
        return self._sock.fileno() if self._both is None else self._both.fileno()

    def readable(self, at: float) -> None:
        """See `Paced.readable`."""
        self._read(self._sock, at)
        if self._control is not None:
            self._read(self._control, at)

    def _read(self, sock: socket.socket, at: float) -> None:
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                data, source = sock.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:
                continue  # ICMP news of a packet of ours: the far end may yet open its port.
            if self._last_deadline is None:
                # Sent before there was a talking path: it would anchor the playout at a wrong time.
                continue
            with self._lock:
                now = self.call.now - FRAME + (at - self._last_deadline) * SAMPLE_RATE
                control = self.call.control
                if control is not None and (sock is self._control or (data[1:2] and data[1] in RTCP_TYPES)):
                    control.receive(data, (source[0], source[1]), now)
                elif sock is self._sock:
                    self.call.receive(data, (source[0], source[1]), now)

    def tick(self, at: float) -> float:
        """See `Paced.tick`."""
        if self._last_deadline is None:
            self.readable(at)
        self._last_deadline = at
        with self._lock:
            if self._stopped:
                return FRAME / SAMPLE_RATE
            out = self.call.tick()
            silent = self.call.silent_frames
            seconds = self.call.drift.frame_seconds()
            if self.call.control is not None:
                # The frame that has just been exchanged began at this deadline: that is the present.
                self._report(self.call.control.due(self.call.now - FRAME))
        if out is not None:
            # A packet that can not be sent is a lost one.
            with contextlib.suppress(OSError):
                self._sock.sendto(*out)
        if silent == SILENT_FRAMES:
            self._gave_up("no packet of the far end for 30 s")
        self._frame_done()
        return seconds

    def _report(self, packet: bytes | None) -> None:
        """Send a report; one that can not be sent is a lost one."""
        control = self.call.control
        if packet is None or control is None:
            return
        with contextlib.suppress(OSError):
            if self.call.media.mux:
                self._sock.sendto(packet, self.call.rtp.remote)
            elif self._control is not None:
                self._control.sendto(packet, control.remote)

    def failed(self) -> None:
        """See `Paced.failed`."""
        self._gave_up("an error of ours ended the audio; the log has it")

    def removed(self) -> None:
        """See `Paced.removed`."""
        for held in (self._both, self._control, self._sock):
            if held is not None:
                held.close()
