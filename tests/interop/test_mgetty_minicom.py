"""The original set-up with the real programs: Debian's mgetty answers, Debian's minicom calls, ours between.

mgetty wants /dev/NAME, lock, pid and log files and /etc/mgetty. All of that is made in a private mount
namespace, so nothing outside is touched; that needs root.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
import tty
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.support.answer import Bench, place

pytestmark = [
    pytest.mark.peer("mgetty", "minicom", "tmux"),
    pytest.mark.usefixtures("private_mounts"),
]

MGETTY_CONFIG = r"""
port ttyUSB0
  speed 9600
  data-only y
  toggle-dtr n
  login-prompt @ \P login:\040
  login-time 60
  term vt102
  issue-file /etc/mgetty/issue
"""
ISSUE = r"Debian GNU/\s \P \S (\I)"

NAMESPACE = r"""
set -e
top=/mnt
mount -t tmpfs none "$top"
mkdir -p "$top/dev/pts" "$top/dev/shm"
for name in null zero full random urandom tty; do
  touch "$top/dev/$name"
  mount --bind "/dev/$name" "$top/dev/$name"
done
mount --rbind /dev/pts "$top/dev/pts"
ln -s pts/ptmx "$top/dev/ptmx"
ln -s "$PTY" "$top/dev/ttyUSB0"
mount -t tmpfs none /run
mkdir -p /run/lock
mount -t tmpfs none /var/log
mkdir /var/log/mgetty
touch /var/log/wtmp
mount -t tmpfs none /etc/mgetty
printf '%s\n' "$CONFIG" > /etc/mgetty/mgetty.config
printf '%s\n' "$ISSUE" > /etc/mgetty/issue
mount --rbind "$top/dev" /dev
hostname cl-002
"""


@pytest.fixture(scope="session")
def private_mounts() -> None:
    """Skip where a private mount namespace can not be had."""
    if os.geteuid() != 0:
        pytest.skip("a private mount namespace needs root")
    if subprocess.run(["unshare", "--mount", "--uts", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this container may not make a mount namespace")


def mgetty_command(config: str = MGETTY_CONFIG) -> tuple[list[str], dict[str, str]]:
    script = NAMESPACE + "exec /usr/sbin/mgetty -x0 -s 57600 ttyUSB0\n"
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CONFIG": config, "ISSUE": ISSUE}
    return ["unshare", "--mount", "--uts", "sh", "-c", script], environment


@contextmanager
def process(
    command: list[str], environment: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process group of its own, ended with all of it."""
    running = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(running.pid, number)
                running.wait(5)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        running.wait()
        assert running.stderr is not None
        running.stderr.close()


def until(condition: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


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
