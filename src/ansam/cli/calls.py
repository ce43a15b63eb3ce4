"""`ansam calls`: the call records of the exchange."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ansam.cli.config import ConfigOption, find_config
from ansam.config import load
from ansam.errors import ConfigError


def calls(
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, times in UTC")] = False,
) -> None:
    """List call records, the newest last."""
    from ansam.io.exchange_store import ExchangeStore

    path = find_config(config)
    loaded = load(path)
    if loaded.exchange is None:
        raise ConfigError(f"{path}: has no exchange", "add a section [exchange]")
    store = ExchangeStore(loaded.exchange.database, create=False)
    try:
        found = store.calls(limit)
    finally:
        store.close()
    if as_json:
        rows = [
            {
                "caller": call.caller,
                "callee": call.callee,
                "started": call.started.isoformat(),
                "answered": call.answered and call.answered.isoformat(),
                "ended": call.ended.isoformat(),
                "seconds": round(call.duration, 3),
                "cause": call.cause,
                "status": call.status,
            }
            for call in found
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("started", "caller", "callee", "seconds", "cause", "status", box=None)
    for call in found:
        started = call.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        seconds = "" if call.answered is None else f"{call.duration:.0f}"
        table.add_row(started, call.caller, call.callee, seconds, call.cause, str(call.status))
    Console().print(table)
