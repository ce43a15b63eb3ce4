"""`ansam phonebook` as a person uses it."""

from pathlib import Path

import pytest

from ansam.cli.main import main


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["phonebook", *arguments])
    return int(ended.value.code or 0)


def test_a_book_from_the_first_number_to_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    book = str(tmp_path / "book.toml")
    assert run("add", "5551234", "ssh://joe:secret@bbs.example.org", "--rate", "2400", "-b", book) == 0
    (tmp_path / "list").write_text("-n42=c64.example:6400 -n ci1=a.example:1\n")
    assert run("import", str(tmp_path / "list"), "-b", book) == 0
    assert "2 numbers written" in capsys.readouterr().out
    assert run("list", "-b", book) == 0
    shown = capsys.readouterr().out
    assert "ssh://joe@bbs.example.org:22" in shown
    assert "secret" not in shown
    assert "c64.example:6400" in shown
    assert (tmp_path / "book.toml").stat().st_mode & 0o777 == 0o600
    assert run("remove", "42", "-b", book) == 0
    capsys.readouterr()
    assert run("list", "-b", book) == 0
    assert "c64" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["list"], "there is no such file"),
        (["add", "one", "a:1"], "'one' is no number"),
        (["add", "1", "nowhere:0"], "no HOST:PORT"),
        (["remove", "1"], "there is no such file"),
        (["import", "/nonexistent/list"], "No such file"),
    ],
)
def test_faults_are_one_line(
    arguments: list[str], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments, "--book", str(tmp_path / "none.toml")) == 2
    error = capsys.readouterr().err
    assert error.startswith("ansam: ")
    assert text in error
    assert error.count("\n") == 1


def test_a_number_is_not_added_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = str(tmp_path / "book.toml")
    assert run("add", "1", "a:1", "-b", book) == 0
    assert run("add", "1", "b:1", "-b", book) == 2
    assert "ansam phonebook remove 1" in capsys.readouterr().err


def test_nothing_in_a_book_is_markup(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    book = str(tmp_path / "book.toml")
    words = ("--name", "x [/closed]", "--notes", "[red]y")
    assert run("add", "1", "tcp://[fe80::1]:23", *words, "-b", book) == 0
    assert run("list", "-b", book) == 0
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("[fe80::1]:23", "x [/closed]", "[red]y"))
