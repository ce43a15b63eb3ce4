"""Who gets in: sessions, roles, CSRF, origins, host names, and how often a password may be tried."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.testclient import TestClient, WebSocketDenialResponse
from tests.support.web import PASSWORD, client, far, log_in, make_app, users

from ansam.config.web import WebConfig
from ansam.web.app import WebApp
from ansam.web.auth import COOKIE, IDLE_SECONDS, TRIES, WINDOW_SECONDS, Doorkeeper
from ansam.web.gate import session_token

FAR = "192.0.2.1:8080"
SOCKETS = ("/ws/panel", "/ws/modems/m1/scope", "/ws/modems/m1/audio", "/ws/modems/m1/terminal")


@pytest.fixture
def app(tmp_path: Path) -> WebApp:
    return make_app(tmp_path, far())


@pytest.fixture
def page(app: WebApp) -> Iterator[TestClient]:
    with client(app, FAR) as page:
        yield page


def test_every_route_wants_a_login_from_elsewhere(app: WebApp, page: TestClient) -> None:
    public = {("GET", "/healthz"), ("POST", "/api/login")}
    for one in app.operations:
        if (one.method, one.path) not in public:
            path = one.path.replace("{id}", "m1").replace("{number}", "05")
            assert page.request(one.method, path).status_code in (401, 403), one.path
    for path in ("/api/nothing", "/ws/panel", "/nothing"):
        assert page.get(path).status_code == 401
    for path in SOCKETS:
        with pytest.raises(WebSocketDenialResponse) as refused, page.websocket_connect(f"ws://{FAR}{path}"):
            pass
        assert refused.value.status_code == 401
    assert page.get("/healthz").json() == {"status": "ok"}
    assert page.get("/").status_code == 200


def test_roles_reach_as_far_as_the_operations_say(app: WebApp, page: TestClient) -> None:
    csrf = log_in(page, "viewer")
    for one in app.operations:
        if one.role is not None and one.role.rank > 0:
            path = one.path.replace("{id}", "m1").replace("{number}", "05")
            assert page.request(one.method, path, headers={"X-CSRF-Token": csrf}).status_code == 403
    with pytest.raises(WebSocketDenialResponse) as refused, page.websocket_connect(f"ws://{FAR}{SOCKETS[3]}"):
        pass
    assert refused.value.status_code == 403
    csrf = log_in(page, "operator")
    dialled = page.post("/api/modems/m1/dial", json={"string": "05"}, headers={"X-CSRF-Token": csrf})
    assert (dialled.status_code, dialled.json()["state"]) == (202, "dialling")
    assert page.delete("/api/extensions/07", headers={"X-CSRF-Token": csrf}).status_code == 403


def test_changes_need_the_token_and_the_own_origin(page: TestClient) -> None:
    csrf = log_in(page, "admin")
    body = {"string": "05"}
    assert page.post("/api/modems/m1/dial", json=body).status_code == 403
    assert page.post("/api/modems/m1/dial", json=body, headers={"X-CSRF-Token": b"\xfc"}).status_code == 403
    good = {"X-CSRF-Token": csrf}
    for origin in ("http://evil.example", "https://192.0.2.1:8080", "http://192.0.2.1", "null", "http://["):
        assert (
            page.post("/api/modems/m1/dial", json=body, headers={**good, "Origin": origin}).status_code == 403
        )
        with (
            pytest.raises(WebSocketDenialResponse),
            page.websocket_connect(f"ws://{FAR}{SOCKETS[0]}", headers={"Origin": origin}),
        ):
            pass
    cross = {**good, "Sec-Fetch-Site": "cross-site"}
    assert page.post("/api/modems/m1/dial", json=body, headers=cross).status_code == 403
    own = {**good, "Origin": f"http://{FAR}"}
    assert page.post("/api/modems/m1/dial", json=body, headers=own).status_code == 202
    with page.websocket_connect(f"ws://{FAR}{SOCKETS[0]}", headers={"Origin": f"http://{FAR}"}) as socket:
        assert socket.receive_json()["type"] == "modems"


def test_a_cookie_is_for_the_page_alone(page: TestClient) -> None:
    answer = page.post("/api/login", json={"user": "admin", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert page.get("/api/session").json()["role"] == "admin"
    csrf = answer.json()["csrf"]
    assert page.post("/api/logout", headers={"X-CSRF-Token": csrf}).status_code == 204
    assert page.get("/api/session").status_code == 401
    page.cookies.set("ansam_session", "made-up")
    assert page.get("/api/session").status_code == 401


def test_answers_carry_the_headers_that_bind_browsers(page: TestClient) -> None:
    for path in ("/", "/api/session", "/static/nothing"):
        headers = page.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_tries_are_limited(page: TestClient) -> None:
    for _ in range(TRIES):
        assert page.post("/api/login", json={"user": "admin", "password": "x"}).status_code == 401
    answer = page.post("/api/login", json={"user": "admin", "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_sessions_end_by_idleness_and_with_their_users(tmp_path: Path) -> None:
    import asyncio

    clock = [1000.0]
    doorkeeper = Doorkeeper(far(), lambda: clock[0])
    token, _ = asyncio.run(doorkeeper.login("viewer", PASSWORD, "192.0.2.7"))
    assert doorkeeper.identify(token) is not None
    clock[0] += IDLE_SECONDS - 1
    assert doorkeeper.identify(token, busy=False) is not None
    clock[0] += 2
    assert doorkeeper.identify(token) is None
    token, _ = asyncio.run(doorkeeper.login("viewer", PASSWORD, "192.0.2.7"))
    doorkeeper.replace_users(users()[1:])
    assert doorkeeper.identify(token) is None
    clock[0] += WINDOW_SECONDS


def test_on_loopback_without_users_everybody_is_admin_under_its_own_name(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    with client(app) as page:
        session = page.get("/api/session").json()
        assert (session["role"], session["open"]) == ("admin", True)
        for name in ("localhost:8080", "[::1]:8080", "127.0.0.1"):
            assert page.get("/api/session", headers={"Host": name}).status_code == 200
        for name in ("evil.example", "192.168.1.10:8080", ""):
            assert page.get("/api/session", headers={"Host": name}).status_code == 421
        assert page.post("/api/modems/m1/dial", json={"string": "05"}).status_code == 403


def test_prometheus_reads_with_its_token_and_nothing_else(tmp_path: Path) -> None:
    config = WebConfig("192.0.2.1", 8080, users=users(), metrics_token="abc")
    with client(make_app(tmp_path, config), FAR) as page:
        assert page.get("/metrics").status_code == 401
        good = {"Authorization": "Bearer abc"}
        assert 'ansam_modems{state="idle"} 2.0' in page.get("/metrics", headers=good).text
        assert page.get("/api/modems", headers=good).status_code == 401
        assert page.get("/metrics", headers={"Authorization": "Bearer abd"}).status_code == 401


@pytest.mark.parametrize(
    "others", ['prefs={"dark": true}', "name=José", "a=hello world", "flag", "a=b"], ids=range(5)
)
def test_cookies_of_others_on_this_host_are_no_obstacle(others: str) -> None:
    headers = Headers({"cookie": f"{others}; {COOKIE}=token"})
    assert session_token(headers) == "token"
