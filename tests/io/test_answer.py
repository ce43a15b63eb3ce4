"""An answering line over real ptys, with a modem that is a script at the other end."""

import asyncio
import errno
import os
import random
import signal
import sys
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.answer import place

from ansam.answer.events import Answered, AnswerEvent, CallEnded, LoggedIn, RunCommand, SetDtr, SetSpeed
from ansam.answer.getty_state import GettyState
from ansam.answer.users import Command, User, UserBook
from ansam.errors import ResourceError
from ansam.io.answer import AnswerLine, local_time, this_machine
from ansam.io.answer_command import CommandProcess
from ansam.io.answer_passwords import hash_password, verify
from ansam.io.answer_shelf import DirectoryShelf
from ansam.io.inner_port import InnerPort
from ansam.io.terminal_fd import Descriptor
from ansam.io.terminal_port import DevicePort, Port

SETTINGS = {"prompt_wait": 0.0}
ME = "root" if os.geteuid() == 0 else ""


class ScriptedModem:
    """The modem's end of a pty: answers OK, rings, connects, and plays the caller."""

    def __init__(
        self, send: Callable[[bytes], Awaitable[None]], read: Callable[[], Awaitable[bytes]]
    ) -> None:
        self.send = send
        self._read = read
        self.seen = bytearray()

    async def until(self, text: bytes, seconds: float = 10.0) -> bytes:
        """Read until a text comes; return everything up to and with it."""
        async with asyncio.timeout(seconds):
            while (at := self.seen.find(text)) < 0:
                data = await self._read()
                assert data, f"port closed while waiting for {text!r}; got {bytes(self.seen)!r}"
                self.seen += data
        got = bytes(self.seen[: at + len(text)])
        del self.seen[: at + len(text)]
        return got

    async def call(self) -> None:
        """Bring up a call to the login prompt."""
        await self.until(b"ATQ0V1H0\r")
        await self.send(b"\r\nOK\r\n")
        await self.until(b"ATS0=0Q0&D2&C1\r")
        await self.send(b"\r\nOK\r\n\r\nRING\r\n")
        await self.until(b"ATA\r")
        await self.send(b"\r\nCONNECT 921600/NONE\r\n")
        await self.until(b"login: ")


