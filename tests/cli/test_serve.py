"""`ansam serve` as a process: starts, is ready, reads again, ends cleanly; says what is in the way."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from tests.support.exchange_live import free_port, phone, run, sdp

from ansam.answer.service_url import parse_service
from ansam.cli.answer_place import line_place
from ansam.cli.answer_services import Services
from ansam.cli.main import main
from ansam.cli.serve import ANSWERING, _with_priority, workers_of
from ansam.config import Config, load, parse
from ansam.errors import ConfigError
from ansam.sip.events import CallFailed


async def start(directory: Path, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ansam.cli.main", "serve", "-c", "ansam.toml",
        cwd=directory, env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def line_with(process: asyncio.subprocess.Process, text: str) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(20):
        while line := (await process.stderr.readline()).decode():
            if text in line:
                return line
    raise AssertionError(f"ended without {text!r}")


def config(directory: Path, port: int, more: str = "") -> None:
    (directory / "ansam.toml").write_text(
        f'[exchange]\nlisten = ["udp:127.0.0.1:{port}"]\n'
        f'[[extension]]\nnumber = "07"\nsecret = "secret-07"\n{more}[log]\nlevel = "debug"\n'
    )


def test_an_exchange_alone(tmp_path: Path) -> None:
    async def test() -> None:
        port = free_port()
        config(tmp_path, port)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(10)
        process = await start(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify"), JOURNAL_STREAM="1:1")
        assert (await line_with(process, "exchange ready")).startswith("<6>")
        await line_with(process, "[info     ] ready")
        assert notify.recv(100) == b"READY=1"
        async with phone("07", ("127.0.0.1", port)) as caller:
            await caller.register()
            caller.call("08", sdp(4000))
            assert (await caller.wait(CallFailed)).status == 404
            config(tmp_path, port, '[[extension]]\nnumber = "08"\nsecret = "x"\n')
            process.send_signal(signal.SIGHUP)
            await line_with(process, "extensions read")
            caller.call("08", sdp(4000))
            assert (await caller.wait(CallFailed)).status == 480
            (tmp_path / "ansam.toml").write_text("[oops]\n")
            process.send_signal(signal.SIGHUP)
            assert "unknown section" in await line_with(process, "not read again")
        process.send_signal(signal.SIGTERM)
        await line_with(process, "exchange stopped")
        assert await process.wait() == 0
        assert notify.recv(100) == b"STOPPING=1"
        notify.close()
        assert (tmp_path / "run" / "exchange.sqlite").exists()

    run(test)


@pytest.mark.parametrize(
    ("database", "text"),
    [
        ("", "SIP over udp on 127.0.0.1:{port}: address already in use"),
        ('database = "ansam.toml"', "database ansam.toml: file is not a database"),
        ('database = "nosuch://x"', "database: "),
    ],
)
def test_what_is_in_the_way_is_named(tmp_path: Path, database: str, text: str) -> None:
    async def test() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            (tmp_path / "ansam.toml").write_text(
                f'[exchange]\nlisten = ["udp:127.0.0.1:{port}"]\n{database}\n'
            )
            process = await start(tmp_path)
            assert process.stderr is not None
            lines = (await process.stderr.read()).decode().splitlines()
            assert await process.wait() in (2, 3)
            assert len(lines) == 1
            assert lines[0].startswith("ansam: " + text.format(port=port))

    run(test)


def test_it_ends_with_whoever_it_is_tied_to(tmp_path: Path) -> None:
    async def test() -> None:
        config(tmp_path, free_port())
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ansam.cli.main", "serve", "--tied", "-c", "ansam.toml",
            cwd=tmp_path, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await line_with(process, "[info     ] ready")
        assert process.stdin is not None
        process.stdin.close()
        await line_with(process, "exchange stopped")
        assert await process.wait() == 0

    run(test)


def test_nothing_to_serve(tmp_path: Path) -> None:
    async def test() -> None:
        (tmp_path / "ansam.toml").write_text("")
        process = await start(tmp_path)
        await line_with(process, "neither an exchange nor a modem")
        assert await process.wait() == 2

    run(test)


def test_modems_alone_outlive_a_reload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ansam.toml").write_text('[[modem]]\nname = "m"\nline = "net:"\ndte = "pty:./m"\n')
    told = asyncio.Event()

    async def hang_up_here() -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(5):
            await told.wait()
        raise ConfigError("seen")

    module = sys.modules["ansam.cli.serve"]
    monkeypatch.setattr(module, "_compile", hang_up_here)
    monkeypatch.setattr(module, "_reload", lambda *_: told.set())
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit):
            main(["serve", "-c", str(tmp_path / "ansam.toml")])
    finally:
        signal.signal(signal.SIGHUP, before)
    assert told.is_set()


def test_workers() -> None:
    modem = '[[modem]]\nname = "{0}"\nline = "sip:{0}:x@h"\ndte = "{1}"\n'
    found = parse(
        modem.format("a", "answer:login") + modem.format("b", "pty:run/b") + modem.format("c", "answer:login")
    )
    workers = workers_of(found)
    assert {name: [modem.name for modem in modems] for name, modems in workers.items()} == {
        "modem-b": ["b"],
        ANSWERING: ["a", "c"],
    }


def test_modems_that_share_a_port_for_callers_share_a_worker() -> None:
    modem = '[[modem]]\nname = "{0}"\nline = "{1}"\ndte = "pty:run/{0}"\n'
    found = parse(
        modem.format("a", "net:127.0.0.1:6400")
        + modem.format("b", "net:127.0.0.1:6401")
        + modem.format("c", "sip:c:x@h")
        + 'network = "net:127.0.0.1:6400;busy=no"\n'
        + modem.format("d", "sip:d:x@h")
    )
    workers = workers_of(found)
    assert {name: [modem.name for modem in modems] for name, modems in workers.items()} == {
        "modem-a": ["a", "c"],
        "modem-b": ["b"],
        "modem-d": ["d"],
    }


def test_priorities_of_the_journal() -> None:
    assert _with_priority(None, "error", "x") == "<3>x"


MGETTY = "[answer]\nmgetty_config = 'mgetty.config'\n[[user]]\nname = 'guest'\n" + "".join(
    f"[[modem]]\nname = '{name}'\nline = 'tcp:127.0.0.1:1'\ndte = 'answer:{service}'\n"
    for name, service in (("ttyS0", "login"), ("ttyS1", "login"), ("ttyS2", "telnet:127.0.0.1:23"))
)


def mgetty_lines(directory: Path, text: str) -> Config:
    (directory / "mgetty.config").write_text(text)
    (directory / "ansam.toml").write_text(MGETTY)
    return load(directory / "ansam.toml")


def test_an_mgettys_file_for_the_lines_with_a_login_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "speed 19200\nissue-file\nfax-id 1\nport ttyS1\n  rings 3\n  login-prompt Hello \\P:\n"
    config = mgetty_lines(tmp_path, text)
    services, told = Services(None), set[str]()
    places = []
    for modem in config.modems:
        service = parse_service(modem.dte.removeprefix("answer:"))
        places.append(line_place(config, modem.name, service, services, told=told)[0])
    settings = [place.settings for place in places]
    assert [(one.port, one.speed, one.rings) for one in settings] == [
        ("ttyS0", 19200, 1),
        ("ttyS1", 19200, 3),
        ("ttyS2", 57600, 1),
    ]
    assert [one.login_prompt for one in settings][:2] == ["@ login:\\040", "Hello \\P:"]
    assert told == {"mgetty.config:3"}  # named once, not once a line
    assert [place.service is None for place in places] == [True, True, False]


def test_faults_of_an_mgettys_file_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mgetty_lines(tmp_path, "port ttyS1\nrigns 2\n")
    for command in (["serve"], ["config", "check"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 2
        assert "mgetty.config:2: unknown option 'rigns' (did you mean 'rings'?)" in capsys.readouterr().err
