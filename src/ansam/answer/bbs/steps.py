"""What a dialogue waits for, and how its parts are typed."""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

_T = TypeVar("_T")


class Want(Enum):
    """What a dialogue waits for."""

    KEY = "a key, or the end of a wait"
    ROOM = "room for more output"
    QUIET = "all output to be taken"
    ANSWER = "io's answer"


Steps = Generator[Want, Any, _T]
"""A part of a dialogue; use it with ``yield from``."""


class Unavailable(Exception):
    """What was to be looked up can not be: the text says why."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended.

    Attributes:
        status: Exit status.
        trouble: Why it could not be started, or "".
        in_time: False where its time ran out.
    """

    status: int
    trouble: str = ""
    in_time: bool = True
