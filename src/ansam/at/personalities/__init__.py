"""Personality files: the makes of modem this package has, and how one of your own is read.

A file is TOML; ``usr-56k.toml`` beside this module is the one that explains itself. ``extends`` names another
to start from: tables are merged entry by entry, ``false`` takes a command or register away.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansam.at.personalities.reader import read_personality
from ansam.at.personality import Personality
from ansam.errors import ConfigError

HERE = Path(__file__).parent

DEFAULT = "usr-56k"

MERGED = (
    "commands",
    "extended",
    "texts",
    "registers",
    "information",
    "diagnostics",
    "dial",
    "results",
    "fixed",
)
"""Tables that a file adds to those of the one it extends."""

DEEPEST = 8
"""Most files that extend one another."""


def names() -> list[str]:
    """Return the names of the makes there are, the default first."""
    found = sorted(path.stem for path in HERE.glob("*.toml"))
    return sorted(found, key=lambda name: name != DEFAULT)


@cache
def packaged(name: str) -> Personality:
    """Return a make of this package.

    Raises:
        ConfigError: There is none of that name.
    """
    return read_personality(_content(name, name), name)


def load(choice: str) -> Personality:
    """Return the personality that a name or the path of a TOML file stands for.

    Raises:
        ConfigError: There is none of that name, or the file is wrong; the text says where.
    """
    if choice in names():
        return packaged(choice)
    if choice.endswith(".toml") or "/" in choice:
        data = _read(Path(choice), choice)
        return read_personality(_extended(data, choice), choice)
    raise ConfigError(
        f"personality {choice!r} is not known", f"there are {', '.join(names())}; or name a .toml file"
    )


def _content(name: str, place: str, depth: int = 0) -> dict[str, Any]:
    if name not in names():
        raise ConfigError(
            f"{place}: extends = {name!r}: there is no such personality", f"there are {', '.join(names())}"
        )
    return _extended(_read(HERE / f"{name}.toml", place), place, depth)


def _extended(data: dict[str, Any], place: str, depth: int = 0) -> dict[str, Any]:
    base = data.pop("extends", "")
    if not base:
        return data
    if depth >= DEEPEST or not isinstance(base, str):
        raise ConfigError(f"{place}: extends = {base!r} leads nowhere", "name a personality of the package")
    return _merged(_content(base, place, depth + 1), data)


def _merged(old: dict[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    result = {**old, **new}
    for table in MERGED:
        first, second = old.get(table, {}), new.get(table, {})
        if isinstance(first, dict) and isinstance(second, dict):
            entries = {**first, **second}
            result[table] = {key: value for key, value in entries.items() if value is not False}
    return result


def _read(path: Path, place: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"personality {place}: {error.strerror}", "name a readable file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"personality {place}: the file is not UTF-8 text", "save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"personality {place}: {error}", "correct the TOML") from error


USR_56K = packaged(DEFAULT)
"""A US Robotics Sportster or Courier 56K with V.90 firmware, the one of the original session."""
