"""From the tables of a personality file to a `Personality`, every fault named with its place."""

import re
from collections.abc import Mapping
from typing import Any

from ansam.at.personality import (
    SEMANTIC,
    Action,
    Parameter,
    Personality,
    Results,
    Style,
    TextCommand,
)
from ansam.at.registers import COMMON, Register
from ansam.errors import ConfigError

COMMAND_NAME = re.compile(r"Z!|[&\\%*-]?[A-Z]|[+#-][A-Z][A-Z0-9]+")

EXTENDED_NAME = re.compile(r"\+[A-Z][A-Z0-9]*")

DIAL_MARK = re.compile(r"[^0-9TP#*+]")

S_REGISTERS = range(256)

NEEDED_REGISTERS = (*range(COMMON + 1), 25)
"""What the modem itself reads on every make."""

SCREENS = frozenset(
    {"checksum", "settings", "nvram", "configuration", "link", "signal", "security", "duration"}
    | {"response", "words", "list", "switches", "writes", "grid"}
)
"""Screens that ``information`` and ``diagnostics`` may name."""

RESET = re.compile(r"Y|W\d|F\d")


class Table:
    """One table of the file, read key by key.

    Args:
        data: The table.
        place: Where it stands, for messages.
    """

    def __init__(self, data: object, place: str) -> None:
        if not isinstance(data, dict):
            raise ConfigError(f"{place}: must be a table", "write it as { key = value }")
        self._data = dict(data)
        self.place = place

    def fail(self, what: str, remedy: str) -> ConfigError:
        """Return the error for something wrong here."""
        return ConfigError(f"{self.place}: {what}", remedy)

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        """Return the value of a key, which is used up.

        Raises:
            ConfigError: It is missing and has no default, or is of another type.
        """
        if key not in self._data:
            if default is None:
                raise self.fail(f"{key} is missing", f"add {key} = …")
            return default
        value = self._data.pop(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fail(f"{key} = {value!r} must be {_KINDS[kind]}", "correct the value")
        return value

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        if self._data:
            raise self.fail(f"{next(iter(self._data))!r} is not a key of this table", "remove it")


_KINDS = {int: "a number", str: "text", bool: "true or false", list: "a list", dict: "a table"}


def read_personality(data: Mapping[str, Any], place: str) -> Personality:
    """Return what the content of a file describes.

    Raises:
        ConfigError: Something in it is wrong.
    """
    top = Table(dict(data), f"personality {place}")
    commands = _commands(top)
    parameters = _parameters(top, commands)
    shown = Personality(
        name=top.take("name", str),
        description=top.take("description", str),
        product_code=top.take("product_code", str),
        identification=top.take("identification", str),
        title=top.take("title", str),
        product_type=top.take("product_type", str, ""),
        rates=_numbers(top, "rates", [0]),
        commands=commands,
        parameters=parameters,
        registers=_registers(top),
        texts=_texts(top),
        extended=_meanings(top, "extended", EXTENDED_NAME),
        dial=_meanings(top, "dial", DIAL_MARK),
        helps=_strings(top, "helps"),
        information=_information(top),
        diagnostics=_diagnostics(top),
        results=_results(top),
        resets=_strings(top, "resets"),
        carriers=_carriers(top),
        templates=_templates(top, parameters),
        shipping_template=top.take("shipping_template", int, 0),
        line_limit=top.take("line_limit", int, 60),
        stored_numbers=top.take("stored_numbers", int, 0),
        profiles=top.take("profiles", int, 1),
        register_pointer=top.take("register_pointer", bool, False),
        repeats=top.take("repeats", bool, False),
        needs_dtr=top.take("needs_dtr", bool, False),
    )
    top.finish()
    _check(shown, top)
    return shown


def _check(shown: Personality, top: Table) -> None:
    if not 0 <= shown.shipping_template < len(shown.templates):
        raise top.fail(f"there is no template {shown.shipping_template}", "correct shipping_template")
    if not 1 <= shown.line_limit <= 255:
        raise top.fail(f"line_limit = {shown.line_limit} is out of range", "1 to 255")
    if not 1 <= shown.profiles <= 2 or not 0 <= shown.stored_numbers <= 10:
        raise top.fail("profiles or stored_numbers is out of range", "1 or 2 profiles, 0 to 10 numbers")
    for number in NEEDED_REGISTERS:
        if number not in shown.registers:
            raise top.fail(f"registers: S{number} is missing", f"add {number} = {{ … }}")
    for reset in shown.resets:
        if not RESET.fullmatch(reset):
            raise top.fail(f"resets: {reset!r} is not known", 'write "Y", "W0", "W1", "F0", "F1" …')


def _commands(top: Table) -> dict[str, Parameter]:
    table = {}
    for name, entry in top.take("commands", dict).items():
        row = Table(entry, f"{top.place}, commands.{name}")
        if not COMMAND_NAME.fullmatch(name):
            raise row.fail("this is no name of a command", "a letter, & and a letter, +NAME …, in capitals")
        allowed = _range(row.take("values", str), row)
        kept = _range(row.take("kept", str), row) if "kept" in entry else None
        action = row.take("action", str, "")
        if action and action not in {known.value for known in Action}:
            raise row.fail(
                f"action = {action!r} is not known", f"there are {', '.join(a.value for a in Action)}"
            )
        table[name] = Parameter(
            default=row.take("default", int, (kept or allowed)[0]),
            allowed=allowed,
            kept=kept,
            meaning=row.take("meaning", str),
            stored=row.take("stored", bool, True),
            acts=row.take("acts", bool, True),
            key=row.take("key", str, "" if action else name),
            sets=_sets(row, allowed),
            action=Action(action) if action else None,
        )
        if table[name].default not in allowed:
            raise row.fail(f"default = {table[name].default} is not among its values", "correct one of them")
        if kept is not None and not {table[name].default} <= set(kept) <= set(allowed):
            raise row.fail("kept must hold the default and nothing beyond values", "correct one of them")
        row.finish()
    return table


def _range(text: str, row: Table) -> range | tuple[int, ...]:
    """Read numbers: "0-3", "0,4,5", "0-2,8"."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,6})(?:-(\d{1,6}))?\s*", part)
        low = int(match[1]) if match else 1
        high = int(match[2] or low) if match else 0
        if not low <= high < low + 1000:
            raise row.fail(f"values = {text!r} is no range of numbers", 'write "0-3" or "0,4,5"')
        found.extend(range(low, high + 1))
    whole = range(found[0], found[-1] + 1)
    return whole if found == list(whole) else tuple(found)


def _sets(row: Table, allowed: range | tuple[int, ...]) -> dict[int, dict[str, int]]:
    sets: dict[int, dict[str, int]] = {}
    for value, others in row.take("sets", dict, {}).items():
        inner = Table(others, f"{row.place}, sets.{value}")
        if not value.isdecimal() or int(value) not in allowed:
            raise inner.fail(f"{value} is not one of the command's values", "correct it")
        sets[int(value)] = {key: _semantic(inner, key, number) for key, number in others.items()}
    return sets


def _semantic(table: Table, key: str, value: object) -> int:
    known = SEMANTIC.get(key)
    if known is None:
        raise table.fail(f"{key!r} is no setting of the modem", f"there are {', '.join(SEMANTIC)}")
    if not isinstance(value, int) or isinstance(value, bool) or value not in known.allowed:
        raise table.fail(
            f"{key} = {value!r} is out of range", f"{min(known.allowed)} to {max(known.allowed)}"
        )
    return value


def _parameters(top: Table, commands: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Return everything that holds a number: what the modem asks for, and what commands keep besides."""
    fixed = Table(top.take("fixed", dict, {}), f"{top.place}, fixed")
    defaults = {key: _semantic(fixed, key, value) for key, value in fixed._data.items()}
    table = {
        key: Parameter(defaults.get(key, known.default), known.allowed, known.meaning, stored=known.stored)
        for key, known in SEMANTIC.items()
    }
    for command in commands.values():
        if command.key in SEMANTIC and not set(command.allowed) <= set(SEMANTIC[command.key].allowed):
            raise fixed.fail(f"a command has more values than {command.key} has", "correct its values or key")
        if command.key:
            table[command.key] = command
    return table


def _templates(top: Table, parameters: Mapping[str, Parameter]) -> tuple[dict[str, int], ...]:
    templates = []
    for number, entry in enumerate(top.take("templates", list, [{}])):
        table = Table(entry, f"{top.place}, templates[{number}]")
        for key, value in entry.items():
            if key not in parameters or value not in parameters[key].allowed:
                raise table.fail(f"{key} = {value!r} is not possible", "correct it")
        templates.append(dict(entry))
    return tuple(templates)


def _registers(top: Table) -> dict[int, Register]:
    table = {}
    for name, entry in top.take("registers", dict).items():
        row = Table(entry, f"{top.place}, registers.{name}")
        if not name.isdecimal() or int(name) not in S_REGISTERS:
            raise row.fail("a register has a number", "0 to 255")
        register = Register(
            default=row.take("default", int, 0),
            meaning=row.take("meaning", str, "Reserved"),
            high=row.take("high", int, 255),
            volatile=row.take("volatile", bool, False),
            acts=row.take("acts", bool, True),
            usr=row.take("usr", bool, True),
            part=row.take("part", str, ""),
        )
        if not 0 <= register.default <= register.high <= 255:
            raise row.fail(f"default {register.default} and high {register.high} do not fit", "0 to 255")
        table[int(name)] = register
        row.finish()
    return dict(sorted(table.items()))


def _texts(top: Table) -> dict[str, TextCommand]:
    table = {}
    for name, entry in top.take("texts", dict, {}).items():
        row = Table(entry, f"{top.place}, texts.{name}")
        table[name] = TextCommand(row.take("count", int, 1), row.take("limit", int), row.take("meaning", str))
        row.finish()
    return table


def _meanings(top: Table, key: str, name: re.Pattern[str]) -> dict[str, str]:
    """Read a table of names and what they mean."""
    table = top.take(key, dict, {})
    for entry, meaning in table.items():
        if not name.fullmatch(entry) or not isinstance(meaning, str):
            raise top.fail(f"{key}: {entry!r} = {meaning!r} is not possible", "write a name and a text")
    return dict(table)


def _information(top: Table) -> dict[int, str | tuple[str, ...]]:
    table: dict[int, str | tuple[str, ...]] = {}
    for name, entry in top.take("information", dict, {}).items():
        lines = isinstance(entry, list) and all(isinstance(line, str) for line in entry)
        if not name.isdecimal() or not (lines or entry in SCREENS):
            raise top.fail(
                f"information.{name} = {entry!r} is not possible", f"a list of lines, or {_listed(SCREENS)}"
            )
        table[int(name)] = tuple(entry) if lines else entry
    return table


def _diagnostics(top: Table) -> dict[int, str]:
    table = top.take("diagnostics", dict, {})
    for name, entry in table.items():
        if not name.isdecimal() or entry not in SCREENS:
            raise top.fail(f"diagnostics.{name} = {entry!r} is not possible", _listed(SCREENS))
    return {int(name): entry for name, entry in table.items()}


def _listed(values: frozenset[str]) -> str:
    return "one of " + ", ".join(sorted(values))


def _results(top: Table) -> Results:
    table = Table(top.take("results", dict, {}), f"{top.place}, results")
    style = table.take("style", str, "usr")
    if style not in {known.value for known in Style}:
        raise table.fail(f"style = {style!r} is not known", "usr, plain or rockwell")
    shown = table.take("shown", dict, {})
    for words, levels in shown.items():
        if not isinstance(levels, list) or not set(levels) <= set(range(8)):
            raise table.fail(f"shown: {words!r} must have a list of levels of X", "0 to 7")
    rates = table.take("rates", dict, {})
    for rate, number in rates.items():
        if not rate.isdecimal() or not isinstance(number, int):
            raise table.fail(f"rates: {rate!r} = {number!r} must be two numbers", "write 2400 = 10")
    results = Results(
        style=Style(style),
        shown={words: tuple(levels) for words, levels in shown.items()},
        blind=_numbers(table, "blind", [0, 1, 3, 5]),
        no_dial_tone=table.take("no_dial_tone", str, "NO DIAL TONE"),
        rates={int(rate): number for rate, number in rates.items()},
    )
    table.finish()
    return results


def _carriers(top: Table) -> dict[int, str]:
    table = top.take("carriers", dict, {})
    if not all(number.isdecimal() and isinstance(name, str) for number, name in table.items()):
        raise top.fail("carriers: must be numbers with names", 'write 11 = "V34"')
    return {int(number): name for number, name in table.items()}


def _numbers(table: Table, key: str, default: list[int]) -> tuple[int, ...]:
    values = table.take(key, list, default)
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        raise table.fail(f"{key} must be a list of numbers", "correct it")
    return tuple(values)


def _strings(top: Table, key: str) -> tuple[str, ...]:
    values = top.take(key, list, [])
    if not all(isinstance(value, str) for value in values):
        raise top.fail(f"{key} must be a list of texts", "correct it")
    return tuple(values)
