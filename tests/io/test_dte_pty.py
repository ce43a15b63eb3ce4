# ruff: noqa: ASYNC221, ASYNC240
import asyncio
import contextlib
import os
import random
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from tests.support.dte_port import FakePort

from ansam.dte.circuits import Circuits
from ansam.errors import ResourceError
from ansam.io.dte_pty import PtyDte


async def opened(path: Path, port: FakePort) -> tuple[PtyDte, int]:
    dte = PtyDte(path)
    await dte.open(port)
    terminal = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    await port.until(lambda: port.dtr == [False, True])
    return dte, terminal


async def test_open_and_close_of_the_terminal_are_dtr(tmp_path: Path) -> None:
    port = FakePort()
    dte, terminal = await opened(tmp_path / "tty", port)
    second = os.open(tmp_path / "tty", os.O_RDWR | os.O_NOCTTY)
    os.close(terminal)
    os.write(second, b"ATZ\r")
    await port.until(lambda: port.received == b"ATZ\r")
    assert port.dtr == [False, True]
    os.close(second)
    await port.until(lambda: port.dtr == [False, True, False])
    third = os.open(tmp_path / "tty", os.O_RDWR | os.O_NOCTTY)
    await port.until(lambda: port.dtr[-1])
    os.close(third)
    await dte.close()
    assert not os.path.lexists(tmp_path / "tty")
    assert list(tmp_path.iterdir()) == []


async def test_what_is_written_just_before_the_close_still_arrives(tmp_path: Path) -> None:
    port = FakePort()
    dte = PtyDte(tmp_path / "tty")
    await dte.open(port)
    for k in range(3):
        terminal = os.open(tmp_path / "tty", os.O_RDWR | os.O_NOCTTY)
        os.write(terminal, b"AT%d\r" % k)
        os.close(terminal)
        await port.until(lambda k=k: port.dtr == [False] + [True, False] * (k + 1))
        assert port.received.endswith(b"AT%d\r" % k)
    await dte.close()


async def test_each_user_finds_the_port_raw(tmp_path: Path) -> None:
    port = FakePort()
    dte, terminal = await opened(tmp_path / "tty", port)
    mode = termios.tcgetattr(terminal)
    assert not mode[3] & (termios.ECHO | termios.ICANON)
    mode[3] |= termios.ECHO | termios.ICANON
    termios.tcsetattr(terminal, termios.TCSANOW, mode)
    os.close(terminal)
    await port.until(lambda: port.dtr[-1] is False)
    terminal = os.open(tmp_path / "tty", os.O_RDWR | os.O_NOCTTY)
    assert not termios.tcgetattr(terminal)[3] & (termios.ECHO | termios.ICANON)
    os.close(terminal)
    await dte.close()


