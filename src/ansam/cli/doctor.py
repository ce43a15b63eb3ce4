"""`ansam doctor`: call a path, examine it, grade it for modems.

Exit codes: 0 good; 1 fair: usable, with remarks; 2 bad input; 3 the call could not be placed, or was not
answered; 4 bad: something in the way that no fast modem survives, or neither an echo nor a modem.
"""

import asyncio
import json
import logging
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import structlog
import typer
from rich.console import Console
from rich.table import Table

from ansam.call.line_url import LineUrl, RawLineUrl, SipLineUrl, parse_line
from ansam.cli.config import ConfigOption, find_config
from ansam.cli.markup import plain
from ansam.cli.warm import warm_up
from ansam.codec import Law
from ansam.config import load
from ansam.doctor import Diagnosis, Examination, Grade, Media, diagnose
from ansam.errors import AnsamError, ConfigError
from ansam.units import SAMPLE_RATE

if TYPE_CHECKING:
    # At run time it would bring the signal processing into calls that are over before it is needed.
    from ansam.sim import SimOptions

GOOD, REMARKS, BAD = 0, 1, 4
_CODES = {Grade.GOOD: GOOD, Grade.FAIR: REMARKS, Grade.BAD: BAD}
_COLOURS = {Grade.GOOD: "green", Grade.FAIR: "yellow", Grade.BAD: "red"}

FORM = "write sip:EXT@HOST[:PORT], tcp:HOST:PORT, unix:/path, sim:echo or sim:modem"


