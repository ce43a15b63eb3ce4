"""What breaks modems is found in whatever form an adaptor says it; nonsense is refused in one line."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.adaptor import SETTINGS, Account, Severity, check, read_dump, spa_xml
from ansam.adaptor.dump import SIZE_LIMIT
from ansam.errors import ConfigError

GOOD = spa_xml([Account(1, "192.0.2.1", "05", "secret"), Account(2, "192.0.2.1", "07", "secret")])


def factory() -> str:
    rows = "".join(
        f'<{one.tag(line)} ua="na">{one.default}</{one.tag(line)}>\n'
        for one in SETTINGS
        for line in ((1, 2) if one.page == "Line" else (0,))
    )
    return f"<flat-profile>\n{rows}<Line_Enable_2_>No</Line_Enable_2_>\n</flat-profile>"


def test_ours_is_good() -> None:
    verdict = check(read_dump(GOOD.encode()))
    assert (verdict.wrong, verdict.missing, verdict.worst) == ((), (), None)
    assert "secret" not in repr(read_dump(GOOD.encode()))


def test_factory_settings_break_modems() -> None:
    verdict = check(read_dump(factory().encode()))
    assert (verdict.lines, verdict.disabled, verdict.worst) == ((1,), (2,), Severity.BREAKS)
    found = {(one.page, one.setting.name): (one.present, one.wanted) for one in verdict.wrong}
    assert found["Line 1", "Preferred Codec"] == ("G711u", "G711a")
    assert found["Line 1", "FAX Passthru Method"] == ("NSE", "None")
    assert found["Line 1", "Jitter Buffer Adjustment"] == ("up and down", "disable")
    assert found["SIP", "RTP Packet Size"] == ("0.030", "0.020")
    assert ("Line 1", "Silence Supp Enable") not in found
    assert ("Regional", "FXS Port Input Gain") not in found
    order = [list(Severity).index(one.setting.severity) for one in verdict.wrong]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("value", "wrong"),
    [("G711a", False), (" g711A\n\t", False), ("G711u", True), ("", True), ("G729a", True), ("nan", True)],
)
def test_values(value: str, wrong: bool) -> None:
    verdict = check(read_dump(f"<p><Preferred_Codec_1_>{value}</Preferred_Codec_1_></p>".encode()))
    assert bool(verdict.wrong) is wrong
    assert "SIP > RTP Packet Size" in verdict.missing
    assert "Line 1 > Use Pref Codec Only" in verdict.missing


def test_numbers_are_compared_as_numbers() -> None:
    text = "<p><RTP_Packet_Size>.02</RTP_Packet_Size><Proxy_1_>h</Proxy_1_></p>"
    assert check(read_dump(text.encode())).wrong == ()


def test_comments_and_a_device_around_it() -> None:
    text = b"<device><!-- x --><flat-profile><Echo_Supp_Enable_2_>yes</Echo_Supp_Enable_2_>"
    text += b"</flat-profile></device>"
    (wrong,) = check(read_dump(text)).wrong
    assert (wrong.page, wrong.present, wrong.wanted) == ("Line 2", "yes", "no")


def test_a_saved_page() -> None:
    page = """<!DOCTYPE html><html><head><script>a = "RTP Packet Size:";</script></head><body><form><table>
    <tr><td>RTP Packet Size:</td><td><input class="inputc" size="10" value="0.030" name="1"></td></tr>
    <tr><td>Line Enable:<td><select name="9"><option value="1" selected>yes<option value="0">no</select>
    <td>Password:</td><td><input type="password" value="hush"></td>
    <tr><td>Preferred Codec:</td><td><select name="2"><option selected value="0">G711u</option>
    <option value="1">G711a</option></select></td>
    <td>Silence Supp Enable:</td><td><select><option>no</option><option>yes</option></select></td></tr>
    <tr><td>Preferred&nbsp;Codec:</td><td>G711a</td></tr></table></form></body></html>"""
    dump = read_dump(page.encode())
    verdict = check(dump)
    assert dump.form == "page"
    assert [(one.page, one.setting.name, one.present) for one in verdict.wrong] == [
        ("Line 1", "Preferred Codec", "G711u"),
        ("SIP", "RTP Packet Size", "0.030"),
    ]
    assert dump.get("Preferred_Codec_2_") == "G711a"
    assert dump.get("Silence_Supp_Enable_1_") == "no"


def test_text() -> None:
    dump = read_dump(
        b"RTP Packet Size: 0.020\nLine 2\nPreferred Codec:\tG711u\nEcho Canc Enable = no\n"
        b'[Line 1]\nPreferred Codec: G711a\nFAX_Process_NSE[2]   "Yes" ;  # o\nDefault_Ring[1] ! "1" ;\n'
    )
    assert dump.form == "text"
    assert [(one.page, one.setting.name) for one in check(dump).wrong] == [
        ("Line 2", "Preferred Codec"),
        ("Line 2", "FAX Process NSE"),
    ]
    assert dump.get("Preferred_Codec_1_") == "G711a"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "a.xml: no setting of a PAP2T"),
        (b"hello\nworld: 5\n", "a.xml: no setting of a PAP2T"),
        (b"<flat-profile></flat-profile>", "a.xml: no setting of a PAP2T"),
        (b"<flat-profile>\n<Proxy_1_>", "a.xml:2: not XML: no element found"),
        (b"<flat-profile><a></b></flat-profile>", "a.xml:1: not XML: mismatched tag"),
        (b"<?xml version='1.0' encoding='x-none'?><a/>", "a.xml: "),
        (b"<!DOCTYPE p [<!ENTITY a 'b'>]><p>&a;</p>", "a.xml: declares a document type"),
        (b"<p>" * 20, "a.xml: not a profile"),
        (b" " * (SIZE_LIMIT + 1), f"a.xml: larger than {SIZE_LIMIT} octets"),
        (b"<p><RTP_Packet_Size>&a;</RTP_Packet_Size></p>", "a.xml:1: not XML: undefined entity"),
    ],
)
def test_what_is_no_dump(data: bytes, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_dump(data, "a.xml")
    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)


PIECES = st.sampled_from([
    "<flat-profile>", "</flat-profile>", "<Preferred_Codec_1_>", "</Preferred_Codec_1_>", "G711a", "<html>",
    "<td>", "Preferred Codec:", "<select>", "<option selected>", "</select>", "<!DOCTYPE html>", "Line 2",
    "\n", "&amp;", "&#0;", 'RTP_Packet_Size[1] "0.020" ;', "<?xml version='1.0' encoding='utf-16'?>",
    "<![CDATA[", "<!--", "\xff", "nan",
])  # fmt: skip


@given(
    st.binary(max_size=300)
    | st.lists(PIECES, max_size=30).map(lambda parts: "".join(parts).encode("latin-1"))
)
def test_nothing_but_our_error(data: bytes) -> None:
    with contextlib.suppress(ConfigError):
        assert set(check(read_dump(data)).lines) <= {1, 2}


@given(st.sampled_from([one for one in SETTINGS if one.page == "Line"]), st.sampled_from([1, 2]))
def test_one_wrong_value_is_one_finding(setting: object, line: int) -> None:
    one = next(known for known in SETTINGS if known is setting)
    present = GOOD.replace(f'<{one.tag(line)} ua="na">{one.wanted}<', f"<{one.tag(line)}>other<")
    found = check(read_dump(present.encode())).wrong
    expected = [] if f"<{one.tag(line)}>" not in present else [(one, line, "other")]
    assert [(wrong.setting, wrong.line, wrong.present) for wrong in found] == expected
