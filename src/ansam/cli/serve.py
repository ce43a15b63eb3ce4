"""`ansam serve`: everything the configuration names.

::

    ansam serve ── exchange                      in this process: it has no signal processing
        └── supervisor ── worker: ttyUSB1        one process for each modem with a terminal side
                      └── worker: answering      one for all answering modems: their callers meet in one house

A worker is this command again with `--only`: it reads the same file, so no secret stands on a command line.
Signals: TERM and INT end it, with a BYE for each call; HUP reads the extensions again.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import structlog
import typer

from ansam.cli.config import ConfigOption, check_mgetty, find_config
from ansam.cli.page import start_page
from ansam.cli.stderr_log import LEVELS
from ansam.cli.tasks import end
from ansam.config import Config, ModemConfig, load
from ansam.config.modems import ANSWER, answers
from ansam.config.settings import LogConfig
from ansam.errors import AnsamError, ConfigError, ResourceError

if TYPE_CHECKING:
    from ansam.at.nvram import Profile
    from ansam.io.control.tap import Identity, ModemTap, Watch
    from ansam.io.modem_host import ModemHost
    from ansam.web.server import WebServer

ANSWERING = "answering"
"""Name of the worker that runs the answering modems."""

READY_TIMEOUT = 120.0
"""Seconds for all workers to be ready; the first start compiles the signal processing."""

MODEM_TIMEOUT = 20.0
"""Seconds an answering modem may take to be set up; after that it goes on trying by itself."""

SPARE = "-"
"""Name of no worker: a process that can be any of them when one dies."""

CONTROL_DIRECTORY = "ANSAM_CONTROL"
"""Environment variable: where workers put the sockets by which their modems are watched."""

_JOURNAL = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}

_log = structlog.get_logger("ansam.serve")


def serve(
    config: ConfigOption = None,
    only: Annotated[str, typer.Option(hidden=True, help="Run the modems of one worker")] = "",
    tied: Annotated[bool, typer.Option("--tied", hidden=True, help="End when standard input does")] = False,
) -> None:
    """Run everything the configuration names: exchange, modems, answering."""
    path = find_config(config)
    loaded = load(path)
    set_up_logging(loaded.log)
    if only == SPARE:
        only = _stand_ready()
        if not only:
            return
        loaded = load(path)
    if only:
        asyncio.run(_work(loaded, only))
        return
    if loaded.exchange is None and not loaded.modems:
        raise ConfigError(
            f"{path}: names neither an exchange nor a modem", "`ansam config example` shows both"
        )
    check_mgetty(loaded)
    asyncio.run(_serve(path, loaded, tied=tied))


def _stand_ready() -> str:
    """Load what workers need and wait to be told which of them this process is to be: "" is none."""
    from ansam.cli.warm import warm_up
    from ansam.io import answer_modem, lines
    from ansam.io.workers import wanted_name

    warm_up()
    del answer_modem, lines  # loaded all the same
    return wanted_name()


def workers_of(config: Config) -> dict[str, tuple[ModemConfig, ...]]:
    """Return which modems run together, by name of their worker."""
    answering = tuple(modem for modem in config.modems if answers(modem.dte))
    workers: dict[str, tuple[ModemConfig, ...]] = {}
    pools: dict[tuple[str, int], str] = {}
    for modem in config.modems:
        if answers(modem.dte):
            continue
        shared = [pools[address] for address in ports_of(modem) if address in pools]
        name = shared[0] if shared else f"modem-{modem.name}"
        pools |= dict.fromkeys(ports_of(modem), name)
        workers[name] = (*workers.get(name, ()), modem)
    return workers | ({ANSWERING: answering} if answering else {})


def ports_of(modem: ModemConfig) -> tuple[tuple[str, int], ...]:
    """Return where callers from the network ring; modems that share a port form a pool, in one worker."""
    url = modem.network or modem.line
    return getattr(url, "listen", ())


async def _serve(path: Path, config: Config, *, tied: bool) -> None:
    from ansam.io.exchange import ExchangeServer
    from ansam.io.service_manager import service
    from ansam.io.workers import Supervisor, WorkerState, end_of_input, python_worker

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if tied:
        end_of_input(stop.set)
    server = provisioning = None
    async with AsyncExitStack() as stack:
        if config.exchange is not None:
            server = ExchangeServer(config.exchange, config.plan(), late=True)
            await server.start()
            stack.push_async_callback(server.stop)
            provisioning = await _start_provisioning(stack, config)
        environment: dict[str, str] = {}
        page: WebServer | None = None
        take_over = partial(_take_over, lambda: page, server, provisioning)
        if config.web.host:
            control = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ansam-control-")))
            environment[CONTROL_DIRECTORY] = str(control)
            sockets = control_sockets(config, control)
            page = await start_page(stack, path, config, server, sockets, take_over)
        # Also with modems alone, which read nothing again: unhandled, it would end them without a BYE.
        loop.add_signal_handler(signal.SIGHUP, _reload, path, take_over)
        names = list(workers_of(config))
        if names or (config.exchange is not None and config.exchange.settings.answers_with_modems):
            await _compile()
        if names:
            specs = [python_worker(name, "serve", "--config", str(path), "--only", name) for name in names]
            specs = [replace(spec, restart_on_error=False, environment=environment) for spec in specs]
            spare = python_worker(SPARE, "serve", "--config", str(path), "--only", SPARE)
            supervisor = Supervisor(specs, _watch(server, config), replace(spare, environment=environment))
            supervisor.start()
            # Before the exchange: modems say BYE and sign off through it.
            stack.push_async_callback(supervisor.stop)
        if server is not None:
            await server.load_services()
        if names:
            await _until_ready(supervisor, stop)
            failed = [name for name, s in supervisor.status.items() if s.state is WorkerState.STOPPED]
            if failed and not stop.is_set():
                raise ResourceError(f"{', '.join(failed)}: can not be started", "the line above says why")
        async with service():
            _log.info("ready", workers=names)
            await stop.wait()
        _log.info("stopping")


def _watch(server: Any, config: Config) -> Any:
    """Return what tells our own exchange that the modems of a worker are dead: their calls end at once."""
    from ansam.io.workers import WorkerState

    secrets = {extension.number: extension.secret for extension in config.extensions}
    lines: dict[str, list[str]] = {}
    for name, modems in workers_of(config).items():
        users = [(getattr(m.line, "user", ""), getattr(m.line, "secret", "")) for m in modems]
        lines[name] = [user for user, secret in users if secrets.get(user) == secret]

    def changed(name: str, status: Any) -> None:
        if server is not None and status.state is WorkerState.WAITING:
            for number in lines[name]:
                server.line_died(number)

    return changed


async def _start_provisioning(stack: AsyncExitStack, config: Config) -> Any:
    """Serve adaptors their profiles, where the configuration says so."""
    from ansam.io.provisioning import ProvisioningServer

    section = config.provisioning
    if not section.host:
        return None
    server = ProvisioningServer(section.host, section.port, section.provisioner())
    await server.start()
    stack.push_async_callback(server.stop)
    return server


async def _until_ready(supervisor: Any, stop: asyncio.Event) -> None:
    """Wait until all workers are ready, or we are told to stop."""
    ready = asyncio.create_task(supervisor.wait_ready(READY_TIMEOUT))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((ready, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not ready.done():
        ready.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        try:
            await ready
        except TimeoutError:
            raise ResourceError(
                f"modems are not ready after {READY_TIMEOUT:.0f} s", "the log above says which"
            ) from None


async def _compile() -> None:
    """Compile the signal processing once, in a process of its own, before several workers would."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ansam.cli.main", "warm", stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        raise


