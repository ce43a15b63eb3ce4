"""`ansam modem` as a person starts it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ansam.cli.main import main


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    yield
    structlog.reset_defaults()


ANSAM = [sys.executable, "-m", "ansam.cli.main", "modem"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--line", "isdn:1"], 2, "line URL of unknown kind 'isdn'"),
        (["--line", "unix:/x", "--dte", "serial:/dev/none"], 3, "no such file"),
        (["--line", "unix:/x", "--law", "mp3"], 2, "--law mp3 is not known"),
        (["--line", "unix:/x", "--bind", "127.0.0.1"], 2, "--bind is for sip: lines"),
        (["--line", "unix:/x", "--rtp-ports", "9-3"], 2, "not LOW-HIGH"),
        (["--line", "unix:/x", "--dte", "tcp:127.0.0.1:0", "--init", "AT&N99"], 2, "answers ERROR"),
        (["--line", "unix:/x", "--dte", "pty:{path}"], 3, "a file of this name exists"),
        (["--line", "sip:07:x@127.0.0.1:{port}", "--dte", "tcp:127.0.0.1:0"], 3, "does not respond"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], code: int, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tty"
    path.write_text("x")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    words = [word.format(path=path, port=port) for word in arguments]
    with pytest.raises(SystemExit) as ended:
        main(["modem", *words])
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ansam: ")]
    assert ended.value.code == code
    assert len(errors) == 1
    assert text in errors[0]


def test_stdio_answers_and_ends_with_its_input() -> None:
    done = subprocess.run(
        [*ANSAM, "--line", "unix:/x", "--dte", "stdio"],
        input=b"ATZ\rATI3\r",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.count(b"OK\r\n") == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "tty"
    ready_out, ready_in = os.pipe()
    process = subprocess.Popen(
        [*ANSAM, "--line", "unix:/x", "--dte", f"pty:{path}"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(ready_in,),
        env={**os.environ, "ANSAM_READY_FD": str(ready_in)},
    )
    os.close(ready_in)
    assert os.read(ready_out, 10) == b"ready\n"
    os.close(ready_out)
    assert path.is_symlink()
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert not path.is_symlink()
