"""Runs a caller's command on a pty of its own, with proper session, controlling terminal and hang-up.

The pty's small kernel buffers are the only ones: a command that writes faster than the line is stopped by its
terminal, and one that does not read stops its caller.
"""

import asyncio
import contextlib
import fcntl
import os
import pwd
import signal
import struct
import sys
import termios
import tty
from pathlib import Path

from ansam.answer.events import RunCommand
from ansam.errors import ResourceError
from ansam.io.terminal_fd import Descriptor

ROWS, COLUMNS = 24, 80
HANGUP_GRACE = 5.0
"""Seconds from SIGHUP to SIGKILL."""

JUDGE_TIMEOUT = 15.0
"""Seconds a program may take to say whether a caller is answered."""

PPP_DEVICE = Path("/dev/ppp")
NOBODY = "nobody"
_CHILD = Path(__file__).with_name("answer_child.py")


def account_for(run_as: str) -> pwd.struct_passwd | None:
    """Return the account to change to, or None to stay who we are.

    A caller's command never runs as root unless the configuration says ``run_as = root``.
    """
    root = os.geteuid() == 0
    if not run_as:
        run_as = NOBODY if root else ""
    if not run_as:
        return None
    try:
        account = pwd.getpwnam(run_as)
    except KeyError:
        raise ResourceError(
            f"run_as: no account {run_as!r} on this machine", "create it or name another"
        ) from None
    if account.pw_uid == os.geteuid():
        return account if root else None
    if not root:
        raise ResourceError(
            f"only root can run commands as {run_as!r}", "start ansam as root or leave run_as out"
        )
    return account


def ppp_is_missing(argv: tuple[str, ...]) -> bool:
    """Return whether a command is pppd and this kernel has no PPP for it."""
    return Path(argv[0]).name == "pppd" and not PPP_DEVICE.exists()


async def judge(argv: tuple[str, ...]) -> bool:
    """Ask a program about a caller.

    Args:
        argv: Program and arguments.

    Returns:
        Whether the call is answered: exit status 1 refuses, as in mgetty; so does taking too long.

    Raises:
        ResourceError: It can not be started.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )
    except OSError as error:
        raise ResourceError(f"can not start {argv[0]}: {error.strerror}") from None
    try:
        async with asyncio.timeout(JUDGE_TIMEOUT):
            return await process.wait() != 1
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def signal_all(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signal the process group of a program (it leads a session of its own)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


async def hang_up(process: asyncio.subprocess.Process, grace: float) -> int:
    """End a program; return its exit status.

    Args:
        process: Leads a session of its own.
        grace: Seconds from SIGHUP to SIGKILL.
    """
    if process.returncode is None:
        signal_all(process, signal.SIGHUP)
        signal_all(process, signal.SIGCONT)
        try:
            async with asyncio.timeout(grace):
                await process.wait()
        except TimeoutError:
            signal_all(process, signal.SIGKILL)
    return await process.wait()


class CommandProcess:
    """One command.

    Args:
        order: What to run.
    """

    def __init__(self, order: RunCommand) -> None:
        self._order = order
        self._master: Descriptor | None = None
        self._got = b""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; raises `ResourceError` where that fails."""
        order = self._order
        if ppp_is_missing(order.argv):
            raise ResourceError(
                f"{order.argv[0]} needs {PPP_DEVICE}, which this kernel has not", "modprobe ppp_generic"
            )
        account = account_for(order.run_as)
        environment = {"HOME": "/", "SHELL": "/bin/sh", **order.environment}
        if account is not None:
            environment |= {"HOME": account.pw_dir, "SHELL": account.pw_shell}
        master, slave = os.openpty()
        self._master = Descriptor(master)
        try:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            if order.raw:
                tty.setraw(slave)
            if account is not None:
                os.fchown(slave, account.pw_uid, -1)
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_CHILD)),
                *(account.pw_name if account else "", order.directory or "/", *order.argv),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
                env=environment,
            )
        except OSError as error:
            self._master.close()
            raise ResourceError(f"can not start {order.argv[0]}: {error.strerror}") from None
        finally:
            os.close(slave)

    async def read(self) -> bytes:
        """Return what the command writes next; b"" when it is over and everything was read.

        A daemon it left behind on the terminal does not keep the call open. Cancelled, it loses nothing.
        """
        assert self._master is not None
        assert self._process is not None
        if self._got:
            data, self._got = self._got, b""
            return data
        reading = asyncio.ensure_future(self._master.read())
        over = asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.wait((reading, over), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return reading.result()
            reading.cancel()
            return self._master.read_now()
        except asyncio.CancelledError:
            if reading.done() and not reading.cancelled() and reading.exception() is None:
                self._got = reading.result()
            raise
        finally:
            reading.cancel()
            over.cancel()

    async def write(self, data: bytes) -> None:
        """Return when the terminal has taken the caller's octets; those for a dead command are dropped."""
        if self._master is not None:
            with contextlib.suppress(OSError):
                await self._master.write(data)

    async def stop(self) -> int:
        """Hang up, wait until the command is gone, and return its exit status."""
        if self._master is not None:
            self._master.close()
        if self._process is None:
            return 0
        return await hang_up(self._process, HANGUP_GRACE)

    async def wait(self) -> int:
        """Return the exit status once the command is over; ends what is left of it."""
        assert self._process is not None
        status = await self._process.wait()
        await self.stop()
        return status