class PtyPair:
    def __init__(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self.slave = slave
        self.master = Descriptor(master)

    def close(self) -> None:
        self.master.close()
        os.close(self.slave)


@asynccontextmanager
async def running(
    port: Port, users: UserBook, **settings: object
) -> AsyncIterator[tuple[AnswerLine, list[AnswerEvent]]]:
    events: list[AnswerEvent] = []
    where = replace(place(**{**SETTINGS, **settings}), users=users, clock=local_time)
    line = AnswerLine(port, where, events.append)
    task = asyncio.create_task(line.run())
    try:
        yield line, events
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def on_pty(users: UserBook) -> AsyncIterator[tuple[ScriptedModem, list[AnswerEvent], AnswerLine]]:
    pair = PtyPair()
    try:
        async with running(DevicePort(pair.path), users) as (line, events):
            yield ScriptedModem(pair.master.write, pair.master.read), events, line
    finally:
        pair.close()


def run(work: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(bounded())


async def happens(events: list[AnswerEvent], kind: type) -> AnswerEvent:
    for _ in range(1000):
        if found := [event for event in events if isinstance(event, kind)]:
            return found[-1]
        await asyncio.sleep(0.01)
    raise AssertionError(f"no {kind.__name__} among {events}")


def test_two_calls_with_a_password_over_a_pty() -> None:
    users = UserBook([User("ali", hash_password("open sesame"))])

    async def work() -> None:
        async with on_pty(users) as (modem, events, line):
            for _ in range(2):
                await modem.call()
                await modem.send(b"ali\r")
                await modem.until(b"Password: ")
                await modem.send(b"open sesame\r")
                await modem.until(b"Welcome, ali.")
                await modem.send(b"bye\r")
                await modem.until(b"Goodbye, ali.")
                assert await happens(events, CallEnded) == CallEnded("ali logged off")
                events.clear()
            assert line.state in (GettyState.HANGING_UP, GettyState.INIT)

    run(work())


class InnerModem:
    """A modem in this process, as its host shows it to an endpoint."""

    def __init__(self) -> None:
        self.dtr: list[bool] = []
        self.carrier = False
        self.said = bytearray()
        self.to_say = bytearray()
        self.room = 10
        self.port = InnerPort("ttyUSB0", lambda: self.carrier)
        self._heard = asyncio.Event()

    def offer(self, data: bytes) -> int:
        taken = data[: self.room]
        self.said += taken
        self.room -= len(taken)
        self._heard.set()
        return len(taken)

    def take(self, limit: int) -> bytes:
        data = bytes(self.to_say[:limit])
        del self.to_say[:limit]
        return data

    def set_dtr(self, on: bool) -> None:
        self.dtr.append(on)

    async def send(self, data: bytes) -> None:
        self.to_say += data
        self.port.endpoint.output_ready()

    async def read(self) -> bytes:
        while not self.said:
            self._heard.clear()
            await self._heard.wait()
        data = bytes(self.said)
        self.said.clear()
        self.room = 10
        self.port.endpoint.resume()
        return data

    def set_carrier(self, on: bool) -> None:
        self.carrier = on
        self.port.endpoint.output_ready()


def test_modem_in_process_tells_carrier_and_sees_dtr() -> None:
    async def work() -> None:
        inner = InnerModem()
        modem = ScriptedModem(inner.send, inner.read)
        async with running(inner.port, UserBook([User("guest")])) as (_, events):
            await inner.port.endpoint.open(inner)
            await modem.until(b"ATQ0V1H0\r")
            assert inner.dtr[-1]
            await modem.send(b"\r\nOK\r\n")
            await modem.until(b"&C1\r")
            await modem.send(b"\r\nOK\r\n\r\nRING\r\n")
            await modem.until(b"ATA\r")
            inner.set_carrier(True)
            await modem.send(b"\r\nCONNECT 2400/NONE\r\n")
            await modem.until(b"login: ")
            await modem.send(b"guest\r")
            await modem.until(b"Command: ")
            inner.set_carrier(False)
            assert await happens(events, CallEnded) == CallEnded("no carrier")
            assert not inner.dtr[-1]
            await modem.until(b"ATQ0V1H0\r")
            assert inner.dtr[-1]
        await inner.port.endpoint.close()

    run(work())


def test_command_has_a_terminal_and_gets_and_gives_every_octet() -> None:
    script = (
        "import os,sys,tty; tty.setraw(0);"
        "assert os.tcgetpgrp(0)==os.getpgrp()==os.getsid(0)==os.getpid();"
        "print(os.get_terminal_size(0), os.environ['TERM'], os.environ['CONNECT'], end='\\r\\n', flush=True);"
        "n=0\n"
        "while n<50000:\n"
        " d=os.read(0,999); n+=len(d); os.write(1,d)\n"
    )
    users = UserBook([User("cmd", "", Command((sys.executable, "-c", script), run_as=ME))])
    data = random.Random(1).randbytes(50000)

    async def work() -> None:
        async with on_pty(users) as (modem, events, _):
            await modem.call()
            await modem.send(b"cmd\r")
            await modem.until(b"os.terminal_size(columns=80, lines=24) vt102 921600/NONE\r\n")
            sending = asyncio.create_task(modem.send(data))
            assert await modem.until(data[-16:]) == data
            await sending
            assert await happens(events, CallEnded) == CallEnded("command ended with status 0")

    run(work())


def test_command_s_last_words_arrive_before_the_hang_up() -> None:
    users = UserBook([User("cmd", "", Command(("sh", "-c", "seq 1 20000; exit 3"), run_as=ME))])

    async def work() -> None:
        async with on_pty(users) as (modem, events, _):
            await modem.call()
            await modem.send(b"cmd\r")
            text = await modem.until(b"\r\n20000\r\n")
            assert text.split()[-20000:] == [b"%d" % n for n in range(1, 20001)]
            assert await happens(events, CallEnded) == CallEnded("command ended with status 3")

    run(work())


def test_hang_up_reaches_the_command() -> None:
    users = UserBook([User("cmd", "", Command(("sh", "-c", "echo pid $$.; cat"), run_as=ME))])

    async def work() -> None:
        async with on_pty(users) as (modem, events, _):
            await modem.call()
            await modem.send(b"cmd\r")
            await modem.until(b"pid ")
            pid = int((await modem.until(b"."))[:-1])
            await modem.send(b"\r\nNO CARRIER\r\n")
            assert await happens(events, CallEnded) == CallEnded("no carrier")
            async with asyncio.timeout(10):
                while True:
                    try:
                        os.kill(pid, 0)
                    except ProcessLookupError:
                        break
                    await asyncio.sleep(0.01)

    run(work())


def test_command_that_does_not_exist_is_named() -> None:
    users = UserBook([User("cmd", "", Command(("/no/such/program",), run_as=ME))])

    async def work() -> None:
        async with on_pty(users) as (modem, events, _):
            await modem.call()
            await modem.send(b"cmd\r")
            await modem.until(b"/no/such/program: No such file or directory")
            assert await happens(events, CallEnded) == CallEnded("command ended with status 127")

    run(work())


def test_a_fault_in_starting_a_command_costs_its_caller_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    users = UserBook([User("cmd", "", Command(("true",), run_as=ME))])

    async def work() -> None:
        async with on_pty(users) as (modem, events, _):
            monkeypatch.setattr("os.openpty", none_left)
            await modem.call()
            await modem.send(b"cmd\r")
            await modem.until(b"something went wrong here")
            assert await happens(events, CallEnded) == CallEnded("something went wrong here")

    run(work())


def test_bad_account_and_bad_directory() -> None:
    async def work() -> None:
        with pytest.raises(ResourceError, match="no account 'no-such-user'"):
            await CommandProcess(RunCommand(("true",), {}, "no-such-user")).start()
        command = CommandProcess(RunCommand(("true",), {}, ME, "/no/such/dir"))
        await command.start()
        assert await command.read() == b"/no/such/dir: No such file or directory\r\n"
        assert await command.stop() in (127, -signal.SIGHUP)

    run(work())


def test_commands_of_callers_never_run_as_root_by_default() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")

    async def work() -> None:
        command = CommandProcess(RunCommand(("id", "-un"), {"PATH": os.environ["PATH"]}))
        await command.start()
        assert await command.read() == b"nobody\r\n"
        await command.stop()

    run(work())


def test_stubborn_command_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.answer_command.HANGUP_GRACE", 0.3)

    async def work() -> None:
        script = (
            "import signal,time\nsignal.signal(1,signal.SIG_IGN)\nprint('ready',flush=True)\ntime.sleep(60)"
        )
        command = CommandProcess(RunCommand((sys.executable, "-c", script), {}, ME))
        await command.start()
        assert await command.read() == b"ready\r\n"
        assert await command.stop() == -signal.SIGKILL

    run(work())


def test_daemon_left_behind_does_not_keep_the_call() -> None:
    async def work() -> None:
        command = CommandProcess(
            RunCommand(("sh", "-c", "trap '' HUP; sleep 60 & echo $!"), {"PATH": os.environ["PATH"]}, ME)
        )
        await command.start()
        text = b""
        while data := await command.read():
            text += data
        await command.stop()
        os.kill(int(text), signal.SIGKILL)

    run(work())


def test_lost_port_is_got_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.io.answer.REOPEN_EVERY", 0.05)

    async def work() -> None:
        link = tmp_path / "ttyUSB0"
        first = PtyPair()
        link.symlink_to(first.path)
        async with running(DevicePort(link), UserBook([User("guest")])) as (_, events):
            modem = ScriptedModem(first.master.write, first.master.read)
            await modem.call()
            await modem.send(b"guest\r")
            await happens(events, LoggedIn)
            first.close()
            link.unlink()
            second = PtyPair()
            link.symlink_to(second.path)
            modem = ScriptedModem(second.master.write, second.master.read)
            await modem.call()
            assert len([event for event in events if isinstance(event, Answered)]) == 2
        second.close()

    run(work())


async def test_a_modem_pulled_out_while_it_is_set_does_not_end_the_line() -> None:
    pair = PtyPair()
    port = DevicePort(pair.path)
    await port.open()
    port._has_lines = True
    line = AnswerLine(port, place())
    pair.close()
    for order in (SetDtr(False), SetSpeed(9600), SetDtr(True)):
        await line._obey(order)
    await line._stop()


def test_port_that_can_not_be_opened_is_named(tmp_path: Path) -> None:
    async def work() -> None:
        line = AnswerLine(DevicePort(tmp_path / "ttyX"), place())
        with pytest.raises(ResourceError, match=r"can not open .*ttyX"):
            await line.run()

    run(work())


def test_passwords() -> None:
    encoded = hash_password("x")
    assert verify(encoded, b"x")
    assert not verify(encoded, b"y")
    assert not verify("", b"x")
    assert not verify("$argon2id$nonsense", b"x")


def test_directory_shelf(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"hello")
    (tmp_path / "a.txt").write_bytes(b"")
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo")
    shelf = DirectoryShelf(tmp_path)
    assert [(entry.name, entry.size) for entry in shelf.entries()] == [("a.txt", 0), ("b.txt", 5)]
    assert shelf.read("b.txt", 1, 3) == b"ell"
    for name in ("link", "fifo", "sub", "../x", ".hidden", "nothing", "/etc/passwd"):
        assert shelf.read(name, 0, 10) is None
    with pytest.raises(ResourceError, match="does not exist"):
        DirectoryShelf(tmp_path / "none")


def test_machine() -> None:
    assert this_machine().nodename == os.uname().nodename
