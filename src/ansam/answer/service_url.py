"""What answers on a line, as it is written: ``login``, ``bbs``, ``ppp`` or ``files:/path``."""

from dataclasses import dataclass
from typing import Literal

from ansam.errors import ConfigError

FORMS = "login, bbs, ppp, files:/path[;uploads=held|yes]"


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


Service = LoginService | BoardService | PppService | FilesService


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
    raise ConfigError(f'service "{text}" is not known', f"there are {FORMS}")
