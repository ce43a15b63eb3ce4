"""Emulated PCs on the TCP port of the modem: a few bytes of code set the UART up, say AT and wait for OK."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.io.test_dte_circuits import StillLine

from ansam.dce.dce import Dce
from ansam.io.dte_ports import make_dte
from ansam.io.modem_host import ModemHost

SECONDS = 40

MESSAGE = b"ATE0Q0V1\r\0"


def program(origin: int, leave: bytes) -> bytes:
    """Return 8086 code that sends `MESSAGE` through COM1, reads until a K comes, and leaves.

    Args:
        origin: Where it is loaded.
        leave: Code that ends it.
    """
    set_up = bytes.fromhex(
        "31c0 fc"  # xor ax,ax; cld
        "bafb03 b080 ee"  # LCR: divisor latch
        "baf803 b002 ee 42 30c0 ee"  # divisor 2: 57600 bit/s
        "bafb03 b003 ee"  # LCR: 8N1
        "42 b003 ee"  # MCR: DTR and RTS
    )
    send = bytes.fromhex(
        "ac 84c0 7412 88c4"  # next: lodsb; test al,al; jz read; mov ah,al
        "bafd03 ec a820 74f8"  # until LSR says that the transmitter is empty
        "baf803 88e0 ee ebe9"  # mov al,ah; out dx,al; jmp next
    )
    read = bytes.fromhex(
        "bafd03 ec a801 74f8"  # read: until LSR says that there is a character
        "baf803 ec 3c4b 75f0"  # in al,dx; cmp al,'K'; jne read
    )
    length = len(set_up) + 3 + len(send) + len(read) + len(leave)
    point = bytes([0xBE]) + (origin + length).to_bytes(2, "little")  # mov si,message
    return set_up + point + send + read + leave + MESSAGE


@asynccontextmanager
async def modem(port: str = "tcp:127.0.0.1:0") -> AsyncIterator[tuple[ModemHost, str]]:
    dte = make_dte(port)
    host = ModemHost(Dce(), StillLine(), dte)  # type: ignore[arg-type]
    await host.start()
    try:
        yield host, dte.name
    finally:
        await host.stop()


async def ends(*command: str | Path, environment: dict[str, str]) -> int:
    """Run a program to its end; return its exit code."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SECONDS):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.peer("qemu-system-x86")
@pytest.mark.parametrize("kind", ["tcp", "pty"])
def test_a_boot_sector_in_qemu_finds_the_modem(kind: str, tmp_path: Path) -> None:
    # out 0xf4,al ends QEMU with exit code 2 * 16 + 1.
    boot = bytes.fromhex("fa 31c0 8ed8") + program(0x7C05, bytes.fromhex("b010 e6f4 f4 ebfd"))
    disk = tmp_path / "boot.img"
    disk.write_bytes(boot.ljust(510, b"\0") + b"\x55\xaa" + bytes(512 * 31))

    async def run() -> None:
        port = "tcp:127.0.0.1:0" if kind == "tcp" else f"pty:{tmp_path}/tty"
        async with modem(port) as (host, name):
            chardev = f"socket,id=m,host=127.0.0.1,port={name.rpartition(':')[2]},nodelay=on"
            if kind == "pty":
                chardev = f"serial,id=m,path={name}"
            code = await ends(
                *("qemu-system-i386", "-display", "none", "-nodefaults", "-m", "4", "-no-reboot"),
                *("-drive", f"file={disk},format=raw,if=ide"),
                *("-device", "isa-debug-exit,iobase=0xf4,iosize=4"),
                *("-chardev", chardev, "-device", "isa-serial,chardev=m"),
                environment={},
            )
            assert code == 33
            assert host.dce.settings["E"] == 0
            port_format = host.dce.settings.port
            assert port_format is not None
            assert port_format.rate == (57600 if kind == "pty" else 0)

    asyncio.run(run())


@pytest.mark.peer("dosbox")
def test_a_program_in_dosbox_finds_the_modem(tmp_path: Path) -> None:
    # mov ax,4c01h; int 21h: errorlevel 1.
    (tmp_path / "at.com").write_bytes(program(0x100, bytes.fromhex("b8014c cd21")))

    async def run() -> None:
        async with modem() as (host, name):
            number = name.rpartition(":")[2]
            (tmp_path / "dosbox.conf").write_text(
                "[sdl]\noutput=surface\n[mixer]\nnosound=true\n[serial]\n"
                f"serial1=nullmodem server:127.0.0.1 port:{number} transparent:1\n"
                f"[autoexec]\nmount c {tmp_path}\nc:\nat.com\nif errorlevel 1 echo OK > answer.txt\nexit\n"
            )
            quiet = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy", "HOME": str(tmp_path)}
            await ends("dosbox", "-conf", tmp_path / "dosbox.conf", "-noconsole", environment=quiet)
            assert host.dce.settings["E"] == 0

    asyncio.run(run())
    answer = next(tmp_path.glob("[Aa][Nn][Ss]*"))
    assert answer.read_text().strip() == "OK"