def doctor(
    target: Annotated[
        str,
        typer.Argument(
            help="sip:EXT@HOST[:PORT][;transport=…], tcp:HOST:PORT, unix:/path; sim:echo, sim:modem"
        ),
    ],
    line: Annotated[
        str,
        typer.Option(
            envvar="ANSAM_DOCTOR_LINE",
            help="Own extension, sip:USER:SECRET@HOST; without it the call is unproved",
        ),
    ] = "",
    config: ConfigOption = None,
    seconds: Annotated[
        float, typer.Option(help="Length of the long part: noise to an echo, a held connection")
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    snr: Annotated[float | None, typer.Option(help="sim: noise below -13 dBm0, dB")] = None,
    loss: Annotated[float, typer.Option(help="sim: fraction of packets lost")] = 0.0,
    loss_burst: Annotated[int, typer.Option(help="sim: packets lost in a row")] = 1,
    jitter: Annotated[float, typer.Option(help="sim: packets come 0 to this many ms later")] = 0.0,
    delay: Annotated[float, typer.Option(help="sim: network delay one way, ms")] = 20.0,
    gain: Annotated[float, typer.Option(help="sim: gain of each direction, dB")] = 0.0,
    law: Annotated[str, typer.Option(help="sim: alaw or ulaw")] = "alaw",
    meddle: Annotated[
        list[str] | None, typer.Option(help="sim: what gateways do, as in `ansam sim --meddle`")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the noise, and of sim's chance")] = 1,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details")] = False,
) -> None:
    """Call a path (an echo test or an answering modem) and grade it for modems."""
    _log_to_stderr(verbose)
    if target.startswith("sim:"):
        from ansam.sim import SimOptions

        options = SimOptions(
            law=_law(law),
            snr=snr,
            loss=loss,
            loss_burst=loss_burst,
            jitter=jitter,
            delay=delay,
            gain=gain,
            seed=seed,
            meddle=tuple(meddle or ()),
        )
        diagnosis = _simulate(target.removeprefix("sim:"), options, Examination(options.law, seconds, seed))
    else:
        url, number = _destination(target, line, config)
        examination = Examination(url.law, seconds, seed)
        # Nothing may be compiled while a call waits.
        warm_up()
        diagnosis = asyncio.run(_call(url, number, examination))
    if as_json:
        typer.echo(json.dumps({"target": target, **diagnosis.as_dict()}, ensure_ascii=False))
    else:
        show(diagnosis, target, Console())
    raise typer.Exit(_CODES[diagnosis.grade])


def _law(text: str) -> Law:
    if text not in ("alaw", "ulaw"):
        raise ConfigError(f"--law {text} is not known", "choose alaw or ulaw")
    return Law(text)


def _log_to_stderr(verbose: bool) -> None:
    level = logging.DEBUG if verbose else logging.ERROR
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


# -- whom to call --------------------------------------------------------------------------------------------


def _destination(target: str, line: str, config: Path | None) -> tuple[SipLineUrl | RawLineUrl, str]:
    """Return the line to call on, and the number to dial."""
    if not target.startswith("sip:"):
        if line:
            raise ConfigError(f"--line with {target}", "only sip:EXT@HOST is called over a line")
        return _usable(parse_line(target)), ""
    found = re.fullmatch(r"sip:([^:@;]+)@([^@;]+)((?:;.*)?)", target)
    if found is None:
        raise ConfigError(f"{target!r} is nobody to call", FORM)
    number, place, parameters = unquote(found[1]), found[2], found[3]
    direct = parse_line(f"sip:doctor:-@{place}{parameters}")
    assert isinstance(direct, SipLineUrl)
    if line:
        own = parse_line(line)
        if not isinstance(own, SipLineUrl):
            raise ConfigError(f"--line {line.partition(':')[0]}: is no SIP line", "sip:USER:SECRET@HOST")
        if parameters:
            raise ConfigError(f"{target}: parameters beside --line", "write them into the line URL")
        if own.host != direct.host:
            raise ConfigError(
                f"--line is an extension at {own.host}, not at {direct.host}",
                f"write sip:{number}@{own.host}, or leave --line out to call {direct.host} directly",
            )
        return own, number
    return _from_config(config, direct) or direct, number


def _usable(url: LineUrl) -> RawLineUrl:
    if not isinstance(url, RawLineUrl) or url.listen:
        raise ConfigError(f"{url} is nobody to call", FORM)
    return url


def _from_config(path: Path | None, target: SipLineUrl) -> SipLineUrl | None:
    """Return the line of a configured modem at the same exchange: its extension proves the call."""
    file = find_config(path)
    if path is None and not file.exists():
        return None
    try:
        lines = [modem.line for modem in load(file).modems]
    except AnsamError:
        if path is not None:
            raise
        return None
    place = (target.host, target.port)
    own = [one for one in lines if isinstance(one, SipLineUrl) and (one.host, one.port) == place]
    if not own and path is not None:
        raise ConfigError(f"{path}: no modem is at {target.host}:{target.port}", "give --line, or no -c")
    return replace(own[0], transport=target.transport) if own else None


# -- calling -------------------------------------------------------------------------------------------------


async def _call(url: SipLineUrl | RawLineUrl, number: str, examination: Examination) -> Diagnosis:
    # Imported late: these pull in the signal processing.
    from ansam.io.clock import FramePacer
    from ansam.io.doctor import examine
    from ansam.io.line import Line
    from ansam.io.line_raw import RawLine
    from ansam.io.line_sip import SipLine

    pacer = FramePacer()
    pacer.start()
    try:
        line: Line = SipLine(url, pacer, register=False) if isinstance(url, SipLineUrl) else RawLine(url)
        called = await examine(line, number, examination)
    finally:
        pacer.stop()
    playout = url.playout * 1000 / SAMPLE_RATE if isinstance(url, SipLineUrl) else 0.0
    media = Media(0.0, 0.0, playout_ms=playout)
    if called.statistics is not None:
        media = Media.of(called.statistics, playout, 1000 * pacer.lateness.worst, called.noticed)
    return diagnose(examination.findings(), url.law, media)


def _simulate(kind: str, options: "SimOptions", examination: Examination) -> Diagnosis:
    from ansam.sim.doctor import answering_modem, examine

    if kind not in ("echo", "modem"):
        raise ConfigError(f"sim:{kind} is not known", "choose sim:echo or sim:modem")
    far = answering_modem(("ATS0=1",)) if kind == "modem" else None
    media = examine(options, examination, far)
    return diagnose(examination.findings(), options.law, media)


# -- telling -------------------------------------------------------------------------------------------------


def show(diagnosis: Diagnosis, target: str, console: Console) -> None:
    """Print a diagnosis for people."""
    colour = _COLOURS[diagnosis.grade]
    console.print(
        f"{plain(target)}: {diagnosis.far.value}, examined for {diagnosis.seconds:.0f} s: "
        f"[bold {colour}]{diagnosis.grade.value}[/]"
    )
    table = Table("what", "value", "", "what it means", box=None, pad_edge=False)
    for item in diagnosis.items:
        grade = f"[{_COLOURS[item.grade]}]{item.grade.value}[/]"
        table.add_row(item.name, plain(item.shown), grade, plain(item.text))
    console.print(table)
    guess = diagnosis.prediction
    if guess.index:
        console.print(
            f"\nExpect [bold]CONNECT {guess.rate}[/]: AT&N{guess.index} asks for just that, AT&N0 lets the "
            f"modems choose. {plain('; '.join(guess.reasons))}."
        )
    elif guess.reasons:
        console.print(f"\nNo line rate can be promised: {plain('; '.join(guess.reasons))}.")
    if diagnosis.remedies:
        cures = Table("change", "setting", "to", box=None, pad_edge=False)
        for remedy in sorted(diagnosis.remedies, key=lambda one: one.system.value):
            cures.add_row(remedy.system.value, plain(remedy.setting), plain(remedy.value))
        console.print()
        console.print(cures)
