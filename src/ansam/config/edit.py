"""Adding and removing ``[[extension]]`` and ``[[user]]`` blocks in the file itself.

The file is the only place where extensions and users are kept: a person can read, compare and version all of
it, and nothing hides in a database. An edit touches the lines of its block alone, so comments and order stay;
the outcome is parsed before it replaces the file in one step.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path as FilePath

from ansam.config.load import parse, read_text
from ansam.config.places import Places
from ansam.errors import ConfigError, ResourceError

PRIVATE = 0o600
"""Mode of a file that is new: it holds secrets."""

Value = str | int | list[str]


def toml_value(value: Value) -> str:
    """Write a value as TOML; JSON's text is TOML's basic string, but for DEL (TOML 1.0 "String")."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def block_text(section: str, values: Mapping[str, Value]) -> str:
    """Return a ``[[section]]`` block."""
    lines = [f"{key} = {toml_value(value)}" for key, value in values.items()]
    return "\n".join([f"[[{section}]]", *lines]) + "\n"


def add_block(path: FilePath, section: str, values: Mapping[str, Value]) -> None:
    """Append a block to the configuration, behind the last one of its kind.

    Raises:
        ConfigError: The file is faulty, or would be with the block.
        ResourceError: The file cannot be written.
    """
    text = read_text(path)
    parse(text, str(path))
    places = Places(text)
    lines, cr = places.lines, places.carriage_return
    if lines and not lines[-1].endswith(cr):
        # The file ended without a line end.
        lines[-1] += cr
    alike = [block for block in places.blocks() if block.path[:1] == (section,)]
    end = alike[-1].last if alike else len(lines)
    new = [line + cr for line in block_text(section, values).removesuffix("\n").split("\n")]
    before = [*lines[:end], cr] if end and lines[end - 1].strip() else lines[:end]
    after = [cr, *lines[end:]] if end < len(lines) and lines[end].strip() else lines[end:]
    replace_lines(path, [*before, *new, *after])


def remove_block(path: FilePath, section: str, key: str, value: str) -> None:
    """Remove the block whose `key` has a value.

    Raises:
        ConfigError: The file is faulty, has no such block, or would be faulty without it.
        ResourceError: The file cannot be written.
    """
    text = read_text(path)
    config = parse(text, str(path))
    kept = config.extensions if section == "extension" else config.users
    names = [str(getattr(one, key)) for one in kept]
    if value not in names:
        there = f"there are {', '.join(names)}" if names else "there is none"
        raise ConfigError(f"{path}: {section} {value} is not there", there)
    places = Places(text)
    mine = [block for block in places.blocks() if block.path[:2] == (section, names.index(value))]
    if not mine:
        raise ConfigError(f"{path}: {section} {value} is not written as [[{section}]]", "remove it by hand")
    lines = list(places.lines)
    for block in reversed(mine):
        end = block.last
        while end < len(lines) and not lines[end].strip():
            end += 1
        del lines[block.first : end]
    replace_lines(path, lines)


def replace_lines(path: FilePath, lines: list[str]) -> None:
    """Put a new text in the file's place in one step; what it is parsed as decides whether at all.

    Raises:
        ConfigError: It would be faulty.
        ResourceError: It cannot be written.
    """
    end = len(lines)
    while end and lines[end - 1] in ("", "\r"):
        end -= 1
    text = "\n".join(lines[:end]) + "\n"
    parse(text, str(path))
    target = path.resolve()
    temporary = None
    try:
        old = target.stat() if target.exists() else None
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            temporary = file.name
            if old is not None:
                _give_to_owner(path, file.fileno(), old)
            os.fchmod(file.fileno(), old.st_mode & 0o7777 if old is not None else PRIVATE)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise ResourceError(f"{path} can not be written: {error.strerror}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _give_to_owner(path: FilePath, new: int, old: os.stat_result) -> None:
    """Give the new file the owner and group of the old one: the service may be another account than ours.

    Raises:
        ResourceError: We may not, and they differ.
    """
    made = os.fstat(new)
    if (made.st_uid, made.st_gid) == (old.st_uid, old.st_gid):
        return
    try:
        os.fchown(new, old.st_uid, old.st_gid)
    except PermissionError:
        raise ResourceError(
            f"{path} can not be written: its owner and group could not be kept",
            "do it as its owner, or as root",
        ) from None
