"""`ansam answer --mgetty-config`: the original session on a scripted modem, and faults in words."""

import asyncio
import os
import signal
import sys
import tty
from pathlib import Path

import pytest
from tests.support.mgetty import MGETTY_CONFIG

from ansam.cli.main import main

CONFIG = MGETTY_CONFIG.replace("/etc/mgetty/issue", "issue") + "  fido-send-emsi n\n"
SAID = (
    b"\rDebian GNU/Linux ttyUSB0 57600 (4800/ARQ/V34/LAPM/V42BIS)\n\r"
    b"\r\ncl-002 ttyUSB0 login: guest\r\nWelcome, guest."
)
ANSWERS = {
    b"ATQ0V1H0\r": b"\r\nOK\r\n",
    b"ATS0=0Q0&D2&C1\r": b"\r\nOK\r\n\r\nRING\r\n",
    b"ATA\r": b"\r\nCONNECT 4800/ARQ/V34/LAPM/V42BIS\r\n",
    b"login: ": b"guest\r",
}


def write(directory: Path, config: str) -> str:
    (directory / "issue").write_text("Debian GNU/\\s \\P \\S (\\I)\n")
    (directory / "mgetty.config").write_text(config)
    return str(directory / "mgetty.config")


async def play(master: int, until: bytes) -> bytes:
    """Be the modem and its caller; return everything the line said."""
    loop, said, seen = asyncio.get_running_loop(), asyncio.Event(), bytearray()

    def take() -> None:
        seen.extend(os.read(master, 4096))
        said.set()

    loop.add_reader(master, take)
    left = dict(ANSWERS)
    async with asyncio.timeout(90):
        while until not in seen:
            await said.wait()
            said.clear()
            for text in [text for text in left if text in seen]:
                os.write(master, left.pop(text))
    loop.remove_reader(master)
    return bytes(seen)


def test_the_original_session(tmp_path: Path) -> None:
    async def session() -> bytes:
        master, slave = os.openpty()
        tty.setraw(slave)
        (tmp_path / "ttyUSB0").symlink_to(os.ttyname(slave))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ansam.cli.main", "answer", "--port", str(tmp_path / "ttyUSB0")),
            *("--mgetty-config", write(tmp_path, CONFIG), "--speed", "57600"),
            *("--nodename", "cl-002", "--guest"),
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            return await play(master, b"Welcome, guest.")
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()
            os.close(master)
            os.close(slave)

    assert SAID in asyncio.run(session())


@pytest.mark.parametrize(
    ("config", "code", "text"),
    [
        ("rigns 2", 2, "mgetty.config:1: unknown option 'rigns' (did you mean 'rings'?)"),
        ("port x\nlogin-time x", 2, "mgetty.config:2: login-time = 'x' (it takes a number)"),
    ],
)
def test_faults_in_words(
    config: str, code: int, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["answer", "--port", "x", "--guest", "--mgetty-config", write(tmp_path, config)])
    assert ended.value.code == code
    assert text in capsys.readouterr().err


def test_login_config_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["answer", "--port", "x", "--login-config", "y"])
    assert ended.value.code == 2
    assert "goes with --mgetty-config" in capsys.readouterr().err


def test_a_network_line_without_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["answer", "--port", "nosuch", "--network", "net:", "--guest"])
    assert ended.value.code == 2
    assert "--network goes with --line" in capsys.readouterr().err
