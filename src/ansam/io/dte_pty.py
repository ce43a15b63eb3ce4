"""A pty under a stable name: what a terminal program takes for a serial port.

The far (slave) side is not kept open here: that is how the kernel tells (POLLHUP, EIO) that the last
terminal has closed it, which is a serial port's drop of DTR. A master whose slave nobody has open reports
POLLHUP for ever, so it is not watched then but looked at ten times a second; the first open is DTR on again.

While it is open, its speed is looked at with whatever is read and four times a second: that is the port's
rate, and speed 0 (B0) is DTR OFF, which is how programs hang up. There is no other circuit on a pty: the
program's TIOCMGET fails.

The terminal settings are set through the master (Linux applies them to the slave), so that each user finds
the port raw whatever the one before left: with ECHO on, the modem would hear itself.
"""

import asyncio
import contextlib
import fcntl
import os
import select
import termios
import tty
from collections.abc import Callable
from pathlib import Path

import structlog

from ansam.dte.circuits import Circuits
from ansam.dte.wire import RawWire
from ansam.errors import ResourceError
from ansam.io.dte import DtePort, FdPump, PumpedEndpoint

OSPEED = 5
"""Index in what `termios.tcgetattr` returns."""

OPEN_CHECK = 0.1
"""Seconds between looks at whether somebody has a pty open."""

SPEED_CHECK = 0.25
"""Seconds between looks at the speed of a pty in use; who hangs up leaves it at 0 for half a second."""

SPEEDS = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()
}

_log = structlog.get_logger("ansam.io.pty")


class PtyLink:
    """The stable symlink to a pty, and a lock that says whether its owner lives.

    The lock file stands beside the link; the kernel releases it with the process, so that the link of a dead
    process is replaced and that of a living one respected.

    Args:
        path: Where the link stands.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._lock: int | None = None
        self._target = ""

    def make(self, target: str) -> None:
        """Point the link at `target`.

        Raises:
            ResourceError: Something else stands there, a living process owns it, or the directory refuses.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            if self.path.is_symlink():
                self.path.unlink()
            elif self.path.exists():
                raise ResourceError(
                    f"pty {self.path}: a file of this name exists", "remove it or choose another path"
                )
            self.path.symlink_to(target)
        except OSError as error:
            self._release()
            reason = (error.strerror or str(error)).lower()
            raise ResourceError(f"pty {self.path}: {reason}", "choose a path you may write to") from error
        except ResourceError:
            self._release()
            raise
        self._target = target

    def move(self, target: str) -> None:
        """Point the link at another pty; at no time is there none."""
        with contextlib.suppress(OSError):
            if os.readlink(self.path) == self._target:
                beside = self.path.with_name(f".{self.path.name}.new")
                beside.unlink(missing_ok=True)
                beside.symlink_to(target)
                beside.replace(self.path)
                self._target = target

    def remove(self) -> None:
        """Remove the link, if it is still ours."""
        if self._lock is None:
            return
        with contextlib.suppress(OSError):
            if os.readlink(self.path) == self._target:
                self.path.unlink()
        self._release()

    def _take_lock(self) -> None:
        while True:
            fd = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = os.read(fd, 20).decode("ascii", "replace").strip() or "unknown"
                os.close(fd)
                raise ResourceError(
                    f"pty {self.path} is in use by process {owner}", "stop it or choose another path"
                ) from None
            # The owner before may have removed the file between our open and our lock.
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(fd).st_ino == os.stat(self._lock_path).st_ino:
                    os.ftruncate(fd, 0)
                    os.write(fd, f"{os.getpid()}\n".encode())
                    self._lock = fd
                    return
            os.close(fd)

    def _release(self) -> None:
        if self._lock is not None:
            with contextlib.suppress(OSError):
                self._lock_path.unlink()
            os.close(self._lock)
            self._lock = None


class _SpeedWire(RawWire):
    """Has the speed looked at before octets count: a program sets it and says AT at once.

    Args:
        look: Looks at the speed.
    """

    def __init__(self, look: Callable[[], None]) -> None:
        super().__init__()
        self._look = look

    def receive(self, raw: bytes) -> bytes:
        """See `Wire.receive`."""
        self._look()
        return raw


