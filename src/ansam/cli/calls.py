"""`ansam calls`: the call records of the exchange."""

import csv
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ansam.call.modem_facts import KEYS
from ansam.cli.config import ConfigOption, find_config
from ansam.cli.markup import plain
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
    "trunk",
    "note",
)
"""What a call is called in JSON and CSV; what its modems said follows, in CSV a column for each fact."""

MODEMS = ("caller_modem", "callee_modem")


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
        modems = [f"{end}_{fact}" for end in MODEMS for fact in KEYS]
        writer = csv.DictWriter(sys.stdout, [*COLUMNS, *modems], lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(_flat(_row(call)) for call in found)
    else:
        Console().print(_table(found))


def _row(call: "StoredCall") -> dict[str, object]:
    """Return a call for programs."""
    ends = (call.from_caller, call.from_callee)
    packets = [number for end in ends for number in ((end.packets, end.lost) if end else (None, None))]
    row: dict[str, object] = dict(
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
                call.trunk,
                call.note,
            ),
            strict=True,
        )
    )
    return row | {"caller_modem": dict(call.caller_modem), "callee_modem": dict(call.callee_modem)}


def _flat(row: dict[str, object]) -> dict[str, object]:
    """Return a row with a column for each fact of its modems, ``caller_modem_rate_tx`` and the like."""
    flat = dict(row)
    for end in MODEMS:
        facts = flat.pop(end)
        assert isinstance(facts, dict)
        flat |= {f"{end}_{key}": value for key, value in facts.items() if key in KEYS}
    return flat


def _table(found: list["StoredCall"]) -> Table:
    heads = ("started", "caller", "callee", "seconds", "cause", "status", "lost", "modems", "reason")
    table = Table(*heads, box=None)
    for call in found:
        started = call.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        seconds = "" if call.answered is None else f"{call.duration:.0f}"
        callee = call.callee
        if call.answered_by not in ("", callee):
            callee += f" → {call.answered_by}"
        if call.trunk:
            callee += f" ({call.trunk})"
        table.add_row(
            *(started, plain(call.caller), plain(callee), seconds, call.cause, str(call.status)),
            *(_lost(call), plain(_modems(call)), plain("; ".join(filter(None, (call.note, call.reason))))),
        )
    return table


def _modems(call: "StoredCall") -> str:
    """Return modulation, rates both ways as the caller sees them, and retrains; "" where no modem told."""
    facts, tx, rx = call.caller_modem, "rate_tx", "rate_rx"
    if not facts:
        facts, tx, rx = call.callee_modem, "rate_rx", "rate_tx"
    if "modulation" not in facts:
        return ""
    retrains = facts.get("retrains", 0)
    rates = f"{facts.get(tx, '?')}/{facts.get(rx, '?')}"
    return f"{facts['modulation']} {rates}" + (f" {retrains}r" if retrains else "")


def _lost(call: "StoredCall") -> str:
    """Return the packets missing from caller and callee, "" where they did not pass the exchange."""
    ends = (call.from_caller, call.from_callee)
    return "/".join(str(end.lost) for end in ends if end is not None)
