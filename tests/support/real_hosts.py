"""Debian's own sshd and telnetd on loopback, with a program behind them that tells what it sees."""

import asyncio
import contextlib
import os
import pwd
import shlex
import socket
import subprocess
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.exchange_live import free_port

ME = pwd.getpwuid(os.geteuid()).pw_name
ALL = bytes(range(256))

PROGRAM = """
import os, sys, termios, tty
tty.setraw(0)
size = os.get_terminal_size(0)
seen = [os.environ.get(name, '-') for name in ('TERM', 'CALLER_ID', 'CONNECT', 'USER')]
os.write(1, ('seen %s %dx%d\\r\\n' % ('|'.join(seen), size.columns, size.lines)).encode())
os.write(1, b'octets ' + bytes(range(256)) + b' end\\r\\n')
got = b''
while len(got) < 256:
    got += os.read(0, 256)
os.write(1, b'equal\\r\\n' if got == bytes(range(256)) else b'got ' + got.hex().encode() + b'\\r\\n')
while True:
    key = os.read(0, 1)
    if key in (b'q', b''):
        break
    os.write(1, key)
sys.exit(3)
"""


def program(directory: Path) -> str:
    """Write the program down; return the command that runs it."""
    file = directory / "far.py"
    file.write_text(PROGRAM)
    directory.chmod(0o755)
    return f"{sys.executable} -I -S {shlex.quote(str(file))}"


def _key(file: Path) -> str:
    """Make a key; return its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    return file.with_name(f"{file.name}.pub").read_text().strip()


@asynccontextmanager
async def sshd(directory: Path) -> AsyncIterator[int]:
    """Run OpenSSH's; yields its port. `directory` is the home of a caller with a key who knows the host's."""
    port, home = free_port(socket.SOCK_STREAM), directory / ".ssh"
    home.mkdir()
    host, mine = _key(directory / "host"), _key(home / "id_ed25519")
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {host}\n")
    (directory / "authorized").write_text(f"{mine}\n")
    lines = ["ListenAddress 127.0.0.1", f"Port {port}", f"HostKey {directory}/host", "PidFile none"]
    lines += [f"AuthorizedKeysFile {directory}/authorized", "StrictModes no", "UsePAM no"]
    lines += ["PasswordAuthentication no", "PermitRootLogin yes", "AcceptEnv CALLER_ID CONNECT"]
    lines += [f"ForceCommand {program(directory)}"]
    (directory / "sshd_config").write_text("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # it insists
    with (directory / "sshd.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("/usr/sbin/sshd", "-D", "-e", "-f", str(directory / "sshd_config")), stdin=DEVNULL, stderr=log
        )
    try:
        async with asyncio.timeout(10):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        assert process.returncode is None, (directory / "sshd.log").read_text()
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@asynccontextmanager
async def inetd(*command: str) -> AsyncIterator[int]:
    """Listen as inetd does, and run a server for each connection; yields the port."""
    processes: list[asyncio.subprocess.Process] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)

        async def accept() -> None:
            while True:
                connection, _ = await asyncio.get_running_loop().sock_accept(listener)
                with connection:
                    connection.setblocking(True)
                    processes.append(
                        await asyncio.create_subprocess_exec(
                            *command, stdin=connection, stdout=connection, stderr=connection
                        )
                    )

        accepting = asyncio.create_task(accept())
        try:
            yield listener.getsockname()[1]
            async with asyncio.timeout(10):  # each has seen the end of its connection
                for process in processes:
                    await process.wait()
        finally:
            accepting.cancel()
            await asyncio.gather(accepting, return_exceptions=True)
            for process in processes:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
