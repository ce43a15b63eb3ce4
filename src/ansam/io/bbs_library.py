"""The board's files: areas with their descriptions, display files, uploads that wait, directories of doors.

Names are looked up in the directory itself and links are not followed, so nothing outside an area is reached.
"""

import contextlib
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import structlog

from ansam.answer.bbs.board import FileEntry
from ansam.answer.bbs.files import clean_name
from ansam.answer.bbs.settings import BbsSettings
from ansam.errors import ResourceError
from ansam.io.answer_command import account_for
from ansam.io.bbs_descriptions import LISTS, describe, read_list

TEXT_LIMIT = 1 << 16
"""Octets of a display file."""

ENTRIES_LIMIT = 2000
STALE = 86_400.0
"""Age, seconds, of a directory that no call can be using any more."""

DIZ_LIMIT = 2048
"""Octets of a description within an archive."""

_log = structlog.get_logger("ansam.bbs")


class BbsLibrary:
    """The disk of a board; every method waits for it, and any thread may call.

    Args:
        settings: Of the board.

    Raises:
        ResourceError: A directory is not there, or can not be made.
    """

    def __init__(self, settings: BbsSettings) -> None:
        self._settings = settings
        self._areas = [Path(area.path) for area in settings.files]
        self._texts = Path(settings.texts) if settings.texts else None
        self._work = Path(settings.work).absolute()
        for directory in (*self._areas, *((self._texts,) if self._texts else ())):
            if not directory.is_dir():
                raise ResourceError(
                    f"directory {directory} of the board does not exist", "create it or name another"
                )

        self._tidy()

    def _tidy(self) -> None:
        """Remove what calls left that this machine did not survive."""
        for kind in ("nodes", "uploads"):
            for path in (self._work / kind).glob("*-*"):
                with contextlib.suppress(OSError):
                    if time.time() - path.lstat().st_mtime > STALE:
                        shutil.rmtree(path)

    def _below(self, name: str) -> Path:
        path = self._work / name
        try:
            path.mkdir(parents=True, exist_ok=True)
            # Doors run as other accounts reach what is made for them, and can list nothing here.
            self._work.chmod(0o711)
            path.chmod(0o711)
        except OSError as error:
            raise ResourceError(f"directory {path}: {error.strerror}", "set work in [bbs]") from None
        return path

    # -- display files ---------------------------------------------------------------------------------------

    def text(self, names: Sequence[str]) -> tuple[str, bytes] | None:
        """Return the first display file there is of some names, with its name."""
        if self._texts is None:
            return None
        for name in names:
            with contextlib.suppress(OSError), (self._texts / name).open("rb") as file:
                return name, file.read(TEXT_LIMIT)
        return None

    # -- areas -----------------------------------------------------------------------------------------------

    def entries(self, area: int) -> list[FileEntry]:
        """Return the files of an area, sorted by name."""
        directory = self._areas[area]
        found: list[tuple[str, os.stat_result]] = []
        try:
            with os.scandir(directory) as entries:
                found = [
                    (entry.name, entry.stat(follow_symlinks=False))
                    for entry in entries
                    if _may_be_read(entry.name) and entry.is_file(follow_symlinks=False)
                ]
        except OSError as error:
            raise ResourceError(f"file area {directory}: {error.strerror}") from None
        described = read_list(directory)
        found.sort(key=lambda one: one[0].lower())
        return [
            FileEntry(
                name,
                stat.st_size,
                stat.st_mtime,
                described.get(name.lower()) or _within(directory / name),
            )
            for name, stat in found[:ENTRIES_LIMIT]
        ]

    def path(self, area: int, name: str) -> str | None:
        """Return the full path of a file of an area, or None."""
        if not _may_be_read(name):
            return None
        path = self._areas[area].absolute() / name
        return str(path) if path.is_file() and not path.is_symlink() else None

    # -- doors and uploads -----------------------------------------------------------------------------------

    def node(self, files: Mapping[str, bytes], run_as: str) -> str:
        """Make a directory with files for one door; return its path."""
        return self._made("nodes", "node-", files, run_as)

    def inbox(self) -> str:
        """Make a directory for one upload; return its path."""
        uploads = self._below("uploads")
        with _named(uploads):
            free = shutil.disk_usage(uploads).free
        if free < 2 * self._settings.upload_limit:
            raise ResourceError(f"no room for uploads in {uploads}", "make some, or lower upload_kilobytes")
        return self._made("uploads", "upload-", {}, self._settings.run_as)

    def _made(self, kind: str, prefix: str, files: Mapping[str, bytes], run_as: str) -> str:
        """Make a directory for one caller; where that fails, nothing is left of it."""
        parent = self._below(kind)
        with _named(parent):
            directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
            try:
                for name, data in files.items():
                    (directory / name).write_bytes(data)
                _give(directory, run_as)
            except BaseException:
                shutil.rmtree(directory, ignore_errors=True)
                raise
        return str(directory)

    def received(self, inbox: str) -> list[FileEntry]:
        """Return what came; files without a clean name, and all that is no plain file, are left out."""
        found = []
        with _named(Path(inbox)):
            for path in sorted(Path(inbox).iterdir()):
                if path.is_symlink() or not path.is_file() or not clean_name(path.name):
                    continue
                stat = path.stat()
                found.append(FileEntry(path.name, stat.st_size, stat.st_mtime, _within(path)))
        return found

    def accept(self, inbox: str, name: str, area: int, lines: Sequence[str], held: bool) -> str:
        """Move a file from an inbox to its area (or to those that wait); return its name there."""
        clean = clean_name(name)
        target = self._below(f"held/{self._settings.files[area].name}") if held else self._areas[area]
        source = Path(inbox) / name
        if source.parent != Path(inbox) or source.is_symlink() or not clean or clean.upper() in LISTS:
            raise ResourceError(f"{clean} can not be taken")
        try:
            fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(fd, "rb") as old:
                _copy(old, target / clean)
        except FileExistsError:
            raise ResourceError(f"{clean} is there already") from None
        except OSError as error:
            raise ResourceError(f"{clean} can not be taken: {error.strerror}") from None
        with contextlib.suppress(OSError):
            source.unlink()
        try:
            describe(target, clean, lines)
        except OSError as error:
            # The file is in, and that is what its sender wants to know.
            _log.warning("file without description", file=str(target / clean), error=str(error))
        return clean

    def discard(self, directory: str) -> None:
        """Remove a directory made by `node` or `inbox`."""
        path = Path(directory)
        if path.parent.parent == self._work:
            shutil.rmtree(path, ignore_errors=True)


