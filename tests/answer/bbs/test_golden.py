"""The board's calls as they were read by eye: every octet, and the time at the line's rate."""

from pathlib import Path

import pyte
import pytest
from tests.support.bbs import World, settings
from tests.support.bbs_golden import CALLS, GOLDEN, transcript


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_call_goes_as_it_went(name: str, tmp_path: Path) -> None:
    assert transcript(name, tmp_path) == (GOLDEN / f"{name}.txt").read_text()


def test_a_terminal_shows_it(tmp_path: Path) -> None:
    """pyte answers the cursor's report itself, and shows the menu in colours."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "welcome.ans").write_bytes(b"\x1b[2J\x1b[3;10H\x1b[1;33;44m\xc9\xcd\xbb\x1b[0m\n")
    call = World(settings(tmp_path)).call("33600/ARQ")
    answers: list[bytes] = []
    screen = pyte.Screen(80, 24)
    screen.write_process_input = lambda data: answers.append(data.encode())
    stream = pyte.ByteStream(screen)
    stream.select_other_charset("@")
    stream.feed(call.wait(0.5))
    call.types(b"".join(answers))
    stream.feed(bytes(call.screen))
    assert screen.display[2][9:12] == b"\xc9\xcd\xbb".decode("latin-1")
    assert (screen.buffer[2][9].fg, screen.buffer[2][9].bg) == ("brown", "blue")
    for keys in (b"guest\r", b"F"):
        stream.feed(call.types(keys).encode("cp437"))
    assert screen.display[20].rstrip() == " L List files              N New files               S Search"
    assert screen.buffer[20][1].fg == "brown"
    assert screen.buffer[20][1].bold
    assert screen.buffer[20][3].fg == "default"
    assert screen.display[23].startswith("Files 60 min (? helps): ")
