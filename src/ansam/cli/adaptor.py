"""`ansam adaptor`: settings for hardware adaptors and other exchanges, and a check of those an adaptor has.

Exit codes of `check`: 0 fit for modems; 1 usable, with remarks, or not everything could be seen; 2 bad input;
4 something breaks modems.
"""

import json
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ansam.adaptor import Account, LawName, Model, Severity, Verdict, check, read_dump, spa_xml
from ansam.adaptor.dump import SIZE_LIMIT
from ansam.adaptor.snippets import SYSTEMS, Line
from ansam.cli.config import ConfigOption, find_config
from ansam.cli.extension import read_secret
from ansam.cli.markup import plain
from ansam.config import Config, load
from ansam.config.provisioning import exchange_address
from ansam.errors import ConfigError
from ansam.pbx.dialplan import Extension

app = typer.Typer(no_args_is_help=True)

GOOD, REMARKS, BAD = 0, 1, 4
_COLOURS = {Severity.BREAKS: "red", Severity.HARMS: "yellow", Severity.REMARK: "dim"}


class Law(Enum):
    """Laws by their names on the command line."""

    ALAW = "alaw"
    ULAW = "ulaw"

    @property
    def law(self) -> LawName:
        """As the engine calls it."""
        return "alaw" if self is Law.ALAW else "ulaw"


System = Enum("System", {name: name for name in SYSTEMS})  # type: ignore[misc]  # choices for typer

LawOption = Annotated[Law, typer.Option(help="Of the calls")]
SecretOption = Annotated[
    bool,
    typer.Option("--ask-secret", help="Extension of another exchange: read its secret from standard input"),
]


@app.command("config")
def config_(
    extension: Annotated[str, typer.Argument(metavar="EXT", help="Number of the extension")],
    model: Annotated[Model, typer.Option(help="Make of adaptor")] = Model.PAP2T,
    line: Annotated[int, typer.Option(min=1, max=2, help="Its line")] = 1,
    proxy: Annotated[
        str, typer.Option(help="Address of the exchange, HOST[:PORT], as the adaptor finds it")
    ] = "",
    law: LawOption = Law.ALAW,
    ask_secret: SecretOption = False,
    config: ConfigOption = None,
) -> None:
    """Print spa.xml: an extension on a line, with all that modems need."""
    loaded, found = _extension(extension, ask_secret, config, offered=bool(proxy))
    place = proxy or (exchange_address(loaded.exchange) if loaded is not None else "")
    if not place:
        raise ConfigError(
            "no address of the exchange that an adaptor could find", "give --proxy, such as 192.168.1.10"
        )
    account = Account(line, place, found.number, found.secret, display_name=found.name)
    typer.echo(spa_xml([account], model, law.law), nl=False)


@app.command("check")
def check_(
    file: Annotated[Path, typer.Argument(help="http://ADAPTOR/admin/spacfg.xml, the page, or text; saved")],
    model: Annotated[Model | None, typer.Option(help="Make of adaptor, where it is known")] = None,
    law: LawOption = Law.ALAW,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what in an adaptor's settings breaks modems."""
    try:
        with file.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"{file}: {(error.strerror or str(error)).lower()}") from None
    verdict = check(read_dump(data, str(file)), law.law, model)
    if as_json:
        typer.echo(json.dumps(_as_dict(verdict), ensure_ascii=False))
    else:
        _show(verdict, file, Console())
    raise typer.Exit(_code(verdict))


@app.command()
def snippet(
    system: Annotated[System, typer.Argument(help="Whose configuration")],
    extension: Annotated[str, typer.Argument(metavar="EXT", help="Number of the extension")],
    host: Annotated[str, typer.Option(help="Address of the exchange; by default that of [exchange]")] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port")] = 0,
    law: LawOption = Law.ALAW,
    ask_secret: SecretOption = False,
    config: ConfigOption = None,
) -> None:
    """Print an extension for modems as another exchange or telephone writes it down."""
    loaded, found = _extension(extension, ask_secret, config, offered=True)
    place = exchange_address(loaded.exchange, loopback=True) if loaded is not None else ""
    known, _, number = place.rpartition(":") if place.count(":") == 1 or "]:" in place else (place, "", "")
    line = Line(
        found.number,
        found.secret,
        found.name,
        (host or known or "127.0.0.1").strip("[]"),
        port or int(number or 5060),
        law.law,
    )
    typer.echo(SYSTEMS[system.value](line), nl=False)


def _extension(
    number: str, ask_secret: bool, config: Path | None, offered: bool
) -> tuple[Config | None, Extension]:
    """Return the configuration, where it is needed, and its extension, or one whose secret is asked for."""
    path = find_config(config)
    if ask_secret:
        loaded = load(path) if config is not None or (path.exists() and not offered) else None
        return loaded, Extension(number, read_secret(f"Secret of extension {number}"))
    loaded = load(path)
    for extension in loaded.extensions:
        if extension.number == number:
            return loaded, extension
    raise ConfigError(
        f"{path}: extension {number} is not there", f"ansam extension add {number}, or --ask-secret"
    )


def _code(verdict: Verdict) -> int:
    if verdict.worst is Severity.BREAKS:
        return BAD
    return REMARKS if verdict.wrong or verdict.missing or not verdict.lines else GOOD


def _as_dict(verdict: Verdict) -> dict[str, object]:
    return {
        "fit": _code(verdict) == GOOD,
        "wrong": [
            {
                "page": one.page,
                "name": one.setting.name,
                "tag": one.setting.tag(one.line),
                "present": one.present,
                "wanted": one.wanted,
                "severity": one.setting.severity.value,
                "why": one.setting.why,
            }
            for one in verdict.wrong
        ],
        "lines": list(verdict.lines),
        "disabled": list(verdict.disabled),
        "missing": list(verdict.missing),
    }


def _show(verdict: Verdict, file: Path, console: Console) -> None:
    breaks = sum(one.setting.severity is Severity.BREAKS for one in verdict.wrong)
    lines = " and ".join(map(str, verdict.lines)) or "none"
    head = f"{breaks} settings break modems" if breaks else "nothing breaks modems"
    if breaks == 1:
        head = "1 setting breaks modems"
    console.print(f"{plain(str(file))}: {head} (lines looked at: {lines})", highlight=False)
    if verdict.wrong:
        table = Table("", "page", "setting", "is", "set to", "why", box=None, pad_edge=False)
        for one in verdict.wrong:
            severity = one.setting.severity
            table.add_row(
                f"[{_COLOURS[severity]}]{severity.value}[/]",
                *(
                    plain(one.page),
                    plain(one.setting.name),
                    plain(one.present[:40]) or "(empty)",
                    plain(one.wanted),
                ),
                plain(one.setting.why),
            )
        console.print(table)
    for line in verdict.disabled:
        console.print(f"Line {line} is switched off, and was not looked at.", highlight=False)
    if verdict.missing:
        console.print(f"Not in the file, so look yourself: {plain(', '.join(verdict.missing))}")
