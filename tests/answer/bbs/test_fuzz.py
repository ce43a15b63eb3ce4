"""Callers who type anything: the board goes on, and nothing outside its areas is named."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.bbs import World
from tests.support.bbs import settings as board

from ansam.answer.bbs.settings import Door
from ansam.answer.events import RunCommand

WORDS = st.sampled_from(
    b"guest\r|new\r|ali\r|M|F|D|U|Z|\r|Q|*\r|../../etc/passwd\r|/S\r|P|R|1\r|\x1b[|\x14| |\x13|\x11|Y|C|S|"
    b"99999999999\r".split(b"|")
)
TYPED = st.lists(st.one_of(WORDS, st.binary(max_size=12)), max_size=40)


@settings(max_examples=60)
@given(TYPED, st.booleans(), st.sampled_from(["300", "33600/ARQ/V34", "", "0/x"]))
def test_any_keys(typed: list[bytes], files: bool, connect: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        world = World(board(directory, doors=(Door("game", ("prog", "%U")),)))
        (directory / "files" / "A.TXT").write_bytes(b"text")
        (directory / "secret").write_bytes(b"secret")
        (directory / "files" / "link").symlink_to(directory / "secret")
        call = world.call(connect, files=files)
        call.rest()
        for keys in typed:
            call.types(keys)
            if call.visit.state.name == "COMMAND":  # type: ignore[attr-defined]
                call.visit.command_ended(0)  # type: ignore[attr-defined]
        call.visit.carrier_lost()  # type: ignore[attr-defined]
        call.drain()
        assert call.over
        assert len(world.house) == 0
        for order in call.events:
            if isinstance(order, RunCommand) and order.argv[0] in ("sz", "sb", "sx"):
                assert order.argv[-1] == str(directory / "files" / "A.TXT")
        kept = {path.name for path in directory.iterdir()}
        assert kept == {"files", "texts", "work", "secret"}
