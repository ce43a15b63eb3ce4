"""The OpenAPI document is true: every route is in it, answers are what it says, and none is a 5xx."""

import re
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from starlette.routing import Route
from tests.support.web import client, make_app

from ansam.web.app import WebApp


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> WebApp:
    return make_app(tmp_path_factory.mktemp("web"))


def test_every_route_is_in_it(app: WebApp) -> None:
    with client(app) as page:
        described = page.get("/openapi.json").json()
    assert described["openapi"] == "3.1.0"
    served = {
        (route.path, method.lower())
        for route in app.asgi.routes
        if isinstance(route, Route) and route.path not in ("/", "/favicon.ico")
        for method in (route.methods or ()) - {"HEAD"}
    }
    assert served == {(path, method) for path, methods in described["paths"].items() for method in methods}
    for path, methods in described["paths"].items():
        for one in methods.values():
            named = {p["name"] for p in one.get("parameters", ()) if p["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))
    assert "hidden-05" not in str(described)


def examine(app: WebApp, examples: int) -> None:
    with client(app) as page:
        document = page.get("/openapi.json").json()
        csrf = page.get("/api/session").json()["csrf"]
        schema = schemathesis.openapi.from_dict(document)
        schema.app = app.asgi
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path == "/api/doctor" and operation.method == "post":
                continue  # each would start a process

            @settings(
                max_examples=examples,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy())
            def check(case: schemathesis.Case) -> None:
                answer = case.call(
                    base_url="http://127.0.0.1:8080", session=page, headers={"X-CSRF-Token": csrf}
                )
                assert answer.status_code < 500, (case.method, case.path, answer.text)
                case.validate_response(answer, checks=[status_code_conformance, response_schema_conformance])

            check()


def test_requests_made_of_it_are_answered_as_it_says(app: WebApp) -> None:
    examine(app, 6)


@pytest.mark.bench
def test_many_requests_made_of_it(app: WebApp) -> None:
    examine(app, 200)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["/api/extensions", "/api/modems/m1/dial", "/api/doctor"]))
def test_bodies_that_are_none_are_refused_in_a_line(app: WebApp, data: bytes, path: str) -> None:
    with client(app) as page:
        csrf = page.get("/api/session").json()["csrf"]
        headers = {"X-CSRF-Token": csrf, "Content-Type": "application/json"}
        answer = page.post(path, content=data, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_nested_and_large_bodies_are_refused(app: WebApp) -> None:
    with client(app) as page:
        csrf = page.get("/api/session").json()["csrf"]
        headers = {"X-CSRF-Token": csrf, "Content-Type": "application/json"}
        assert page.post("/api/doctor", content=b"[" * 60_000, headers=headers).status_code == 400
        assert page.post("/api/doctor", content=b" " * 70_000, headers=headers).status_code == 413
        headers["Content-Type"] = "text/plain"
        assert page.post("/api/doctor", content=b"{}", headers=headers).status_code == 415


def test_a_document_lists_what_there_is_alone(tmp_path: Path) -> None:
    from ansam.config.web import WebConfig
    from ansam.web.sources import Sources

    with client(WebApp(WebConfig("127.0.0.1", 0), Sources())) as page:
        assert page.get("/api/session").json()["features"] == []
        assert "/api/modems" not in page.get("/openapi.json").json()["paths"]
        assert page.get("/api/modems").status_code == 404
