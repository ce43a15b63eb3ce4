"""`ansam adaptor` as a person types it."""

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ansam.cli.main import main

CONFIG = """
[exchange]
listen = ["udp:192.0.2.1:5070", "tcp:127.0.0.1:5060"]
[[extension]]
number = "05"
secret = "a&b<c"
name = "Dial-up"
"""


class Shell:
    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *words: str, typed: str = "") -> tuple[int, str, str]:
        self._monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as end:
            main(["adaptor", *words])
        out = self._capsys.readouterr()
        return int(end.value.code or 0), out.out, out.err


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    Path("ansam.toml").write_text(CONFIG)
    return Shell(capsys, monkeypatch)


def test_a_profile_passes_its_own_check(shell: Shell) -> None:
    code, out, err = shell("config", "05", "--line", "2", "--model", "spa2102")
    assert (code, err) == (0, "")
    found = {element.tag: element.text for element in ET.fromstring(out.encode())}
    assert (found["Password_2_"], found["Proxy_2_"]) == ("a&b<c", "192.0.2.1:5070")
    Path("spa.xml").write_text(out)
    code, out, _ = shell("check", "spa.xml", "--model", "spa2102")
    assert code == 0
    assert "nothing breaks modems" in out
    assert "a&b" not in out


def test_what_breaks_modems_is_told(shell: Shell) -> None:
    Path("a.txt").write_text("Preferred Codec: G711u\nFAX Passthru Method: NSE\nPassword: hush\n")
    code, out, _ = shell("check", "a.txt")
    assert code == 4
    assert "2 settings break modems" in out
    assert "Line 1" in out
    assert "hush" not in out
    code, out, _ = shell("check", "a.txt", "--json", "--law", "ulaw")
    assert code == 4
    (wrong,) = json.loads(out)["wrong"]
    assert (wrong["tag"], wrong["present"], wrong["wanted"]) == ("FAX_Passthru_Method_1_", "NSE", "None")
    Path("a.txt").write_text("Preferred Codec: G711a\n")
    code, out, _ = shell("check", "a.txt")
    assert code == 1
    assert "Line 1 > Use Pref Codec Only" in out


@pytest.mark.parametrize(
    ("system", "texts"),
    [
        ("asterisk", ["[05]", "allow = alaw", "t38_udptl = no", "fax_detect = no", "password = a&b<c"]),
        ("freeswitch", ['<user id="05">', 'value="a&amp;b&lt;c"', 'value="PCMA"']),
        ("3cx", ["PBX delivers audio", "G.711 A-law alone", "a&b<c"]),
        ("kamailio", ["listen=udp:192.0.2.1:5070", '$sht(secrets=>05) = "a&b<c"']),
    ],
)
def test_snippets(shell: Shell, system: str, texts: list[str]) -> None:
    code, out, err = shell("snippet", system, "05")
    assert (code, err) == (0, "")
    for text in texts:
        assert text in out
    if system == "freeswitch":
        ET.fromstring(out)


def test_an_extension_of_another_exchange(shell: Shell) -> None:
    code, out, _ = shell(
        "snippet", "baresip", "09", "--ask-secret", "--host", "h", "--law", "ulaw", typed="x;\n"
    )
    assert code == 2
    code, out, _ = shell(
        "snippet", "baresip", "09", "--ask-secret", "--host", "h", "--law", "ulaw", typed="x\n"
    )
    assert code == 0
    assert out.splitlines()[-1].startswith("<sip:09@h:5060>;auth_user=09;auth_pass=x;audio_codecs=pcmu;")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("config", "06"), "ansam.toml: extension 06 is not there"),
        (("config", "05", "--model", "spa3102", "--line", "2"), "spa3102 has no line 2"),
        (("check", "none.xml"), "none.xml: no such file or directory"),
        (("check", "ansam.toml"), "ansam.toml: no setting of a PAP2T"),
        (("snippet", "baresip", "05"), "the secret of extension 05 can not be written"),
    ],
)
def test_errors_are_one_line(shell: Shell, words: tuple[str, ...], text: str) -> None:
    code, _, err = shell(*words)
    assert code == 2
    assert err.startswith(f"ansam: {text}")
    assert err.count("\n") == 1


def test_no_address_for_an_adaptor(shell: Shell) -> None:
    Path("ansam.toml").write_text(CONFIG.replace("192.0.2.1", "127.0.0.1"))
    code, _, err = shell("config", "05")
    assert code == 2
    assert "give --proxy" in err
    assert shell("config", "05", "--proxy", "192.0.2.9")[0] == 0


def test_provisioning_in_the_configuration() -> None:
    from ansam.config import parse
    from ansam.config.problems import ConfigProblems

    block = '[[adaptor]]\nmac = "00:0E:08:AA:AA:AA"\nline1 = "{}"\n'
    good = CONFIG + '[provisioning]\nlisten = "[::1]:8069"\nallow = ["::1"]\n' + block.format("05")
    section = parse(good).provisioning
    assert (section.host, section.port, section.adaptors[0].mac) == ("::1", 8069, "000e08aaaaaa")
    assert "a&b" not in repr(section)
    for text, fault in (
        (good.replace('allow = ["::1"]', ""), "allow names nobody"),
        (good.replace('["::1"]', '["x"]'), "'x' is no network"),
        (good.replace("[::1]:8069", "8069"), "is no address"),
        (good + block.format("05"), "is that of [[adaptor]] 1 too"),
        (CONFIG + block.format("06"), "line1 = '06' is no extension in this file"),
        (CONFIG + block.format(""), "has neither line1 nor line2"),
        (CONFIG.replace("192.0.2.1", "0.0.0.0") + block.format("05"), "adaptors find no exchange"),
        (CONFIG + block.format("05").replace("00:0E", "00:0"), "twelve hexadecimal digits"),
    ):
        with pytest.raises(ConfigProblems) as caught:
            parse(text, "a.toml")
        assert fault in str(caught.value)
        assert str(caught.value).startswith("a.toml:")
