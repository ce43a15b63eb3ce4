"""The command `ansam doctor`."""

import io
import json
import socket
from collections.abc import Iterator

import pytest
import structlog
from rich.console import Console

from ansam.cli.doctor import show
from ansam.cli.main import main
from ansam.codec import Law
from ansam.doctor import Examination, Media, diagnose


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def doctor(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["doctor", *words])
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


def test_a_clean_path_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = doctor(capsys, "sim:echo", "--seconds", "2", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["grade"] == "good"
    assert found["predicted"]["n"] == 16
    assert {"name", "value", "unit", "grade", "text", "remedies"} == set(found["items"][0])


def test_remarks_for_people_name_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = doctor(capsys, "sim:echo", "--seconds", "2", "--meddle", "transcode", "--snr", "34")
    assert code in (1, 4)
    text = " ".join(out.split())
    assert "AT&N" in text
    assert "octets" in text


def test_a_bad_path_is_4(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = doctor(capsys, "sim:echo", "--seconds", "2", "--meddle", "wrong-law")
    assert code == 4
    text = " ".join(out.split())
    assert "Preferred Codec" in text
    assert "pjsip.conf" in text


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["isdn:5"], 2, "isdn"),
        (["sip:06"], 2, "is nobody to call"),
        (["sim:fax"], 2, "choose sim:echo or sim:modem"),
        (["sim:echo", "--law", "linear"], 2, "choose alaw or ulaw"),
        (["sim:echo", "--seconds", "1"], 2, "choose 2 to 100"),
        (["sim:echo", "--loss", "2"], 2, "loss of 2"),
        (["tcp-listen:127.0.0.1:5000"], 2, "is nobody to call"),
        (["sip:06@a.example", "--line", "sip:07:x@b.example"], 2, "leave --line out"),
        (["sip:06@a.example;law=ulaw", "--line", "sip:07:x@a.example"], 2, "parameters beside --line"),
        (["sip:06@127.0.0.1", "-c", "/nonexistent.toml"], 2, "there is no such file"),
        (["sip:06@127.0.0.1:{port}"], 3, "06: "),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int, named: str
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    ended, out, err = doctor(capsys, *[word.format(port=port) for word in words])
    assert ended == code
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith("ansam: ")]
    assert len(lines) == 1
    assert named in lines[0]


def test_the_line_may_come_from_the_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ansam.cli.doctor import _destination

    file = tmp_path / "ansam.toml"
    file.write_text(
        '[[modem]]\nname = "m"\ndte = "pty:m"\nline = "sip:07:secret@192.0.2.1;playout=80"\n', "utf-8"
    )
    url, number = _destination("sip:06@192.0.2.1", "", file)
    assert (url.user, url.secret, number) == ("07", "secret", "06")
    code, _, err = doctor(capsys, "sip:06@192.0.2.9", "-c", str(file))
    assert code == 2
    assert "no modem is at 192.0.2.9:5060" in err
    monkeypatch.chdir(tmp_path)
    assert _destination("sip:06@192.0.2.1", "", None)[0].user == "07"
    assert _destination("sip:06@192.0.2.9", "", None)[0].user == "doctor"


def test_whom_it_calls_is_no_markup() -> None:
    out = io.StringIO()
    diagnosis = diagnose(Examination(Law.ALAW, 2.0, 1).findings(), Law.ALAW, Media(0.0, 0.0, playout_ms=0.0))
    show(diagnosis, "tcp:[fe80::1]:23", Console(file=out))
    assert out.getvalue().startswith("tcp:[fe80::1]:23: ")
