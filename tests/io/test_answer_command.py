"""Commands for programs at the other end, and programs that judge callers."""

import asyncio
import os
import sys
import termios
from pathlib import Path

import pytest

from ansam.answer.events import RunCommand
from ansam.errors import ResourceError
from ansam.io import answer_command
from ansam.io.answer_command import CommandProcess, judge, ppp_is_missing
from ansam.io.terminal_port import DevicePort

ME = "root" if os.geteuid() == 0 else ""
TAKE = "import os; data = os.read(0, 99); os.write(1, b'<' + data.hex().encode() + b'>')"


async def test_a_raw_command_gets_every_octet_and_echoes_none() -> None:
    frame = bytes.fromhex("7eff7d23c0210304110d0a")
    argv = (sys.executable, "-c", TAKE)
    command = CommandProcess(RunCommand(argv, {"PATH": os.environ["PATH"]}, ME, "", raw=True))
    await command.start()
    await command.write(frame)
    said = b""
    async with asyncio.timeout(20):
        while data := await command.read():
            said += data
    assert said == b"<" + frame.hex().encode() + b">"
    assert await command.stop() == 0


async def test_pppd_without_ppp_is_told_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_command, "PPP_DEVICE", tmp_path / "ppp")
    assert ppp_is_missing(("/usr/sbin/pppd", "auth"))
    assert not ppp_is_missing(("/bin/login",))
    with pytest.raises(ResourceError, match=r"pppd needs .*/ppp, which this kernel has not"):
        await CommandProcess(RunCommand(("/usr/sbin/pppd",), {}, ME)).start()
    (tmp_path / "ppp").touch()
    assert not ppp_is_missing(("/usr/sbin/pppd", "auth"))


@pytest.mark.parametrize(("status", "accepted"), [(0, True), (1, False), (7, True)])
async def test_a_judge(status: int, accepted: bool) -> None:
    assert await judge(("/bin/sh", "-c", f"exit {status}")) is accepted


async def test_a_judge_that_takes_too_long_or_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_command, "JUDGE_TIMEOUT", 0.1)
    assert not await judge(("/bin/sleep", "60"))
    with pytest.raises(ResourceError, match="can not start /no/such: No such file"):
        await judge(("/no/such",))


async def test_a_port_takes_another_speed() -> None:
    master, slave = os.openpty()
    port = DevicePort(os.ttyname(slave), 57600)
    port.set_speed(9600)
    await port.open()
    assert termios.tcgetattr(slave)[4] == termios.B9600
    port.set_speed(2400)
    assert termios.tcgetattr(slave)[4] == termios.B2400
    port.set_speed(31200)
    assert termios.tcgetattr(slave)[4] == termios.B2400
    port.close()
    os.close(master)
    os.close(slave)
