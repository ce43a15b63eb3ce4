"""The profile an adaptor gets: well formed, complete, and approved by our own checker."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.adaptor import SETTINGS, Account, Model, check, read_dump, spa_xml
from ansam.adaptor.settings import tag
from ansam.errors import ConfigError

PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF).filter(str.isprintable), min_size=1)


def test_a_line() -> None:
    text = spa_xml([Account(1, "192.0.2.1", "05", "a<b&\"c'>d", display_name="Dial-up", auth_id="x5")])
    found = {element.tag: element.text or "" for element in ET.fromstring(text.encode())}
    assert {
        "Line_Enable_1_": "yes",
        "Proxy_1_": "192.0.2.1",
        "User_ID_1_": "05",
        "Password_1_": "a<b&\"c'>d",
        "Use_Auth_ID_1_": "yes",
        "Auth_ID_1_": "x5",
        "Register_Expires_1_": "3600",
        "Display_Name_1_": "Dial-up",
        "Preferred_Codec_1_": "G711a",
        "Use_Pref_Codec_Only_1_": "yes",
        "G726-16_Enable_1_": "no",
        "FAX_Passthru_Method_1_": "None",
        "Jitter_Buffer_Adjustment_1_": "disable",
        "RTP_Packet_Size": "0.020",
        "FXS_Port_Input_Gain": "-3",
    }.items() <= found.items()
    assert not any(name.endswith("_2_") for name in found)
    assert "FAX_Enable_T38_1_" not in found


def test_both_lines_of_the_other_law() -> None:
    accounts = [Account(2, "h:5070", "07", "b"), Account(1, "h:5070", "05", "a")]
    dump = read_dump(spa_xml(accounts, Model.SPA2102, "ulaw").encode())
    assert (dump.get("Proxy_2_"), dump.get("Preferred_Codec_2_")) == ("h:5070", "G711u")
    verdict = check(dump, "ulaw", Model.SPA2102)
    assert (verdict.wrong, verdict.missing, verdict.lines) == ((), (), (1, 2))


@given(PRINTABLE, PRINTABLE)
def test_any_secret_arrives(secret: str, name: str) -> None:
    text = spa_xml([Account(1, "h", "05", secret, display_name=name)])
    found = {element.tag: element.text for element in ET.fromstring(text.encode())}
    assert (found["Password_1_"], found["Display_Name_1_"]) == (secret, name)


def test_what_no_adaptor_has() -> None:
    one = Account(1, "h", "05", "s")
    with pytest.raises(ConfigError, match="spa3102 has no line 2"):
        spa_xml([Account(2, "h", "05", "s")], Model.SPA3102)
    for accounts in ([], [one, one]):
        with pytest.raises(ConfigError, match="each once"):
            spa_xml(accounts)
    with pytest.raises(ConfigError, match="Password of line 1 has control characters") as caught:
        Account(1, "h", "05", "se\ncret")
    assert "cret" not in str(caught.value)
    assert "secret" not in repr(Account(1, "h", "05", "secret"))
    with pytest.raises(ConfigError, match="Register Expires 0"):
        Account(1, "h", "05", "s", register_expires=0)


def test_the_table_makes_sense() -> None:
    names = [(one.page, one.name) for one in SETTINGS]
    assert len(set(names)) == len(names)
    for one in SETTINGS:
        for value in (one.wanted, one.default, *one.accepted):
            assert not one.choices or value in one.choices, one.name
        assert one.why
    assert tag("FAX CED Detect Enable", 2) == "FAX_CED_Detect_Enable_2_"
