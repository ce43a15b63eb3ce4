"""The terminal on a real pty, looked at through pyte; the modem is a script."""

import asyncio
import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import tty
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import ConfigError, ResourceError
from ansam.io.terminal import Left, Terminal, _reader
from ansam.io.terminal_fd import Descriptor
from ansam.io.terminal_keys import Do, Keys, Order, Send
from ansam.io.terminal_port import DevicePort, TcpPort, make_port
from ansam.io.terminal_screen import Screen
from ansam.io.terminal_status import Status

ROWS, COLUMNS = 12, 70


def run(work: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(bounded())


class Bench:
    """A terminal between a screen (pyte) and a modem (a pty whose master is ours)."""

    def __init__(self) -> None:
        modem, self.modem_slave = os.openpty()
        tty.setraw(self.modem_slave)
        self.modem = Descriptor(modem)
        user, self.user_slave = os.openpty()
        fcntl.ioctl(self.user_slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(self.user_slave)
        self.user = Descriptor(user)
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        port = DevicePort(os.ttyname(self.modem_slave))
        self.terminal = Terminal(port, self.user_slave, self.user_slave)

    async def look(self) -> None:
        """Feed pyte with everything the terminal writes."""
        while data := await self.user.read():
            self.stream.feed(data)

    async def shows(self, text: str, row: int | None = None) -> None:
        for _ in range(1000):
            lines = self.screen.display if row is None else [self.screen.display[row]]
            if any(text in line for line in lines):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("\n".join([f"no {text!r} on", *self.screen.display]))

    async def modem_gets(self, text: bytes) -> None:
        got = b""
        while text not in got:
            data = await self.modem.read()
            assert data, got
            got += data
        assert got == text


@asynccontextmanager
async def bench() -> AsyncIterator[tuple[Bench, "asyncio.Task[Left]"]]:
    one = Bench()
    looking = asyncio.create_task(one.look())
    task = asyncio.create_task(one.terminal.run())
    try:
        await one.shows("Press CTRL-A Z for help on special keys")
        await one.shows("Offline", ROWS - 1)
        yield one, task
        if not task.done():
            await one.user.write(b"\x01q")
            assert await task is Left.QUIT
        assert termios.tcgetattr(one.user_slave) == one.before
    finally:
        task.cancel()
        looking.cancel()
        await asyncio.gather(task, looking, return_exceptions=True)
        one.modem.close()
        one.user.close()
        os.close(one.user_slave)
        os.close(one.modem_slave)


def test_session_and_status_line() -> None:
    async def work() -> None:
        async with bench() as (b, _):
            await b.user.write(b"atdt05\r\x03\x1c")
            await b.modem_gets(b"atdt05\r\x03\x1c")
            await b.modem.write(b"atdt05\r\r\nCONNECT 2400/NONE\r\n")
            await b.shows("CONNECT 2400/NONE")
            await b.shows("Online 0:00:0", ROWS - 1)
            await b.shows("| 2400/NONE", ROWS - 1)
            await b.modem.write(b"".join(b"\r\nline %d" % n for n in range(40)))
            await b.shows("line 39", ROWS - 2)
            await b.shows("line 30", 1)
            await b.shows("Online", ROWS - 1)
            await b.modem.write(b"\r\nNO CARRIER\r\n")
            await b.shows("Offline", ROWS - 1)

    run(work())


def test_host_can_not_reach_the_status_line() -> None:
    async def work() -> None:
        async with bench() as (b, _):
            for sequence in (b"\x1b[r", b"\x1bc", b"\x1b[1;99r", b"\x1b[2J", b"\x1b[99;5H", b"\x1b[99;5f"):
                await b.modem.write(sequence + b"".join(b"\r\nrow %d" % n for n in range(30)))
                await b.shows("row 29", ROWS - 2)
                await b.shows("CTRL-A Z for help", ROWS - 1)
                await b.modem.write(b"\x1b[2J\x1b[1;1H")

    run(work())


def test_keys_of_its_own() -> None:
    async def work() -> None:
        async with bench() as (b, _):
            await b.user.write(b"\x01z")
            await b.shows("hang up, reset the modem and exit")
            await b.user.write(b"x\x01a\x01\x01")
            await b.modem_gets(b"\x01\x01")
            assert "hang up, reset" not in "".join(b.screen.display)
            await b.user.write(b"\x01e")
            await b.shows("echo", ROWS - 1)
            await b.user.write(b"seen")
            await b.modem_gets(b"seen")
            await b.shows("seen")
            await b.user.write(b"\x01c\x01d0x\x7f5")
            await b.shows("Number: 05_", ROWS - 1)
            assert not any("seen" in line for line in b.screen.display)
            await b.user.write(b"\r")
            await b.modem_gets(b"ATDT05\r")
            await b.shows("Offline", ROWS - 1)
            await b.user.write(b"\x01d9\x1b\x01Kz")
            await b.modem_gets(b"z")

    run(work())


def test_exit_with_reset() -> None:
    async def work() -> None:
        async with bench() as (b, task):
            await b.user.write(b"\x01x")
            await b.modem_gets(b"ATZ\r")
            assert await task is Left.RESET

    run(work())


def test_hang_up_closes_a_pty_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.terminal.HANG_UP_PAUSE", 0.2)

    async def work() -> None:
        async with bench() as (b, _):
            path = os.ttyname(b.modem_slave)
            os.close(b.modem_slave)
            await b.user.write(b"\x01h")
            # With nobody on the slave a pty master reads as ended: that is how our modem sees DTR go OFF.
            assert await b.modem.read() == b""
            b.modem_slave = os.open(path, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(b.modem_slave)
            await b.modem.write(b"hello again")
            await b.shows("hello again")

    run(work())


def test_resize() -> None:
    async def work() -> None:
        async with bench() as (b, _):
            fcntl.ioctl(b.user_slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS + 4, COLUMNS, 0, 0))
            b.screen.resize(ROWS + 4, COLUMNS)
            os.kill(os.getpid(), signal.SIGWINCH)
            await b.shows("CTRL-A Z for help", ROWS + 3)
            await b.modem.write(b"".join(b"\r\nrow %d" % n for n in range(30)))
            await b.shows("row 29", ROWS + 2)

    run(work())


def test_lost_port_and_signal_restore_the_tty() -> None:
    async def work() -> None:
        async with bench() as (b, task):
            b.modem.close()
            assert await task is Left.PORT_LOST
            b.modem = Descriptor(os.dup(b.modem_slave))
        async with bench() as (_, task):
            os.kill(os.getpid(), signal.SIGTERM)
            assert await task is Left.SIGNAL

    run(work())


def test_pipes_are_transparent(tmp_path: Path) -> None:
    octets = bytes(range(256)) * 40

    async def work() -> None:
        modem, slave = os.openpty()
        tty.setraw(slave)
        host = Descriptor(modem)
        script = (
            "import asyncio\n"
            "from ansam.io.terminal import _reader, Terminal\n"
            "from ansam.io.terminal_port import make_port\n"
            f"print(asyncio.run(Terminal(make_port({os.ttyname(slave)!r}), linger=0.5).run()).name, end='')\n"
        )
        for stdin in (asyncio.subprocess.PIPE, (tmp_path / "input").open("w+b", buffering=0)):
            if not isinstance(stdin, int):
                stdin.write(octets)
                stdin.seek(0)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", script, stdin=stdin, stdout=asyncio.subprocess.PIPE
            )
            if process.stdin is not None:
                process.stdin.write(octets)
                process.stdin.close()
            else:
                stdin.close()  # type: ignore[union-attr]
            got = bytearray()
            while len(got) < len(octets):
                data = await host.read()
                await host.write(data)
                got += data
            assert bytes(got) == octets
            assert process.stdout is not None
            out = await process.stdout.read()
            assert out == octets + b"END_OF_INPUT"
            await process.wait()
        host.close()
        os.close(slave)

    run(work())


async def test_a_device_that_can_not_be_polled_is_read_all_the_same() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        assert await _reader(nothing)() == b""
    finally:
        os.close(nothing)


def test_tcp_port() -> None:
    async def work() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(100):
                writer.write(data.upper())
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        number = server.sockets[0].getsockname()[1]
        port = make_port(f"tcp:127.0.0.1:{number}")
        assert isinstance(port, TcpPort)
        assert await port.read() == b""
        with pytest.raises(OSError, match="not connected"):
            await port.write(b"x")
        for _ in range(2):
            await port.set_dtr(True)
            await port.write(b"hello")
            assert await port.read() == b"HELLO"
            await port.set_dtr(False)
        assert port.carrier is None
        server.close()
        await server.wait_closed()
        with pytest.raises(ResourceError, match=f"can not connect to 127.0.0.1:{number}: "):
            await port.open()
        await asyncio.sleep(0.05)

    run(work())


async def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(ResourceError, match=r"can not connect to a\.\.b:23"):
        await make_port("tcp:a..b:23").open()


@pytest.mark.parametrize("spec", ["tcp:", "tcp:host", "tcp::5", "tcp:h:0", "tcp:h:99999", "tcp:h:x", ""])
def test_bad_ports(spec: str) -> None:
    with pytest.raises(ConfigError, match="port"):
        make_port(spec)


def test_ports_that_are_no_terminals(tmp_path: Path) -> None:
    async def work() -> None:
        plain = tmp_path / "file"
        plain.write_bytes(b"")
        for path in (plain, tmp_path / "none", Path("/dev/null")):
            with pytest.raises(ResourceError, match=str(path)):
                await DevicePort(path).open()

    run(work())


async def test_a_device_pulled_out_is_named() -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)
    port = DevicePort(path)
    await port.open()
    port._has_lines = True
    os.close(master)
    for on in (False, True):
        with pytest.raises(ResourceError, match=path + r": .*still plugged in"):
            await port.set_dtr(on)
    with pytest.raises(ResourceError, match="Input/output error"):
        port.set_speed(9600)
    port.close()
    os.close(slave)


