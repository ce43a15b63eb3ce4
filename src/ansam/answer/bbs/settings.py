"""What a board is like: its areas, its doors, its rules."""

import re
from dataclasses import dataclass, field
from enum import Enum

from ansam.errors import ConfigError

NAME = re.compile(r"[A-Za-z0-9_-]{1,16}")
"""Names of areas and doors: they are typed, and they stand in databases."""

MAIL = "mail"
"""Area of private messages."""


class NewUsers(Enum):
    """What becomes of a caller whose name is not known."""

    OPEN = "open"
    SYSOP = "sysop"
    NONE = "none"


def _check_name(kind: str, name: str) -> None:
    if not NAME.fullmatch(name) or name == MAIL:
        raise ConfigError(f"{kind} {name!r}", f"use 1 to 16 of A-Z a-z 0-9 _ -, and not {MAIL!r}")


@dataclass(frozen=True, slots=True)
class MessageArea:
    """Public messages.

    Attributes:
        name: Short.
        title: As callers see it.
        sysop_only: Only sysops post.
    """

    name: str
    title: str = ""
    sysop_only: bool = False

    def __post_init__(self) -> None:
        _check_name("message area", self.name)


@dataclass(frozen=True, slots=True)
class FileArea:
    """Files for downloading.

    Attributes:
        name: Short.
        path: Directory.
        title: As callers see it.
        uploads: ``no``; ``held`` until a sysop moves them from the inbox; ``yes``: offered at once.
    """

    name: str
    path: str
    title: str = ""
    uploads: str = "no"

    def __post_init__(self) -> None:
        _check_name("file area", self.name)
        if not self.path:
            raise ConfigError(f"file area {self.name!r} has no path", "name its directory")


@dataclass(frozen=True, slots=True)
class Door:
    """A program that callers may run.

    Attributes:
        name: Short.
        command: Program and arguments; ``%D`` is the directory of the drop files, ``%N`` the node's number,
            ``%U`` the user, ``%T`` the minutes left.
        title: As callers see it.
        run_as: Account of the system it runs as, or "" for the default.
        directory: Where it starts, or "" for the directory of the drop files.
        minutes: Longest visit, or 0 for the time the caller has left.
    """

    name: str
    command: tuple[str, ...]
    title: str = ""
    run_as: str = ""
    directory: str = ""
    minutes: int = 0

    def __post_init__(self) -> None:
        _check_name("door", self.name)
        if not self.command:
            raise ConfigError(f"door {self.name!r} has no command", "name a program")


@dataclass(frozen=True, slots=True)
class BbsSettings:
    """One board.

    Attributes:
        name: Shown to callers.
        sysop: The operator's name, for texts and drop files.
        sysops: Login names with the operator's rights.
        new_users: Who may join.
        detect_ansi: Ask the terminal whether it knows ANSI before anything is shown.
        call_minutes: Of a call (0: no limit).
        day_minutes: Of all calls of a day (0: no limit).
        idle_seconds: Without a key before the call is ended (0: no limit).
        tries: Wrong passwords in one call.
        texts: Directory of display files (welcome, news, bulletins …), or "".
        work: Directory for uploads that wait and for drop files.
        upload_limit: Octets of an upload, all its files together.
        run_as: Account of the system that transfer programs run as, or "" for the default.
        messages: Public areas, in order.
        files: File areas, in order.
        doors: In order.
    """

    name: str = "The Board"
    sysop: str = "Sysop"
    sysops: tuple[str, ...] = ()
    new_users: NewUsers = NewUsers.OPEN
    detect_ansi: bool = True
    call_minutes: int = 60
    day_minutes: int = 120
    idle_seconds: int = 240
    tries: int = 3
    texts: str = ""
    work: str = "run/bbs"
    upload_limit: int = 16 << 20
    run_as: str = ""
    messages: tuple[MessageArea, ...] = (MessageArea("general", "General"),)
    files: tuple[FileArea, ...] = ()
    doors: tuple[Door, ...] = field(default=())

    def is_sysop(self, name: str) -> bool:
        """Return whether a user has the operator's rights."""
        return name.lower() in {one.lower() for one in self.sysops}
