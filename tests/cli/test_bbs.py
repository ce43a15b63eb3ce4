"""The board on the command line: its users, and what answers a line."""

import io
from pathlib import Path

import pytest

from ansam.answer.bbs.board import Account
from ansam.answer.bbs.main import BbsService, FileService
from ansam.answer.house import House
from ansam.answer.service_url import BoardService, FilesService, LoginService, parse_service
from ansam.answer.users import Bbs, User, UserBook
from ansam.cli.answer_place import answering_place
from ansam.cli.answer_services import Services
from ansam.cli.main import main
from ansam.config import Config, load, parse
from ansam.config.bbs import BbsConfig
from ansam.config.problems import ConfigProblems
from ansam.errors import ConfigError
from ansam.io.bbs_store import BbsStore

BOARD = '[bbs]\nname = "B"\ndatabase = "b.sqlite"\nwork = "work"\n'


def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.stdin", io.StringIO("geheim\n"))
    with pytest.raises(SystemExit) as end:
        main(list(words))
    out = capsys.readouterr()
    return int(end.value.code or 0), out.out, out.err


def test_users_of_the_board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    Path("ansam.toml").write_text(BOARD)
    Path("ansam.toml").chmod(0o600)
    code, _, said = shell(capsys, monkeypatch, "user", "approve", "bob")
    assert (code, "there is no board, or nobody has called it" in said) == (2, True)
    assert not Path("b.sqlite").exists()
    store = BbsStore("b.sqlite")
    store.create(Account("Bob", "$argon2id$x", approved=False))
    assert shell(capsys, monkeypatch, "user", "add", "ali", "--bbs")[0] == 0
    assert load("ansam.toml").users[0].entry == Bbs()
    _, listed, _ = shell(capsys, monkeypatch, "user", "list")
    assert "waits for approve" in listed
    assert shell(capsys, monkeypatch, "user", "approve", "BOB")[0] == 0
    assert store.account("bob").approved  # type: ignore[union-attr]
    assert shell(capsys, monkeypatch, "user", "remove", "bob")[1] == "user bob removed from the board\n"
    code, _, said = shell(capsys, monkeypatch, "user", "remove", "bob")
    assert (code, said.count("\n")) == (2, 1)
    store.close()


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("login", LoginService()),
        ("bbs", BoardService()),
        ("files:/srv", FilesService("/srv")),
        ("files:a b;uploads=held", FilesService("a b", "held")),
    ],
)
def test_services(text: str, service: object) -> None:
    assert parse_service(text) == service


@pytest.mark.parametrize("text", ["", "nonsense", "files:", "files:/x;uploads=maybe", "login:x"])
def test_services_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="service"):
        parse_service(text)


def test_a_place_gets_its_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = BbsStore("run/bbs.sqlite")
    store.create(Account("Bob", "$argon2id$x"))
    store.create(Account("Eve", "$argon2id$x", approved=False))
    store.close()
    services = Services(BbsConfig())
    place = answering_place(Config(), "ttyUSB0", others=True)
    board = services.at(place, BoardService())
    assert isinstance(board.service, BbsService)
    assert board.users.find("Bob") == User("Bob", "$argon2id$x", Bbs())
    assert board.users.find("Eve") is None
    login = services.at(answering_place(Config(), "ttyUSB1", guest=True), LoginService())
    assert login.service is None
    assert login.bbs is board.bbs
    assert isinstance(services.at(place, FilesService(str(tmp_path))).service, FileService)
    assert isinstance(place.users, UserBook)
    assert isinstance(place.house, House)


def test_the_sections_of_a_board() -> None:
    config = parse(
        BOARD
        + "upload_kilobytes = 2\nnew_users = 'sysop'\nsysops = ['ali']\n"
        + "[[bbs_area]]\nname = 'one'\nsysop_only = true\n"
        + "[[bbs_files]]\nname = 'f'\npath = '/srv'\nuploads = 'held'\n"
        + "[[bbs_door]]\nname = 'd'\ncommand = ['/bin/door', '%D']\nminutes = 5\n"
        + "[[user]]\nname = 'ali'\nentry = 'bbs'\n"
    )
    assert config.bbs is not None
    made = config.bbs.settings
    assert (made.upload_limit, made.new_users.value, made.is_sysop("ALI")) == (2048, "sysop", True)
    assert [area.name for area in made.messages] == ["one"]
    assert (made.files[0].uploads, made.doors[0].minutes) == ("held", 5)
    assert config.users[0].entry == Bbs()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[bbs_area]]\nname = 'x'\n", "a.toml:1: [[bbs_area]] without a board (add a section [bbs])"),
        (
            "[bbs]\n[[bbs_area]]\nname = 'mail'\n",
            "a.toml:2: [[bbs_area]] 1 message area 'mail' (use 1 to 16 of A-Z a-z 0-9 _ -, and not 'mail')",
        ),
        (
            "[bbs]\n[[bbs_files]]\nname = 'x'\npath = ''\n",
            "a.toml:2: [[bbs_files]] 1 file area 'x' has no path",
        ),
        ("[bbs]\nsysopp = 'x'\n", "a.toml:2: [bbs] unknown key 'sysopp'"),
        (
            "[[modem]]\nname = 'm'\nline = 'sip:05:x@h'\ndte = 'answer:disco'\n",
            'a.toml:4: [[modem]] 1 dte: service "disco" is not known (there are login, bbs, ',
        ),
    ],
)
def test_faults(text: str, line: str) -> None:
    with pytest.raises(ConfigProblems) as caught:
        parse(text, "a.toml")
    assert str(caught.value).startswith(line)


def test_a_modem_that_serves_the_board_needs_no_section() -> None:
    modem = "[[modem]]\nname = '{0}'\nline = 'sip:05:x@h'\ndte = 'answer:bbs'\n"
    assert parse(modem.format("a") + modem.format("b")).bbs == BbsConfig()
