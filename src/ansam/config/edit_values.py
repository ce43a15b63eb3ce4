"""Changing single values of a block in the file itself; see `edit` for why there."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path as FilePath

from ansam.config.edit import Value, replace_lines, toml_value
from ansam.config.load import parse, read_text
from ansam.config.places import Block, Places
from ansam.errors import ConfigError

_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


def change_block(
    path: FilePath, section: str, key: str, value: str, changes: Mapping[str, Value | float]
) -> None:
    """Change values of the ``[[section]]`` whose `key` has a value.

    A key that is not there is added behind the last one. Order and comments on lines of their own stay.

    Args:
        path: The configuration.
        section: ``extension``, ``modem`` …
        key: What names the block.
        value: Its name.
        changes: New values by their keys.

    Raises:
        ConfigError: The file is faulty, has no such block, would be faulty with the values, or is written in
            a way that only a person can change.
        ResourceError: The file cannot be written.
    """
    text = read_text(path)
    parse(text, str(path))
    blocks = tomllib.loads(text).get(section, [])
    index = next((k for k, one in enumerate(blocks) if str(one.get(key)) == value), None)
    if index is None:
        raise ConfigError(f"{path}: {section} {value} is not there")
    by_hand = ConfigError(f"{path}: {section} {value} can not be changed from here", "change it by hand")
    places = Places(text)
    block = next((one for one in places.blocks() if one.path == (section, index)), None)
    if block is None:
        raise by_hand
    lines = _changed(places.lines, block, changes, places.carriage_return)
    wanted = tomllib.loads(text)
    wanted[section][index] |= changes
    try:
        same = tomllib.loads("\n".join(lines) + "\n") == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise by_hand
    replace_lines(path, lines)


def _changed(lines: list[str], block: Block, changes: Mapping[str, Value | float], cr: str) -> list[str]:
    """Return the lines with one for each change in the place of the old one, or at the block's end."""
    left = dict(changes)
    body = []
    for line in lines[block.first : block.last]:
        found = _KEY.match(line)
        name = found[1] if found else ""
        body.append(f"{name} = {_toml(left.pop(name))}{cr}" if name in left else line)
    body += [f"{name} = {_toml(value)}{cr}" for name, value in left.items()]
    return [*lines[: block.first], *body, *lines[block.last :]]


def _toml(value: Value | float) -> str:
    return f"{value:.12g}" if isinstance(value, float) else toml_value(value)
