"""What `mgetty.config` and `login.config` share: their lines, and faults that name file, line and remedy."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ansam.errors import ConfigError

FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a file.

    Attributes:
        where: ``FILE:LINE``.
        text: What is wrong.
        remedy: What would be right, or "".
    """

    where: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" + (f" ({self.remedy})" if self.remedy else "")


class ConfigFaults(ConfigError):
    """All faults of one file, one line each.

    Args:
        faults: At least one.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        shown = [str(fault) for fault in faults[:FAULTS_SHOWN]]
        if len(faults) > FAULTS_SHOWN:
            shown.append(f"{faults[0].where.rpartition(':')[0]}: {len(faults) - FAULTS_SHOWN} more")
        super().__init__("\n".join(shown))
        self.faults = tuple(faults)


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield the lines that say something, with their numbers, as mgetty 1.2.1 reads them.

    A line that starts with ``#`` is a comment, and only there; a backslash at the end joins the next line
    on; blanks around a line do not count, and runs of them inside are one blank.

    Args:
        text: The whole file.

    Yields:
        Number of the first physical line, and the line.
    """
    joined, first = "", 0
    # Not splitlines(): only these two end a line for mgetty, and nothing else may move the numbers.
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        first = first or number
        if not joined and raw.lstrip().startswith("#"):
            first = 0
            continue
        if raw.endswith("\\"):
            joined += raw[:-1] + " "
            continue
        line = " ".join((joined + raw).split())
        if line:
            yield first, line
        joined, first = "", 0
    if line := " ".join(joined.split()):
        yield first, line


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a remedy that names the valid word nearest to a wrong one."""
    words = list(known)
    close = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(words)}"


def shown(text: str) -> str:
    """Return a text of the file so that it stands on one line of a message."""
    return "".join(mark if mark.isprintable() else " " for mark in text[:60])
