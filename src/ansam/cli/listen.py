"""`ansam listen`: what was negotiated in a recorded call, when, and what was said."""

import json
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from ansam.cli.markup import plain
from ansam.errors import ResourceError
from ansam.listen import Report, Sound, read
from ansam.listen import listen as hear
from ansam.listen.timeline import clock
from ansam.modulation.base import Role
from ansam.units import SAMPLE_RATE, Samples

TOLD_BY = {
    "near": "this one told",
    "far": "the far one, told",
    "both": "both, told",
    "dte": "terminal, told",
    "dce": "this one told",
}
"""Who did what the modem of a page's bundle told of itself."""


def listen(
    file: Annotated[
        Path,
        typer.Argument(
            help="A WAV file, best with a channel per direction, a pcap file, or a page's bundle."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, all details.")] = False,
    png: Annotated[
        Path | None, typer.Option(help="Draw the spectrogram of every channel into this file.")
    ] = None,
    constellations: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Draw the constellation of each direction's data into this directory."
        ),
    ] = None,
) -> None:
    """Tell what the modems in a recorded call said to each other."""
    sound = read(file)
    report = hear(sound)
    if png is not None:
        _draw(sound, report, png)
    if constellations is not None:
        _draw_constellations(report, constellations)
    if as_json:
        typer.echo(json.dumps({"file": str(file), **report.as_dict()}, indent=2, ensure_ascii=False))
        return
    console = Console()
    places = ", ".join(f"{role.value} modem in channel {k}" for role, k in report.channels.items())
    one = len(sound.channels) == 1
    console.print(
        f"{plain(str(file))}: {report.seconds:.1f} s, {'both ends in one channel' if one else places}"
    )
    for remark in report.remarks:
        console.print(f"Note: {plain(remark)}")
    if not report.entries:
        console.print("No modem was heard.")
    rows = [
        _row(entry.start, clock(entry.end), entry.role.value, entry.what, entry.text)
        for entry in report.entries
    ]
    rows += [
        _row(round(one.at * SAMPLE_RATE), "", TOLD_BY.get(one.side, "told"), one.name, one.text)
        for one in report.told
    ]
    if rows:
        table = Table("from", "to", "modem", "signal", "what it says", box=None)
        for _, cells in sorted(rows, key=lambda row: row[0]):
            table.add_row(*cells)
        console.print(table)


def _row(start: Samples, end: str, *words: str) -> tuple[Samples, tuple[str, ...]]:
    """Return when a row begins, and its cells."""
    return start, (clock(start), end, *map(plain, words))


def _draw_constellations(report: Report, directory: Path) -> None:
    from ansam.scope.picture import constellation_png

    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(
            f"directory {str(directory)!r}: {error.strerror}", "choose a directory that can be written"
        ) from error
    for role in Role:
        for entry in report.of(role, "data")[:1]:
            pairs = cast(list[list[float]], entry.details["constellation"])
            constellation_png([complex(x, y) for x, y in pairs], directory / f"{role.value}.png")


def _draw(sound: Sound, report: Report, path: Path) -> None:
    from ansam.scope.spectrogram import Mark, spectrogram_png

    marks = [Mark(report.channels[e.role], e.start, e.end, e.what) for e in report.entries]
    names = [
        " and ".join(role.value for role, k in report.channels.items() if k == channel)
        for channel in range(len(sound.channels))
    ]
    spectrogram_png(sound.channels, marks, path, [f"channel {k}: {name}" for k, name in enumerate(names)])
