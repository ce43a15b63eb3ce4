"""`ansam config`: check a configuration, or print a commented example of everything it can say."""

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from ansam.config import Config, load
from ansam.config.modems import ANSWER

app = typer.Typer(no_args_is_help=True)

DEFAULT_FILES = (Path("ansam.toml"), Path("/etc/ansam/ansam.toml"))
"""Where a configuration is looked for if none is named."""

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Configuration; ansam.toml here or in /etc/ansam by default"),
]


def find_config(path: Path | None) -> Path:
    """Return the configuration a command is about: the one named, or the first default that is there."""
    if path is not None:
        return path
    return next((file for file in DEFAULT_FILES if file.exists()), DEFAULT_FILES[0])


def check_mgetty(config: Config) -> None:
    """Look whether an mgetty's files that answering lines use have faults; raises `ConfigError`."""
    if config.mgetty is not None:
        # Late: commands that only list things start faster without it.
        from ansam.io.mgetty_files import check_mgetty_files

        lines = [modem.name for modem in config.modems if modem.dte == f"{ANSWER}login"]
        check_mgetty_files(config.mgetty.config, lines or [config.answer.port], config.mgetty.login)


@app.command()
def check(file: Annotated[Path | None, typer.Argument(help="Configuration to check")] = None) -> None:
    """Check a configuration: print every fault with its place, or OK."""
    path = find_config(file)
    config = load(path)
    check_mgetty(config)
    if path.stat().st_mode & 0o077 and (config.extensions or config.modems or config.ppp):
        typer.echo(f"{path}: holds secrets and others may read it (chmod 600 {path})", err=True)
    exchange = "exchange, " if config.exchange is not None else ""
    typer.echo(
        f"{path}: OK ({exchange}{len(config.extensions)} extensions, {len(config.modems)} modems,"
        f" {len(config.users)} users)"
    )


@app.command()
def example() -> None:
    """Print a commented configuration with every key there is."""
    typer.echo(resources.files("ansam.config").joinpath("example.toml").read_text("utf-8"), nl=False)
