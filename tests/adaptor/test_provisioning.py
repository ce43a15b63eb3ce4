"""Who gets which profile, and who gets nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.adaptor import Account, Adaptor, Model, Provisioner
from ansam.adaptor.provisioning import clean_mac
from ansam.errors import ConfigError

ONE = Adaptor("000e08aaaaaa", (Account(1, "192.0.2.1", "05", "geheim-05"),))
TWO = Adaptor("000e08bbbbbb", (Account(2, "192.0.2.1", "07", "geheim-07"),), Model.SPA2102, "192.168.1.20")
SERVER = Provisioner([ONE, TWO], ["192.168.1.0/24", "::1"])


def ask(
    path: str, peer: str = "192.168.1.20", method: str = "GET", version: str = "HTTP/1.0"
) -> tuple[int, bytes]:
    request = f"{method} {path} {version}\r\nUser-Agent: Linksys/PAP2T-5.1.6(LS)\r\n\r\n".encode()
    reply, octets = SERVER.answer(request, peer)
    assert octets.startswith(f"HTTP/1.0 {reply.status} ".encode())
    assert "geheim" not in reply.why
    return reply.status, octets


@pytest.mark.parametrize(
    "path",
    [
        "/spa000e08aaaaaa.xml", "/init-config/000E08AAAAAA", "/init-config/spa000e08aaaaaa.cfg",
        "/000e08aaaaaa.xml",
        "/spa00:0e:08:aa:aa:aa.xml", "/spa000e08aaaaaa.xml?x=1", "/PAP2T-000e08aaaaaa.xml",
    ],
)  # fmt: skip
def test_by_mac(path: str) -> None:
    status, octets = ask(path)
    assert status == 200
    assert b"geheim-05" in octets
    assert b"geheim-07" not in octets


@pytest.mark.parametrize(
    "path", ["/spa.xml", "/SPA2102.xml", "/spa2102.cfg", "/init-config/spa.xml", "/spaSPA2102.cfg"]
)
def test_by_address(path: str) -> None:
    status, octets = ask(path)
    assert status == 200
    assert b"<Password_2_" in octets
    assert b"geheim-07" in octets
    assert ask(path, "192.168.1.21")[0] == 404
    assert ask(path, "::ffff:192.168.1.20")[0] == 200


@pytest.mark.parametrize(
    ("path", "peer", "method", "status"),
    [
        ("/spa000e08aaaaaa.xml", "192.168.2.1", "GET", 403),
        ("/spa000e08aaaaaa.xml", "::2", "GET", 403),
        ("/spa000e08bbbbbb.xml", "192.168.1.21", "GET", 404),
        ("/spa000e08cccccc.xml", "192.168.1.20", "GET", 404),
        ("/spa000e08aaaaaa0.xml", "192.168.1.21", "GET", 404),
        ("/", "192.168.1.20", "GET", 404),
        ("/init-config/", "192.168.1.20", "GET", 404),
        ("/ansam.toml", "192.168.1.20", "GET", 404),
        ("/../etc/passwd", "192.168.1.20", "GET", 404),
        ("/spa/%2e%2e/x", "192.168.1.20", "GET", 404),
        ("/spa%0a.xml", "192.168.1.20", "GET", 404),
        ("spa.xml", "192.168.1.20", "GET", 400),
        ("/spa.xml", "192.168.1.20", "POST", 405),
        ("/spa.xml", "192.168.1.20", "get", 400),
    ],
)
def test_refused(path: str, peer: str, method: str, status: int) -> None:
    found, octets = ask(path, peer, method)
    assert found == status
    assert octets.endswith(b"\r\n\r\n")
    assert b"geheim" not in octets


def test_head_has_no_body() -> None:
    status, octets = ask("/spa.xml", method="HEAD", version="HTTP/1.1")
    assert status == 200
    assert octets.endswith(b"\r\n\r\n")
    assert b"Content-Length: 0" not in octets


@given(
    st.binary(max_size=200)
    | st.from_regex(rb"GET /[ -~]{0,40} HTTP/1\.0\r\n", fullmatch=True),
    st.sampled_from(["192.168.1.21", "10.0.0.1", "fe80::1%eth0", "::1"]),
)  # fmt: skip
def test_no_request_lets_a_secret_out_of_turn(request: bytes, peer: str) -> None:
    reply, octets = SERVER.answer(request, peer)
    assert (reply.status == 200) == (b"geheim-05" in octets)
    assert b"geheim-07" not in octets
    assert reply.status != 200 or b"000e08aaaaaa" in request.lower().replace(b":", b"").replace(b"-", b"")


def test_what_can_not_be_configured() -> None:
    with pytest.raises(ConfigError, match="mac '12'"):
        Adaptor("12", ONE.accounts)
    with pytest.raises(ConfigError, match="is no IP address"):
        Adaptor(ONE.mac, ONE.accounts, address="x")
    with pytest.raises(ConfigError, match=r"allow: '192\.168\.1\.1/24' is no network"):
        Provisioner([], ["192.168.1.1/24"])
    with pytest.raises(ConfigError, match="mac is there twice"):
        Provisioner([ONE, ONE], [])
    assert clean_mac(" 00-0E:08AA.aaaa ") == "000e08aaaaaa"
    assert "geheim" not in repr(ONE)
