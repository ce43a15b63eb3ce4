"""`ansam demo`: exchange, ext 05 answering, ext 07 with a terminal, alone on this machine, no set-up.

Real time, real UDP: two modems and an exchange that would not know the difference if they stood in three
cities.
"""

import asyncio
import contextlib
import logging
import os
import pwd
import random
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, TextIO

import structlog
import typer

from ansam.answer.bbs.settings import BbsSettings, FileArea
from ansam.answer.house import House
from ansam.answer.place import Place
from ansam.answer.samples import PATTERN_NAME, WELCOME, pattern, sample_shelf
from ansam.answer.service_url import LoginService
from ansam.answer.settings import AnswerSettings
from ansam.answer.users import Bbs, User, UserBook
from ansam.call.line_url import SipLineUrl
from ansam.cli.answer_services import Services
from ansam.cli.page import check_extra
from ansam.cli.tasks import end
from ansam.cli.warm import warm_up
from ansam.config.bbs import BbsConfig
from ansam.config.settings import ExchangeConfig, Listen
from ansam.errors import ResourceError
from ansam.io.answer import AnswerLine, local_time, this_machine
from ansam.io.answer_modem import modem_on
from ansam.io.clock import FramePacer
from ansam.io.exchange import ExchangeServer
from ansam.io.line_sip import SipLine
from ansam.io.terminal import Terminal
from ansam.io.terminal_port import Port
from ansam.io.terminal_script import KEY_TIME, ScriptFailed, Typist
from ansam.pbx.dialplan import DialPlan, Extension

NUMBER_CALLED, NUMBER_CALLING = "05", "07"
DIAL = "at&N4dt05"
"""4800 bit/s, tone dial 05: the original session."""

GREETING = (
    f"Extension {NUMBER_CALLED} answers. Type these two lines:",
    "",
    "  ATZ",
    f"  {DIAL}",
    "",
    "then log in as guest, or as bbs for the board. Ctrl-A X leaves.",
    "",
)
INIT = ("ATQ0V1H0", "ATS0=0Q0&D2&C1")
"""As every answering line."""

CONNECT, CONNECT_PLAIN = b"CONNECT 4800/ARQ/V34/LAPM/V42BIS", b"CONNECT 4800/V34/NONE"
READY_TIMEOUT = 20.0
READ_TIMEOUT = 120.0


def demo_board(keep: Path) -> BbsConfig:
    """Return a board that lives as long as the demo, with two files to take.

    Args:
        keep: An empty directory.
    """
    files = keep / "files"
    files.mkdir()
    (files / "WELCOME.TXT").write_bytes(WELCOME.replace(b"\n", b"\r\n"))
    (files / "PATTERN.TXT").write_bytes(pattern())
    (files / "FILES.BBS").write_text(
        "WELCOME.TXT  What this call is made of\nPATTERN.TXT  Ten kilobytes in which a wrong octet shows\n"
    )
    account = pwd.getpwuid(os.geteuid()).pw_name
    area = FileArea("files", str(files), "Files", "yes")
    settings = BbsSettings(name="The ansam demo", work=str(keep / "bbs"), files=(area,), run_as=account)
    return BbsConfig(settings, f"{keep}/bbs.sqlite")


def answering_init(error_control: bool) -> tuple[str, ...]:
    """Return what sets the answering modem up."""
    return INIT if error_control else (*INIT[:-1], INIT[-1] + "&M0")


def answering_place(keep: Path, *, error_control: bool = True) -> Place:
    """Return what a caller of the demo finds: issue, prompt, guest without password, files, the board as bbs.

    Args:
        keep: A directory for the board.
        error_control: False: the modem does without V.42.
    """
    place = Place(
        settings=AnswerSettings(port="ttyUSB0", init=answering_init(error_control)),
        users=UserBook([User("guest"), User("bbs", "", Bbs())]),
        house=House(),
        clock=local_time,
        shelf=sample_shelf(),
        machine=this_machine(),
    )
    return Services(demo_board(keep)).at(place, LoginService())


@asynccontextmanager
async def running_demo(*, error_control: bool = True) -> AsyncIterator[Port]:
    """Run exchange, both lines, both modems and the login while the context lasts.

    Args:
        error_control: False: the answering modem does without V.42 (&M0).

    Raises:
        ResourceError: The answering modem does not become ready.
    """
    async with AsyncExitStack() as stack:
        keep = stack.enter_context(tempfile.TemporaryDirectory(prefix="ansam-demo-"))
        extensions = [Extension(number, secrets.token_hex(16)) for number in (NUMBER_CALLED, NUMBER_CALLING)]
        exchange = ExchangeServer(
            ExchangeConfig(listen=(Listen("udp", "127.0.0.1", 0),), database=f"{keep}/exchange.sqlite"),
            DialPlan(extensions),
        )
        await exchange.start()
        stack.push_async_callback(exchange.stop)
        pacer = FramePacer()
        pacer.start()
        stack.callback(pacer.stop)
        ports = []
        for extension, name in zip(extensions, ("ttyUSB0", "ttyUSB1"), strict=True):
            host, port = exchange.address("udp")
            url = SipLineUrl(extension.number, extension.secret, host, port, bind="127.0.0.1")
            line = SipLine(url, pacer, must_register=True)
            ports.append(await stack.enter_async_context(modem_on(line, name)))
        answering = AnswerLine(ports[0], answering_place(Path(keep), error_control=error_control))
        task = asyncio.create_task(answering.run())
        stack.push_async_callback(end, task)
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                await answering.until_waiting()
        except TimeoutError:
            raise ResourceError(
                f"extension {NUMBER_CALLED}: the modem is not ready", "see --log FILE"
            ) from None
        await ports[1].open()
        yield ports[1]


