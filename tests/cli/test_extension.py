"""`ansam extension`, `ansam user`, `ansam config`, `ansam calls` as a person types them."""

import csv
import io
import json
from pathlib import Path

import pytest

from ansam.cli.main import main
from ansam.config import load
from ansam.io.answer_passwords import verify
from ansam.io.exchange_store import Batch, ExchangeStore
from ansam.pbx.records import CallRecord, Carried, Cause


class Shell:
    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *words: str, typed: str = "") -> tuple[int, str, str]:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as end:
            main(list(words))
        out = self._capsys.readouterr()
        return int(end.value.code or 0), out.out, out.err


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    Path("ansam.toml").write_text('[exchange]\ndatabase = "calls.sqlite"\n')
    Path("ansam.toml").chmod(0o600)
    return Shell(capsys, monkeypatch)


def test_extensions_come_and_go(shell: Shell) -> None:
    code, out, _ = shell("extension", "add", "05", "--name", "Dial-up")
    assert code == 0
    extension = load("ansam.toml").extensions[0]
    assert (extension.number, extension.name) == ("05", "Dial-up")
    assert len(extension.secret) == 16
    assert extension.secret in out
    code, out, _ = shell("extension", "add", "07", "--ask-secret", typed="hush\n")
    assert "hush" not in out
    assert load("ansam.toml").extensions[1].secret == "hush"
    code, out, _ = shell("extension", "list")
    assert "05" in out
    assert "hush" not in out
    assert shell("extension", "remove", "05")[0] == 0
    assert [extension.number for extension in load("ansam.toml").extensions] == ["07"]


@pytest.mark.parametrize(
    ("words", "typed", "text"),
    [
        (("extension", "add", "0 5"), "", "extension number '0 5'"),
        (("extension", "add", "05", "--ask-secret"), "", "standard input holds no secret"),
        (("extension", "remove", "05"), "", "ansam.toml: extension 05 is not there (there is none)"),
        (("user", "remove", "dirk"), "", "ansam.toml: user dirk is not there (there is none)"),
        (("user", "add", "a b"), "", "user name 'a b'"),
        (("user", "add", "a", "--bridge", "bbs"), "", "--bridge bbs (name a host"),
        (("user", "add", "a", "--bridge", "telnet:"), "", 'service "telnet:" names no host'),
        (("user", "add", "a", "--bbs", "/bin/date"), "", "--bbs, --bridge and a program"),
        (("user", "add", "a", "-c", "none.toml"), "", "none.toml: there is no such file"),
        (("calls",), "", "database calls.sqlite is not there (`ansam serve` makes it)"),
    ],
)
def test_errors_are_one_line(shell: Shell, words: tuple[str, ...], typed: str, text: str) -> None:
    code, _, err = shell(*words, typed=typed)
    assert code in (2, 3)
    assert err.startswith(f"ansam: {text}")
    assert err.count("\n") == 1


def test_what_is_there_is_not_added_again(shell: Shell) -> None:
    for words in (("extension", "add", "05"), ("user", "add", "dirk", "--no-password")):
        assert shell(*words)[0] == 0
        code, _, err = shell(*words)
        assert code == 2
        assert "is there already" in err


def test_users_come_and_go(shell: Shell) -> None:
    assert shell("user", "add", "dirk", typed="geheim\n")[0] == 0
    assert shell("user", "add", "now", "--no-password", "--", "/bin/date", "-u")[0] == 0
    dirk, now = load("ansam.toml").users
    assert verify(dirk.password_hash, b"geheim")
    assert now.password_hash == ""
    assert "geheim" not in Path("ansam.toml").read_text()
    _, out, _ = shell("user", "list")
    assert "/bin/date -u" in out
    assert shell("user", "remove", "dirk")[0] == 0
    assert [user.name for user in load("ansam.toml").users] == ["now"]
    assert shell("user", "add", "eve", "--no-password", "--bridge", "telnet:127.0.0.1:2323;hold=60")[0] == 0
    assert "telnet: 127.0.0.1 port 2323" in shell("user", "list")[1]


