"""WebSockets relay what modems say, and nothing that is sent to them brings the server down."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.web import client, make_app

from ansam.listen.bundle import unpack

HOST = "127.0.0.1:8080"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[TestClient]:
    with client(make_app(tmp_path)) as page:
        yield page


def open_socket(page: TestClient, path: str) -> Any:
    return page.websocket_connect(f"ws://{HOST}{path}")


def test_the_panel_shows_all_modems_then_each_change(page: TestClient) -> None:
    csrf = page.get("/api/session").json()["csrf"]
    with open_socket(page, "/ws/panel") as socket:
        first = socket.receive_json()
        assert [modem["id"] for modem in first["modems"]] == ["m1", "m2"]
        headers = {"X-CSRF-Token": csrf}
        page.post("/api/modems/m2/dial", json={"string": "05"}, headers=headers)
        change = socket.receive_json()
        assert (change["type"], change["modem"]["id"], change["modem"]["number"]) == ("modem", "m2", "05")
        assert page.post("/api/modems/m2/dial", json={"string": "05"}, headers=headers).status_code == 409


def test_scope_sound_and_terminal_are_relayed(page: TestClient) -> None:
    with open_socket(page, "/ws/modems/m1/scope") as socket:
        assert [socket.receive_json()[0]["t"] for _ in range(3)] == [0, 1, 2]
    with open_socket(page, "/ws/modems/m1/audio") as socket:
        assert socket.receive_bytes() == bytes(640)
    with open_socket(page, "/ws/modems/m1/terminal") as socket:
        socket.send_bytes(bytes(range(256)))
        assert socket.receive_bytes() == bytes(range(256))


@pytest.mark.parametrize("path", ["/ws/panel", "/ws/modems/m1/scope", "/ws/modems/m1/audio"])
def test_what_is_not_expected_ends_a_socket(page: TestClient, path: str) -> None:
    with open_socket(page, path) as socket:
        socket.send_text("hello")
        message = socket.receive()
        while message["type"] != "websocket.close":
            message = socket.receive()
        assert message["code"] == 1008


def test_ten_thousand_random_messages_crash_nothing(page: TestClient) -> None:
    rng = random.Random(9)
    sent = 0
    paths = ("/ws/modems/m1/terminal", "/ws/modems/m2/terminal", "/ws/panel", "/ws/modems/m1/scope")
    while sent < 10_000:
        with open_socket(page, rng.choice(paths)) as socket:
            for _ in range(rng.randrange(1, 400)):
                if rng.random() < 0.02:
                    socket.send_text("".join(chr(rng.randrange(1, 0xD800)) for _ in range(rng.randrange(9))))
                else:
                    socket.send_bytes(rng.randbytes(rng.randrange(64)))
                sent += 1
    assert page.get("/healthz").status_code == 200
    assert "ansam_web_sockets 0.0" in page.get("/metrics").text


def test_a_bundle_by_http(page: TestClient) -> None:
    assert page.get("/api/modems/m2/bundle").status_code == 404
    headers = {"X-CSRF-Token": page.get("/api/session").json()["csrf"]}
    assert page.post("/api/modems/m2/dial", json={"string": "05;"}, headers=headers).status_code == 400
    assert page.post("/api/modems/m2/dial", json={"string": "05"}, headers=headers).status_code == 202
    answer = page.get("/api/modems/m2/bundle")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="m2.zip"'
    sound, told, remarks = unpack(answer.content, "m2.zip")
    assert (sound[:4], told, remarks) == (b"RIFF", (), ())
