"""The recorded calls of ../shared/recordings and the truth in their README."""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "shared" / "recordings"


@dataclass(frozen=True)
class Truth:
    """One row of the README.

    Attributes:
        name: File.
        answering_channel: Where the answer tone is.
        tone: Its begin and end, s.
        depth: Of its amplitude modulation.
        cm: Octets.
        jm: Octets.
        jm_count: How many there are at least.
        info: INFO0, INFO1c, INFO1a sequences, echoes counted too.
        selection: What INFO1a selects, in the README's words.
    """

    name: str
    answering_channel: int
    tone: tuple[float, float]
    depth: float
    cm: bytes | None
    jm: bytes | None
    jm_count: int
    info: tuple[int, ...]
    selection: str


def truths() -> list[Truth]:
    """Return the rows; none where the recordings are absent."""
    if not FOLDER.exists():
        return []
    found = []
    for line in (FOLDER / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) < 10 or not cells[0].endswith(".wav"):
            continue
        tone = re.match(r"ch(\d) ([\d.]+)-([\d.]+) s .* AM ([\d.]+)", cells[5])
        assert tone
        menus = [re.match(r"ch\d (\d+)x `([^`]+)`", cell) for cell in cells[6:8]]
        cm, jm = (bytes.fromhex(menu.group(2)) if menu else None for menu in menus)
        count = int(menus[1].group(1)) if menus[1] else 0
        times = float(tone.group(2)), float(tone.group(3))
        info = tuple(int(n) for n in cells[8].split("/"))
        sent = float(tone.group(4)), cm, jm, count, info, cells[9]
        found.append(Truth(cells[0], int(tone.group(1)), times, *sent))
    return found
