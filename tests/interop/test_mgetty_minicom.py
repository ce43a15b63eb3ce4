"""The original set-up with the real programs: Debian's mgetty answers, its minicom calls, ours between."""

import os
import shlex
import subprocess
import sys
import time
import tty
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.support.answer import Bench, place
from tests.support.mgetty import MGETTY_CONFIG, mgetty_command, process, until

pytestmark = [
    pytest.mark.peer("mgetty", "minicom", "tmux"),
    pytest.mark.usefixtures("private_mounts"),
]


class FakeModem:
    """The modem's end of a pty, by hand: answers OK, rings once, connects."""

    def __init__(self) -> None:
        self.fd, slave = os.openpty()
        self.path = os.ttyname(slave)
        self.slave = slave
        tty.setraw(slave)
        os.set_blocking(self.fd, False)
        self.seen = b""

    def until(self, text: bytes, seconds: float = 15.0) -> bytes:
        def come() -> bool:
            with suppress(BlockingIOError):
                self.seen += os.read(self.fd, 4096)
            return text in self.seen

        until(come, seconds, lambda: f"no {text!r} in {self.seen!r}")
        end = self.seen.index(text) + len(text)
        got, self.seen = self.seen[:end], self.seen[end:]
        return got

    def send(self, data: bytes) -> None:
        os.write(self.fd, data)

    def close(self) -> None:
        os.close(self.fd)
        os.close(self.slave)


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        (b"", b"login: "),
        (b"\r", b"login: "),
        (b"ab\x7f\x08\x08c\x15", b"login: "),
        (b"AB CD\x03", b"login: "),
        (b" -x\x1b[A\x00\x01\x11q", b"q"),
    ],
)
def test_our_getty_says_what_mgetty_says(keys: bytes, end: bytes) -> None:
    modem = FakeModem()
    command, environment = mgetty_command(MGETTY_CONFIG + "  fido-send-emsi n\n")
    try:
        with process(command, environment | {"PTY": modem.path}):
            modem.until(b"ATQ0V1H0\r")
            modem.send(b"\r\nOK\r\n")
            modem.until(b"AT\r")
            modem.send(b"\r\nOK\r\n")
            time.sleep(0.5)  # mgetty throws away what comes within 0.3 s of its set-up.
            modem.send(b"\r\nRING\r\n")
            modem.until(b"ATA\r")
            modem.send(b"\r\nCONNECT 2400/NONE\r\n")
            theirs = modem.until(b"login: ")
            if keys:
                modem.send(keys)
                theirs += modem.until(end)
    finally:
        modem.close()
    bench = Bench(place())
    ours = bench.call() + bench.modem(keys)
    assert ours == theirs


@contextmanager
def two_modems(directory: Path) -> Iterator[tuple[Path, Path]]:
    """Our answering and our calling modem, each a process, on one raw line."""
    answering, calling = directory / "ttyUSB0", directory / "ttyUSB1"
    ansam = [sys.executable, "-m", "ansam.cli.main", "modem"]
    socket = directory / "line"
    with (
        process([*ansam, "--line", f"unix-listen:{socket}", "--dte", f"pty:{answering}"]) as one,
        process([*ansam, "--line", f"unix:{socket}", "--dte", f"pty:{calling}"]) as two,
    ):
        for modem, path in ((one, answering), (two, calling)):
            until(lambda p=path, m=modem: p.exists() or m.poll() is not None, 60, lambda p=path: f"no {p}")
            assert modem.poll() is None, modem.stderr.read().decode() if modem.stderr else ""
        yield answering, calling


class Tmux:
    """A tmux of our own with one window of 80 by 25."""

    def __init__(self, directory: Path, command: list[str]) -> None:
        self._name = f"ansam-{uuid.uuid4().hex[:8]}"
        self._base = ["tmux", "-S", str(directory / "tmux"), "-f", "/dev/null"]
        environment = {
            "HOME": str(directory),
            "TERM": "screen",
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
        }
        subprocess.run(
            [*self._base, "new-session", "-d", "-x", "80", "-y", "25", shlex.join(command)],
            env=environment,
            check=True,
        )

    def screen(self) -> str:
        done = subprocess.run(
            [*self._base, "capture-pane", "-p"], capture_output=True, text=True, check=False
        )
        return done.stdout

    def shows(self, text: str, seconds: float) -> None:
        until(lambda: text in self.screen(), seconds, lambda: f"no {text!r} on\n{self.screen()}")

    def types(self, text: str) -> None:
        subprocess.run([*self._base, "send-keys", "-l", text], check=True)
        subprocess.run([*self._base, "send-keys", "Enter"], check=True)

    def close(self) -> None:
        subprocess.run([*self._base, "kill-server"], check=False, capture_output=True)


def test_minicom_calls_mgetty(tmp_path: Path) -> None:
    with two_modems(tmp_path) as (answering, calling):
        command, environment = mgetty_command()
        with process(command, environment | {"PTY": os.path.realpath(answering)}):
            # minicom's lock file stays in a namespace too.
            inside = (
                f"mount -t tmpfs none /run && mkdir -p /run/lock && exec minicom -o -b 57600 -D {calling}"
            )
            tmux = Tmux(tmp_path, ["unshare", "--mount", "sh", "-c", inside])
            try:
                tmux.shows("CTRL-A Z for help", 15)
                tmux.types("ATZ")
                tmux.shows("OK", 10)
                tmux.types("at&N4dt05")
                tmux.shows("CONNECT 4800/ARQ/V34/LAPM/V42BIS", 60)
                tmux.shows("Debian GNU/Linux ttyUSB0 57600 (4800/ARQ/V34/LAPM/V42BIS)", 30)
                tmux.shows("cl-002 ttyUSB0 login:", 15)
                tmux.types("root")
                tmux.shows("Password:", 20)
            finally:
                tmux.close()
