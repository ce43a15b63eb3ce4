"""`ansam user`: list, add and remove login users in the configuration file, and those who joined the board.

Users live in the file and not in the database, as extensions do: one place that a person can read and copy.
Callers who joined the built-in BBS by themselves live in its database: no caller writes to the configuration.
Only the argon2id hash of a password is kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ansam.answer.service_url import BridgeTarget, parse_service
from ansam.answer.users import Command, Entry, Menu, User
from ansam.cli.config import ConfigOption, find_config
from ansam.cli.extension import read_secret
from ansam.cli.markup import plain
from ansam.config import Config, load
from ansam.config.edit import Value, add_block, remove_block
from ansam.config.web import Role
from ansam.errors import ConfigError

if TYPE_CHECKING:
    from ansam.io.bbs_store import BbsStore

app = typer.Typer(no_args_is_help=True)


@contextmanager
def board_of(config: Config) -> "Iterator[BbsStore | None]":
    """Give the board's database; None where there is no board, or nobody has called it yet."""
    database = config.bbs.database if config.bbs is not None else ""
    if not database or ("://" not in database and not Path(database).exists()):
        yield None
        return
    # Imported late: the database's library takes its time.
    from ansam.io.bbs_store import BbsStore

    store = BbsStore(database)
    try:
        yield store
    finally:
        store.close()


@app.command("list")
def list_(config: ConfigOption = None) -> None:
    """List the users."""
    table = Table("name", "password", "entry", box=None)
    loaded = load(find_config(config))
    for user in loaded.users:
        asked = "yes" if user.password_hash else "none asked"
        table.add_row(plain(user.name), asked, plain(_shown(user.entry)))
    with board_of(loaded) as board:
        for account in board.accounts() if board is not None else ():
            table.add_row(
                plain(account.name), "yes", "bbs, joined" if account.approved else "bbs, waits for approve"
            )
    Console().print(table)


def _shown(entry: Entry) -> str:
    """Return what a user finds, for people; no secret of a host is in it."""
    match entry:
        case Command(argv):
            return " ".join(argv)
        case BridgeTarget(kind="command", argv=argv):
            return f"command: {' '.join(argv)}"
        case BridgeTarget(kind, host, port):
            return f"{kind}: {host} port {port}"
        case _:
            return type(entry).__name__.lower()


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Login name")],
    entry: Annotated[
        list[str] | None, typer.Argument(help="Program and arguments; the menu by default")
    ] = None,
    bbs: Annotated[bool, typer.Option("--bbs", help="The built-in BBS instead of the menu")] = False,
    bridge: Annotated[
        str, typer.Option(help="A host the user is put through to: telnet:HOST:PORT, ssh:…, rlogin:…, tcp:…")
    ] = "",
    ppp: Annotated[
        bool, typer.Option("--ppp", help="Keep the password itself, too, for PPP by CHAP")
    ] = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="Let the user in without one")] = False,
    run_as: Annotated[str, typer.Option(help="Account of the system the program runs as")] = "",
    directory: Annotated[str, typer.Option(help="Where the program starts")] = "",
    role: Annotated[Role | None, typer.Option(help="What the user may do on the web page")] = None,
    config: ConfigOption = None,
) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    path = find_config(config)
    if sum((bbs, bool(bridge), bool(entry))) > 1:
        raise ConfigError("--bbs, --bridge and a program are two entries", "give one of them")
    if bridge and not isinstance(parse_service(bridge), BridgeTarget):
        raise ConfigError(f"--bridge {bridge}", "name a host, as telnet:HOST:PORT")
    if ppp and no_password:
        raise ConfigError("--ppp keeps a password, and --no-password has none", "give one of them")
    if any(user.name == name for user in load(path).users):
        raise ConfigError(f"{path}: user {name} is there already", f"ansam user remove {name}")
    User(name, "", Command(tuple(entry), run_as, directory) if entry else Menu())
    values: dict[str, Value] = {"name": name}
    if not no_password:
        from ansam.io.answer_passwords import hash_password

        secret = read_secret(f"Password of {name}")
        values["password"] = hash_password(secret)
        if ppp:
            values["ppp_secret"] = secret
    values["entry"] = entry or bridge or ("bbs" if bbs else "menu")
    values |= {key: value for key, value in (("run_as", run_as), ("directory", directory)) if value}
    if role is not None:
        values["role"] = role.value
    add_block(path, "user", values)
    typer.echo(f"user {name} added to {path}")


@app.command()
def remove(name: Annotated[str, typer.Argument(help="Login name")], config: ConfigOption = None) -> None:
    """Remove a user of the file, or else one who joined the board."""
    path = find_config(config)
    loaded = load(path)
    if not any(user.name == name for user in loaded.users):
        with board_of(loaded) as board:
            if board is not None and board.remove(name):
                typer.echo(f"user {name} removed from the board")
                return
    remove_block(path, "user", "name", name)
    typer.echo(f"user {name} removed from {path}")


@app.command()
def approve(name: Annotated[str, typer.Argument(help="Login name")], config: ConfigOption = None) -> None:
    """Let a user in who has joined the board and waits."""
    loaded = load(find_config(config))
    with board_of(loaded) as board:
        if board is None:
            raise ConfigError(f"{loaded.path}: there is no board, or nobody has called it", "add [bbs]")
        board.approve(name)
    typer.echo(f"user {name} may come in")
