"""The demo with its page: exchange, extension 05 and a modem for the page run in processes of `ansam serve`.

::

    ansam demo ── terminal, modem of extension 07
        └── ansam serve ── exchange, page            no signal processing, so no call feels the page
                └── workers: 05 answers, 06 is the page's

What the page adds, such as an extension, is written to a configuration that lives as long as the demo.
"""

import asyncio
import contextlib
import http.client
import json
import os
import pwd
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from ansam.answer.samples import PATTERN_NAME, WELCOME, pattern
from ansam.call.line_url import SipLineUrl
from ansam.cli.page import check_extra
from ansam.config.edit import block_text, toml_value
from ansam.errors import ResourceError
from ansam.io.answer_modem import modem_on
from ansam.io.clock import FramePacer
from ansam.io.line_sip import SipLine
from ansam.io.terminal_port import Port

NUMBERS = ("05", "06", "07")
ANSWERS, PAGE, TERMINAL = NUMBERS
USUAL_PORT = 8080
READY_TIMEOUT = 150.0
"""Seconds; the first start compiles the signal processing."""
STOP_TIMEOUT = 10.0
POLL = 0.25


@asynccontextmanager
async def demo_with_page(
    init: tuple[str, ...], port: int | None, log: Path | None
) -> AsyncIterator[tuple[Port, str]]:
    """Run the demo and its page while the context lasts.

    Args:
        init: Commands that set the answering modem up.
        port: Of the page; None: 8080, or a free one where that is taken.
        log: Gets what the parts do; None: nowhere.

    Yields:
        The DTE of the modem of extension 07, and where the page is.

    Raises:
        ConfigError: The extra is not installed.
        ResourceError: The port is taken, or the answering modem does not become ready.
    """
    check_extra()
    async with AsyncExitStack() as stack:
        keep = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ansam-demo-")))
        keys = {number: secrets.token_hex(16) for number in NUMBERS}
        sip, page = _free_port(socket.SOCK_DGRAM, 0), _page_port(port)
        (keep / "ansam.toml").touch(0o600)
        (keep / "ansam.toml").write_text(_configuration(keep, keys, init, sip, page), "utf-8")
        process = await _serve(keep / "ansam.toml", log)
        stack.push_async_callback(_end, process)
        await _ready(process, page)
        pacer = FramePacer()
        pacer.start()
        stack.callback(pacer.stop)
        url = SipLineUrl(TERMINAL, keys[TERMINAL], "127.0.0.1", sip, bind="127.0.0.1")
        modem = await stack.enter_async_context(modem_on(SipLine(url, pacer, must_register=True), "ttyUSB1"))
        await modem.open()
        yield modem, f"http://127.0.0.1:{page}/"


def _page_port(wanted: int | None) -> int:
    if wanted is not None:
        return _free_port(socket.SOCK_STREAM, wanted)
    try:
        return _free_port(socket.SOCK_STREAM, USUAL_PORT)
    except ResourceError:
        return _free_port(socket.SOCK_STREAM, 0)


def _free_port(kind: socket.SocketKind, wanted: int) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
        try:
            sock.bind(("127.0.0.1", wanted))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            remedy = "choose another --web-port, or --no-web"
            raise ResourceError(f"web page on 127.0.0.1:{wanted}: {reason}", remedy) from error
        return int(sock.getsockname()[1])


def _configuration(keep: Path, keys: dict[str, str], init: tuple[str, ...], sip: int, page: int) -> str:
    files = keep / "files"
    files.mkdir()
    (files / "welcome.txt").write_bytes(WELCOME)
    (files / PATTERN_NAME).write_bytes(pattern())
    (files / "FILES.BBS").write_text(
        "welcome.txt  What this call is made of\n"
        f"{PATTERN_NAME}  Ten kilobytes in which a wrong octet shows\n"
    )
    names = {ANSWERS: "Dial-up", PAGE: "This page", TERMINAL: "The terminal"}
    quoted = {name: toml_value(str(keep / name)) for name in ("exchange.sqlite", "bbs", "bbs.sqlite", "web")}
    sections = [
        f'[exchange]\nlisten = ["udp:127.0.0.1:{sip}"]\ndatabase = {quoted["exchange.sqlite"]}\n',
        *(block_text("extension", {"number": n, "secret": keys[n], "name": names[n]}) for n in NUMBERS),
        block_text(
            "modem", {"name": "ttyUSB0", "line": f"sip:{ANSWERS}@127.0.0.1:{sip}", "dte": "answer:login"}
        ),
        block_text(
            "modem",
            {
                "name": "ttyUSB2",
                "line": f"sip:{PAGE}@127.0.0.1:{sip}",
                "dte": f"pty:{keep}/ttyUSB2",
                "nvram": "none",
            },
        ),
        f"[answer]\nfiles = {toml_value(str(files))}\ninit = {toml_value(list(init))}\n",
        block_text("user", {"name": "guest"}),
        block_text("user", {"name": "bbs", "entry": "bbs"}),
        f'[bbs]\nname = "The ansam demo"\nwork = {quoted["bbs"]}\ndatabase = {quoted["bbs.sqlite"]}\n'
        f"run_as = {toml_value(pwd.getpwuid(os.geteuid()).pw_name)}\n",
        block_text("bbs_files", {"name": "files", "path": str(files), "title": "Files", "uploads": "yes"}),
        f'[web]\nlisten = "127.0.0.1:{page}"\ndirectory = {quoted["web"]}\n',
    ]
    return "\n".join(sections)


async def _serve(configuration: Path, log: Path | None) -> asyncio.subprocess.Process:
    # Tied: it ends with us, however we end.
    command = (sys.executable, "-m", "ansam.cli.main", "serve", "--tied", "--config", str(configuration))
    with (log or Path(os.devnull)).open("ab") as out:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=out,
            stderr=out,
            # A ^C at our terminal is a character for the modem.
            start_new_session=True,
        )


async def _ready(process: asyncio.subprocess.Process, port: int) -> None:
    """Wait until the page shows that 05 and 06 are ready."""
    try:
        async with asyncio.timeout(READY_TIMEOUT):
            while not await asyncio.to_thread(_registered, port):
                if process.returncode is not None:
                    raise ResourceError("`ansam serve` ended at once", "--log FILE says why")
                await asyncio.sleep(POLL)
    except TimeoutError:
        raise ResourceError(f"extension {ANSWERS}: the modem is not ready", "see --log FILE") from None


def _registered(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/modems")
        modems = json.load(connection.getresponse())["modems"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
    finally:
        connection.close()
    return len(modems) == 2 and all(one["state"] != "offline" for one in modems)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
