"""The sections of the built-in board: ``[bbs]``, ``[[bbs_area]]``, ``[[bbs_files]]``, ``[[bbs_door]]``."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ansam.answer.bbs.settings import BbsSettings, Door, FileArea, MessageArea, NewUsers

Uploads = Literal["no", "held", "yes"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class BbsSection(_Section):
    """``[bbs]``; see `answer.bbs.settings.BbsSettings`."""

    name: str = "The Board"
    sysop: str = "Sysop"
    sysops: list[str] = []
    new_users: Literal["open", "sysop", "none"] = "open"
    detect_ansi: bool = True
    call_minutes: Annotated[int, Field(ge=0, le=1440)] = 60
    day_minutes: Annotated[int, Field(ge=0, le=1440)] = 120
    idle_seconds: Annotated[int, Field(ge=0, le=86_400)] = 240
    tries: Annotated[int, Field(ge=1, le=20)] = 3
    texts: str = ""
    work: str = "run/bbs"
    database: str = "run/bbs.sqlite"
    upload_kilobytes: Annotated[int, Field(ge=1, le=2_000_000)] = 16_384
    run_as: str = ""


class AreaSection(_Section):
    """``[[bbs_area]]``: a message area."""

    name: str
    title: str = ""
    sysop_only: bool = False


class FilesSection(_Section):
    """``[[bbs_files]]``: a file area."""

    name: str
    path: str
    title: str = ""
    uploads: Uploads = "no"


class DoorSection(_Section):
    """``[[bbs_door]]``: a program for callers."""

    name: str
    command: Annotated[list[str], Field(min_length=1)]
    title: str = ""
    run_as: str = ""
    directory: str = ""
    minutes: Annotated[int, Field(ge=0, le=1440)] = 0


@dataclass(frozen=True, slots=True)
class BbsConfig:
    """The board of a configuration.

    Attributes:
        settings: For the engine.
        database: A file for SQLite, or a URL of SQLAlchemy (which may hold a password).
    """

    settings: BbsSettings = field(default_factory=BbsSettings)
    database: str = field(default="run/bbs.sqlite", repr=False)


def read_area(section: AreaSection) -> MessageArea:
    """Return a message area; raises `ConfigError`."""
    return MessageArea(section.name, section.title, section.sysop_only)


def read_files(section: FilesSection) -> FileArea:
    """Return a file area; raises `ConfigError`."""
    return FileArea(section.name, section.path, section.title, section.uploads)


def read_door(section: DoorSection) -> Door:
    """Return a door; raises `ConfigError`."""
    return Door(
        *(section.name, tuple(section.command), section.title, section.run_as, section.directory),
        section.minutes,
    )


def read_bbs(
    section: BbsSection, areas: Sequence[MessageArea], files: Sequence[FileArea], doors: Sequence[Door]
) -> BbsConfig:
    """Return a board."""
    settings = BbsSettings(
        name=section.name,
        sysop=section.sysop,
        sysops=tuple(section.sysops),
        new_users=NewUsers(section.new_users),
        detect_ansi=section.detect_ansi,
        call_minutes=section.call_minutes,
        day_minutes=section.day_minutes,
        idle_seconds=section.idle_seconds,
        tries=section.tries,
        texts=section.texts,
        work=section.work,
        upload_limit=section.upload_kilobytes * 1024,
        run_as=section.run_as,
        messages=tuple(areas) or BbsSettings().messages,
        files=tuple(files),
        doors=tuple(doors),
    )
    return BbsConfig(settings, section.database)