def _take_over(
    page: "Callable[[], WebServer | None]", server: Any, provisioning: Any, config: Config
) -> None:
    """Let what runs know what the configuration says now."""
    if server is not None:
        server.replace_plan(config.plan())
    if provisioning is not None:
        provisioning.provisioner = config.provisioning.provisioner()
    running = page()
    if running is not None:
        running.app.replace_users(config.web.users)


def _reload(path: Path, take_over: "Callable[[Config], None]") -> None:
    try:
        take_over(load(path))
    except AnsamError as error:
        _log.error("configuration not read again", reason=str(error))


async def _work(config: Config, name: str) -> None:
    """Run the modems of one worker until a signal, or until the supervisor is gone."""
    # Imported late: these pull in the signal processing.
    from ansam.cli.warm import warm_up
    from ansam.io.clock import FramePacer
    from ansam.io.line_listen import CallPorts
    from ansam.io.workers import parent_gone, report_ready

    modems = workers_of(config).get(name)
    if modems is None:
        raise ConfigError(f"{config.path}: there is no worker {name}")
    warm_up()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    pacer, call_ports = FramePacer(), CallPorts()
    pacer.start()
    async with AsyncExitStack() as stack:
        stack.callback(pacer.stop)
        taps: list[ModemTap] = []
        if name == ANSWERING:
            tasks = await _start_answering(stack, config, modems, pacer, call_ports, taps)
        else:
            tasks = []
            taps += [await _start_modem(stack, modem, pacer, call_ports) for modem in modems]
        await _open_control(stack, config, name, taps)
        parent_gone(stop.set)
        report_ready()
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait((stopping, *tasks), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for task in done:
            task.result()


def control_sockets(config: Config, directory: Path) -> list[Path]:
    """Return where each worker's modems can be watched, in the order of `workers_of`."""
    return [directory / str(number) for number, _ in enumerate(workers_of(config))]


async def _open_control(stack: AsyncExitStack, config: Config, name: str, taps: "list[ModemTap]") -> None:
    """Let the parent watch and work the modems of this worker, if it has a directory for that."""
    from ansam.io.control.server import ControlServer

    directory = os.environ.get(CONTROL_DIRECTORY)
    if directory:
        socket = control_sockets(config, Path(directory))[list(workers_of(config)).index(name)]
        server = ControlServer(socket, taps)
        await server.start()
        stack.push_async_callback(server.stop)


def _tap(taps: "list[ModemTap]", watch: "Watch", identity: "Identity", host: "ModemHost") -> None:
    taps.append(watch.tap(identity, host))


def _extension(modem: ModemConfig) -> str:
    return str(getattr(modem.line, "user", ""))


async def _start_modem(stack: AsyncExitStack, modem: ModemConfig, pacer: Any, call_ports: Any) -> "ModemTap":
    from ansam.dce.dce import Dce
    from ansam.io.control.page_dte import PageDte
    from ansam.io.control.tap import Identity, Watch
    from ansam.io.dte_ports import SeveralDte
    from ansam.io.lines import make_dte, make_line
    from ansam.io.modem_host import ModemHost
    from ansam.io.speaker import open_sinks

    line = make_line(modem.line, pacer, network=modem.network, call_ports=call_ports)
    page = PageDte()
    watch = Watch(page)
    sinks = (*open_sinks(modem.speaker, ""), watch.tape)
    ports = SeveralDte([make_dte(modem.dte), page])
    host = ModemHost(Dce(_profile(modem), watch.trace), line, ports, name=modem.name, sinks=sinks)
    if modem.init:
        host.initialise(modem.init)
    await host.start()
    stack.push_async_callback(host.stop)
    return watch.tap(Identity(modem.name, _extension(modem)), host)


async def _start_answering(
    stack: AsyncExitStack,
    config: Config,
    modems: tuple[ModemConfig, ...],
    pacer: Any,
    call_ports: Any,
    taps: "list[ModemTap]",
) -> list["asyncio.Task[None]"]:
    from ansam.answer.house import House
    from ansam.answer.service_url import parse_service
    from ansam.cli.answer_place import line_place
    from ansam.cli.answer_ppp import ppp_programs
    from ansam.cli.answer_services import Services
    from ansam.io.answer import AnswerLine
    from ansam.io.answer_modem import modem_on
    from ansam.io.control.tap import Identity, Watch
    from ansam.io.lines import make_line

    house, tasks, services, told = House(), [], Services(config.bbs, ppp_programs(config)), set[str]()
    for modem in modems:
        service = parse_service(modem.dte.removeprefix(ANSWER))
        place, _ = line_place(config, modem.name, service, services, told=told)
        place = replace(place, house=house)
        telephone = make_line(modem.line, pacer, network=modem.network, call_ports=call_ports)
        watch, identity = Watch(), Identity(modem.name, _extension(modem))
        port = await stack.enter_async_context(
            modem_on(
                telephone,
                modem.name,
                modem.init,
                profile=_profile(modem),
                watch=watch,
                watched=partial(_tap, taps, watch, identity),
            )
        )
        line = AnswerLine(port, place)
        task = asyncio.create_task(line.run(), name=modem.name)
        stack.push_async_callback(end, task)
        tasks.append(task)
        # Whoever waits for us to be ready may call at once. A failed line's task ends: our caller sees it.
        waiting = asyncio.create_task(line.until_waiting())
        await asyncio.wait((waiting, task), timeout=MODEM_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    return tasks


def _profile(modem: ModemConfig) -> "Profile":
    """Return how a modem starts; an answering one keeps nothing, unless it is told where."""
    from ansam.io.nvram_file import NOWHERE, open_profile

    nowhere = NOWHERE if answers(modem.dte) else ""
    return open_profile(modem.personality, modem.nvram or nowhere, modem.name)


def set_up_logging(config: LogConfig) -> None:
    """Write logs to standard error: for people, for programs, or for systemd's journal."""
    journal = config.format == "auto" and "JOURNAL_STREAM" in os.environ
    processors: list[Any] = [structlog.processors.add_log_level]
    if config.format == "json":
        processors += [structlog.processors.TimeStamper(fmt="iso"), structlog.processors.JSONRenderer()]
    elif journal:
        # The journal has its own time; sd-daemon(3) reads the level in front of the line.
        processors += [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0), _with_priority]
    else:
        colours = sys.stderr.isatty()
        stamp = structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False)
        processors += [stamp, structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0)]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[config.level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _with_priority(_: object, method: str, text: str) -> str:
    return f"<{_JOURNAL.get(method, 6)}>{text}"
