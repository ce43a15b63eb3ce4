"""`ansam answer`: answer calls with a login prompt, on a modem of ours or on any modem behind a port."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import structlog
import typer

from ansam import config
from ansam.answer.house import House
from ansam.answer.mgetty_config import MgettyConfig
from ansam.answer.place import Place
from ansam.answer.samples import sample_shelf
from ansam.answer.service_url import LoginService, Service, parse_service
from ansam.answer.settings import Machine
from ansam.answer.users import User, UserBook
from ansam.call.line_url import LineUrl, NetworkLineUrl, parse_line, parse_network
from ansam.cli.answer_ppp import ppp_programs
from ansam.cli.answer_services import Services, put_through
from ansam.cli.warm import warm_up
from ansam.config.settings import MgettyPaths
from ansam.errors import ConfigError, ResourceError
from ansam.io.answer import AnswerLine, local_time, this_machine
from ansam.io.answer_shelf import DirectoryShelf
from ansam.io.mgetty_files import own_port, read_mgetty_files
from ansam.io.service_manager import service
from ansam.io.terminal_port import Port, make_port

MUCH = 5
"""mgetty's `debug` from which on it tells details."""

LEVELS = {"debug": 10, "info": 20, "warning": 30}


def answering_place(
    settings: config.Config, name: str, *, guest: bool = False, nodename: str = "", others: bool = False
) -> Place:
    r"""Return what a caller of one line finds.

    Args:
        settings: A configuration; its `answer`, `users` and `files` count.
        name: Of the line: what ``\P`` shows.
        guest: Also let `guest` in without a password.
        nodename: What ``@`` shows; that of the machine by default.
        others: Callers are served by programs, too: there need be no users.

    Raises:
        ConfigError: Nobody could log in.
        ResourceError: The files directory is not there.
    """
    users = [*settings.users]
    if guest and not any(user.name == "guest" for user in users):
        users.append(User("guest"))
    if not users and not others and not settings.answer.system_login:
        raise ConfigError(
            "nobody can log in: there are no users", "add [[user]] to the configuration, or --guest"
        )
    machine = this_machine()
    return Place(
        settings=replace(settings.answer, port=name),
        users=UserBook(users),
        house=House(),
        clock=local_time,
        shelf=DirectoryShelf(settings.files) if settings.files else sample_shelf(),
        machine=Machine(nodename, *_rest(machine)) if nodename else machine,
        bridge=put_through,
    )


def mgetty_place(
    settings: config.Config,
    name: str,
    paths: MgettyPaths,
    *,
    guest: bool = False,
    nodename: str = "",
    told: set[str] | None = None,
) -> tuple[Place, MgettyConfig]:
    """Return what a caller finds whose line an mgetty's files describe, and the line's `mgetty.config`.

    Args:
        settings: A configuration; its `users` and `files` count, and what mgetty has no words for.
        name: Of the line: its section of the file.
        paths: Its `mgetty.config` and `login.config`.
        guest: Also let `guest` in without a password.
        nodename: What ``@`` shows; that of the machine by default.
        told: See `read_mgetty_files`.

    Raises:
        ConfigError: A file has faults, or nobody could log in.
        ResourceError: A directory is not there, or others could tell root what to run.
    """
    files = read_mgetty_files(paths.config, name, paths.login, told)
    texts = replace(files.config.settings(settings.answer), issue=files.issue)
    if os.geteuid() == 0 and not settings.users and not guest:
        # mgetty's own way; without root, or with users of our own, passwords are asked here.
        texts = replace(texts, system_login=True)
    others = any(not rule.is_login for rule in files.logins)
    place = answering_place(
        replace(settings, answer=texts), name, guest=guest, nodename=nodename, others=others
    )
    manners = replace(files.config.manners(texts), callers=files.callers)
    return replace(place, manners=manners, logins=files.logins), files.config


def served_place(
    settings: config.Config, name: str, service: Service, services: Services, told: set[str]
) -> Place:
    """Return what a caller of one line finds whose service a configuration names; see `mgetty_place`."""
    if settings.mgetty is not None and isinstance(service, LoginService):
        place, _ = mgetty_place(settings, name, settings.mgetty, told=told)
        if place.settings.system_login:
            _need_root()
    else:
        place = answering_place(settings, name, others=not isinstance(service, LoginService))
    return services.at(place, service)


def _rest(machine: Machine) -> tuple[str, str, str, str]:
    return machine.sysname, machine.machine, machine.release, machine.version


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
    if mgetty_config is not None and not isinstance(wanted, LoginService):
        raise ConfigError("--mgetty-config describes a login prompt", "leave out --service")
    if login_config is not None and mgetty_config is None:
        raise ConfigError("--login-config goes with --mgetty-config", "give both")
    _log_to_stderr("debug" if verbose else "info")
    found = config.load(settings) if settings is not None else config.Config()
    label = name or (Path(port).name if port else found.answer.port)
    paths = MgettyPaths(mgetty_config, login_config) if mgetty_config is not None else None
    if paths is None and isinstance(wanted, LoginService):
        paths = found.mgetty
    if paths is None:
        others = not isinstance(wanted, LoginService)
        place = answering_place(found, label, guest=guest, nodename=nodename, others=others)
        place = Services(found.bbs, ppp_programs(found)).at(place, wanted)
    else:
        place, mgetty = mgetty_place(found, label, paths, guest=guest, nodename=nodename)
        place = replace(place, ppp=ppp_programs(found))
        if mgetty.debug is not None and not verbose:
            _log_to_stderr("warning" if mgetty.debug == 0 else "info" if mgetty.debug < MUCH else "debug")
        if port:
            own_port(port.partition(":")[2] or port, mgetty)
    texts = place.settings
    place = replace(place, settings=replace(texts, speed=speed or texts.speed, rings=rings or texts.rings))
    if place.settings.system_login:
        _need_root()
    url, beside = parse_line(line) if line else None, parse_network(network)
    if url is not None:
        # Nothing may be compiled while a call waits.
        warm_up()
    asyncio.run(_run(url, beside, port, place))


def _need_root() -> None:
    if os.geteuid() != 0:
        raise ResourceError(
            "system_login runs /bin/login, which only root can", "start ansam as root or switch it off"
        )


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


def _log_to_stderr(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
