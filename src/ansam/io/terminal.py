"""A person's terminal on a modem's port: raw keys in, the modem's octets out, a status line below.

With a terminal on both sides it behaves like minicom. With a pipe on either side it is transparent: no keys
of its own, no status line, every octet as it comes; at the end of the input it stays until the line has been
quiet for a while.
"""

import asyncio
import contextlib
import os
import select
import signal
import termios
import time
import tty
from collections.abc import Awaitable, Callable, Iterator
from enum import Enum

from ansam.io.terminal_keys import HELP, Keys, Order, Send
from ansam.io.terminal_port import Port
from ansam.io.terminal_screen import Screen
from ansam.io.terminal_status import Status

GREETING = "Press CTRL-A Z for help on special keys"
RESET, ESCAPE, HANG_UP = b"ATZ\r", b"+++", b"ATH\r"
ESCAPE_GUARD = 1.2
"""Seconds of silence on either side of ``+++``."""

HANG_UP_PAUSE = 1.0
RESET_PAUSE = 0.3
DIAL_LIMIT = 60
MIN_ROWS = 4
PIECE = 4096
PORT_POLL = 0.02


class Left(Enum):
    """How a terminal session ended."""

    QUIT = "the user quit"
    RESET = "the user quit and the modem was reset"
    PORT_LOST = "the port is gone"
    END_OF_INPUT = "the input ended and the line fell quiet"
    SIGNAL = "a signal ended it"


class Terminal:
    """One session.

    Args:
        port: Way to the modem.
        stdin: Descriptor of keys, or of a pipe or file.
        stdout: Descriptor of the screen, or of a pipe or file.
        linger: After the end of a piped input, how long the line must be quiet, seconds.
        greeting: Lines shown first, on a screen only.
        init: Command sent to the modem at the start, "" for none.
    """

    def __init__(
        self,
        port: Port,
        stdin: int = 0,
        stdout: int = 1,
        linger: float = 2.0,
        greeting: tuple[str, ...] = (),
        init: str = "",
    ) -> None:
        self._port = port
        self._stdin = stdin
        self._stdout = stdout
        self._linger = linger
        self._greeting = greeting
        self._init = init
        self._person = os.isatty(stdin) and os.isatty(stdout)
        self._keys = Keys()
        self._status = Status(port.name)
        self._screen: Screen | None = None
        self._left: asyncio.Future[Left] | None = None
        self._out_lock = asyncio.Lock()
        self._helping = False
        self._number: bytearray | None = None
        self._hanging_up = False
        self._heard = time.monotonic()

    async def run(self) -> Left:
        """Run until the user leaves, the port goes or the input ends; the tty is always restored."""
        await self._port.open()
        self._left = asyncio.get_running_loop().create_future()
        self._port.on_carrier = self._carrier_changed
        with contextlib.ExitStack() as stack:
            if self._person:
                stack.enter_context(_raw(self._stdin))
                self._screen = Screen(*_size(self._stdout))
                stack.callback(self._give_screen_back)
                await self._show(self._screen.start() + self._welcome())
            stack.enter_context(_signals(lambda: self._leave(Left.SIGNAL), self._resized))
            tasks = [
                asyncio.ensure_future(work) for work in (self._ends(), self._from_port(), self._from_keys())
            ]
            if self._screen is not None:
                tasks.append(asyncio.ensure_future(self._tick()))
            if self._init:
                await self._send(self._init.encode("latin-1", "replace") + b"\r")
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                done = await asyncio.gather(*tasks, return_exceptions=True)
                self._port.close()
            for result in done:
                if isinstance(result, Exception):
                    raise result
        return self._left.result()

    async def _ends(self) -> None:
        """Return when somebody has said `_leave`."""
        assert self._left is not None
        await asyncio.shield(self._left)

    # -- flows -----------------------------------------------------------------------------------------------

    async def _from_port(self) -> None:
        while True:
            data = await self._port.read()
            if data:
                now = self._heard = time.monotonic()
                self._status.host(data, now)
                await self._show(self._screen.host(data) if self._screen else data)
            elif self._hanging_up:
                # A pty drops DTR by being closed for a moment.
                await asyncio.sleep(PORT_POLL)
            else:
                self._leave(Left.PORT_LOST)
                return

    async def _from_keys(self) -> None:
        read = _reader(self._stdin)
        while data := await read():
            if self._person:
                await self._typed(data)
            else:
                await self._send(data)
        if self._person:
            self._leave(Left.QUIT)
            return
        self._heard = time.monotonic()
        await self._quiet()
        self._leave(Left.END_OF_INPUT)

    async def _quiet(self) -> None:
        """Return when the modem has said nothing for `linger` seconds."""
        wait = self._linger
        while wait > 0:
            await asyncio.sleep(wait)
            wait = self._heard + self._linger - time.monotonic()

    async def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            # A port that is gone is noticed by `_from_port`.
            await self._port.write(data)
            if self._status.echo:
                await self._show(self._screen.host(data) if self._screen else data)

    async def _show(self, data: bytes) -> None:
        """Write to the screen, in order, without holding up the event loop: a screen may be slow."""
        async with self._out_lock:
            if data:
                await asyncio.get_running_loop().run_in_executor(None, _write_all, self._stdout, data)

    async def _tick(self) -> None:
        while True:
            await self._show_status()
            await asyncio.sleep(1.0 - time.monotonic() % 1.0)

    async def _show_status(self) -> None:
        if self._screen is None:
            return
        now = time.monotonic()
        self._status.set_carrier(self._port.carrier, now)
        if self._number is not None:
            text = f" Number: {self._number.decode()}_  (Enter dials, Esc leaves)"
        else:
            text = self._status.text(now)
        await self._show(self._screen.set_status(text))

    # -- keys ------------------------------------------------------------------------------------------------

    async def _typed(self, data: bytes) -> None:
        for at in range(len(data)):
            key = data[at : at + 1]
            if self._helping:
                self._helping = False
                await self._clear()
            elif self._number is not None:
                await self._number_key(key)
            else:
                for what in self._keys.feed(key):
                    await (self._send(what.data) if isinstance(what, Send) else self._do(what.order))

    async def _do(self, order: Order) -> None:
        if order is Order.HELP:
            self._helping = True
            await self._show(b"\x1b[2J\x1b[H" + b"".join(line.encode() + b"\r\n" for line in HELP))
        elif order is Order.CLEAR:
            await self._clear()
        elif order is Order.ECHO:
            self._status.echo = not self._status.echo
            await self._show_status()
        elif order is Order.HANG_UP:
            await self._hang_up()
        elif order is Order.DIAL:
            self._number = bytearray()
            await self._show_status()
        elif order is Order.QUIT:
            self._leave(Left.QUIT)
        else:
            if self._status.online:
                await self._hang_up()
            await self._send(RESET)
            await asyncio.sleep(RESET_PAUSE)
            self._leave(Left.RESET)

    async def _clear(self) -> None:
        if self._screen is not None:
            await self._show(self._screen.clear())

    async def _number_key(self, key: bytes) -> None:
        assert self._number is not None
        number = self._number
        if key in (b"\r", b"\n"):
            self._number = None
            if number:
                await self._send(b"ATDT" + bytes(number) + b"\r")
        elif key in (b"\x1b", b"\x03"):
            self._number = None
        elif key in (b"\x08", b"\x7f"):
            del number[-1:]
        elif b" " < key < b"\x7f" and len(number) < DIAL_LIMIT:
            number += key
        await self._show_status()

    async def _hang_up(self) -> None:
        self._hanging_up = True
        try:
            await self._port.set_dtr(False)
            await asyncio.sleep(HANG_UP_PAUSE)
            await self._port.set_dtr(True)
            if self._port.carrier:
                await self._hang_up_by_command()
        finally:
            self._hanging_up = False

    async def _hang_up_by_command(self) -> None:
        """Hang up a modem that takes no notice of DTR."""
        for words in (ESCAPE, HANG_UP):
            await asyncio.sleep(ESCAPE_GUARD)
            await self._send(words)

    # -- coming and going ------------------------------------------------------------------------------------

    def _welcome(self) -> bytes:
        lines = ("Welcome to ansam", "", *self._greeting, f"Port {self._port.name}", "", GREETING, "", "")
        return "\r\n".join(lines).encode()

    def _leave(self, how: Left) -> None:
        if self._left is not None and not self._left.done():
            self._left.set_result(how)

    def _give_screen_back(self) -> None:
        if self._screen is not None:
            with contextlib.suppress(OSError):
                _write_all(self._stdout, self._screen.stop())

    def _carrier_changed(self) -> None:
        self._status.set_carrier(self._port.carrier, time.monotonic())

    def _resized(self) -> None:
        if self._screen is not None:
            rows, columns = _size(self._stdout)
            _write_all(self._stdout, self._screen.resize(rows, columns))


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            # Somebody we share the terminal with has made it non-blocking.
            select.select([], [fd], [])


