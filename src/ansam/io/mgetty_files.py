"""Finds and reads the files of an mgetty: `mgetty.config` and what it leads to."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from ansam.answer.login_config import LoginRules, parse_login_config
from ansam.answer.manners import CallerRules, parse_dialin
from ansam.answer.mgetty_config import MgettyConfig, parse_mgetty_config
from ansam.answer.mgetty_keys import OPTIONS
from ansam.errors import ConfigError, ResourceError
from ansam.io.answer_command import PPP_DEVICE, ppp_is_missing

ISSUE_TIMEOUT = 10.0
"""Seconds a program may take to write the issue text."""

DIALIN = "dialin.config"
_log = structlog.get_logger("ansam.answer")


@dataclass(frozen=True, slots=True)
class MgettyFiles:
    """What one line finds in an mgetty's files.

    Attributes:
        config: `mgetty.config`.
        logins: `login.config`.
        callers: `dialin.config`.
        issue: The issue text.
    """

    config: MgettyConfig
    logins: LoginRules
    callers: CallerRules
    issue: str


def check_mgetty_files(config: Path, ports: Iterable[str], login: Path | None = None) -> None:
    """Look for faults in what `read_mgetty_files` would read for some lines; run nothing.

    Raises:
        ConfigError: A file can not be read, or has faults.
    """
    text = _read(config)
    for port in ports:
        found = parse_mgetty_config(text, str(config), port)
        if path := login or _named_login(config, found):
            parse_login_config(_read(path), str(path))


def read_mgetty_files(
    config: Path, port: str, login: Path | None = None, told: set[str] | None = None
) -> MgettyFiles:
    """Read everything for one line; what can not act is named in the log, once.

    Args:
        config: `mgetty.config`; `dialin.config` is looked for beside it.
        port: Name of the line.
        login: `login.config`; None for the one that `config` names, or that stands beside it.
        told: Places in the file that lines read before have named in the log; this line's are added.

    Raises:
        ConfigError: A file can not be read, or has faults.
        ResourceError: Others than root could change `login.config`, and we are root.
    """
    found = parse_mgetty_config(_read(config), str(config), port)
    told = set() if told is None else told
    if found.ports and port not in found.ports:
        _log.info("no section of its own", line=port, file=str(config), sections=found.ports)
    for entry in found.inert:
        if entry.where in told:
            continue
        told.add(entry.where)
        _log.info("no effect", option=entry.key, at=entry.where, why=OPTIONS[entry.key].effect.value)
    if login is None:
        login = _named_login(config, found)
        if login is None and (named := config.parent / found.login_config).exists():
            # Debian keeps it for root alone; our own users log in all the same.
            _log.warning("login.config is not read", file=str(named), why="permission denied")
    logins = _logins(login) if login is not None else LoginRules()
    dialin = config.parent / DIALIN
    callers = parse_dialin(_read(dialin)) if dialin.exists() else CallerRules()
    return MgettyFiles(found, logins, callers, _issue(found, config.parent))


def _named_login(config: Path, found: MgettyConfig) -> Path | None:
    """Return the `login.config` that an `mgetty.config` leads to, if it is there for us."""
    named = config.parent / found.login_config
    return named if os.access(named, os.R_OK) else None


def _logins(path: Path) -> LoginRules:
    if os.geteuid() == 0:
        _only_roots(path)
    rules = parse_login_config(_read(path), str(path))
    for rule in rules:
        if ppp_is_missing(rule.argv):
            _log.warning(
                "pppd will not work",
                at=rule.where,
                why=f"this kernel has no {PPP_DEVICE}",
                remedy="modprobe ppp_generic",
            )
    return rules


def _only_roots(path: Path) -> None:
    """Make sure that nobody else can say what root is to run, as mgetty does."""
    try:
        facts = path.stat()
    except OSError:
        return
    if facts.st_uid != 0 or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ResourceError(f"{path}: others than root can write it", f"chown root {path}; chmod 600 {path}")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"can not read {path}: {error.strerror}") from None


def _issue(config: MgettyConfig, directory: Path) -> str:
    """Return the issue text: of a file, of a program where ``!`` stands before it; "" for none."""
    name = config.issue_file
    if name.startswith("!"):
        return _issue_of_program(name[1:])
    if not name:
        return ""
    path = directory / name
    if not path.exists():
        _log.warning("no issue text", file=str(path))
        return ""
    return _read(path)


def _issue_of_program(command: str) -> str:
    try:
        done = subprocess.run(
            command, shell=True, capture_output=True, timeout=ISSUE_TIMEOUT, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"issue-file !{command}: takes more than {ISSUE_TIMEOUT:.0f} s") from None
    if done.returncode:
        raise ConfigError(f"issue-file !{command}: ends with status {done.returncode}", "try it in a shell")
    return done.stdout.decode(errors="replace")


def own_port(path: str, config: MgettyConfig) -> None:
    """Give a port the owner, group and mode that the file names, where we are root.

    Raises:
        ConfigError: There is no such account or group.
    """
    owner, group = config.text("port-owner"), config.text("port-group")
    mode = config.number("port-mode", 0)
    if os.geteuid() != 0 or not Path(path).exists():
        return
    try:
        if owner:
            shutil.chown(path, user=_number_or_name(owner))
        if group:
            shutil.chown(path, group=_number_or_name(group))
        if mode:
            os.chmod(path, mode)
    except LookupError as error:
        raise ConfigError(f"port-owner, port-group: {error.args[0]}", "create it or name another") from None
    except OSError as error:
        _log.warning("port-owner, port-group, port-mode", port=path, error=error.strerror)


def _number_or_name(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
