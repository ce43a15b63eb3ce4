"""The board's files on disk: nothing outside an area is reached, and descriptions of both kinds are read."""

import errno
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.bbs import settings

from ansam.errors import ResourceError
from ansam.io.bbs_descriptions import describe, read_list
from ansam.io.bbs_library import BbsLibrary


@pytest.fixture
def library(tmp_path: Path) -> BbsLibrary:
    made = BbsLibrary(settings(tmp_path))
    files = tmp_path / "files"
    (files / "GAME.ZIP").write_bytes(b"PK nonsense")
    (files / "a b.txt").write_bytes(b"x")
    (files / ".hidden").write_bytes(b"x")
    (files / "-rf").write_bytes(b"x")
    (files / "bad\x1b[2J").write_bytes(b"x")
    (files / "sub").mkdir()
    (files / "link").symlink_to("/etc/passwd")
    os.mkfifo(files / "fifo")
    (files / "files.bbs").write_bytes("GAME.ZIP  A gäme\r\n  + more\r\n\x1a".encode("cp437"))
    (files / "Descript.ion").write_bytes(b'"a b.txt" A text\x04\xc2\ngame.zip other\n')
    return made


def test_an_area_lists_its_plain_files(library: BbsLibrary) -> None:
    assert [(entry.name, entry.description) for entry in library.entries(0)] == [
        ("a b.txt", ("A text",)),
        ("GAME.ZIP", ("A gäme", "more")),
    ]


@pytest.mark.parametrize(
    "name", ["link", "fifo", "sub", "../secret", ".hidden", "-rf", "files.bbs", "", "/etc/passwd"]
)
def test_names_that_lead_nowhere(library: BbsLibrary, name: str) -> None:
    assert library.path(0, name) is None


@given(st.text(max_size=40))
def test_no_name_leads_out_of_an_area(name: str) -> None:
    library = BbsLibrary.__new__(BbsLibrary)
    library._areas = [Path("/etc")]
    path = library.path(0, name)
    assert path is None or os.path.dirname(os.path.realpath(path)) == "/etc"


def test_an_upload_is_taken_from_its_inbox_alone(library: BbsLibrary, tmp_path: Path) -> None:
    inbox = Path(library.inbox())
    assert inbox.stat().st_mode & 0o777 == 0o700
    (inbox / "x.zip").write_bytes(b"x")
    (inbox / "link").symlink_to("/etc/passwd")
    (inbox / "..zip").write_bytes(b"x")
    assert [entry.name for entry in library.received(str(inbox))] == ["..zip", "x.zip"]
    for name in ("link", "../../files/GAME.ZIP", "none"):
        with pytest.raises(ResourceError):
            library.accept(str(inbox), name, 0, ["text"], held=False)
    assert library.accept(str(inbox), "x.zip", 0, ["Text", "more"], held=False) == "x.zip"
    assert library.entries(0)[-1].description == ("Text", "more")
    library.discard(str(tmp_path / "files"))
    library.discard("/")
    library.discard(str(inbox))
    assert not inbox.exists()
    assert (tmp_path / "files" / "x.zip").exists()


@pytest.mark.parametrize("held", [False, True])
def test_an_upload_that_did_not_fit_leaves_nothing_and_may_come_again(
    library: BbsLibrary, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = library.inbox()
    (Path(inbox) / "x.zip").write_bytes(b"x" * 100)
    with monkeypatch.context() as short:
        short.setattr("shutil.copyfileobj", lambda old, new: (new.write(old.read(50)), full()))
        with pytest.raises(ResourceError, match=r"x\.zip can not be taken: No space left on device"):
            library.accept(inbox, "x.zip", 0, ["Text"], held)
    assert library.accept(inbox, "x.zip", 0, ["Text"], held) == "x.zip"


def test_a_list_that_can_not_be_written_is_not_the_callers_concern(
    library: BbsLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = library.inbox()
    (Path(inbox) / "x.zip").write_bytes(b"x")
    monkeypatch.setattr("ansam.io.bbs_library.describe", full)
    assert library.accept(inbox, "x.zip", 0, ["Text"], held=False) == "x.zip"
    assert (tmp_path / "files" / "x.zip").read_bytes() == b"x"
    (Path(inbox) / "x.zip").write_bytes(b"y")
    with pytest.raises(ResourceError, match="is there already"):
        library.accept(inbox, "x.zip", 0, ["Text"], held=False)
    assert (tmp_path / "files" / "x.zip").read_bytes() == b"x"


def test_archives_of_strangers(library: BbsLibrary, tmp_path: Path) -> None:
    files = tmp_path / "files"
    with zipfile.ZipFile(files / "good.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("file_id.diz", "First\r\n\r\nsecond\r\n" + "x" * 100_000)
    data = (files / "good.zip").read_bytes()
    (files / "cut.zip").write_bytes(data[:50])
    (files / "broken.zip").write_bytes(data[:45] + b"\xff" * 20 + data[65:])
    found = {entry.name: entry.description for entry in library.entries(0)}
    assert found["good.zip"][:2] == ("First", "second")
    assert found["cut.zip"] == ()
    assert isinstance(found["broken.zip"], tuple)


def test_a_node_has_its_drop_files(library: BbsLibrary) -> None:
    node = Path(library.node({"DOOR.SYS": b"x"}, "root" if os.geteuid() == 0 else ""))
    assert (node / "DOOR.SYS").read_bytes() == b"x"
    library.discard(str(node))
    assert not node.exists()


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("what", ["tempfile.mkdtemp", "pathlib.Path.write_bytes"])
def test_a_full_disk_is_named_and_nothing_left(
    library: BbsLibrary, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what, full)
    with pytest.raises(ResourceError, match=r"nodes: No space left on device"):
        library.node({"DOOR.SYS": b"x"}, "root")
    assert not any((tmp_path / "work" / "nodes").iterdir())
    if what == "tempfile.mkdtemp":
        with pytest.raises(ResourceError, match=r"uploads: No space left on device"):
            library.inbox()
    with pytest.raises(ResourceError, match=r"gone: No such file"):
        library.received(str(tmp_path / "gone"))


def test_an_account_that_is_not_there(
    library: BbsLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(ResourceError, match="no account 'no-such-user'"):
        library.node({}, "no-such-user")
    assert not any((tmp_path / "work" / "nodes").iterdir())


def test_what_an_old_call_left_is_removed(library: BbsLibrary, tmp_path: Path) -> None:
    old, new = Path(library.inbox()), Path(library.inbox())
    os.utime(old, (1e9, 1e9))
    BbsLibrary(settings(tmp_path))
    assert not old.exists()
    assert new.exists()


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"directory .*none of the board does not exist"):
        BbsLibrary(settings(tmp_path, texts=str(tmp_path / "none")))


@given(
    st.lists(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255), max_size=30), max_size=4)
)
def test_descriptions_come_back(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    directory = tmp_path_factory.mktemp("area")
    describe(directory, "X.ZIP", ["first", *lines])
    describe(directory, "Y.ZIP", ["second"])
    found = read_list(directory)
    assert found["x.zip"][0] == "first"
    assert found["y.zip"] == ("second",)
