"""Descriptions of files: FILES.BBS as BBSes keep it, DESCRIPT.ION as 4DOS does.

FILES.BBS has the name, blanks and the description; lines that begin with a blank go on with the one before
(a ``|`` or ``+`` there is left out). DESCRIPT.ION is the same without such lines, names with blanks in
quotes. Both are in code page 437.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

FILES_BBS, DESCRIPT_ION = "FILES.BBS", "DESCRIPT.ION"
LISTS = (FILES_BBS, DESCRIPT_ION)
LIST_LIMIT = 1 << 20
LINES_MAX = 20
_LINE = re.compile(r'(?:"([^"]+)"|(\S+))\s+(.*)')


def read_list(directory: Path) -> dict[str, tuple[str, ...]]:
    """Return descriptions by name in small letters; FILES.BBS wins over DESCRIPT.ION."""
    found: dict[str, list[str]] = {}
    for name in (DESCRIPT_ION, FILES_BBS):
        current: list[str] | None = None
        for line in _text(directory, name).splitlines():
            if line[:1] in (" ", "\t"):
                if current is not None and line.strip() and len(current) < LINES_MAX:
                    current.append(line.strip().lstrip("|+").strip())
                continue
            parsed = _LINE.match(line)
            current = None
            if parsed is not None:
                text = parsed[3].partition("\x04")[0].strip()
                current = found[(parsed[1] or parsed[2]).lower()] = [text]
    return {name: tuple(lines) for name, lines in found.items()}


def _text(directory: Path, name: str) -> str:
    try:
        with _list(directory, name).open("rb") as file:
            # Editors of DOS end a file with ^Z; what was added since stands behind it.
            return file.read(LIST_LIMIT).decode("cp437").replace("\x1a", "")
    except OSError:
        return ""


def _list(directory: Path, name: str) -> Path:
    """Return the path of a list, however its name is written."""
    there = (path for path in directory.iterdir() if path.name.upper() == name and not path.is_symlink())
    return next(there, directory / name)


def describe(directory: Path, name: str, lines: Sequence[str]) -> None:
    """Add a file to FILES.BBS.

    Raises:
        OSError: It can not be written.
    """
    first, *rest = lines or ("",)
    text = f"{name:<12} {first}\n" + "".join(f"{'':<12} | {line}\n" for line in rest)
    fd = os.open(
        _list(directory, FILES_BBS),
        os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC,
        0o644,
    )
    with os.fdopen(fd, "ab") as file:
        file.write(text.encode("cp437", "replace"))
