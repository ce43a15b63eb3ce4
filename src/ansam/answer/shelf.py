"""The files a caller may read. The engine sees names and octets; where they lie is the shelf's business."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ShelfEntry:
    """One file: its name (a plain file name) and its size in octets."""

    name: str
    size: int


class Shelf(Protocol):
    """A flat set of files."""

    def entries(self) -> list[ShelfEntry]:
        """Return the files, sorted by name."""

    def read(self, name: str, offset: int, count: int) -> bytes | None:
        """Return up to `count` octets from `offset` (b"" at the end), or None where there is no such file."""


class MemoryShelf:
    """Files held in memory.

    Args:
        files: Contents by name.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)

    def entries(self) -> list[ShelfEntry]:
        """Return the files, sorted by name."""
        return [ShelfEntry(name, len(self._files[name])) for name in sorted(self._files)]

    def read(self, name: str, offset: int, count: int) -> bytes | None:
        """Return a part of a file; see `Shelf.read`."""
        data = self._files.get(name)
        return None if data is None else data[offset : offset + count]
