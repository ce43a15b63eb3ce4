"""The DTE's end of a modem: a pty, a serial device or a TCP port; `inner_port` has one in this very process.

What asks for a login and what a person types at use the same interface, so that each works with a modem of
ours and with one in a box.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import stat
import struct
import termios
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from ansam.errors import ConfigError, ResourceError
from ansam.io.terminal_fd import Descriptor

CHUNK = 4096
WRITE_LIMIT = 4096
"""Octets that may wait in this process for a TCP connection."""

CARRIER_POLL = 0.1
"""Seconds between looks at circuit 109 of a serial port."""


def nothing() -> None:
    """Do nothing: the default of a callback."""


class Port(Protocol):
    """A way to a modem.

    Attributes:
        name: For messages and status lines.
        on_carrier: Called when `carrier` has changed.
    """

    name: str
    on_carrier: Callable[[], None]

    @property
    def carrier(self) -> bool | None:
        """Circuit 109 (DCD), or None where it can not be known."""

    @property
    def unsent(self) -> int | None:
        """Octets written that the modem has not got across yet, or None where that can not be known."""

    async def open(self) -> None:
        """Get at the modem; raises `ResourceError` where that fails."""

    async def read(self) -> bytes:
        """Return what the modem says next; b"" when the way to it is gone."""

    async def write(self, data: bytes) -> None:
        """Return when the modem has taken all of `data`; raises `OSError` when the way to it is gone."""

    async def set_dtr(self, on: bool) -> None:
        """Set circuit 108.2; where there is no such line, OFF gives the port up and ON opens it again.

        Raises:
            ResourceError: The way to the modem is gone.
        """

    def close(self) -> None:
        """Give the port up."""


class DevicePort:
    """A pty or a serial device.

    A pty has no control lines: its carrier is unknown, and DTR goes OFF by closing it (a modem of ours sees
    its last user leave).

    Args:
        path: Device path.
        speed: Port speed of a real serial port, bit/s.
    """

    def __init__(self, path: str | Path, speed: int = 57600) -> None:
        self.name = Path(path).name
        self.on_carrier: Callable[[], None] = nothing
        self._path = Path(path)
        self._speed = speed
        self._file: Descriptor | None = None
        self._has_lines = False
        self._carrier: bool | None = None
        self._poll: asyncio.TimerHandle | None = None

    @property
    def carrier(self) -> bool | None:
        """Circuit 109, or None on a pty."""
        return self._carrier

    @property
    def unsent(self) -> None:
        """Unknown: a device does not tell."""

    async def open(self) -> None:
        """Open the device and put it into raw mode."""
        if self._file is not None:
            return
        try:
            if not stat.S_ISCHR(self._path.stat().st_mode):
                raise ResourceError(f"{self._path} is not a terminal device", "name a pty or a serial port")
            fd = os.open(self._path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise ResourceError(
                f"can not open {self._path}: {error.strerror}", "is the modem running?"
            ) from None
        self._file = Descriptor(fd)
        try:
            self._set_raw(fd)
        except termios.error as error:
            self.close()
            raise ResourceError(f"{self._path} is not a terminal device: {error.args[-1]}") from None
        self._has_lines = self._lines() is not None
        if self._has_lines:
            self._watch_carrier()

    def _set_raw(self, fd: int) -> None:
        tty.setraw(fd, termios.TCSANOW)
        mode = termios.tcgetattr(fd)
        mode[2] |= termios.CLOCAL | termios.CREAD | termios.HUPCL | termios.CRTSCTS
        speed = getattr(termios, f"B{self._speed}", None)
        if speed is None:
            raise ConfigError(f"port speed {self._speed} is not one of termios(3)", "use 57600 or 115200")
        mode[4] = mode[5] = speed
        termios.tcsetattr(fd, termios.TCSANOW, mode)

    def set_speed(self, speed: int) -> None:
        """Let a serial port run at another speed, bit/s; one that termios(3) has not is left out.

        Raises:
            ResourceError: The device is gone.
        """
        self._speed = speed if hasattr(termios, f"B{speed}") else self._speed
        if self._file is not None:
            with self._named():
                self._set_raw(self._file.fd)

    def _lines(self) -> int | None:
        """Return the state of the control lines, or None where there are none."""
        if self._file is None:
            return None
        try:
            raw = fcntl.ioctl(self._file.fd, termios.TIOCMGET, struct.pack("i", 0))
        except OSError:
            return None
        return int(struct.unpack("i", raw)[0])

    def _watch_carrier(self) -> None:
        lines = self._lines()
        carrier = None if lines is None else bool(lines & termios.TIOCM_CAR)
        if carrier != self._carrier:
            self._carrier = carrier
            self.on_carrier()
        self._poll = asyncio.get_running_loop().call_later(CARRIER_POLL, self._watch_carrier)

    async def read(self) -> bytes:
        """Return what the modem says next; b"" when it is gone."""
        return await self._file.read() if self._file is not None else b""

    async def write(self, data: bytes) -> None:
        """Return when the device has taken all of `data`."""
        if self._file is None:
            raise OSError(errno.EIO, "port is closed")
        await self._file.write(data)

    async def set_dtr(self, on: bool) -> None:
        """Set circuit 108.2, on a pty by closing and opening it; raises `ResourceError` where that fails."""
        if not self._has_lines:
            if on:
                await self.open()
            else:
                self.close()
        elif self._file is not None:
            with self._named():
                if not on:
                    termios.tcflush(self._file.fd, termios.TCOFLUSH)
                request = termios.TIOCMBIS if on else termios.TIOCMBIC
                fcntl.ioctl(self._file.fd, request, struct.pack("i", termios.TIOCM_DTR))

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Say which device it is that refuses; termios(3) has an error of its own kind."""
        try:
            yield
        except (OSError, termios.error) as error:
            raise ResourceError(f"{self._path}: {error.args[-1]}", "is it still plugged in?") from None

    def close(self) -> None:
        """Close the device; reading returns b""."""
        if self._poll is not None:
            self._poll.cancel()
        file, self._file = self._file, None
        if file is not None:
            file.close()


