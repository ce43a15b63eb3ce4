"""Adaptors under the PAP2T's names: what is changed stands in the configuration's file afterwards."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.support.web import client, make_app

from ansam.call.line_url import SipLineUrl, parse_line
from ansam.config import load
from ansam.config.settings import ModemConfig
from ansam.web.adaptors import _line


def put(page: TestClient, identity: str, **settings: str) -> tuple[int, dict[str, object]]:
    headers = {"X-CSRF-Token": page.get("/api/session").json()["csrf"]}
    answer = page.put("/api/adaptor", json={"id": identity, "settings": settings}, headers=headers)
    return answer.status_code, answer.json()


def test_a_line_of_ours_is_changed_in_its_url(tmp_path: Path) -> None:
    with client(make_app(tmp_path)) as page:
        first = page.get("/api/adaptor")
        assert "hidden" not in first.text
        assert [one["id"] for one in first.json()["adaptors"]] == ["m1", "000e08abcdef"]
        status, adaptor = put(
            page,
            "m1",
            Preferred_Codec_1_="G711u",
            Network_Jitter_Level_1_="very high",
            Register_Expires_1_="600",
        )
        assert status == 200, adaptor
        line = load(tmp_path / "ansam.toml").modems[0].line
        assert isinstance(line, SipLineUrl)
        assert (line.law.value, line.playout, line.expires, line.secret) == ("ulaw", 800, 600, "hidden-05")
        values = {one["key"]: one["value"] for one in adaptor["settings"]}  # type: ignore[attr-defined]
        assert (values["Preferred_Codec_1_"], values["Network_Jitter_Level_1_"]) == ("G711u", "very high")
        assert values["Password_1_"] == ""


def test_a_box_is_changed_in_its_block(tmp_path: Path) -> None:
    with client(make_app(tmp_path)) as page:
        status, adaptor = put(page, "000e08abcdef", User_ID_2_="05", Preferred_Codec_1_="G711u")
        assert status == 200, adaptor
        box = load(tmp_path / "ansam.toml").provisioning.adaptors[0]
        assert [account.user_id for account in box.accounts] == ["07", "05"]
        assert box.law == "ulaw"


def test_what_can_not_be_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with client(make_app(tmp_path)) as page:
        before = (tmp_path / "ansam.toml").read_text()
        assert put(page, "m9", Proxy_1_="x")[0] == 404
        for settings in (
            {"Preferred_Codec_1_": "G729a"},
            {"Echo_Canc_Enable_1_": "yes"},
            {"No_Such_1_": "x"},
            {"Proxy_1_": "a b"},
            {"Proxy_1_": "x;ca=/etc/passwd"},
            {"Outbound_Proxy_1_": "x:y@z"},
            {"Register_Expires_1_": "never"},
            {"User_ID_1_": "99"},
        ):
            status, answer = put(page, "m1", **settings)
            assert status == 400, settings
            assert answer["error"]
        assert (tmp_path / "ansam.toml").read_text() == before


@pytest.mark.parametrize(
    "url",
    [
        "sip:07:s%3A%40@192.0.2.1",
        "sip:07:s@[2001:db8::1]:5070;transport=tcp;bind=192.0.2.3;law=ulaw;playout=40;expires=60",
        "sip:07:s@h;transport=tls;vbd=off;red=1;srtp=require;proxy=p:5080;srv=on;keepalive=0;ca=/a;verify=off",
        "sip:07:s@h;callers=registrar;rtcp=off",
    ],
)
def test_what_the_page_has_not_stays_as_it_is(url: str) -> None:
    line = parse_line(url)
    assert parse_line(_line(ModemConfig("m", line, "pty:x"), {})) == line
