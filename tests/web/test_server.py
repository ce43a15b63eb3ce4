"""The server itself: TLS, ports in use, and extensions that count at once, over real sockets."""

import asyncio
import http.client
import json
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.exchange_live import Phone, exchange, run
from tests.support.web import client, make_app, users
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from ansam.cli.page import exchange_destination
from ansam.config import Config, load
from ansam.config.web import WebConfig
from ansam.errors import ConfigError, ResourceError
from ansam.web.exchange_view import LiveExchange
from ansam.web.extensions import ExtensionBook
from ansam.web.server import WebServer
from ansam.web.sources import Sources


def certificate(directory: Path) -> tuple[str, str]:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    pem = serialization.Encoding.PEM
    (directory / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "key.pem").write_bytes(private)
    return str(directory / "cert.pem"), str(directory / "key.pem")


def ask(port: int, method: str, path: str, body: object = None, csrf: str = "", tls: bool = False) -> Any:
    """Return status, headers and JSON of one request."""
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            "127.0.0.1", port, context=context, timeout=10
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"X-CSRF-Token": csrf, "Content-Type": "application/json"}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), json.loads(data) if data[:1] == b"{" else data


def port_of(server: WebServer) -> int:
    return int(server.url.rsplit(":", 1)[1].strip("/"))


def test_tls_makes_the_cookie_secure(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)

    async def serve() -> None:
        server = WebServer(WebConfig("127.0.0.1", 0, cert, key, users()), Sources())
        await server.start()
        assert server.url.startswith("https://127.0.0.1:")
        login = {"user": "admin", "password": "correct horse"}
        status, headers, answer = await asyncio.to_thread(
            ask, port_of(server), "POST", "/api/login", login, tls=True
        )
        assert (status, answer["role"]) == (200, "admin")
        assert "Secure" in headers["set-cookie"]
        assert "strict-transport-security" in headers
        await server.stop()

    run(serve)


def test_what_can_not_be_had_is_one_line(tmp_path: Path) -> None:
    async def serve() -> None:
        with pytest.raises(ConfigError, match="certificate"):
            await WebServer(WebConfig("127.0.0.1", 0, "none.pem", "none.pem"), Sources()).start()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            config = WebConfig("127.0.0.1", taken.getsockname()[1])
            with pytest.raises(ResourceError, match=r"web page on 127\.0\.0\.1:.*in use"):
                await WebServer(config, Sources()).start()

    run(serve)


def test_sockets_are_refused_in_the_handshake_and_end_with_the_server(tmp_path: Path) -> None:
    async def serve() -> None:
        made = make_app(tmp_path)
        server = WebServer(WebConfig("127.0.0.1", 0), Sources())
        server.app = made
        await server.start()
        base = "ws" + server.url.removeprefix("http")
        for path, origin, status in (
            ("ws/panel", "http://evil.example", 403),
            ("ws/modems/zz/scope", None, 404),
            ("ws/nothing", None, 403),
        ):
            with pytest.raises(InvalidStatus) as refused:
                await connect(base + path, origin=cast(Any, origin))
            assert refused.value.response.status_code == status
        async with connect(base + "ws/modems/m1/terminal") as terminal, connect(base + "ws/panel") as panel:
            await terminal.send(b"AT")
            assert await terminal.recv() == b"AT"
            assert b'"modems"' in await panel.recv(decode=False)
            began = asyncio.get_running_loop().time()
            await server.stop()
            assert asyncio.get_running_loop().time() - began < 3
            await terminal.wait_closed()
            assert terminal.close_code == 1001

    run(serve)


def test_text_that_is_none_is_refused(tmp_path: Path) -> None:
    with client(make_app(tmp_path)) as page:
        headers = {
            "X-CSRF-Token": page.get("/api/session").json()["csrf"],
            "Content-Type": "application/json",
        }
        for path, body in (
            ("/api/login", r'{"user": "a", "password": "\ud800"}'),
            ("/api/extensions", r'{"number": "11", "secret": "\ud800"}'),
            ("/api/extensions", r'{"number": "12", "name": "\u0000"}'),
        ):
            answer = page.post(path, content=body, headers=headers)
            assert answer.status_code in (400, 409), answer.text