class TcpPort:
    """A modem behind a TCP port; DTR OFF is a closed connection.

    Args:
        host: Name or address.
        port: TCP port.
    """

    def __init__(self, host: str, port: int) -> None:
        self.name = f"{host}:{port}"
        self.on_carrier: Callable[[], None] = nothing
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def carrier(self) -> bool | None:
        """Unknown: TCP has no circuits."""
        return None

    @property
    def unsent(self) -> None:
        """Unknown: TCP does not tell."""

    async def open(self) -> None:
        """Connect."""
        if self._streams is not None:
            return
        try:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=CHUNK)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ResourceError(
                f"can not connect to {self.name}: {reason}", "is the modem running?"
            ) from None
        self._streams[1].transport.set_write_buffer_limits(high=WRITE_LIMIT)

    async def read(self) -> bytes:
        """Return what the modem says next; b"" when the connection is gone."""
        if self._streams is None:
            return b""
        try:
            return await self._streams[0].read(CHUNK)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        """Return when the connection has room again."""
        if self._streams is None:
            raise OSError(errno.ENOTCONN, "not connected")
        self._streams[1].write(data)
        await self._streams[1].drain()

    async def set_dtr(self, on: bool) -> None:
        """Connect or disconnect."""
        if on:
            await self.open()
        else:
            self.close()

    def close(self) -> None:
        """Disconnect."""
        streams, self._streams = self._streams, None
        if streams is not None:
            with contextlib.suppress(RuntimeError):
                streams[1].close()


def make_port(spec: str, speed: int = 57600) -> Port:
    """Return the port a person named.

    Args:
        spec: ``tcp:HOST:PORT``, ``pty:PATH``, ``serial:DEV`` or a plain path.
        speed: Port speed of a serial port, bit/s.

    Raises:
        ConfigError: The text names no port.
    """
    kind, _, rest = spec.partition(":")
    if kind == "tcp":
        host, _, port = rest.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ConfigError(f"port {spec!r}: not tcp:HOST:PORT", "such as tcp:127.0.0.1:2323")
        return TcpPort(host.strip("[]"), int(port))
    path = rest if kind in ("pty", "serial") and rest else spec
    if not path:
        raise ConfigError("the port has no name", "such as ./run/ttyUSB0 or tcp:127.0.0.1:2323")
    return DevicePort(path, speed)