async def test_output_without_a_terminal_is_lost_and_never_read_later(tmp_path: Path) -> None:
    port = FakePort()
    dte = PtyDte(tmp_path / "tty")
    await dte.open(port)
    port.to_give = b"RING\r\n" * 10_000
    dte.output_ready()
    assert port.to_give == b""
    terminal = os.open(tmp_path / "tty", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    await port.until(lambda: port.dtr[-1])
    with pytest.raises(BlockingIOError):
        os.read(terminal, 1)
    os.close(terminal)
    await dte.close()


@pytest.mark.parametrize("seed", range(3))
async def test_no_byte_is_lost_with_slow_sides(tmp_path: Path, seed: int) -> None:
    """The modem takes 1..700 bytes at a time, the terminal reads and writes in odd pieces."""
    rng = random.Random(seed)
    port = FakePort(room=0)
    dte, terminal = await opened(tmp_path / "tty", port)
    up, down = rng.randbytes(60_000), rng.randbytes(60_000)
    port.to_give = down
    written, read = 0, b""
    async with asyncio.timeout(20):
        while len(port.received) < len(up) or len(read) < len(down):
            piece = up[written : written + rng.choice((1, 7, 512, 4096))]
            try:
                written += os.write(terminal, piece) if piece else 0
            except BlockingIOError:
                port.room = rng.randint(1, 700)
                dte.resume()
            if written == len(up):
                port.room = rng.randint(1, 700)
                dte.resume()
            dte.output_ready()
            if rng.random() < 0.5:
                with contextlib.suppress(BlockingIOError):
                    read += os.read(terminal, rng.choice((1, 30, 2000)))
            await asyncio.sleep(0)
    assert port.received == up
    assert read == down
    os.close(terminal)
    await dte.close()


async def test_a_terminal_killed_while_the_modem_is_full_still_drops_dtr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansam.io.dte.DRAIN", 0.2)
    port = FakePort(room=100)
    dte, terminal = await opened(tmp_path / "tty", port)
    os.write(terminal, b"x" * 3000)
    await port.until(lambda: len(port.received) == 100)
    os.close(terminal)
    await port.until(lambda: port.dtr[-1] is False)
    await dte.close()


async def test_idle_pty_costs_nothing(tmp_path: Path) -> None:
    """No busy loop while nobody has the slave open: POLLHUP stands for ever then."""
    port = FakePort()
    dte, terminal = await opened(tmp_path / "tty", port)
    os.close(terminal)
    await port.until(lambda: port.dtr[-1] is False)
    before = os.times()
    await asyncio.sleep(0.3)
    after = os.times()
    assert after.user + after.system - before.user - before.system < 0.1
    await dte.close()


async def test_existing_file_is_respected(tmp_path: Path) -> None:
    path = tmp_path / "tty"
    path.write_text("precious")
    with pytest.raises(ResourceError, match=r"a file of this name exists.*remove it"):
        await PtyDte(path).open(FakePort())
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


async def test_link_of_a_living_owner_is_respected(tmp_path: Path) -> None:
    first = PtyDte(tmp_path / "tty")
    await first.open(FakePort())
    with pytest.raises(ResourceError, match=f"in use by process {os.getpid()}"):
        await PtyDte(tmp_path / "tty").open(FakePort())
    await first.close()


async def test_link_of_a_dead_owner_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "tty"
    code = f"""
import asyncio, os
from ansam.io.dte_pty import PtyLink
from pathlib import Path
PtyLink(Path({str(path)!r})).make("/dev/pts/9999")
os._exit(9)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert path.is_symlink()
    dte = PtyDte(path)
    await dte.open(FakePort())
    assert os.readlink(path) != "/dev/pts/9999"
    await dte.close()


async def test_directory_that_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match=r"pty .*file/tty"):
        await PtyDte(tmp_path / "file" / "tty").open(FakePort())


async def test_the_speed_of_the_pty_is_the_ports_rate_and_b0_is_dtr_off(tmp_path: Path) -> None:
    port = FakePort()
    dte, terminal = await opened(tmp_path / "tty", port)
    assert port.rates == [38400]
    mode = termios.tcgetattr(terminal)
    mode[4] = mode[5] = termios.B57600
    termios.tcsetattr(terminal, termios.TCSANOW, mode)
    await port.until(lambda: port.rates[-1] == 57600)
    usual = list(mode)
    mode[4] = mode[5] = termios.B0
    termios.tcsetattr(terminal, termios.TCSANOW, mode)
    await port.until(lambda: not port.dtr[-1])
    termios.tcsetattr(terminal, termios.TCSANOW, usual)
    await port.until(lambda: port.dtr[-1])
    mode[4] = mode[5] = termios.B0
    termios.tcsetattr(terminal, termios.TCSANOW, mode)
    await port.until(lambda: not port.dtr[-1])
    os.close(terminal)
    await asyncio.sleep(0.1)
    terminal = os.open(tmp_path / "tty", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    await port.until(lambda: port.dtr[-1])
    os.close(terminal)
    await dte.close()


async def test_a_pty_waits_while_another_port_has_the_modem(tmp_path: Path) -> None:
    port = FakePort()
    port.free = False
    dte = PtyDte(tmp_path / "tty")
    await dte.open(port)
    terminal = os.open(tmp_path / "tty", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    os.write(terminal, b"ATZ\r")
    await asyncio.sleep(0.15)
    assert port.received == b""
    port.free = True
    await port.until(lambda: port.received == b"ATZ\r")
    os.close(terminal)
    await dte.close()


async def test_lost_carrier_can_hang_the_pty_up(tmp_path: Path) -> None:
    port = FakePort()
    dte = PtyDte(tmp_path / "tty", hang_up=True)
    await dte.open(port)
    terminal = os.open(tmp_path / "tty", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    await port.until(lambda: port.dtr[-1])
    was = os.readlink(tmp_path / "tty")
    dte.show(Circuits(circuit_109=True))
    dte.show(Circuits(circuit_109=False))
    assert port.dtr[-1] is False
    assert os.readlink(tmp_path / "tty") != was
    with pytest.raises(OSError, match="Input/output error"):
        os.write(terminal, b"x")
    again = os.open(tmp_path / "tty", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    os.write(again, b"ATZ\r")
    await port.until(lambda: port.received == b"ATZ\r")
    assert port.dtr[-1]
    os.close(again)
    os.close(terminal)
    await dte.close()
    assert list(tmp_path.iterdir()) == []
