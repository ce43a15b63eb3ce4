"""A directory of files that callers may read."""

import os
import stat
from pathlib import Path

from ansam.answer.shelf import ShelfEntry
from ansam.errors import ResourceError

ENTRIES_LIMIT = 1000


class DirectoryShelf:
    """The regular files of one directory, hidden ones and subdirectories left out.

    Names are looked up in the directory itself and links are not followed, so nothing outside can be reached.

    Args:
        directory: Where the files lie.
    """

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)
        if not self._directory.is_dir():
            raise ResourceError(f"files directory {directory} does not exist", "create it or name another")

    def entries(self) -> list[ShelfEntry]:
        """Return the files, sorted by name; at most 1000."""
        try:
            with os.scandir(self._directory) as entries:
                found = [
                    ShelfEntry(entry.name, entry.stat(follow_symlinks=False).st_size)
                    for entry in entries
                    if self._may_be_read(entry.name) and entry.is_file(follow_symlinks=False)
                ]
        except OSError:
            return []
        return sorted(found, key=lambda entry: entry.name)[:ENTRIES_LIMIT]

    def read(self, name: str, offset: int, count: int) -> bytes | None:
        """Return a part of a file; see `Shelf.read`."""
        if not self._may_be_read(name):
            return None
        try:
            fd = os.open(self._directory / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return os.pread(fd, count, offset) if stat.S_ISREG(os.fstat(fd).st_mode) else None
        finally:
            os.close(fd)

    @staticmethod
    def _may_be_read(name: str) -> bool:
        return name.isprintable() and "/" not in name and not name.startswith(".")
