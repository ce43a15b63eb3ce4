"""The file section and the file server, with real directories."""

import os
import zipfile
from pathlib import Path

import pytest
from tests.support.bbs import Call, World, settings

from ansam.answer.bbs.files import clean_name
from ansam.answer.bbs.settings import FileArea
from ansam.answer.events import RunCommand

LONG = "A text that says everything there is to say about this file and goes on when all is said"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(settings(tmp_path, detect_ansi=False))
    files = tmp_path / "files"
    for name, size in (("GAME.ZIP", 2000), ("README.TXT", 300), ("big.bin", 40_000_000)):
        with (files / name).open("wb") as file:
            file.truncate(size)
        os.utime(files / name, (1_780_000_000, 1_780_000_000))
    (files / "FILES.BBS").write_text(f"GAME.ZIP  {LONG}\n   | second line\nREADME.TXT Read me\n")
    return world


def server(world: World, connect: str = "2400/NONE") -> Call:
    call = world.call(connect, files=True)
    call.rest()
    return call


def orders(call: Call) -> list[RunCommand]:
    return [event for event in call.events if isinstance(event, RunCommand)]


def test_a_list_has_names_sizes_dates_and_descriptions(world: World) -> None:
    call = world.call()
    call.log_on()
    seen = call.types("FL")
    assert (
        "big.bin           38M 28 May 26\r\n"
        "GAME.ZIP         2000 28 May 26  A text that says everything there is to say\r\n"
        "                                 about this file and goes on when all is said\r\n"
        "                                 second line\r\n"
        "README.TXT        300 28 May 26  Read me\r\n"
    ) in seen


def test_a_narrow_screen_gets_its_lines(world: World) -> None:
    call = world.call("300")
    call.log_on("new")
    for answer in ("Bob\r", "secret\r", "secret\r", "4"):
        call.types(answer)
    seen = call.types("FL")
    assert max(len(line) for line in seen.splitlines()) < 40
    assert "GAME.ZIP 2000\r\n  A text that says everything there is\r\n" in seen


def test_searching_and_new_files(world: World, tmp_path: Path) -> None:
    call = world.call()
    call.log_on()
    assert "README.TXT" in call.types("FSread ME\r")
    assert "There are none." in call.types("Snothing\r")
    call.types("QG")
    os.utime(
        tmp_path / "files" / "README.TXT", (world.clock().timestamp() + 60, world.clock().timestamp() + 60)
    )
    again = world.call()
    again.log_on()
    seen = again.types("FN")
    assert "README.TXT" in seen
    assert "GAME.ZIP" not in seen


@pytest.mark.parametrize(
    ("key", "connect", "program"),
    [
        ("Z", "2400/ARQ", ("sz", "-b", "-q", "-w", "2400", "--")),
        ("Z", "300", ("sz", "-b", "-q", "-w", "1024", "-t", "600", "--")),
        ("Y", "2400/NONE", ("sb", "-b", "-q", "-k", "--")),
        ("G", "2400/ARQ", ("sb", "-b", "-q", "-k", "--")),
        ("1", "2400/NONE", ("sx", "-b", "-q", "-k", "--")),
        ("X", "2400/NONE", ("sx", "-b", "-q", "--")),
    ],
)
def test_each_protocol_has_its_program(
    world: World, key: str, connect: str, program: tuple[str, ...]
) -> None:
    call = server(world, connect)
    call.types(f"Dgame.*\r\r{key}")
    assert [order.argv[:-1] for order in orders(call)] == [program]
    assert orders(call)[0].pipes
    call.visit.command_ended(0)  # type: ignore[attr-defined]
    assert "The transfer is complete." in call.rest().decode()


def test_a_program_that_is_missing_is_named(world: World) -> None:
    call = server(world)
    call.types("Dgame.zip\r\rZ")
    call.visit.command_ended(127, "sz is not installed")  # type: ignore[attr-defined]
    assert "That does not work here: sz is not installed." in call.rest().decode()
    assert "README.TXT" in call.types("L")


def test_streaming_needs_error_control(world: World) -> None:
    call = server(world, "2400/NONE")
    assert "YMODEM-g" not in call.types("Dgame.zip\r\r")
    call.types("G")
    assert orders(call) == []


