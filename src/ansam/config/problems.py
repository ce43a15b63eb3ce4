"""Faults of a configuration as lines for a person: where, what is wrong, what would be right."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from ansam.config.places import Path, Places
from ansam.config.schema import File
from ansam.errors import ConfigError

SECRETS = frozenset({"secret", "password", "line", "database"})
"""Keys whose values are never shown."""

PROBLEMS_SHOWN = 20

_KINDS = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list in [ ]",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault.

    Attributes:
        where: ``FILE`` or ``FILE:LINE``.
        text: What is wrong.
        remedy: What would be right, or "".
    """

    where: str
    text: str
    remedy: str = ""

    @property
    def line(self) -> int:
        """Number of the line, 0 where it is not known."""
        number = self.where.rpartition(":")[2]
        return int(number) if number.isdigit() else 0

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" + (f" ({self.remedy})" if self.remedy else "")


class ConfigProblems(ConfigError):
    """All faults of one file, one line each.

    Args:
        problems: At least one.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        shown = [str(problem) for problem in problems[:PROBLEMS_SHOWN]]
        if len(problems) > PROBLEMS_SHOWN:
            shown.append(f"{problems[0].where.split(':')[0]}: {len(problems) - PROBLEMS_SHOWN} more")
        super().__init__("\n".join(shown))
        self.problems = tuple(problems)


class Culprit(ConfigError):
    """A ConfigError that knows the key it is about."""

    def __init__(self, key: str, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.key = key


def place(file: str, places: Places, path: Path) -> str:
    """Return ``FILE:LINE`` of a key."""
    line = places.line(path)
    return file if line is None else f"{file}:{line}"


def section_name(path: Path) -> str:
    """Return how a person names a section: ``[exchange]``, ``[[extension]] 2``; "" for the whole file."""
    if not path:
        return ""
    if len(path) > 1 and isinstance(path[1], int):
        return f"[[{path[0]}]] {path[1] + 1}"
    return f"[{path[0]}]"


def translate(file: str, places: Places, errors: Iterable[Mapping[str, Any]], data: object) -> list[Problem]:
    """Turn pydantic's errors into problems.

    Args:
        file: Name of the file.
        places: Of its keys.
        errors: `ValidationError.errors()`.
        data: What was validated, to show wrong values.
    """
    problems: dict[tuple[str, Path], Problem] = {}
    for error in errors:
        path = _real_path(tuple(error["loc"]), data)
        problem = _problem(file, places, path, error, data)
        problems.setdefault((problem.where, path), problem)
    return sorted(problems.values(), key=lambda problem: problem.line)


def _real_path(path: Path, data: object) -> Path:
    """Drop what pydantic adds to a location: the names of a union's branches."""
    real: list[str | int] = []
    for index, part in enumerate(path):
        if isinstance(data, dict) and (part in data or index == len(path) - 1):
            real.append(part)
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            real.append(part)
            data = data[part]
    return tuple(real)


def _problem(file: str, places: Places, path: Path, error: Mapping[str, Any], data: object) -> Problem:
    where = place(file, places, path)
    kind = str(error["type"])
    table = path[:2] if len(path) > 1 and isinstance(path[1], int) else path[:1]
    if len(path) == 1:
        table = ()
    keys = path[len(table) :]
    section = section_name(table)
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in keys)
    prefix = f"{section} " if section else ""
    if kind == "extra_forbidden":
        what = "key" if section else "section"
        return Problem(where, f"{prefix}unknown {what} {key!r}", _nearest(str(path[-1]), _known(path[:-1])))
    if kind == "missing":
        return Problem(where, f"{prefix}{key!r} is missing", f"add a line {key} = …")
    if kind in ("model_type", "model_attributes_type"):
        name = section_name(path)
        return Problem(where, f"{path[0]} must be a section", f"write it as {name.split(' ')[0]}")
    wrong = _shown(keys, _value(path, data))
    return Problem(where, f"{prefix}{key}{wrong} {_demand(kind, error)}", _hint(path, _value(path, data)))


def _value(path: Path, data: object) -> object:
    for part in path:
        if isinstance(data, dict):
            data = data.get(str(part))
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
    return data


def _shown(keys: Path, value: object) -> str:
    if SECRETS.intersection(str(key) for key in keys) or isinstance(value, dict | list):
        return ""
    text = (
        str(value).lower()
        if isinstance(value, bool)
        else f'"{value}"'
        if isinstance(value, str)
        else str(value)
    )
    # One line, whatever the text holds.
    return " = " + "".join(mark if mark.isprintable() else " " for mark in text[:60])


def _demand(kind: str, error: Mapping[str, Any]) -> str:
    context = error.get("ctx", {})
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "literal_error":
        return f"must be {context['expected']}".replace("'", '"')
    if kind == "greater_than":
        return f"must be more than {context['gt']:g}"
    if kind == "greater_than_equal":
        return f"must be {context['ge']} or more"
    if kind == "less_than_equal":
        return f"must be {context['le']:g} or less"
    if kind in ("too_short", "too_long"):
        bound = context.get("min_length", context.get("max_length"))
        return f"must have {'at least' if kind == 'too_short' else 'at most'} {bound} entries"
    if kind == "string_pattern_mismatch":
        return "must be 1 to 32 of A-Z a-z 0-9 _ . -"
    return f"is wrong: {error['msg']}"


def _hint(path: Path, value: object) -> str:
    if path[-1] == "entry":
        return 'or "telnet:HOST", or a program with its arguments: ["/usr/bin/program", "argument"]'
    if path[-1] == "number" and isinstance(value, int):
        return 'numbers are text, because of leading zeros: number = "05"'
    return ""


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"


def _known(path: Path) -> list[str]:
    """Return the keys that may stand in a section."""
    model: type[BaseModel] = File
    for part in path:
        if isinstance(part, int) or part not in model.model_fields:
            continue
        inner = _model_in(model.model_fields[part].annotation)
        if inner is not None:
            model = inner
    return list(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