def test_config_check_and_example(shell: Shell) -> None:
    code, out, err = shell("config", "check")
    assert (code, err) == (0, "")
    assert out == "ansam.toml: OK (exchange, 0 extensions, 0 modems, 0 users)\n"
    _, example, _ = shell("config", "example")
    Path("full.toml").write_text(example)
    Path("full.toml").chmod(0o644)
    code, out, err = shell("config", "check", "full.toml")
    assert "2 extensions, 2 modems, 1 users" in out
    assert "chmod 600" in err
    Path("bad.toml").write_text("[exchange]\nrealn = 'x'\nmedia = 1\n")
    code, out, err = shell("config", "check", "bad.toml")
    assert code == 2
    assert err.splitlines() == [
        "ansam: bad.toml:2: [exchange] unknown key 'realn' (did you mean 'realm'?)",
        'bad.toml:3: [exchange] media = 1 must be "direct" or "relay"',
    ]


def test_calls_are_listed(shell: Shell) -> None:
    store = ExchangeStore("calls.sqlite")
    records = [
        CallRecord("07", "05", 10.0, 12.0, 42.0, Cause.CALLER_HUNG_UP, 200),
        CallRecord("07", "99", 50.0, None, 50.0, Cause.UNKNOWN_NUMBER, 404),
    ]
    store.write(Batch(records=list(records)))
    store.close()
    _, out, _ = shell("calls")
    assert "unknown number" in out
    _, out, _ = shell("calls", "--json")
    first, second = json.loads(out)
    assert (first["caller"], first["callee"], first["seconds"], first["status"]) == ("07", "05", 30.0, 200)
    assert (second["cause"], second["answered"]) == ("unknown number", None)
    _, out, _ = shell("calls", "--json", "-n", "1")
    assert len(json.loads(out)) == 1


def test_calls_say_who_answered_what_was_lost_and_why(shell: Shell) -> None:
    store = ExchangeStore("calls.sqlite")
    told = 'SIP;cause=16;text="[red]done\x1b"'
    record = CallRecord(
        *("07", "50", 10.0, 12.0, 42.0, Cause.CALLEE_HUNG_UP, 200, told, "05"),
        *(Carried(1500, 3), Carried(1499, 0)),
        trunk="provider",
        caller_modem={"modulation": "V.34", "rate_rx": 33600, "rate_tx": 31200, "retrains": 2},
    )
    store.write(Batch(records=[record]))
    store.close()
    _, out, _ = shell("calls", "--csv")
    (row,) = csv.DictReader(out.splitlines())
    assert (row["answered_by"], row["caller_lost"], row["callee_packets"]) == ("05", "3", "1499")
    assert (row["trunk"], row["caller_modem_rate_rx"], row["callee_modem_rate_rx"]) == (
        "provider",
        "33600",
        "",
    )
    _, out, _ = shell("calls", "--json")
    (call,) = json.loads(out)
    assert (call["reason"], call["callee_modem"]) == (told, {})
    assert call["caller_modem"] == record.caller_modem
    _, out, _ = shell("calls")
    assert "\x1b" not in out
    assert "50 → 05" in out
    assert "V.34 31200/33600 2r" in out
    assert "3/0" in out


def test_no_name_is_markup(shell: Shell) -> None:
    assert shell("extension", "add", "05", "--name", "x [/closed]")[0] == 0
    assert "x [/closed]" in shell("extension", "list")[1]
    assert shell("user", "add", "bob", "--no-password", "--bridge", "telnet:[fe80::1]:23")[0] == 0
    assert shell("user", "add", "eve", "--no-password", "/bin/echo", "[/closed]")[0] == 0
    code, out, _ = shell("user", "list")
    assert code == 0
    assert "/bin/echo [/closed]" in out
