"""`ansam user`: list, add and remove login users in the configuration file.

Users live in the file and not in the database, as extensions do: one place that a person can read and copy.
Only the argon2id hash of a password is kept.
"""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ansam.answer.users import Command, Menu, User
from ansam.cli.config import ConfigOption, find_config
from ansam.cli.extension import read_secret
from ansam.config import load
from ansam.config.edit import Value, add_block, remove_block
from ansam.config.web import Role
from ansam.errors import ConfigError

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(config: ConfigOption = None) -> None:
    """List the users."""
    table = Table("name", "password", "entry", box=None)
    for user in load(find_config(config)).users:
        entry = (
            " ".join(user.entry.argv)
            if isinstance(user.entry, Command)
            else type(user.entry).__name__.lower()
        )
        table.add_row(user.name, "yes" if user.password_hash else "none asked", entry)
    Console().print(table)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Login name")],
    entry: Annotated[
        list[str] | None, typer.Argument(help="Program and arguments; the menu by default")
    ] = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="Let the user in without one")] = False,
    run_as: Annotated[str, typer.Option(help="Account of the system the program runs as")] = "",
    directory: Annotated[str, typer.Option(help="Where the program starts")] = "",
    role: Annotated[Role | None, typer.Option(help="What the user may do on the web page")] = None,
    config: ConfigOption = None,
) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    path = find_config(config)
    if any(user.name == name for user in load(path).users):
        raise ConfigError(f"{path}: user {name} is there already", f"ansam user remove {name}")
    User(name, "", Command(tuple(entry), run_as, directory) if entry else Menu())
    values: dict[str, Value] = {"name": name}
    if not no_password:
        from ansam.io.answer_passwords import hash_password

        values["password"] = hash_password(read_secret(f"Password of {name}"))
    values["entry"] = entry or "menu"
    values |= {key: value for key, value in (("run_as", run_as), ("directory", directory)) if value}
    if role is not None:
        values["role"] = role.value
    add_block(path, "user", values)
    typer.echo(f"user {name} added to {path}")


@app.command()
def remove(name: Annotated[str, typer.Argument(help="Login name")], config: ConfigOption = None) -> None:
    """Remove a user."""
    path = find_config(config)
    remove_block(path, "user", "name", name)
    typer.echo(f"user {name} removed from {path}")
