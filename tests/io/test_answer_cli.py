"""`ansam answer` as a command: its errors, and a call through two processes over a raw line."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ANSAM = [sys.executable, "-m", "ansam.cli.main"]


def fails(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [*ANSAM, "answer", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr.count("\n") == 1, done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ((), 2, "one of --line and --port"),
        (("--line", "x", "--port", "y"), 2, "one of --line and --port"),
        (("--port", "/no/such/port", "--guest"), 3, "/no/such/port"),
        (("--port", "/no/such/port"), 2, "nobody can log in"),
        (("--port", "tcp:nowhere", "--guest"), 2, "tcp:nowhere"),
        (("--port", "x", "-c", "/no/such.toml"), 2, "/no/such.toml"),
        (("--line", "nonsense:x", "--guest"), 2, "nonsense"),
    ],
)
def test_errors_are_one_line(arguments: tuple[str, ...], code: int, text: str) -> None:
    returned, said = fails(*arguments)
    assert (returned, text in said) == (code, True), said


def test_unknown_key_is_named_with_its_place(tmp_path: Path) -> None:
    config = tmp_path / "ansam.toml"
    config.write_text("[answer]\nlogin_tiem = 5.0\n")
    returned, said = fails("--port", "x", "-c", str(config))
    assert returned == 2
    assert f"{config}:2" in said
    assert "login_tiem" in said


@contextmanager
def started(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([*ANSAM, *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stderr is not None
        process.stderr.close()


class Caller:
    """Our end of the calling modem's pty."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.seen = b""

    def until(self, text: bytes, seconds: float) -> bytes:
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen!r}"
            try:
                self.seen += os.read(self.fd, 4096)
            except BlockingIOError:
                time.sleep(0.02)
        at = self.seen.index(text) + len(text)
        got, self.seen = self.seen[:at], self.seen[at:]
        return got

    def types(self, text: bytes) -> None:
        os.write(self.fd, text + b"\r")

    def connects(self) -> bytes:
        """Dial, again while the far end is still busy with the call before; return the connect string."""
        for _ in range(5):
            self.types(b"at&N4dt05")
            self.until(b"at&N4dt05\r\r\n", 60)
            result = self.until(b"\r\n", 60)[:-2]
            if result.startswith(b"CONNECT "):
                return result.removeprefix(b"CONNECT ")
            assert result in (b"BUSY", b"NO CARRIER"), result
        raise AssertionError("still busy")


def wait_for(path: Path) -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.05)


@pytest.mark.bench  # the demo and the original session make such calls in every run
def test_two_calls_with_error_control(tmp_path: Path) -> None:
    line, pty = tmp_path / "line", tmp_path / "ttyUSB1"
    with (
        started("answer", "--line", f"unix-listen:{line}", "--guest", "--nodename", "cl-002"),
        started("modem", "--line", f"unix:{line}", "--dte", f"pty:{pty}"),
    ):
        wait_for(line)
        wait_for(pty)
        caller = Caller(pty)
        for _ in range(2):
            caller.types(b"ATZ")
            caller.until(b"OK\r\n", 5)
            connect = caller.connects()
            caller.until(b"Debian GNU/Linux ttyUSB0 57600 (%s)" % connect, 20)
            caller.until(b"cl-002 ttyUSB0 login: ", 10)
            caller.types(b"guest")
            caller.until(b"Command: ", 10)
            caller.types(b"bye")
            caller.until(b"Goodbye, guest.", 10)
            caller.until(b"\r\nNO CARRIER\r\n", 20)
            assert connect == b"4800/ARQ/V34/LAPM/V42BIS"
        os.close(caller.fd)
