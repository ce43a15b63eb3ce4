"""Where in a TOML file a key stands.

Python's parser keeps no line numbers, and a message without one sends a person searching. Only text that the
parser has accepted is read here, so that the scan can be short: it looks at headers and at the keys in front
of ``=``, and steps over strings and arrays that go on for several lines.
"""

import re
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""As pydantic writes it: ``("extension", 1, "number")`` is the second extension's number."""

_PART = r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'"""
_KEY = rf"(?:{_PART})(?:\s*\.\s*(?:{_PART}))*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_KEY})\s*\]\]?\s*(?:#.*)?")
_ASSIGNMENT = re.compile(rf"\s*({_KEY})\s*=")
_TOKEN = re.compile(
    r'''"""|\'\'\'|"(?:[^"\\]|\\.)*"|'[^']*'|#.*|[\[\]{}]''',
)


@dataclass(frozen=True, slots=True)
class Block:
    """A header and the lines under it.

    Attributes:
        path: Of the table.
        first: Line of the header, counted from 0.
        last: The line after its last one; what stands directly in front of the next header is not its own.
    """

    path: Path
    first: int
    last: int


class Places:
    """Line numbers of the keys of a TOML text.

    Args:
        text: TOML that parses.

    Attributes:
        lines: Without their LF; with CR where a line ends with CRLF.
    """

    def __init__(self, text: str) -> None:
        # Not `splitlines`: LF and CRLF alone end a line of TOML. The CR stays with its line.
        self.lines = text.removesuffix("\n").split("\n") if text else []
        self._found: dict[Path, int] = {}
        self._headers: list[tuple[Path, int]] = []
        self._counts: dict[Path, int] = {}
        self._scan()

    @property
    def carriage_return(self) -> str:
        """What a new line ends with before its LF, as the first one does: CR or nothing."""
        return "\r" if self.lines and self.lines[0].endswith("\r") else ""

    def line(self, path: Path) -> int | None:
        """Return the line (from 1) of a key, or of the nearest table around it; None for the whole file."""
        while path:
            if path in self._found:
                return self._found[path] + 1
            path = path[:-1]
        return None

    def blocks(self) -> list[Block]:
        """Return all headers with the lines under them, in order."""
        ends = [line for _, line in self._headers[1:]] + [len(self.lines)]
        blocks = []
        for (path, first), end in zip(self._headers, ends, strict=True):
            last = end
            while last > first + 1 and re.fullmatch(r"\s*(#.*)?", self.lines[last - 1]):
                last -= 1
            blocks.append(Block(path, first, last))
        return blocks

    def _scan(self) -> None:
        table: Path = ()
        closing, depth = "", 0
        for number, line in enumerate(self.lines):
            if not closing and depth == 0:
                header, assignment = _HEADER.fullmatch(line), _ASSIGNMENT.match(line)
                if header:
                    table = self._enter(header[1], header[2], number)
                    continue
                if assignment:
                    path = table + _parts(assignment[1])
                    for end in range(len(table) + 1, len(path) + 1):
                        self._found.setdefault(path[:end], number)
            closing, depth = _skip(line, closing, depth)

    def _enter(self, bracket: str, key: str, number: int) -> Path:
        """Take a header; return the path of its table, with the index of every array on the way."""
        path: Path = ()
        parts = _parts(key)
        for index, part in enumerate(parts):
            path += (part,)
            if index == len(parts) - 1 and bracket == "[[":
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                self._found.setdefault(path, number)
                path += (self._counts[path],)
            self._found.setdefault(path, number)
        self._headers.append((path, number))
        return path


def _parts(key: str) -> Path:
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))


def _skip(line: str, closing: str, depth: int) -> tuple[str, int]:
    """Step over one line; return the delimiter of a string that goes on, and the depth of open brackets."""
    position = 0
    while True:
        if closing:
            end = _end_of_string(line, position, closing)
            if end < 0:
                return closing, depth
            closing, position = "", end
        token = _TOKEN.search(line, position)
        if token is None:
            return "", depth
        position = token.end()
        text = token.group()
        if text in ('"""', "'''"):
            closing = text
        elif text in "[{":
            depth += 1
        elif text in "]}":
            depth -= 1


def _end_of_string(line: str, position: int, closing: str) -> int:
    """Return the position after the end of a multi-line string, or -1 where it does not end on this line."""
    while position < len(line):
        if line[position] == "\\" and closing == '"""':
            position += 2
        elif line.startswith(closing, position):
            end = position + 3
            # Up to two quotes may stand directly before the delimiter (TOML 1.0 "String").
            while end < position + 5 and line[end : end + 1] == closing[0]:
                end += 1
            return end
        else:
            position += 1
    return -1