async def script(
    port: Port, out: TextIO, connect: bytes = CONNECT, key_time: tuple[float, float] = KEY_TIME
) -> str:
    """Make the whole call as a person would; return a line that says what was proved.

    Args:
        port: The calling modem's.
        out: Gets the transcript.
        connect: The result code that has to come.
        key_time: Shortest and longest time between keys, seconds.

    Raises:
        ScriptFailed: Something did not come, or a file arrived with a wrong octet.
    """

    def show(data: bytes) -> None:
        out.write(data.decode("latin-1").replace("\r\n", "\n").replace("\r", ""))
        out.flush()

    person = Typist(port, show, random.Random(), key_time)
    await person.types("ATZ")
    await person.sees(b"OK\r\n", 5)
    await asyncio.sleep(0.5)
    dialled = time.monotonic()
    await person.types(DIAL)
    await person.sees(connect + b"\r\n", 60)
    connected = time.monotonic()
    await person.sees(connect.split()[1].join((b"(", b")")), 20, "the issue text")
    await person.sees(b" login: ", 10)
    await person.types("guest")
    await person.sees(b"Command: ", 10, "the menu")
    await person.types("paging off")
    await person.sees(b"Command: ", 10, "the menu")
    octets = await _read_file(person)
    await person.types("bye")
    await person.sees(b"Goodbye, guest.", 10)
    await person.sees(b"\r\nNO CARRIER\r\n", 30)
    return f"CONNECT after {connected - dialled:.1f} s; {octets} octets read, none wrong"


async def _read_file(person: Typist) -> int:
    await person.types(f"read {PATTERN_NAME}")
    await person.sees(f"read {PATTERN_NAME}\r\n".encode(), 10)
    got = await person.sees(b"\r\nCommand: ", READ_TIMEOUT, f"the end of {PATTERN_NAME}")
    got = got[: -len(b"\r\nCommand: ")]
    want = pattern().replace(b"\n", b"\r\n")
    if got != want:
        wrong = sum(a != b for a, b in zip(got, want, strict=False))
        first = next((at for at, (a, b) in enumerate(zip(got, want, strict=False)) if a != b), len(got))
        raise ScriptFailed(
            f"{PATTERN_NAME}: {len(got)} octets came instead of {len(want)}, {wrong} differ, first at {first}"
        )
    return len(got)


def _log_to(path: Path | None) -> None:
    """Send logs to a file, or nowhere: the terminal is the user's."""
    if path is None:
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
            logger_factory=structlog.ReturnLoggerFactory(),
        )
    else:
        file = path.open("a", buffering=1)
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(file))


async def _by_script(*, error_control: bool) -> None:
    async with running_demo(error_control=error_control) as port:
        try:
            proved = await script(port, sys.stdout, CONNECT if error_control else CONNECT_PLAIN)
        finally:
            # The transcript may have stopped in the middle of a line.
            print()
    print(proved)


async def _by_hand(*, error_control: bool) -> None:
    async with running_demo(error_control=error_control) as port:
        await Terminal(port, greeting=GREETING).run()


async def _until_told(work: Coroutine[None, None, None]) -> None:
    """Do it; end in order when the window is closed or somebody asks for it."""
    task = asyncio.create_task(work)
    for number in (signal.SIGHUP, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _with_page(error_control: bool, web_port: int | None, log: Path | None) -> None:
    from ansam.cli.demo_page import demo_with_page

    async with demo_with_page(answering_init(error_control), web_port, log) as (port, url):
        await Terminal(port, greeting=(f"The page: {url}", "", *GREETING)).run()


def demo(
    script: Annotated[
        bool, typer.Option("--script", help="Let it type by itself, and say what came.")
    ] = False,
    error_control: Annotated[
        bool, typer.Option(help="V.42 on the answering modem; without it: CONNECT 4800/V34/NONE.")
    ] = True,
    log: Annotated[Path | None, typer.Option(help="Append what the parts do to this file.")] = None,
    web: Annotated[bool, typer.Option(help="The web page, with a modem of its own on ext 06.")] = True,
    web_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the page; 8080 by default, if it is free")
    ] = None,
) -> None:
    """Exchange, ext 05 answering and ext 07 with a terminal, alone on this machine."""
    if web and not script:
        check_extra()
    _log_to(log)
    warm_up()
    if web and not script:
        asyncio.run(_until_told(_with_page(error_control, web_port, log)))
        return
    run = _by_script if script else _by_hand
    asyncio.run(_until_told(run(error_control=error_control)))