def test_a_batch(world: World, tmp_path: Path) -> None:
    call = server(world)
    assert "There is no nothing." in call.types("D../x\rnothing\r")
    call.types("*.zip\rREADME.TXT\r")
    assert "2 files, 2300, about 11 s." in call.types("\rZ")
    names = [os.path.basename(path) for path in orders(call)[0].argv[-2:]]
    assert names == ["GAME.ZIP", "README.TXT"]


def test_what_takes_longer_than_there_is_time_is_refused(world: World) -> None:
    call = world.call()
    call.log_on()
    assert "You have not that much time left." in call.types("FDbig.bin\r\rZ")
    assert orders(call) == []


def upload(call: Call, name: str, data: bytes, key: str = "Z") -> str:
    """Upload a file; return what is said afterwards."""

    def arrive(order: RunCommand) -> None:
        (Path(order.directory) / (name or order.argv[-1])).write_bytes(data)

    call.on_command = arrive
    call.types(f"U{key}")
    if key == "X":
        call.types("../.x y.bin\r")
    call.visit.command_ended(0)  # type: ignore[attr-defined]
    return call.rest().decode()


def test_an_upload_waits_for_the_sysop(world: World, tmp_path: Path) -> None:
    call = world.call()
    call.log_on()
    call.types("F")
    assert "New Game!.zip, 5" in upload(call, "New Game!.zip", b"data!")
    assert "Thank you for New_Game_.zip. The sysop will look at it." in call.types("A game\r\r")
    held = tmp_path / "work" / "held" / "files"
    assert (held / "New_Game_.zip").read_bytes() == b"data!"
    assert "A game\n             | Uploaded by guest\n" in (held / "FILES.BBS").read_text()
    assert not (tmp_path / "files" / "New_Game_.zip").exists()
    assert list((tmp_path / "work" / "uploads").iterdir()) == []
    assert world.store.account("guest").uploads == 1  # type: ignore[union-attr]


def test_an_upload_may_not_replace_a_file(tmp_path: Path) -> None:
    area = FileArea("files", str(tmp_path / "files"), "Files", "yes")
    world = World(settings(tmp_path, detect_ansi=False, files=(area,)))
    (tmp_path / "files" / "GAME.ZIP").write_bytes(b"old")
    call = server(world)
    upload(call, "GAME.ZIP", b"new")
    assert "GAME.ZIP is there already." in call.types("x\r\r")
    upload(call, "FILES.BBS", b"x")
    assert "FILES.BBS can not be taken." in call.types("x\r\r")
    assert (tmp_path / "files" / "GAME.ZIP").read_bytes() == b"old"


def test_a_name_that_is_typed_is_cleaned(world: World) -> None:
    call = world.call()
    call.log_on()
    call.types("F")
    assert "x_y.bin" in upload(call, "", b"x", "X")
    assert orders(call)[0].argv == ("rx", "-b", "-q", "-c", "--", "x_y.bin")


def test_an_archive_describes_itself(world: World, tmp_path: Path) -> None:
    call = world.call()
    call.log_on()
    call.types("F")
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("FILE_ID.DIZ", "Best game\x1b[2J ever\r\nby us\r\n")
    upload(call, "A.ZIP", path.read_bytes())
    call.types("\r")
    assert "A.ZIP        Best game[2J ever\n" in (tmp_path / "work/held/files/FILES.BBS").read_text()


def test_a_file_server_is_read_only_where_it_is_not_said_otherwise(tmp_path: Path) -> None:
    area = FileArea("files", str(tmp_path / "files"), "Files")
    world = World(settings(tmp_path, files=(area,)))
    call = server(world)
    assert "Upload" not in call.screen.decode()
    call.types("U")
    assert orders(call) == []
    assert "Goodbye." in call.types("Q")
    assert call.over


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\DOS\\X.COM", "X.COM"),
        (".profile", "profile"),
        ("-rf", "rf"),
        ("a b\x00c\x1b.zip", "a_b_c_.zip"),
        ("..", ""),
        ("Ünïcode.txt", "n_code.txt"),
        ("x" * 200, "x" * 64),
    ],
)
def test_clean_names(name: str, clean: str) -> None:
    assert clean_name(name) == clean
