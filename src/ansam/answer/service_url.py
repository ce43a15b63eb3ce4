"""What answers on a line, as it is written: ``login``, ``bbs``, ``files:/path``, ``telnet:HOST``, others."""

import re
import shlex
from dataclasses import dataclass, field, replace
from typing import Literal

from ansam.errors import ConfigError

FORMS = (
    "login, bbs, ppp, files:/path[;uploads=held|yes], tcp:HOST:PORT, telnet:HOST[:PORT], "
    "rlogin:[USER[:SECRET]@]HOST[:PORT], ssh:USER[:SECRET]@HOST[:PORT], command:PROGRAM ARGUMENTS; "
    "the last five with ;hold=SECONDS, ;idle=SECONDS and ;term=TYPE"
)
PORTS = {"tcp": 0, "telnet": 23, "rlogin": 513, "ssh": 22}
LONGEST_HOLD = LONGEST_IDLE = 86400

_SECRET = re.compile(r"^((?:rlogin|ssh):[^:@]*):.*@")
_OPTION = re.compile(r"(.*);((?:hold|idle|term|user)=[^;'\"]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LoginService:
    """The login prompt."""


@dataclass(frozen=True, slots=True)
class BoardService:
    """The built-in BBS."""


@dataclass(frozen=True, slots=True)
class PppService:
    """PPP, without a login prompt."""


@dataclass(frozen=True, slots=True)
class FilesService:
    """A file server.

    Attributes:
        path: Directory of the files.
        uploads: ``no``, ``held`` or ``yes``; see `bbs.settings.FileArea`.
    """

    path: str
    uploads: Literal["no", "held", "yes"] = "no"


@dataclass(frozen=True, slots=True)
class BridgeTarget:
    """Where a caller is put through to.

    Attributes:
        kind: tcp, telnet, rlogin, ssh or command.
        host: Name or address.
        port: Its port.
        user: Account there; of a command: the account of this machine it runs as.
        secret: Password of that account (ssh).
        argv: Program and arguments of a command.
        hold: Seconds a session waits for a caller whose line broke; 0: not at all.
        idle: Seconds without an octet either way after which the call is ended; 0: never.
        term: Terminal type told; "" is that of the line.
        verify: The host's key must be known (ssh).
    """

    kind: str
    host: str = ""
    port: int = 0
    user: str = ""
    secret: str = field(default="", repr=False)
    argv: tuple[str, ...] = ()
    hold: int = 0
    idle: int = 0
    term: str = ""
    verify: bool = True


Service = LoginService | BoardService | PppService | FilesService | BridgeTarget


def parse_service(text: str) -> Service:
    """Read a service.

    Raises:
        ConfigError: It is none.
    """
    kind, _, rest = text.partition(":")
    if text == "login":
        return LoginService()
    if text == "bbs":
        return BoardService()
    if text == "ppp":
        return PppService()
    if kind == "files":
        path, _, option = rest.partition(";")
        if not path:
            raise ConfigError(f'service "{text}" names no directory', "files:/srv/files")
        if option in ("", "uploads=no"):
            return FilesService(path)
        if option == "uploads=held":
            return FilesService(path, "held")
        if option == "uploads=yes":
            return FilesService(path, "yes")
        raise ConfigError(f'service "{text}": option "{option}"', "there are uploads=held and uploads=yes")
    if kind in PORTS or kind == "command":
        return _bridge(_SECRET.sub(r"\1:…@", text), kind, rest)
    raise ConfigError(f'service "{text}" is not known', f"there are {FORMS}")


def _bridge(text: str, kind: str, rest: str) -> BridgeTarget:
    if kind == "command":
        # Options stand behind the last words: a shell command may have semicolons of its own.
        where, options = rest, list[str]()
        while (split := _OPTION.fullmatch(where)) is not None:
            where = split[1]
            options.insert(0, split[2])
        target = _command(text, where)
    else:
        where, *options = rest.split(";")
        target = _host(text, kind, where)
    for option in options:
        name, _, value = option.partition("=")
        match name:
            case "hold" if value.isascii() and value.isdigit() and int(value) <= LONGEST_HOLD:
                target = replace(target, hold=int(value))
            case "idle" if value.isascii() and value.isdigit() and int(value) <= LONGEST_IDLE:
                target = replace(target, idle=int(value))
            case "term" if value.isascii() and value.isprintable() and 0 < len(value) <= 40:
                target = replace(target, term=value)
            case "user" if kind == "command" and value:
                target = replace(target, user=value)
            case "verify" if kind == "ssh" and value in ("yes", "no"):
                target = replace(target, verify=value == "yes")
            case _:
                known = f"hold=0 to {LONGEST_HOLD}, idle=0 to {LONGEST_IDLE}, term=TYPE"
                known += {"command": ", user=ACCOUNT", "ssh": ", verify=no"}.get(kind, "")
                raise ConfigError(f'service "{text}": option "{option}"', f"there are {known}")
    return target


def _command(text: str, words: str) -> BridgeTarget:
    try:
        argv = tuple(shlex.split(words))
    except ValueError:
        argv = ()
    if not argv:
        raise ConfigError(f'service "{text}" names no program', "command:/usr/games/adventure")
    return BridgeTarget("command", argv=argv)


def _host(text: str, kind: str, where: str) -> BridgeTarget:
    account, _, place = where.rpartition("@")
    user, _, secret = account.partition(":")
    host, port = place, PORTS[kind]
    if place.startswith("["):
        host, _, behind = place[1:].partition("]")
        tail = behind.removeprefix(":")
    else:
        host, _, tail = place.partition(":")
    if tail:
        port = int(tail) if tail.isascii() and tail.isdigit() else 0
    if not host or not 0 < port < 65536 or not host.isprintable() or " " in host:
        example = {"ssh": "ssh:guest@bbs.example", "rlogin": "rlogin:guest@bbs.example:513"}
        raise ConfigError(
            f'service "{text}" names no host and port', example.get(kind, f"{kind}:127.0.0.1:2323")
        )
    if kind == "ssh" and not user:
        raise ConfigError(f'service "{text}" names no account', "ssh:guest@bbs.example")
    if kind in ("tcp", "telnet") and account:
        raise ConfigError(f'service "{text}": {kind} has no accounts', f"{kind}:{place}")
    return BridgeTarget(kind, host, port, user, secret)
