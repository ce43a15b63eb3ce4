"""`ansam sim`: one call in virtual time over a simulated circuit."""

import json
import time
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from ansam.codec import Law
from ansam.errors import ConfigError
from ansam.line.meddle import MEDDLERS
from ansam.sim import BothWays, Direction, Far, SimOptions, SimResult, run
from ansam.sim.recording import Recording

Choice = TypeVar("Choice", bound=Enum)

_DEFAULTS = SimOptions()


def _choice(option: str, kind: type[Choice], value: str) -> Choice:
    try:
        return kind(value.lower())
    except ValueError:
        names = ", ".join(member.value for member in kind)
        raise ConfigError(f"--{option} {value}", f"choose one of {names}") from None


def _option(text: str, metavar: str) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(help=text, metavar=metavar)
    return info


def _number(option: str, text: str, metavar: str, kind: type = float) -> typer.models.OptionInfo:
    """Return an option whose value must be a number, with an error of one line where it is none."""

    def parse(value: str) -> float | int:
        try:
            return kind(value)  # type: ignore[no-any-return]
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise ConfigError(f"--{option} {value}", f"give {what}") from None

    info: typer.models.OptionInfo = typer.Option(help=text, metavar=metavar, parser=parse)
    return info


def sim(
    calling: Annotated[
        list[str] | None, _option("Typed to the calling modem before it dials.", "AT…")
    ] = None,
    answering: Annotated[
        list[str] | None,
        _option("Typed to the answering modem; ATS0=1 follows unless S0 is named.", "AT…"),
    ] = None,
    dial: Annotated[str, _option("The command that dials.", "AT…D…")] = _DEFAULTS.dial,
    law: Annotated[str, _option("alaw, ulaw or linear.", "LAW")] = _DEFAULTS.law.value,
    snr: Annotated[
        float | None, _number("snr", "Noise below the nominal level of -13 dBm0, 0-4 kHz.", "DB")
    ] = None,
    loss: Annotated[float, _number("loss", "Fraction of packets lost, 0 to 1.", "P")] = _DEFAULTS.loss,
    loss_burst: Annotated[
        int, _number("loss-burst", "Packets lost in a row.", "N", int)
    ] = _DEFAULTS.loss_burst,
    jitter: Annotated[
        float, _number("jitter", "Packets come 0 to this much later.", "MS")
    ] = _DEFAULTS.jitter,
    playout: Annotated[float, _number("playout", "Fixed playout delay; later packets are erased.", "MS")] = (
        _DEFAULTS.playout
    ),
    skew: Annotated[
        float, _number("skew", "Answering end's 8 kHz clock is this fast.", "PPM")
    ] = _DEFAULTS.skew,
    far: Annotated[
        str,
        _option(
            "The answering end is ansam, which follows our packets, or an ata (adaptor), which does not.",
            "WHAT",
        ),
    ] = _DEFAULTS.far.value,
    pbx_skew: Annotated[
        float | None,
        _number("pbx-skew", "A box in the middle re-clocks the packets, its clock this fast.", "PPM"),
    ] = None,
    delay: Annotated[float, _number("delay", "Network delay, one way.", "MS")] = _DEFAULTS.delay,
    echo: Annotated[float | None, _number("echo", "Level at which each modem hears itself.", "DB")] = None,
    echo_delay: Annotated[
        float,
        _number("echo-delay", "Delay of the echo; from 40 ms on it has the frequency offset too.", "MS"),
    ] = _DEFAULTS.echo_delay,
    gain: Annotated[float, _number("gain", "Gain of each direction.", "DB")] = _DEFAULTS.gain,
    offset: Annotated[
        float, _number("offset", "Frequency offset of each direction.", "HZ")
    ] = _DEFAULTS.offset,
    seconds: Annotated[
        float, _number("seconds", "How long data is sent after CONNECT.", "S")
    ] = _DEFAULTS.seconds,
    payload: Annotated[str, _option("random, text or a file.", "WHAT")] = _DEFAULTS.payload,
    direction: Annotated[str, _option("Who sends: both, up (calling) or down.", "WAY")] = (
        _DEFAULTS.direction.value
    ),
    seed: Annotated[int, _number("seed", "Of noise, loss, jitter and payload.", "N", int)] = _DEFAULTS.seed,
    personality: Annotated[str, _option("Make of the calling modem.", "NAME")] = _DEFAULTS.personality,
    meddle: Annotated[
        list[str] | None,
        _option(
            "What gateways do to the audio; may be repeated. "
            f"Names: {', '.join(MEDDLERS)}; @up or @down for one direction only.",
            "NAME[:VALUE]",
        ),
    ] = None,
    record: Annotated[Path | None, _option("Leave sound, pictures, trace and result there.", "DIR")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """One call in virtual time over a simulated circuit."""
    options = SimOptions(
        calling=tuple(calling or _DEFAULTS.calling),
        answering=tuple(answering or _DEFAULTS.answering),
        dial=dial,
        law=_choice("law", Law, law),
        snr=snr,
        loss=loss,
        loss_burst=loss_burst,
        jitter=jitter,
        playout=playout,
        skew=skew,
        far=_choice("far", Far, far),
        pbx_skew=pbx_skew,
        delay=delay,
        echo=echo,
        echo_delay=echo_delay,
        gain=gain,
        offset=offset,
        seconds=seconds,
        payload=payload,
        direction=_choice("direction", Direction, direction),
        seed=seed,
        personality=personality,
        meddle=tuple(meddle or ()),
    )
    with Recording(record) if record else nullcontext() as recording:
        result = run(options, recording=recording, cpu_clock=time.process_time)
    if as_json:
        typer.echo(json.dumps(result.as_dict()))
    else:
        _show(result)


def _show(result: SimResult) -> None:
    console = Console()
    heading = f"[bold]{result.connect or 'no answer from the modem'}[/bold]"
    if result.connect_seconds is not None:
        heading += f" {result.connect_seconds:.2f} s after the answer"
    console.print(heading)
    if result.connected:
        carried = f"{result.modulation} at {result.rate_tx}/{result.rate_rx} bit/s"
        console.print(f"{carried}, error control {result.error_control}, compression {result.compression}")
        console.print(_table(result))
    for finding in result.findings:
        console.print(f"{finding['direction']}: {finding['kind']} ({finding['severity']}): {finding['text']}")
    speed = result.line_seconds / result.cpu_seconds if result.cpu_seconds else float("inf")
    console.print(
        f"ended: {result.disconnect_reason}; {result.retrains} retrains, "
        f"{result.renegotiations} renegotiations, {result.slips} slips; "
        f"{result.line_seconds:.1f} s of line in {result.cpu_seconds:.2f} s of CPU ({speed:.0f} times life)"
    )
    if len(result.causes) > 1:
        console.print("because:")
    for cause in result.causes if len(result.causes) > 1 else ():
        clause = f" ({cause['clause']})" if cause["clause"] else ""
        line = f"{cause['at_seconds']:>7} s  {cause['source']:<11}{cause['text']}{clause}"
        console.print(line, markup=False, highlight=False)


def _table(result: SimResult) -> Table:
    table = Table("", "up (calling to answering)", "down")

    def row(name: str, both: BothWays[int] | BothWays[float]) -> None:
        table.add_row(name, f"{both.up:g}", f"{both.down:g}")

    row("bytes sent", result.bytes_sent)
    row("bytes received", result.bytes_received)
    row("bytes wrong", result.bytes_wrong)
    row("bytes lost", result.bytes_lost)
    row("throughput, bit/s", result.throughput_bps)
    row("packets lost", result.packets_lost)
    row("packets late", result.packets_late)
    for name, unit in (
        ("rx_level_dbm0", "level heard, dBm0"),
        ("snr_db", "SNR seen, dB"),
        ("carrier_offset_hz", "carrier offset, Hz"),
        ("timing_offset_ppm", "timing offset, ppm"),
    ):
        values = [getattr(signal, name) for signal in (result.signal.up, result.signal.down)]
        if any(value is not None for value in values):
            table.add_row(unit, *("-" if value is None else f"{value:.2f}" for value in values))
    return table