def _copy(old: BinaryIO, path: Path) -> None:
    """Make a file of another, the whole of it or nothing; one that is there already stays as it is."""
    new = path.open("xb")
    try:
        with new:
            shutil.copyfileobj(old, new)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _named(directory: Path) -> Iterator[None]:
    """Say which directory it is that the machine refuses something in."""
    try:
        yield
    except OSError as error:
        raise ResourceError(
            f"directory {directory}: {error.strerror}", "see to the disk, or set work in [bbs]"
        ) from None


def _may_be_read(name: str) -> bool:
    return (
        name.isprintable()
        and "/" not in name
        and not name.startswith((".", "-"))
        and name.upper() not in LISTS
    )


def _give(directory: Path, run_as: str) -> None:
    """Let the account that programs run as have a directory; see `answer_command`."""
    account = account_for(run_as) if os.geteuid() == 0 else None
    if account is None:
        return
    for path in (directory, *directory.iterdir()):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _within(path: Path) -> tuple[str, ...]:
    """Return the description that a ZIP archive brings along: its FILE_ID.DIZ."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return _diz(path, stat.st_size, stat.st_mtime)


@lru_cache(ENTRIES_LIMIT)
def _diz(path: Path, size: int, changed: float) -> tuple[str, ...]:
    """Return it; looked for once in each state of a file."""
    if path.suffix.lower() != ".zip":
        return ()
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                # Other methods can be told to take any amount of memory.
                plain = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
                if plain and entry.filename.lower() == "file_id.diz":
                    with archive.open(entry) as file:
                        text = file.read(DIZ_LIMIT).decode("cp437")
                    return tuple(line.strip() for line in text.splitlines() if line.strip())[:10]
    except Exception:
        # Archives of strangers are broken in many ways; one that can not be read has no description.
        return ()
    return ()
