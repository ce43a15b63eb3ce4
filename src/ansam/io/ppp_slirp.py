"""Runs slirp, which makes connections of this machine out of a caller's IP packets, without any rights.

It speaks SLIP (RFC 1055) on a pty. Its own PPP is not used: it knows nothing of our users, and a caller who
reaches it unfiltered reaches its console, and a shell.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import tty
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from ansam.errors import ResourceError
from ansam.io.terminal_fd import Descriptor
from ansam.ppp.slip import SlipReader, encode_slip

READY = b"SLiRP Ready ...\r\n"
START_TIMEOUT = 10.0
END_TIMEOUT = 2.0
RESOLVER = Path("/etc/resolv.conf")
NO_CHILDREN = ("prlimit", "--nproc=0")
"""A slirp whose terminal is gone forks, to wait for another one in the background: where it may not (root
always may), it ends. Nor can a caller make it start a program. Of util-linux, which every Debian has."""


def own_name_server() -> IPv4Address | None:
    """Return the machine's first name server that has an IPv4 address, or None."""
    with contextlib.suppress(OSError):
        for line in RESOLVER.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if words[:1] == ["nameserver"]:
                with contextlib.suppress(AddressValueError, IndexError):
                    return IPv4Address(words[1])
    return None


def find_slirp(program: str) -> str:
    """Return the path of slirp; raises `ResourceError` where it is not installed."""
    found = shutil.which(program)
    if found is None:
        raise ResourceError(f"{program} is not installed", "apt install slirp")
    return found


class Slirp:
    """One emulator of IP.

    Args:
        program: Its name or path.
        mtu: Octets of the longest packet for the caller.
        names: Name server behind 10.0.2.3, or None.
    """

    def __init__(self, program: str, mtu: int, names: IPv4Address | None) -> None:
        self._program = program
        self._options = ["nocompress", "nozeros", f"mtu {mtu}", "baudrate 115200"]
        self._options += [f"dns {names}"] if names is not None else []
        self._terminal: Descriptor | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._reader = SlipReader()

    async def start(self) -> None:
        """Start it; raises `ResourceError` where that fails."""
        program = find_slirp(self._program)
        master, slave = os.openpty()
        self._terminal = Descriptor(master)
        try:
            tty.setraw(slave)
            self._process = await asyncio.create_subprocess_exec(
                *(*NO_CHILDREN, program, *self._options),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
                # It would read a file of options there, and leave a socket.
                env={"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"},
            )
        except OSError as error:
            raise ResourceError(f"can not start {program}: {error.strerror}") from None
        finally:
            os.close(slave)
        await self._until_ready(program)

    async def _until_ready(self, program: str) -> None:
        assert self._terminal is not None
        said = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_TIMEOUT):
                while READY not in said:
                    data = await self._terminal.read()
                    if not data:
                        break
                    said += data
        if READY not in said:
            await self.stop()
            lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
            raise ResourceError(f"{program} does not start: {lines[-1] if lines else 'it says nothing'}")

    async def read(self) -> list[bytes]:
        """Return the next packets for the caller, one at least; raises `ResourceError` where it is over."""
        assert self._terminal is not None
        while True:
            data = await self._terminal.read()
            if not data:
                raise ResourceError(f"{self._program} has ended")
            if packets := self._reader.feed(data):
                return packets

    async def write(self, packet: bytes) -> None:
        """Return when it has taken a packet of the caller."""
        if self._terminal is not None:
            with contextlib.suppress(OSError):
                await self._terminal.write(encode_slip(packet))

    async def stop(self) -> None:
        """End it: its terminal goes, and so does it."""
        if self._terminal is not None:
            self._terminal.close()
        if self._process is None:
            return
        try:
            async with asyncio.timeout(END_TIMEOUT):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
