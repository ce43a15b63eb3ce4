"""`ansam demo`: the whole product in one process, real time, real UDP on loopback."""

import asyncio
import io
import os
import pty
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest

from ansam.answer.samples import PATTERN_SIZE, pattern
from ansam.cli.demo import script
from ansam.io.terminal_script import ScriptFailed, Typist

DEMO = [sys.executable, "-m", "ansam.cli.main", "demo"]
PATTERN = pattern().replace(b"\n", b"\r\n")


def test_script_makes_the_whole_call(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = subprocess.run(
        [*DEMO, "--script", "--log", str(log)], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr + done.stdout + log.read_text()
    shown = done.stdout
    steps = (
        "ATZ\nOK\nat&N4dt05\n",
        "\nCONNECT 4800/ARQ/V34/LAPM/V42BIS\n",
        " ttyUSB0 57600 (4800/ARQ/V34/LAPM/V42BIS)\n",
        " ttyUSB0 login: guest\n",
        PATTERN.decode().replace("\r\n", "\n"),
        "Goodbye, guest.",
        "\nNO CARRIER\n",
        f"{len(PATTERN)} octets read, none wrong\n",
    )
    at = 0
    for step in steps:
        found = shown.find(step, at)
        assert found >= 0, f"no {step[:60]!r} after {shown[:at][-200:]!r}"
        at = found
    assert done.stderr == ""


def test_by_hand_shows_what_to_type_and_restores_the_terminal() -> None:
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(DEMO[0], [*DEMO, "--no-web"])
    screen = pyte.Screen(80, 24)
    stream = pyte.ByteStream(screen)

    def until(text: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not any(text in line for line in screen.display):
            assert time.monotonic() < end, "\n".join(screen.display)
            os.set_blocking(fd, False)
            try:
                stream.feed(os.read(fd, 4096))
            except BlockingIOError:
                time.sleep(0.02)

    try:
        until("CTRL-A Z for help", 120)
        for text in ("Type these two lines:", "  ATZ", "  at&N4dt05", "Press CTRL-A Z for help", "Offline"):
            until(text, 5)
        os.write(fd, b"ATZ\r")
        until("OK", 5)
        os.write(fd, b"\x01x")
        deadline = time.monotonic() + 20
        while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
            assert time.monotonic() < deadline
            try:
                stream.feed(os.read(fd, 4096))
            except OSError:
                time.sleep(0.02)
        assert os.waitstatus_to_exitcode(ended[1]) == 0
        pid = 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(fd)


class ScriptedPort:
    """A port that says, after each line typed, what a table holds for it."""

    name = "scripted"
    carrier = None
    unsent = None

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self.on_carrier: Callable[[], None] = lambda: None
        self._answers = answers
        self._typed = b""
        self._said = b""
        self._changed = asyncio.Event()

    async def open(self) -> None: ...

    async def read(self) -> bytes:
        while not self._said:
            self._changed.clear()
            await self._changed.wait()
        said, self._said = self._said, b""
        return said

    async def write(self, data: bytes) -> None:
        self._said += data
        self._typed += data
        if data == b"\r":
            self._said += b"\n" + self._answers[self._typed.strip()]
            self._typed = b""
        self._changed.set()

    async def set_dtr(self, on: bool) -> None: ...

    def close(self) -> None: ...


def answers() -> dict[bytes, bytes]:
    return {
        b"ATZ": b"\r\nOK\r\n",
        b"at&N4dt05": b"\r\nCONNECT 4800/ARQ/V34/LAPM/V42BIS\r\nx (4800/ARQ/V34/LAPM/V42BIS)\r\ny login: ",
        b"guest": b"Command: ",
        b"paging off": b"Command: ",
        b"read pattern.txt": PATTERN + b"\r\nCommand: ",
        b"bye": b"Goodbye, guest.\r\n\r\nNO CARRIER\r\n",
    }


def run_script(table: dict[bytes, bytes]) -> str:
    return asyncio.run(script(ScriptedPort(table), io.StringIO(), key_time=(0.0, 0.0)))


def test_script_judges_what_comes() -> None:
    assert run_script(answers()).endswith(f"{len(PATTERN)} octets read, none wrong")


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (b"X" + PATTERN[1:], "1 differ, first at 0"),
        (PATTERN[:-1], f"{len(PATTERN) - 1} octets came instead of {len(PATTERN)}"),
        (PATTERN + b"!", f"{len(PATTERN) + 1} octets came"),
        (b"", "0 octets came"),
    ],
)
def test_script_finds_every_wrong_octet(bad: bytes, text: str) -> None:
    with pytest.raises(ScriptFailed, match=text):
        run_script(answers() | {b"read pattern.txt": bad + b"\r\nCommand: "})


def test_typist_names_what_did_not_come() -> None:
    async def work() -> None:
        port = ScriptedPort({b"a": b"BUSY\r\n"})
        person = Typist(port, lambda data: None, random.Random(1), (0.0, 0.0))
        await person.types("a")
        with pytest.raises(ScriptFailed, match=r"'CONNECT' did not come within 0 s; the last was .*BUSY"):
            await person.sees(b"CONNECT", 0.1)

    asyncio.run(work())


def test_pattern() -> None:
    text = pattern()
    assert len(text) == PATTERN_SIZE
    assert text.endswith(b"\n")
    assert {len(line) for line in text.splitlines()[:-1]} == {72}
