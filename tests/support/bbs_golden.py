r"""Golden transcripts of the board: what a caller types, when, and octet for octet what comes.

A line begins with ``>`` (keys), ``<`` (octets that came up to a line end) or ``@`` (seconds since CONNECT
when the board waits again). ``python tests/support/bbs_golden.py`` writes them anew; they are a record, read
by eye whenever they change.
"""

import os
import sys
import tempfile
import types
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "answer" / "bbs" / "golden"

CALLS: dict[str, tuple[str, bytes, list[bytes]]] = {
    "300": ("300", b"", [b"ALI\r", b"sesame\r", b"F", b"L", b"Q", b"?", b"W", b"G"]),
    "1200-narrow": ("1200/NONE", b"", [b"guest\r", b"SC40\r", b"QFL", b"QML", b"\x03QG"]),
    "2400-commodore": ("2400/NONE", b"\x14", [b"GUEST\r", b"M", b"R", b"QQ", b"G"]),
    "33600-ansi": (
        "33600/ARQ/V34/LAPM/V42BIS",
        b"\x1b[1;1R",
        [b"guest\r", b"N", b"Q", b"FDREADME.TXT\r\rQ", b"QG"],
    ),
}
"""By name: connect string, what the terminal answers to the cursor's report, and keys."""


def transcript(name: str, directory: Path) -> str:
    """Play a call and write it down.

    Args:
        name: Of the call.
        directory: An empty one.
    """
    from tests.support.bbs import World, settings

    from ansam.answer.bbs.board import Message

    connect, report, typed = CALLS[name]
    world = World(settings(directory))
    (directory / "texts" / "news.txt").write_bytes(b"News of @DATE@ for @USER@ at @BAUD@ bit/s.\n")
    (directory / "files" / "README.TXT").write_bytes(b"x" * 300)
    (directory / "files" / "FILES.BBS").write_bytes(b"README.TXT  Read this before you do anything else\n")
    os.utime(directory / "files" / "README.TXT", (1_780_000_000, 1_780_000_000))
    world.store.post(
        Message("general", "ali", "", "Hello", "First line\nM\u00fcnchen \u20ac", posted=1_785_000_000.0)
    )
    call = world.call(connect)
    began = world.now
    out: list[str] = []
    call.wait(0.5)
    if report:
        out += _typed(report)
    out += _came(bytes(call.screen) + call.types(report).encode("cp437"), world.now - began)
    for keys in typed:
        out += _typed(keys)
        out += _came(call.types(keys).encode("cp437"), world.now - began)
    return "\n".join(out) + "\n"


def _typed(keys: bytes) -> list[str]:
    return ["> " + _shown(keys)]


def _came(data: bytes, seconds: float) -> list[str]:
    end = b"\n" if b"\n" in data else b"\r"
    parts = data.split(end)
    lines = [part + end for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
    return ["< " + _shown(line) for line in lines] + [f"@ {seconds:.1f}"]


def _shown(data: bytes) -> str:
    return data.decode("latin-1").encode("unicode_escape").decode("ascii")


def main() -> None:
    """Write all of them."""
    tests = types.ModuleType("tests")
    tests.__path__ = [str(Path(__file__).parents[1])]
    sys.modules["tests"] = tests
    for name in CALLS:
        with tempfile.TemporaryDirectory() as directory:
            (GOLDEN / f"{name}.txt").write_text(transcript(name, Path(directory)))


if __name__ == "__main__":
    main()
