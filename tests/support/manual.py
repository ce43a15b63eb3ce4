"""The tables of docs/howto/at-commands.md, made from those that commands are parsed by.

``python tests/support/manual.py`` writes them anew between the manual's markers.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from ansam.at.personalities import DEFAULT, load, names
from ansam.at.personality import Parameter, Personality

MANUAL = Path(__file__).parents[2] / "docs" / "howto" / "at-commands.md"

MARKER = re.compile(r"(<!-- table: (?P<name>[a-z0-9-]+) -->\n)(?P<table>.*?)(<!-- end -->)", re.DOTALL)


def tables() -> dict[str, str]:
    """Return every table of the manual by its name."""
    usr = load(DEFAULT)
    found = {
        "commands": _commands(usr, usr.commands),
        "extended": _rows(("Command", "Meaning"), ([f"`{n}`", m] for n, m in usr.extended.items())),
        "texts": _rows(
            ("Command", "Places", "Longest", "Meaning"),
            ([f"`{n}`", f"{t.count}", f"{t.limit}", _plain(t.meaning)] for n, t in usr.texts.items()),
        ),
        "registers": _registers(usr),
        "dial": _rows(("Mark", "Meaning"), ([f"`{m}`", _plain(t)] for m, t in usr.dial.items())),
        "makes": _rows(
            ("Name", "What it is", "Rates of `&N`", "Characters a line", "Profiles, numbers"),
            (_make(load(name)) for name in names()),
        ),
    }
    for name in names()[1:]:
        found[name] = _differences(load(name), usr)
    return found


def _plain(text: str) -> str:
    return text.replace("[no effect]", "(no effect)").replace("|", "\\|")


def _rows(head: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _values(row: Parameter) -> str:
    values = list(row.allowed)
    parts: list[str] = []
    start = 0
    for index in range(1, len(values) + 1):
        if index == len(values) or values[index] != values[index - 1] + 1:
            first, last = values[start], values[index - 1]
            between = "–" if last > first + 1 else ", "
            parts.append(f"{first}" if first == last else f"{first}{between}{last}")
            start = index
    return ", ".join(parts)


def _commands(personality: Personality, names: Iterable[str]) -> str:
    rows = []
    for name in names:
        row = personality.commands[name]
        default = f"{row.default}" if row.key else ""
        acts = "yes" if row.acts else "no"
        rows.append([f"`{name}`", _values(row), default, _plain(row.meaning), acts])
    return _rows(("Command", "Values", "Default", "Meaning", "Acts"), rows)


def _registers(personality: Personality) -> str:
    rows = []
    for number, register in personality.registers.items():
        acts = f"bits {register.part}" if register.part else "yes" if register.acts else "no"
        rows.append([f"S{number}", f"{register.default}", _plain(register.meaning), acts])
    return _rows(("Register", "Default", "Meaning", "Acts"), rows)


def _make(personality: Personality) -> list[str]:
    return [
        f"`{personality.name}`",
        personality.description,
        f"to {max(personality.rates)} bit/s",
        f"{personality.line_limit}",
        f"{personality.profiles}, {personality.stored_numbers}",
    ]


def _differences(personality: Personality, usr: Personality) -> str:
    changed = [name for name, row in personality.commands.items() if usr.commands.get(name) != row]
    missing = [f"`{name}`" for name in usr.commands if name not in personality.commands]
    kept = {*personality.texts, *personality.extended}
    missing += [f"`{name}`" for name in (*usr.texts, *usr.extended) if name not in kept]
    text = _commands(personality, changed) if changed else ""
    return text + (f"\nThere is no {', '.join(missing)}.\n" if missing else "")


def main() -> None:
    """Write the manual's tables anew."""
    made = tables()
    text = MANUAL.read_text()
    MANUAL.write_text(MARKER.sub(lambda m: m[1] + made[m["name"]] + m[4], text))


if __name__ == "__main__":
    main()
