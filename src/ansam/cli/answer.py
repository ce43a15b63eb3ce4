"""`ansam answer`: answer calls with a login prompt, on a modem of ours or on any modem behind a port."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ansam import config
from ansam.answer.place import Place
from ansam.answer.service_url import LoginService, parse_service
from ansam.call.line_url import LineUrl, NetworkLineUrl, parse_line, parse_network
from ansam.cli.answer_place import line_place
from ansam.cli.answer_ppp import ppp_programs
from ansam.cli.answer_services import Services
from ansam.cli.stderr_log import log_to_stderr
from ansam.cli.warm import warm_up
from ansam.config.settings import MgettyPaths
from ansam.errors import ConfigError
from ansam.io.answer import AnswerLine
from ansam.io.mgetty_files import own_port
from ansam.io.service_manager import service
from ansam.io.terminal_port import Port, make_port

MUCH = 5
"""mgetty's `debug` from which on it tells details."""


def answer(
    line: Annotated[
        str,
        typer.Option(help="Run a modem of ours on this line: sip:USER:SECRET@HOST[:PORT], net:IP:PORT, …"),
    ] = "",
    port: Annotated[
        str, typer.Option(help="Use the modem behind this pty, serial device or tcp:HOST:PORT.")
    ] = "",
    network: Annotated[
        str, typer.Option(help="With --line: a network line beside it, net:[IP:PORT][;phonebook=FILE].")
    ] = "",
    settings: Annotated[
        Path | None, typer.Option("--config", "-c", help="TOML with [answer] and [[user]].")
    ] = None,
    mgetty_config: Annotated[
        Path | None, typer.Option(help="mgetty's configuration; the section of the line's name counts.")
    ] = None,
    login_config: Annotated[
        Path | None, typer.Option(help="mgetty's login.config; by default the one mgetty.config leads to.")
    ] = None,
    name: Annotated[str, typer.Option(help=r"What \P shows; by default the port's name.")] = "",
    nodename: Annotated[str, typer.Option(help="What @ shows; by default this machine's name.")] = "",
    service: Annotated[
        str, typer.Option(help="What callers find: login, bbs, ppp, or files:/path[;uploads=held|yes].")
    ] = "login",
    speed: Annotated[int, typer.Option(help="Port speed, bit/s.")] = 0,
    rings: Annotated[int, typer.Option(help="Answer after so many RINGs.")] = 0,
    guest: Annotated[bool, typer.Option("--guest", help="Let guest in without a password.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details.")] = False,
) -> None:
    """Answer calls: with a login prompt, the built-in BBS, or a file server."""
    wanted = parse_service(service)
    if bool(line) == bool(port):
        raise ConfigError("one of --line and --port says where the modem is", "give one of them")
    if network and not line:
        raise ConfigError("--network goes with --line", "leave it out")
    if mgetty_config is not None and not isinstance(wanted, LoginService):
        raise ConfigError("--mgetty-config describes a login prompt", "leave out --service")
    if login_config is not None and mgetty_config is None:
        raise ConfigError("--login-config goes with --mgetty-config", "give both")
    log_to_stderr("debug" if verbose else "info")
    found = config.load(settings) if settings is not None else config.Config()
    label = name or (Path(port).name if port else found.answer.port)
    if mgetty_config is not None:
        found = replace(found, mgetty=MgettyPaths(mgetty_config, login_config))
    services = Services(found.bbs, ppp_programs(found))
    place, mgetty = line_place(found, label, wanted, services, guest=guest, nodename=nodename)
    if mgetty is not None:
        if mgetty.debug is not None and not verbose:
            log_to_stderr("warning" if mgetty.debug == 0 else "info" if mgetty.debug < MUCH else "debug")
        if port:
            own_port(port.partition(":")[2] or port, mgetty)
    texts = place.settings
    place = replace(place, settings=replace(texts, speed=speed or texts.speed, rings=rings or texts.rings))
    url, beside = parse_line(line) if line else None, parse_network(network)
    if url is not None:
        # Nothing may be compiled while a call waits.
        warm_up()
    asyncio.run(_run(url, beside, port, place))


async def _run(line: LineUrl | None, network: NetworkLineUrl | None, port: str, place: Place) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with _modem(line, network, port, place) as modem, service():
        answering = asyncio.create_task(AnswerLine(modem, place).run())
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait((answering, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        answering.cancel()
        (result,) = await asyncio.gather(answering, return_exceptions=True)
    if isinstance(result, Exception):
        raise result


@asynccontextmanager
async def _modem(
    line: LineUrl | None, network: NetworkLineUrl | None, port: str, place: Place
) -> AsyncIterator[Port]:
    """Give the way to the modem: ours on a line, or any behind a port."""
    if line is None:
        yield make_port(port, place.settings.speed)
        return
    # Imported late: these pull in the signal processing.
    from ansam.io.answer_modem import modem_on
    from ansam.io.clock import FramePacer
    from ansam.io.lines import make_line
    from ansam.io.rtp_socket import RtpPorts

    pacer = FramePacer()
    telephone = make_line(line, pacer, RtpPorts(), must_register=True, network=network)
    pacer.start()
    try:
        async with modem_on(telephone, place.settings.port) as modem:
            yield modem
    finally:
        pacer.stop()