def _size(fd: int) -> tuple[int, int]:
    """Return rows and columns of a terminal."""
    size = os.get_terminal_size(fd)
    return max(size.lines or 24, MIN_ROWS), size.columns or 80


def _reader(fd: int) -> Callable[[], Awaitable[bytes]]:
    """Return what reads keys. The descriptor stays blocking: its description is shared with our parent."""
    loop = asyncio.get_running_loop()

    async def read() -> bytes:
        ready: asyncio.Future[None] = loop.create_future()
        try:
            loop.add_reader(fd, lambda: None if ready.done() else ready.set_result(None))
        except PermissionError:
            # A regular file and /dev/null can not be polled, and never block for long.
            return await loop.run_in_executor(None, os.read, fd, PIECE)
        try:
            await ready
            return os.read(fd, PIECE)
        except OSError:
            return b""
        finally:
            loop.remove_reader(fd)

    return read


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[None]:
    """Put a terminal into raw mode, and back whatever happens."""
    saved = termios.tcgetattr(fd)
    try:
        tty.setraw(fd, termios.TCSADRAIN)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, saved)


@contextlib.contextmanager
def _signals(leave: Callable[[], None], resized: Callable[[], None]) -> Iterator[None]:
    """End on SIGTERM and SIGHUP in an orderly way, follow SIGWINCH."""
    loop = asyncio.get_running_loop()
    wanted = {signal.SIGTERM: leave, signal.SIGHUP: leave, signal.SIGWINCH: resized}
    set_up = []
    for number, act in wanted.items():
        with contextlib.suppress(ValueError, RuntimeError):
            # Only the main thread may; elsewhere (tests) there is nothing to follow.
            loop.add_signal_handler(number, act)
            set_up.append(number)
    try:
        yield
    finally:
        for number in set_up:
            loop.remove_signal_handler(number)
