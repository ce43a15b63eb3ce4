"""`ansam extension`: list, add and remove extensions of the exchange in the configuration file."""

import secrets
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ansam.cli.config import ConfigOption, find_config
from ansam.cli.markup import plain
from ansam.config import load
from ansam.config.edit import Value, add_block, remove_block
from ansam.errors import ConfigError
from ansam.pbx.dialplan import Extension

app = typer.Typer(no_args_is_help=True)

SECRET_OCTETS = 12
"""Of a secret that is made up: 96 bits."""


@app.command("list")
def list_(config: ConfigOption = None) -> None:
    """List the extensions, without their secrets."""
    table = Table("number", "name", "calls", box=None)
    for extension in load(find_config(config)).extensions:
        table.add_row(plain(extension.number), plain(extension.name), str(extension.call_limit))
    Console().print(table)


@app.command()
def add(
    number: Annotated[str, typer.Argument(help="As dialled, such as 05")],
    name: Annotated[str, typer.Option(help="Shown to those it calls")] = "",
    call_limit: Annotated[int, typer.Option(min=1, help="Calls at the same time")] = 1,
    ask_secret: Annotated[
        bool,
        typer.Option("--ask-secret", help="Read the secret from standard input instead of making one up"),
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Add an extension. Its secret is made up and printed once, unless --ask-secret is given."""
    path = find_config(config)
    if any(extension.number == number for extension in load(path).extensions):
        raise ConfigError(f"{path}: extension {number} is there already", f"ansam extension remove {number}")
    secret = (
        read_secret(f"Secret of extension {number}") if ask_secret else secrets.token_urlsafe(SECRET_OCTETS)
    )
    Extension(number, secret, name, call_limit)
    values: dict[str, Value] = {"number": number, "secret": secret}
    if name:
        values["name"] = name
    if call_limit != 1:
        values["call_limit"] = call_limit
    add_block(path, "extension", values)
    typer.echo(f"extension {number} added to {path}" + ("" if ask_secret else f"; secret {secret}"))


@app.command()
def remove(number: Annotated[str, typer.Argument(help="As dialled")], config: ConfigOption = None) -> None:
    """Remove an extension."""
    path = find_config(config)
    remove_block(path, "extension", "number", number)
    typer.echo(f"extension {number} removed from {path}")


def read_secret(prompt: str) -> str:
    """Ask a person twice, or take one line of standard input where that is no terminal.

    Raises:
        ConfigError: Nothing came.
    """
    if sys.stdin.isatty():
        return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=True))
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise ConfigError("standard input holds no secret", "write it there as one line")
    return secret
