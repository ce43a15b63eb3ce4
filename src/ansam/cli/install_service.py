"""`ansam install-service`: systemd units for everything a configuration names, and for single lines."""

import os
import shutil
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from ansam.errors import ConfigError, ResourceError

USER = "ansam"
UNITS = "usr/local/lib/systemd/system"
"""Where systemd.unit(5) looks for units that an administrator installed."""

SYSUSERS = "etc/sysusers.d"
DEVICES = {
    "ansam.service": "PrivateDevices=yes",
    "ansam@.service": "DevicePolicy=closed\nDeviceAllow=/dev/%I rw\nDeviceAllow=char-pts rw",
}
_FORBIDDEN = frozenset(" \t\n\"'\\%$;")


def unit_files(command: str, config: Path, user: str = USER) -> dict[str, str]:
    """Return the text of each file to install, by its path below the root directory.

    Args:
        command: Path of the `ansam` program.
        config: Configuration; `mgetty.config` of the single lines is looked for beside it.
        user: Account the services run as.

    Raises:
        ConfigError: A path or name would mean something else in a unit.
    """
    for what, text in (("program", command), ("configuration", str(config)), ("user", user)):
        if not text or _FORBIDDEN.intersection(text):
            raise ConfigError(f"{what} {text!r} can not stand in a unit", "use a name without blanks and %")
    # A program installed at somebody's home must be seen there.
    home = "read-only" if command.startswith(("/home/", "/root/")) else "yes"
    values = {"@COMMAND@": command, "@CONFIG@": str(config), "@ETC@": str(config.parent), "@USER@": user}
    values["@HOME@"] = home
    hardening = _template("hardening.conf").rstrip()
    files = {f"{SYSUSERS}/ansam.conf": _filled(_template("ansam.sysusers"), values)}
    for name, devices in DEVICES.items():
        text = _template(name).replace("@HARDENING@", hardening).replace("@DEVICES@", devices)
        files[f"{UNITS}/{name}"] = _filled(text, values)
    return files


def _template(name: str) -> str:
    return resources.files("ansam.cli").joinpath("units", name).read_text("utf-8")


def _filled(text: str, values: dict[str, str]) -> str:
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def install_service(
    show: Annotated[bool, typer.Option("--print", help="Print the files, install nothing.")] = False,
    prefix: Annotated[Path, typer.Option(help="Install below this directory.")] = Path("/"),
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration the service reads.")] = Path(
        "/etc/ansam/ansam.toml"
    ),
    user: Annotated[str, typer.Option(help="Account the services run as.")] = USER,
) -> None:
    """Install systemd units: ansam.service, and ansam@.service for single lines."""
    files = unit_files(_program(), Path(os.path.abspath(config)), user)
    for name, text in files.items():
        path = prefix / name
        if show:
            typer.echo(f"# {path}\n{text}")
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ResourceError(
                f"can not write {path}: {error.strerror}", "be root, or name another place with --prefix"
            ) from None
        typer.echo(str(path))
    if not show:
        typer.echo(f"next: systemd-sysusers && chown {user}: {config}")
        typer.echo("      systemctl daemon-reload && systemctl enable --now ansam")


def _program() -> str:
    """Return the absolute path of the program that runs now."""
    beside = Path(sys.executable).with_name("ansam")
    return str(beside) if beside.exists() else os.path.abspath(shutil.which("ansam") or sys.argv[0])
