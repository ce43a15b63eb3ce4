"""`ansam calls`: the call records of the exchange."""

import csv
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ansam.cli.config import ConfigOption, find_config
from ansam.config import load
from ansam.errors import ConfigError

if TYPE_CHECKING:
    from ansam.io.exchange_store import StoredCall

COLUMNS = (
    "caller",
    "callee",
    "answered_by",
    "started",
    "answered",
    "ended",
    "seconds",
    "cause",
    "reason",
    "status",
    "caller_packets",
    "caller_lost",
    "callee_packets",
    "callee_lost",
)
"""What a call is called in JSON and CSV."""


def calls(
    config: ConfigOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, times in UTC")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, with a heading")] = False,
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
        typer.echo(json.dumps([_row(call) for call in found], indent=2))
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_row(call) for call in found)
    else:
        Console().print(_table(found))


def _row(call: "StoredCall") -> dict[str, object]:
    """Return a call for programs."""
    ends = (call.from_caller, call.from_callee)
    packets = [number for end in ends for number in ((end.packets, end.lost) if end else (None, None))]
    return dict(
        zip(
            COLUMNS,
            (
                call.caller,
                call.callee,
                call.answered_by,
                call.started.isoformat(),
                call.answered and call.answered.isoformat(),
                call.ended.isoformat(),
                round(call.duration, 3),
                call.cause,
                call.reason,
                call.status,
                *packets,
            ),
            strict=True,
        )
    )


def _table(found: list["StoredCall"]) -> Table:
    table = Table("started", "caller", "callee", "seconds", "cause", "status", "lost", "reason", box=None)
    for call in found:
        started = call.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        seconds = "" if call.answered is None else f"{call.duration:.0f}"
        callee = call.callee
        if call.answered_by not in ("", callee):
            callee += f" → {call.answered_by}"
        # The words of a far end: nothing of them may mark up the table.
        reason = escape("".join(sign if sign.isprintable() else "?" for sign in call.reason))
        table.add_row(
            *(started, call.caller, callee, seconds, call.cause, str(call.status), _lost(call), reason)
        )
    return table


def _lost(call: "StoredCall") -> str:
    """Return the packets missing from caller and callee, "" where they did not pass the exchange."""
    ends = (call.from_caller, call.from_callee)
    return "/".join(str(end.lost) for end in ends if end is not None)
