"""Runs a file transfer program between pipes: it has the line, but no terminal.

The pipes hold as little as Linux allows, so that what is on its way when a transfer is given up is soon over.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import sys
from pathlib import Path

from ansam.answer.events import RunCommand
from ansam.errors import ResourceError
from ansam.io.answer_command import account_for, hang_up, signal_all
from ansam.io.terminal_fd import Descriptor

PIPE_SIZE = 4096
LAST_WORD = 0.5
"""Seconds to end by itself."""

HANGUP_GRACE = 3.0
"""Seconds from SIGHUP to SIGKILL."""

LOOK_EVERY = 1.0
"""Seconds between looks at how much has come."""

_CHILD = Path(__file__).with_name("answer_pipes_child.py")


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    with contextlib.suppress(OSError):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    return reading, writing


class PipeProcess:
    """One program.

    Args:
        order: What to run.
    """

    def __init__(self, order: RunCommand) -> None:
        self._order = order
        self._input: Descriptor | None = None
        self._output: Descriptor | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it; raises `ResourceError` where that fails."""
        order = self._order
        program = shutil.which(order.argv[0], path=order.environment.get("PATH"))
        if program is None:
            raise ResourceError(f"{order.argv[0]} is not installed", "apt install lrzsz")
        account = account_for(order.run_as)
        theirs_in, ours_in = _pipe()
        ours_out, theirs_out = _pipe()
        self._input, self._output = Descriptor(ours_in), Descriptor(ours_out)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_CHILD)),
                *(account.pw_name if account else "", order.directory or "/", str(order.limit)),
                *(program, *order.argv[1:]),
                stdin=theirs_in,
                stdout=theirs_out,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                env=dict(order.environment),
            )
        except OSError as error:
            self._close()
            raise ResourceError(f"can not start {order.argv[0]}: {error.strerror}") from None
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        if order.limit:
            self._watch = asyncio.create_task(self._watch_size())

    async def read(self) -> bytes:
        """Return what the program writes next; b"" when it is over and everything was read."""
        return await self._output.read() if self._output is not None else b""

    async def write(self, data: bytes) -> None:
        """Return when the program's pipe has taken octets; those for a dead program are dropped."""
        if self._input is not None:
            with contextlib.suppress(OSError):
                await self._input.write(data)

    async def stop(self) -> int:
        """Hang up, wait until the program is gone, and return its exit status."""
        self._close()
        if self._watch is not None:
            self._watch.cancel()
        if self._process is None:
            return 0
        # One that has said its last word ends by itself; its status tells how it went.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD):
                await self._process.wait()
        return await hang_up(self._process, HANGUP_GRACE)

    async def _watch_size(self) -> None:
        """Stop a program that leaves more than it may."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if _size(self._order.directory) > self._order.limit:
                assert self._process is not None
                signal_all(self._process, signal.SIGKILL)
                return

    def _close(self) -> None:
        for end in (self._input, self._output):
            if end is not None:
                end.close()


def _size(directory: str) -> int:
    try:
        with os.scandir(directory) as entries:
            return sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    except OSError:
        return 0
