"""`ansam modem`: run one modem on a line until a signal ends it."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import structlog
import typer

from ansam.at.nvram import Profile
from ansam.call.line_url import LAWS, LineUrl, NetworkLineUrl, SipLineUrl, parse_line, parse_network
from ansam.cli.stderr_log import log_to_stderr
from ansam.cli.warm import warm_up
from ansam.dte.port_url import FORMS
from ansam.errors import ConfigError
from ansam.io.nvram_file import open_profile
from ansam.io.speaker import Sink, open_sinks

EXTRA_DRAIN = 0.5
"""Seconds between the end of standard input and ours: the modem's last words, and DTR's effect (S25)."""


def modem(
    line: Annotated[
        str, typer.Option(help="sip:USER:SECRET@HOST[:PORT], tcp:HOST:PORT, unix:/path, net:, …")
    ],
    dte: Annotated[str, typer.Option(help=f"{FORMS} (several with commas), stdio")] = "pty:./run/ttyUSB0",
    init: Annotated[list[str] | None, typer.Option(help="AT command to run first; may be repeated")] = None,
    personality: Annotated[str, typer.Option(help="Make of modem: a name, or a .toml file")] = "",
    nvram: Annotated[
        str, typer.Option(help="File of what AT&W stores, or none; by default XDG's state")
    ] = "",
    speaker: Annotated[str, typer.Option(help="What the speaker plays: a WAV file, or device")] = "",
    record: Annotated[str, typer.Option(help="WAV file of the call: received left, sent right")] = "",
    network: Annotated[str, typer.Option(help="Network line beside it: net:[IP:PORT][;phonebook=FILE]")] = "",
    bind: Annotated[str, typer.Option(help="Local IP address for SIP and RTP")] = "",
    law: Annotated[str, typer.Option(help="alaw or ulaw")] = "",
    rtp_ports: Annotated[str, typer.Option(help="UDP ports for RTP, LOW-HIGH; any by default")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details")] = False,
) -> None:
    """Run one modem on a line."""
    url = _with_options(parse_line(line), bind, law)
    beside = parse_network(network)
    low, high = _port_range(rtp_ports)
    log_to_stderr("debug" if verbose else "info")
    profile = open_profile(personality, nvram, _port_name(dte))
    sinks = open_sinks(speaker, record)
    # Nothing may be compiled while a call waits.
    warm_up()
    asyncio.run(_run(url, beside, dte, init or [], low, high, profile, sinks))


def _with_options(url: LineUrl, bind: str, law: str) -> LineUrl:
    if law:
        if law not in LAWS:
            raise ConfigError(f"--law {law} is not known", "choose alaw or ulaw")
        if isinstance(url, NetworkLineUrl):
            raise ConfigError("--law is for lines with audio", "leave it out")
        url = replace(url, law=LAWS[law])
    if bind:
        if not isinstance(url, SipLineUrl):
            raise ConfigError("--bind is for sip: lines", "leave it out")
        url = replace(url, bind=bind)
    return url


def _port_name(dte: str) -> str:
    """Return the name under which what the modem stores is kept: that of its port."""
    first = dte.partition(",")[0]
    kind, _, rest = first.partition(":")
    return Path(rest).name if kind == "pty" and rest else first


def _port_range(text: str) -> tuple[int, int]:
    if not text:
        return 0, 0
    low, _, high = text.partition("-")
    if not (low.isdecimal() and high.isdecimal() and 0 < int(low) <= int(high) < 65536):
        raise ConfigError(f"--rtp-ports {text} is not LOW-HIGH", "for example 16384-16484")
    return int(low), int(high)


async def _run(
    url: LineUrl,
    beside: NetworkLineUrl | None,
    dte: str,
    init: list[str],
    low: int,
    high: int,
    profile: Profile,
    sinks: list[Sink],
) -> None:
    # Imported late: these pull in the signal processing.
    from ansam.dce.dce import Dce
    from ansam.io.clock import FramePacer
    from ansam.io.dte_stdio import StdioDte
    from ansam.io.lines import make_dte, make_line
    from ansam.io.modem_host import ModemHost
    from ansam.io.rtp_socket import RtpPorts
    from ansam.io.workers import parent_gone, report_ready

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    endpoint = make_dte(dte)
    pacer = FramePacer()
    line = make_line(url, pacer, RtpPorts(low, high), must_register=True, network=beside)
    host = ModemHost(Dce(profile), line, endpoint, sinks=sinks)
    for command in init:
        host.initialise(command)
    pacer.start()
    try:
        await host.start()
        structlog.get_logger("ansam.modem").info("ready", dte=endpoint.name, line=str(url))
        if isinstance(endpoint, StdioDte):
            watch = loop.create_task(_stop_after_input(endpoint.finished))
            watch.add_done_callback(lambda _: stop.set())
        else:
            parent_gone(stop.set)
        report_ready()
        await stop.wait()
        await host.stop()
    finally:
        pacer.stop()


async def _stop_after_input(finished: asyncio.Event) -> None:
    await finished.wait()
    await asyncio.sleep(EXTRA_DRAIN)