def test_without_the_extra_its_name_is_told() -> None:
    code = (
        "import sys; sys.modules['starlette'] = None\n"
        "from ansam.cli.page import check_extra\n"
        "from ansam.errors import ConfigError\n"
        "try: check_extra()\n"
        "except ConfigError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'ansam[web]'" in done.stdout


def test_an_extension_added_by_the_page_registers_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ansam.toml"
    path.write_text('[exchange]\n[[extension]]\nnumber = "05"\nsecret = "s"\n')

    async def serve() -> None:
        async with exchange(database=str(tmp_path / "x.sqlite")) as server:

            def changed(config: Config) -> None:
                server.replace_plan(config.plan())

            sources = Sources(exchange=LiveExchange(server), extensions=ExtensionBook(path, changed))
            page = WebServer(WebConfig("127.0.0.1", 0), sources)
            await page.start()
            port = port_of(page)

            async def asks(*words: Any) -> Any:
                return await asyncio.to_thread(ask, port, *words)

            csrf = (await asks("GET", "/api/session"))[2]["csrf"]
            status, _, added = await asks("POST", "/api/extensions", {"number": "08", "name": "New"}, csrf)
            assert status == 201
            assert load(path).extensions[1].secret == added["secret"]
            phone = Phone("08", server.address("udp"), added["secret"])
            await phone.open()
            await phone.register()
            found = (await asks("GET", "/api/registrations"))[2]["registrations"]
            assert [(one["number"], one["name"]) for one in found] == [("08", "New")]
            status, _, changed_one = await asks("PATCH", "/api/extensions/08", {"name": "Newer"}, csrf)
            assert (status, changed_one["name"], changed_one["registered"]) == (200, "Newer", 1)
            target, line = exchange_destination(server)("08")
            assert target.startswith("sip:08@127.0.0.1:")
            assert ":s@" in line
            assert (await asks("POST", "/api/extensions", {"number": "08"}, csrf))[0] == 409
            assert (await asks("DELETE", "/api/extensions/08", None, csrf))[0] == 204
            assert (await asks("GET", "/api/registrations"))[2]["registrations"] == []
            assert "08" not in path.read_text()
            assert (await asks("GET", "/api/calls?search=%00x"))[2] == {"calls": [], "next": None}
            await phone.node.close()
            await page.stop()

    run(serve)


async def _left_alone(port: int, *sent: bytes) -> bytes:
    """Return all that the server says to this until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in sent:
        writer.write(piece)
        await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        said = await reader.read()
    writer.close()
    return said


def test_who_is_slow_with_a_request_loses_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansam.web.patience.HEADERS_WITHIN", 0.15)
    monkeypatch.setattr("ansam.web.operations.BODY_WITHIN", 0.15)
    monkeypatch.setattr("ansam.web.server.KEEP_ALIVE", 1)
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    login = b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

    async def serve() -> None:
        server = WebServer(WebConfig("127.0.0.1", 0, users=users()), Sources())
        await server.start()
        port = port_of(server)
        assert await _left_alone(port) == b""
        assert await _left_alone(port, b"GET", b" /", b" HTTP/1.1\r\n") == b""
        whole = await _left_alone(port, get, b"\r\n")
        assert whole.startswith(b"HTTP/1.1 200")
        answered = await _left_alone(port, get + b"\r\n", b"GET /")  # the second one never ends
        assert answered.count(b"HTTP/1.1") == 1
        slow = await _left_alone(port, login + b"Content-Length: 9\r\nOrigin: http://localhost\r\n\r\n", b"{")
        assert slow.startswith(b"HTTP/1.1 408")
        await server.stop()

    run(serve)