def test_terminal_without_a_modem_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ansam.cli.main", "terminal", "/no/such/port"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "/no/such/port" in done.stderr


def test_keys_do_not_depend_on_cuts() -> None:
    keys = Keys()
    assert keys.feed(b"ab\x01") == [Send(b"ab")]
    assert keys.feed(b"Zc\x01\x01\x01\x18") == [Do(Order.HELP), Send(b"c\x01"), Do(Order.EXIT_RESET)]
    assert keys.feed(b"\x01?d") == [Send(b"d")]


@given(st.lists(st.sampled_from([b"a", b"\x1b[3", b";9", b"m", b"\xc3", b"\xa4", b"\x1b]0;t", b"\x07"])))
def test_screen_does_not_depend_on_cuts_and_loses_nothing(parts: list[bytes]) -> None:
    whole, cut = Screen(), Screen()
    whole.start(), cut.start()
    data = b"".join(parts) + b"\x18x"
    assert b"".join(cut.host(part) for part in [*parts, b"\x18x"]) == whole.host(data) == data


def test_status_waits_for_sequences_and_saved_cursors() -> None:
    screen = Screen()
    screen.start()
    assert screen.host(b"\x1b[3") == b""
    assert screen.set_status("one") == b""
    assert b"one" in screen.host(b"1m")
    assert screen.host(b"\xc3") == b"\xc3"
    assert screen.set_status("two") == b""
    assert b"two" in screen.host(b"\xa4")
    screen.host(b"\x1b7")
    assert screen.set_status("three") == b""
    assert b"three" in screen.host(b"\x1b8")
    screen.host(b"\x1b[s")
    assert screen.set_status("four") == b""
    assert b"four" in screen.host(b"\x1b[u")
    assert screen.set_status("four") == b""


def test_carrier_where_it_is_known_is_believed_over_words() -> None:
    status = Status("ttyUSB0")
    status.set_carrier(False, 0.0)
    status.host(b"\r\nCONNECT 2400/NONE\r\n", 1.0)
    assert "Offline" in status.text(1.0)
    status.set_carrier(True, 1.0)
    status.host(b"\r\nNO CARRIER\r\nCONNECT 300\r\n", 2.0)
    assert status.text(3662.0).endswith("Online 1:01:01 | 2400/NONE")
    status.set_carrier(False, 3700.0)
    assert "Offline" in status.text(3700.0)