class PtyDte(PumpedEndpoint):
    """A DTE endpoint on a pty.

    Args:
        path: Name of the symlink that terminals open.
        hang_up: When circuit 109 goes OFF, programs find the pty hung up, and a new one in its place.

    Attributes:
        name: The path.
    """

    def __init__(self, path: str | Path, *, hang_up: bool = False) -> None:
        self.name = str(path)
        self._link = PtyLink(Path(path).absolute())
        self._master: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rate = -1
        self._hung_up = select.poll()
        self._hangs_up = hang_up
        self._carrier = False

    async def open(self, port: DtePort) -> None:
        """Make the pty and its link; see `DteEndpoint.open`."""
        master, target = self._make_pty()
        try:
            self._link.make(target)
        except ResourceError:
            os.close(master)
            raise
        self._port = port
        self._use(master)

    def _make_pty(self) -> tuple[int, str]:
        """Return the master of a new pty and the name of its slave."""
        try:
            master, slave = os.openpty()
        except OSError as error:
            raise ResourceError(
                f"pty {self.name}: no pty to be had", "close some terminals, or raise kernel.pty.max"
            ) from error
        tty.setraw(slave)
        target = os.ttyname(slave)
        # Open and close once: from now on the kernel reports "nobody has it open" as POLLHUP.
        os.close(slave)
        os.set_blocking(master, False)
        return master, target

    def _use(self, master: int) -> None:
        assert self._port is not None
        self._hung_up = select.poll()
        self._hung_up.register(master, select.POLLIN)
        self._master = master
        self._port.set_dtr(False)
        self._wait_for_user()

    def show(self, circuits: Circuits) -> None:
        """See `DteEndpoint.show`: with ``carrier=hangup``, lost carrier hangs the pty up (SIGHUP, EIO)."""
        lost = self._carrier and not circuits.circuit_109
        self._carrier = circuits.circuit_109
        if not lost or not self._hangs_up or self._pump is None or self._master is None:
            return
        try:
            master, target = self._make_pty()
        except ResourceError:
            _log.warning("no pty to be had: carrier was lost without a hang-up", pty=self.name)
            return
        self._pump.output_ready()
        self._link.move(target)
        self._leave()
        os.close(self._master)
        self._use(master)

    async def close(self) -> None:
        """See `DteEndpoint.close`."""
        self._link.remove()
        if self._timer is not None:
            self._timer.cancel()
        self._stop_pump()
        if self._master is not None:
            os.close(self._master)
            self._master = None

    def _wait_for_user(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(OPEN_CHECK, self._look)

    def _look(self) -> None:
        if self._master is None or self._port is None:
            return
        events = self._hung_up.poll(0)
        if events and events[0][1] & select.POLLHUP and not events[0][1] & select.POLLIN:
            self._wait_for_user()
            return
        if not self._port.claim():
            self._wait_for_user()
            return
        _log.debug("opened", pty=self.name)
        wire = _SpeedWire(self._follow_speed)
        self._pump = FdPump(self._port, self._master, self._master, self._user_gone, wire=wire)
        self._rate = -1
        self._look_at_speed()
        self._pump.start()

    def _look_at_speed(self) -> None:
        if self._pump is not None:
            self._follow_speed()
            self._timer = asyncio.get_running_loop().call_later(SPEED_CHECK, self._look_at_speed)

    def _follow_speed(self) -> None:
        if self._master is None or self._port is None:
            return
        rate = SPEEDS.get(termios.tcgetattr(self._master)[OSPEED], 0)
        if rate != self._rate:
            self._rate = rate
            if rate:
                self._port.set_port_rate(rate)
            self._port.set_dtr(rate != 0)

    def _user_gone(self) -> None:
        _log.debug("closed by its last user", pty=self.name)
        self._leave()
        if self._master is not None and self._port is not None:
            self._make_raw()
            self._port.set_dtr(False)
            self._wait_for_user()

    def _leave(self) -> None:
        """Move no bytes any more and leave the modem to others."""
        self._stop_pump()
        if self._timer is not None:
            self._timer.cancel()
        if self._port is not None:
            self._port.release()

    def _make_raw(self) -> None:
        """Make the port as the next user expects it; a speed of 0 left behind would keep DTR OFF."""
        assert self._master is not None
        with contextlib.suppress(OSError, termios.error):
            tty.setraw(self._master)
            mode = termios.tcgetattr(self._master)
            if mode[OSPEED] == termios.B0:
                mode[OSPEED - 1] = mode[OSPEED] = termios.B38400
                termios.tcsetattr(self._master, termios.TCSANOW, mode)
